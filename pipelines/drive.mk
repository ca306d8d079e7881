# The recipe on DRIVE: whole photographs normalised over their field of view, large crops, batch norm, Adam at .01 with
# warm-up and one cosine, the average of the weights; flips at the end.
#
#   make -f pipelines/drive.mk DATA=../data          four folds: every training photograph is segmented by a network that has
#                                                    not seen it; their scores choose the threshold and the temperature
#   make -f pipelines/drive.mk DATA=../data test     a network of all twenty; scores of the twenty test photographs
#
# DATA is the folder that holds DRIVE/; SEED keys every random number; OUT is where every file goes. A training that is
# interrupted goes on from its checkpoint.

OUT = build/drive
SEED = 1
FOLD_STEPS = 800
STEPS = 2000
FOLDS = 1 2 3 4

AUGMENT = rs-rotate -quiet -copies=3 -flip -quarter -angle=45 -zoom=.86,1.16 -seed=$(SEED) | \
  rs-norm -quiet -mode=image -pixels=fov -jitter=.15,.075 -seed=$(SEED) | \
  rs-patch -quiet -size=256 -pixels=fov -count=8 -seed=$(SEED)
TRAIN_OPTIONS = -channels=16,32,64
TRAIN = rs-train $(TRAIN_OPTIONS) -dropout=0 -batch=4 -lr=.01 -warmup=.02 -schedule=cosine -average=.99 \
  -shuffle=256 -seed=$(SEED)
INFER = rs-infer -tta=flips

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

TRAINING = $(DRIVE_TRAINING:%=$(PHOTOGRAPHS)/DRIVE/training/%.pam)
TEST = $(DRIVE_TEST:%=$(PHOTOGRAPHS)/DRIVE/test/%.pam)

# What each fold holds out
held_1 = 21 25 29 33 37
held_2 = 22 26 30 34 38
held_3 = 23 27 31 35 39
held_4 = 24 28 32 36 40
held = $(held_$(1):%=$(PHOTOGRAPHS)/DRIVE/training/%.pam)

all: $(OUT)/held.tsv $(OUT)/chosen.tsv
	@echo "held out, field of view:"; column -t $< | tail -n 1; column -t $(OUT)/chosen.tsv

# train PHOTOGRAPHS,OPTIONS: on an endless stream of them
train = @mkdir -p $(@D); while cat $(1); do :; done | $(AUGMENT) | \
	  $(TRAIN) -model=$@ -log=$(@:.safetensors=.tsv) -checkpoint=$@.checkpoint -resume $(2)

.SECONDEXPANSION:
$(OUT)/fold-%.safetensors: $$(filter-out $$(call held,$$*),$(TRAINING))
	$(call train,$^,-steps=$(FOLD_STEPS))
$(OUT)/fold-%.maps: $(OUT)/fold-%.safetensors $$(call held,$$*)
	$(INFER) -model=$^ > $@
$(OUT)/held.maps: $(FOLDS:%=$(OUT)/fold-%.maps)
	cat $^ > $@
$(OUT)/chosen.tsv: $(OUT)/held.maps
	rs-score -choose $< > $@
$(OUT)/held.tsv: $(OUT)/held.maps
	rs-score -threshold=best-dice $< > $@

chosen = $$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$$i] = i } END { print $$at["$(1)"] }' $(OUT)/chosen.tsv)
$(OUT)/model.safetensors: $(TRAINING) $(OUT)/chosen.tsv
	$(call train,$(TRAINING),-steps=$(STEPS) -threshold=$(call chosen,threshold) -temperature=$(call chosen,temperature))

$(OUT)/model.tsv: $(OUT)/model.safetensors ;
$(OUT)/test.maps: $(OUT)/model.safetensors $(TEST)
	$(INFER) -model=$^ > $@
$(OUT)/test.tsv: $(OUT)/test.maps $(OUT)/model.safetensors
	rs-score -expect=20 -bootstrap=1000 -threshold=model -model=$(OUT)/model.safetensors $< > $@

test: $(OUT)/test.tsv
	@column -t $<

.PHONY: all test
