# The model that comes with the program, lib/model/rs.safetensors, from the training photographs of HRF and CHASE_DB1:
#
#   make -f pipelines/ship.mk DATA=../data           train; scores of the eight photographs held out, which together
#                                                    with eight of DRIVE's for training choose threshold and temperature
#   make -f pipelines/ship.mk DATA=../data others    scores of DRIVE's training photographs, another camera, unseen
#   make -f pipelines/ship.mk DATA=../data test      scores of the test photographs of all three, at their own size
#   make -f pipelines/ship.mk DATA=../data ship      put it in its place
#
# DATA is the folder that holds HRF/, CHASE_DB1/, CHASE_DB1_mask/ and DRIVE/; SEED keys every random number; OUT is where
# every file goes. All photographs are brought to one diameter of their fields of view; rs-infer does the same to whatever
# photograph comes. A training that is interrupted goes on from its checkpoint.
#
# Each photograph is there a second time as a camera of fewer pixels would have it, COARSE of them across the field of view:
# vessel is every pixel of which a vessel fills the share CROSSED, and the field of view reaches over the dark rim. Without,
# thin vessels of blurred photographs are missed, and a rim that is not drawn so closely is taken for a vessel.

OUT = build/ship
SEED = 1
DIAMETER = 800
COARSE = 500
CROSSED = .3
STEPS = 3000
TRAIN_OPTIONS = -channels=16,32,64,128
INFER = rs-infer -tta=flips
ABOUT = Vessels in colour photographs of the retina. Trained on HRF (Budai et al., 2013, doi 10.1155/2013/154860) and \
  CHASE_DB1 (Fraz et al., 2012, doi 10.1109/TBME.2012.2205687), both CC BY 4.0: adults healthy, with diabetic retinopathy \
  or glaucoma, Canon cameras; children, Nidek. Other cameras and diseases it has not seen. rs-models(7) has its figures. \
  For research, not a medical device.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

HELD = HRF/15_h HRF/14_dr HRF/15_g HRF/13_h CHASE_DB1/07L CHASE_DB1/08R CHASE_DB1/09L CHASE_DB1/10R
FITTED = $(filter-out $(HELD),$(HRF_TRAINING:%=HRF/%) $(CHASE_TRAINING:%=CHASE_DB1/%))

all: $(OUT)/held.tsv
	@echo "held out, field of view:"; column -t $<

$(OUT)/scaled/%.pam: $(PHOTOGRAPHS)/%.pam
	@mkdir -p $(@D)
	rs-scale -quiet -diameter=$(DIAMETER) $< > $@
$(OUT)/coarse/%.pam: $(PHOTOGRAPHS)/%.pam
	@mkdir -p $(@D)
	rs-scale -quiet -diameter=$(COARSE) $< > $@.all
	pamchannel -quiet -infile=$@.all -tupletype=GRAYSCALE 3 | pamtopnm -quiet | \
	  pamthreshold -quiet -simple -threshold=$(CROSSED) | pamtopnm -quiet | pamdepth -quiet 255 > $@.truth
	pamchannel -quiet -infile=$@.all -tupletype=RGB 0 1 2 > $@.photograph
	pamchannel -quiet -infile=$@.all -tupletype=GRAYSCALE 4 | pamtopnm -quiet | \
	  pgmmorphconv -dilate <(pbmmake -white 9 9) > $@.field
	pamstack -quiet -tupletype=RGB_VESSEL_FOV $@.photograph $@.truth $@.field | rs-scale -quiet -diameter=$(DIAMETER) > $@
	rm $@.all $@.truth $@.photograph $@.field

# Of the photographs of CHASE_DB1 there are half as many: they come twice
both = $(patsubst %,$(OUT)/scaled/%.pam,$(1)) $(patsubst %,$(OUT)/coarse/%.pam,$(1))
STREAM = $(call both,$(FITTED))
TWICE = $(call both,$(filter CHASE_DB1/%,$(FITTED)))

