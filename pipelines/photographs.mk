# Photographs of the public data sets, each with its truth and its field of view as the planes of one image:
#
#   $(PHOTOGRAPHS)/DRIVE/training/21.pam    $(PHOTOGRAPHS)/DRIVE/test/01.pam
#   $(PHOTOGRAPHS)/HRF/01_dr.pam            $(PHOTOGRAPHS)/CHASE_DB1/01L.pam
#
# DATA is the folder that holds DRIVE/{training,test}/{images,1st_manual,mask}; HRF/{images,manual1} and its fields of view as
# HRF/fov/NAME_mask.png; CHASE_DB1 and its fields of view as CHASE_DB1_mask/NAME.gif. A field of view of the last two that
# is not there is found by rs-fov. Experiments share what is stacked once; `wanted-SET` stops, saying what is missing.

.DEFAULT_GOAL = all
DATA ?= data
PHOTOGRAPHS ?= $(BUILD)/photographs

DRIVE = $(DATA)/DRIVE
HRF = $(DATA)/HRF
CHASE = $(DATA)/CHASE_DB1

# Numbers of the training and of the test photographs; the split of HRF is the 2017 talk's, that of CHASE_DB1 the usual one
DRIVE_TRAINING = 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40
DRIVE_TEST = 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20
HRF_TEST = 07_dr 05_g 08_h 14_h 01_g 15_dr
HRF_NUMBERS = 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15
HRF_TRAINING = $(filter-out $(HRF_TEST),$(HRF_NUMBERS:%=%_h) $(HRF_NUMBERS:%=%_dr) $(HRF_NUMBERS:%=%_g))
CHASE_TRAINING = 01L 01R 02L 02R 03L 03R 04L 04R 05L 05R 06L 06R 07L 07R 08L 08R 09L 09R 10L 10R
CHASE_TEST = 11L 11R 12L 12R 13L 13R 14L 14R

# wanted SET,FILE,FOLDERS
wanted = @[ -e $(DATA)/$(2) ] || { echo "no photographs of $(1): DATA=... is the folder that holds $(3)" >&2; exit 1; }
wanted-DRIVE:
	$(call wanted,DRIVE,DRIVE/training/images,DRIVE/training and DRIVE/test)
wanted-HRF:
	$(call wanted,HRF,HRF/images,HRF/images and HRF/manual1 and HRF/fov)
wanted-CHASE_DB1:
	$(call wanted,CHASE_DB1,CHASE_DB1/Image_01L.jpg,CHASE_DB1 and CHASE_DB1_mask)

# stack PHOTOGRAPH,TRUTH,FIELD: three commands that write PNM. Some truths of HRF have shades; the file appears whole
stack = @mkdir -p $(@D); work=$$(mktemp -d); trap 'rm -r $$work' EXIT; \
	$(1) > $$work/photograph; \
	$(2) | ppmtopgm | pamthreshold -simple -threshold=.5 | pamtopnm -quiet | pamdepth -quiet 255 > $$work/truth; \
	$(3) | pamdepth -quiet 255 > $$work/field; \
	pamstack -quiet -tupletype=RGB_VESSEL_FOV $$work/photograph $$work/truth $$work/field > $$work/stacked; \
	cp $$work/stacked $@.$$$$; mv $@.$$$$ $@

# field FILE,READER,PHOTOGRAPH: that of a file, or of a command's photograph
field = if [ -e $(1) ]; then $(2) $(1); \
	else $(3) | rs-fov -quiet | pamchannel -quiet -tupletype=GRAYSCALE 3 | pamtopnm -quiet; fi

$(PHOTOGRAPHS)/DRIVE/training/%.pam: | wanted-DRIVE
	$(call stack,tifftopnm -quiet $(DRIVE)/training/images/$*_training.tif,giftopnm -quiet \
	  $(DRIVE)/training/1st_manual/$*_manual1.gif,giftopnm -quiet $(DRIVE)/training/mask/$*_training_mask.gif)
$(PHOTOGRAPHS)/DRIVE/test/%.pam: | wanted-DRIVE
	$(call stack,tifftopnm -quiet $(DRIVE)/test/images/$*_test.tif,giftopnm -quiet \
	  $(DRIVE)/test/1st_manual/$*_manual1.gif,giftopnm -quiet $(DRIVE)/test/mask/$*_test_mask.gif)
$(PHOTOGRAPHS)/HRF/%.pam: read = jpegtopnm -quiet $(wildcard $(HRF)/images/$*.jpg $(HRF)/images/$*.JPG)
$(PHOTOGRAPHS)/HRF/%.pam: | wanted-HRF
	$(call stack,$(read),tifftopnm -quiet $(HRF)/manual1/$*.tif,$(call \
	  field,$(HRF)/fov/$*_mask.png,pngtopnm -quiet,$(read)))
$(PHOTOGRAPHS)/CHASE_DB1/%.pam: read = jpegtopnm -quiet $(CHASE)/Image_$*.jpg
$(PHOTOGRAPHS)/CHASE_DB1/%.pam: | wanted-CHASE_DB1
	$(call stack,$(read),pngtopnm -quiet $(CHASE)/Image_$*_1stHO.png,$(call \
	  field,$(DATA)/CHASE_DB1_mask/Image_$*.gif,giftopnm -quiet,$(read)))

.PHONY: wanted-DRIVE wanted-HRF wanted-CHASE_DB1
