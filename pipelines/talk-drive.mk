# The 2017 talk's experiment on DRIVE, step by step:
#
#   make -f pipelines/talk-drive.mk DATA=../data          train; scores of the four photographs held out
#   make -f pipelines/talk-drive.mk DATA=../data test     scores of the twenty test photographs
#
# DATA is the folder that holds DRIVE/; SEED keys every random number; OUT is where every file goes. 16 training
# photographs are fitted, the last four are held out whole. Every photograph and COPIES turned ones give COUNT patches
# each (SAMPLES in all), 64x64, those with little vessel or light refused, normalised each by itself; the loss is taken
# over the whole patch.
#
# The talk's 560x560 is read as the square 565x565, rows 10 to 574.

OUT = build/talk-drive
SEED = 1
COPIES = 3
COUNT = 300
EPOCHS = 5
SAMPLES = 19200
TRAIN_OPTIONS = -channels=32,64,128 -dropout=.2

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

FITTED = $(wordlist 1,16,$(DRIVE_TRAINING))
HELD = $(wordlist 17,20,$(DRIVE_TRAINING))
CROP = crop:0,10,565,565

NORM = rs-norm -mode=patch -quiet

all: $(OUT)/held.tsv
	@echo "held out, field of view:"; column -t $(OUT)/held.tsv | tail -n 1

TRAINING = $(PHOTOGRAPHS)/DRIVE/training
TEST = $(DRIVE_TEST:%=$(PHOTOGRAPHS)/DRIVE/test/%.pam)

$(OUT)/train.tensors: $(FITTED:%=$(TRAINING)/%.pam)
	@mkdir -p $(@D)
	rs-rotate -copies=$(COPIES) -angle=270 -seed=$(SEED) $^ | \
	  rs-patch -size=64 -count=$(COUNT) -min-vessel=50 -min-bright=50 -seed=$(SEED) | $(NORM) > $@

$(OUT)/held.tensors: $(HELD:%=$(TRAINING)/%.pam)
	@mkdir -p $(@D)
	rs-patch -grid -size=64 $^ | $(NORM) > $@

$(OUT)/model.safetensors: $(OUT)/train.tensors $(OUT)/held.tensors
	rs-train -model=$@ -log=$(OUT)/log.tsv -validate=$(OUT)/held.tensors -pixels=image -epochs=$(EPOCHS) \
	  $(TRAIN_OPTIONS) -seed=$(SEED) -expect=$(SAMPLES) $(OUT)/train.tensors

$(OUT)/held.maps: $(OUT)/model.safetensors $(HELD:%=$(TRAINING)/%.pam)
	rs-infer -model=$^ > $@
$(OUT)/held.tsv: $(OUT)/held.maps $(OUT)/model.safetensors
	rs-score -expect=4 -threshold=model -model=$(OUT)/model.safetensors $< > $@

# The test photographs: (a) in the field of view; (b) on the talk's crop, the map black outside the field of view, and
# as the network has it there; (c) the talk's own way: crops on a grid, scored as images of their own.
$(OUT)/test.maps: $(OUT)/model.safetensors $(TEST)
	rs-infer -model=$^ > $@
$(OUT)/test.unmasked.maps: $(OUT)/model.safetensors $(TEST)
	cat $(TEST) | pamchannel -tupletype=RGB_VESSEL 0 1 2 3 | rs-infer -model=$< > $@
$(OUT)/test.crops.maps: $(OUT)/test.maps
	rs-patch -grid -step=32 -size=64 $< > $@

$(OUT)/test.fov.tsv: $(OUT)/test.maps
	rs-score -expect=20 -bootstrap=1000 $< > $@
$(OUT)/test.model.tsv: $(OUT)/test.maps $(OUT)/model.safetensors
	rs-score -expect=20 -threshold=model -model=$(OUT)/model.safetensors $< > $@
$(OUT)/test.crop.tsv: $(OUT)/test.maps
	rs-score -expect=20 -pixels=$(CROP) $< > $@
$(OUT)/test.unmasked.tsv: $(OUT)/test.unmasked.maps
	rs-score -expect=20 -pixels=$(CROP) $< > $@
$(OUT)/test.padded.tsv: $(OUT)/test.crops.maps
	rs-score -pixels=image $< > $@

TABLES = fov model crop unmasked padded
$(OUT)/test.tsv: $(TABLES:%=$(OUT)/test.%.tsv)
	{ head -n 1 $< | sed 's/^/what\t/'; \
	  for t in $(TABLES); do sed -n "s/^all/$$t\tall/p" $(OUT)/test.$$t.tsv; done; \
	  } | sed 's/^padded/zero-padded/' > $@

test: $(OUT)/test.tsv
	@column -t $<

.PHONY: all test