# train NAME,OPTIONS: the network's last average, since a cosine ends where it is best
train = while cat $(STREAM) $(TWICE); do :; done | \
	  rs-rotate -quiet -copies=3 -flip -quarter -angle=45 -zoom=.7,1.4 -seed=$(SEED) | \
	  rs-norm -quiet -mode=image -pixels=fov -jitter=.3,.15 -seed=$(SEED) | \
	  rs-patch -quiet -size=256 -pixels=fov -count=8 -seed=$(SEED) | \
	  rs-train -model=$@ -checkpoint=$(OUT)/checkpoint -resume $(TRAIN_OPTIONS) -dropout=0 -batch=4 -lr=.01 -warmup=.02 \
	    -schedule=cosine -average=.99 -shuffle=512 -steps=$(STEPS) -seed=$(SEED) -diameter=$(DIAMETER) -about="$(ABOUT)" $(1)
$(OUT)/trained.safetensors: $(STREAM)
	$(call train,-log=$(OUT)/log.tsv)

# Threshold and temperature, from photographs that it was not trained on: eight of cameras that it knows and eight of one
# that it does not, at one size, so that each counts for as much
UNSEEN = $(HELD) $(addprefix DRIVE/training/,$(wordlist 13,20,$(DRIVE_TRAINING)))
$(OUT)/unseen.maps: $(OUT)/trained.safetensors $(UNSEEN:%=$(OUT)/scaled/%.pam)
	$(INFER) -model=$^ > $@
$(OUT)/chosen.tsv: $(OUT)/unseen.maps
	rs-score -choose $< > $@
$(OUT)/model.safetensors: $(OUT)/trained.safetensors $(OUT)/chosen.tsv
	$(call train,$$(awk -F '\t' 'NR == 1 { split($$0, name) } END { for (i = 1; i <= 2; i++) printf " -%s=%s", name[i], $$i }' $(OUT)/chosen.tsv))

# Whole photographs, at their own size, with the model's own threshold
of = $($(1):%=$(PHOTOGRAPHS)/%.pam)
held-hrf = $(filter HRF/%,$(HELD))
held-chase = $(filter CHASE_DB1/%,$(HELD))
others = $(addprefix DRIVE/training/,$(wordlist 1,12,$(DRIVE_TRAINING)))
test-hrf = $(HRF_TEST:%=HRF/%)
test-chase = $(CHASE_TEST:%=CHASE_DB1/%)
test-drive = $(DRIVE_TEST:%=DRIVE/test/%)

.SECONDEXPANSION:
$(OUT)/%.maps: $(OUT)/model.safetensors $$(call of,$$*)
	$(INFER) -model=$^ > $@
$(OUT)/%.score: $(OUT)/%.maps $(OUT)/model.safetensors
	rs-score -bootstrap=1000 -threshold=model -model=$(OUT)/model.safetensors $< > $@

# Tables of several sets: the pooled line of each, and its bounds
$(OUT)/held.tsv: $(OUT)/held-hrf.score $(OUT)/held-chase.score
$(OUT)/others.tsv: $(OUT)/others.score
$(OUT)/test.tsv: $(OUT)/test-hrf.score $(OUT)/test-chase.score $(OUT)/test-drive.score
$(OUT)/held.tsv $(OUT)/others.tsv $(OUT)/test.tsv:
	{ head -n 1 $< | sed 's/^/set\t/'; \
	  for table in $^; do grep -E '^(all|lower|upper)' $$table | sed "s/^/$$(basename $$table .score)\t/"; done; } > $@

others test: %: $(OUT)/%.tsv
	@column -t $<

ship: $(OUT)/model.safetensors
	mkdir -p $(PIPELINES)../lib/model
	cp $< $(PIPELINES)../lib/model/rs.safetensors

.PHONY: all others test ship
