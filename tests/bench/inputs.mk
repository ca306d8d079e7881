# What tests/bench/run works on, each file made once: drawn photographs, tensors, models of a few steps.

OUT = build/bench/inputs
PEERS := $(dir $(lastword $(MAKEFILE_LIST)))peers
PYTHON = python3

include $(dir $(lastword $(MAKEFILE_LIST)))../../pipelines/common.mk

NORM = rs-norm -quiet -mode=dataset
TRAIN = rs-train -quiet -pixels=image -epochs=1

$(OUT)/small.pam:
	mkdir -p $(@D)
	rs-synth -quiet -count=2 -width=565 -height=584 > $@
$(OUT)/large.pam:
	mkdir -p $(@D)
	rs-synth -quiet -width=3504 -height=2336 > $@
$(OUT)/%.ppm: $(OUT)/%.pam
	pampick -quiet 0 < $< | pamchannel -tupletype=RGB 0 1 2 | pamtopnm > $@

# So many batches of 32, half of each photograph
$(OUT)/statistics: $(OUT)/small.pam
	rs-patch -quiet -size=64 -count=100 $< | $(NORM) -fit=$@
$(OUT)/batches-%.tensors: $(OUT)/small.pam $(OUT)/statistics
	rs-patch -quiet -size=64 -count=$$(($* * 16)) $< | $(NORM) -stats=$(OUT)/statistics > $@
$(OUT)/patchwise.tensors: $(OUT)/small.pam
	rs-patch -quiet -size=64 -count=64 $< | rs-norm -quiet -mode=patch > $@

$(OUT)/whole.safetensors: $(OUT)/batches-8.tensors
	$(TRAIN) -model=$@ -channels=32,64,128 $<
$(OUT)/patchwise.safetensors: $(OUT)/patchwise.tensors
	$(TRAIN) -model=$@ -channels=32,64,128 $<
$(OUT)/narrow.safetensors: $(OUT)/batches-16.tensors
	$(TRAIN) -model=$@ -channels=4,8 $<
$(OUT)/whole.onnx: $(OUT)/whole.safetensors
	$(PYTHON) $(PEERS)/onnx_export.py $< $@

# Six maps with truth and field of view: one, six times
$(OUT)/maps.pam: $(OUT)/narrow.safetensors $(OUT)/large.pam
	rs-infer -quiet -model=$^ > $@.one
	cat $@.one $@.one $@.one $@.one $@.one $@.one > $@
	rm $@.one
