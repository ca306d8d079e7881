# The 2017 talk's experiment on HRF, at full resolution, step by step:
#
#   make -f pipelines/talk-hrf.mk DATA=../data          train; scores of the four photographs held out
#   make -f pipelines/talk-hrf.mk DATA=../data test     scores of the talk's six test photographs
#
# DATA is the folder that holds HRF/; SEED keys every random number; OUT is where every file goes. Of the 39 photographs
# for training four are held out whole, one of each kind and one more. Every other one and COPIES turned ones give COUNT
# patches each (SAMPLES in all), 128x128, those with little vessel or light refused, normalised each by itself; the loss
# is taken over the whole patch.
#
# No filter holds more than one photograph; rs-train maps its file of patches.

OUT = build/talk-hrf
SEED = 1
COPIES = 2
COUNT = 100
EPOCHS = 2
SAMPLES = 10500
TRAIN_OPTIONS = -channels=32,64,128 -dropout=.2 -batch=16

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

HELD = 15_h 14_dr 15_g 13_h
FITTED = $(filter-out $(HELD),$(HRF_TRAINING))
IMAGES = $(PHOTOGRAPHS)/HRF
TEST = $(HRF_TEST:%=$(IMAGES)/%.pam)

NORM = rs-norm -mode=patch -quiet

all: $(OUT)/held.tsv
	@echo "held out, field of view:"; column -t $(OUT)/held.tsv | tail -n 1

$(OUT)/train.tensors: $(FITTED:%=$(IMAGES)/%.pam)
	@mkdir -p $(@D)
	rs-rotate -copies=$(COPIES) -angle=270 -seed=$(SEED) $^ | \
	  rs-patch -size=128 -count=$(COUNT) -min-vessel=200 -min-bright=200 -seed=$(SEED) | $(NORM) > $@

# Every tenth or so of the patches that cover a photograph: there are 500
$(OUT)/held.tensors: $(HELD:%=$(IMAGES)/%.pam)
	@mkdir -p $(@D)
	rs-patch -count=100 -size=128 -seed=$(SEED) $^ | $(NORM) > $@

$(OUT)/model.safetensors: $(OUT)/train.tensors $(OUT)/held.tensors
	rs-train -model=$@ -log=$(OUT)/log.tsv -validate=$(OUT)/held.tensors -pixels=image -epochs=$(EPOCHS) \
	  -checkpoint=$(OUT)/checkpoint -resume $(TRAIN_OPTIONS) -seed=$(SEED) -expect=$(SAMPLES) $(OUT)/train.tensors

$(OUT)/held.maps: $(OUT)/model.safetensors $(HELD:%=$(IMAGES)/%.pam)
	rs-infer -model=$^ > $@
$(OUT)/held.tsv: $(OUT)/held.maps $(OUT)/model.safetensors
	rs-score -expect=4 -threshold=model -model=$(OUT)/model.safetensors $< > $@

$(OUT)/test.maps: $(OUT)/model.safetensors $(TEST)
	rs-infer -model=$^ > $@
$(OUT)/test.image.tsv: $(OUT)/test.maps
	rs-score -expect=6 -pixels=image -bootstrap=1000 $< > $@
$(OUT)/test.fov.tsv: $(OUT)/test.maps
	rs-score -expect=6 -bootstrap=1000 $< > $@

TABLES = image fov
$(OUT)/test.tsv: $(TABLES:%=$(OUT)/test.%.tsv)
	{ head -n 1 $< | sed 's/^/what\t/'; \
	  for t in $(TABLES); do sed -n "s/^all/$$t\tall/p" $(OUT)/test.$$t.tsv; done; } > $@

test: $(OUT)/test.tsv
	@column -t $<

.PHONY: all test
