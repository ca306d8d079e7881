# Whitening against patch-wise normalisation, on DRIVE: the same patches, network, steps and seeds, and nothing else
# differs.
#
#   make -f pipelines/zca.mk DATA=../data          paired scores of the four training photographs held out
#
# 16 training photographs are fitted, their green plane alone, turned COPIES times; the last four are held out whole.
# MODES: patch; zca, of whole patches; zca-filter, of photographs, KERNEL wide. For every seed and whitening there is one
# table, whose figures are those of the whitening, those of patch-wise normalisation, and their differences with
# intervals (rs-score -compare).

DATA = data
OUT = build/zca
SEEDS = 1 2 3
SIZE = 32
COPIES = 1
COUNT = 100
SAMPLES = 3200
EPOCHS = 3
KERNEL = 15
WHITENINGS = zca zca-filter
TRAIN_OPTIONS = -channels=8,16,32 -dropout=.1 -batch=8 -schedule=cosine -lr=.003

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

TRAINING = $(DRIVE_TRAINING:%=$(PHOTOGRAPHS)/DRIVE/training/%.pam)
FITTED = $(wordlist 1,16,$(TRAINING))
HELD = $(wordlist 17,20,$(TRAINING))
PATCH = rs-patch -quiet -size=$(SIZE) -count=$(COUNT) -pixels=fov

all: $(OUT)/compared.tsv
	@column -t $<

$(OUT)/turned.pam: $(FITTED)
	@mkdir -p $(@D)
	rs-rotate -quiet -copies=$(COPIES) -angle=270 $^ > $@
$(OUT)/patches.pam: $(OUT)/turned.pam
	$(PATCH) $< > $@

$(OUT)/zca.stats: $(OUT)/patches.pam
	rs-norm -quiet -mode=zca -green -fit=$@ $<
$(OUT)/zca-filter.stats: $(OUT)/turned.pam
	rs-norm -quiet -mode=zca-filter -green -pixels=fov -kernel=$(KERNEL) -fit=$@ $<

$(OUT)/patch.tensors: $(OUT)/patches.pam
	rs-norm -quiet -green $< > $@
$(OUT)/zca.tensors: $(OUT)/zca.stats $(OUT)/patches.pam
	rs-norm -quiet -stats=$^ > $@
$(OUT)/zca-filter.tensors: $(OUT)/zca-filter.stats $(OUT)/turned.pam
	rs-norm -quiet -stats=$^ | $(PATCH) > $@

# models of MODE, from the statistics it has: NAME-SEED.safetensors
define train
$(OUT)/$(1)-%.safetensors: $(OUT)/$(1).tensors
	rs-train -model=$$@ $(if $(filter patch,$(1)),,-stats=$(OUT)/$(1).stats) -epochs=$(EPOCHS) $(TRAIN_OPTIONS) \
	  -seed=$$* -expect=$(SAMPLES) $$<
endef
$(foreach mode,patch $(WHITENINGS),$(eval $(call train,$(mode))))

$(OUT)/%.maps: $(OUT)/%.safetensors $(HELD)
	rs-infer -quiet -model=$^ > $@

# COMPARED: whitening-seed against patch-seed
COMPARED = $(foreach mode,$(WHITENINGS),$(SEEDS:%=$(mode)-%))
.SECONDEXPANSION:
$(COMPARED:%=$(OUT)/%.tsv): $(OUT)/%.tsv: $(OUT)/%.maps $(OUT)/patch-$$(lastword $$(subst -, ,$$*)).maps
	rs-score -quiet -expect=4 -bootstrap=1000 -compare=$(lastword $^) $< > $@
$(OUT)/compared.tsv: $(COMPARED:%=$(OUT)/%.tsv)
	{ head -n 1 $< | sed 's/^/run\t/'; \
	  for run in $(COMPARED); do tail -n +2 $(OUT)/$$run.tsv | sed "s/^/$$run\t/"; done; } > $@

.PHONY: all
