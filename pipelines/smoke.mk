# From drawn photographs to a score, by way of every filter:
#
#   make -f pipelines/smoke.mk             the score of two photographs that the network has not seen
#   make -f pipelines/smoke.mk demo        the same, and a photograph, its map, its truth and where the two differ as PNG

OUT = build/smoke
SEED = 1
TRAIN = 4
HELD = 2
WIDTH = 282
HEIGHT = 292
COUNT = 60
EPOCHS = 4
CHANNELS = 8,16

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

SYNTH = rs-synth -width=$(WIDTH) -height=$(HEIGHT) -quiet
NORM = rs-norm -mode=patch -pixels=fov -quiet

score: $(OUT)/score.tsv
	cut -f 1-3,5,7,10-11,13-14,16 $< | column -t

$(OUT)/train.pam:
	mkdir -p $(@D)
	$(SYNTH) -count=$(TRAIN) -seed=$(SEED) > $@
$(OUT)/held.pam:
	mkdir -p $(@D)
	$(SYNTH) -count=$(HELD) -seed=$$(($(SEED) + 1)) > $@
$(OUT)/new.pam:
	mkdir -p $(@D)
	$(SYNTH) -count=$(HELD) -seed=$$(($(SEED) + 2)) > $@

$(OUT)/train.tensors: $(OUT)/train.pam
	rs-rotate -quiet -copies=1 -seed=$(SEED) $< | \
	  rs-patch -quiet -size=64 -count=$(COUNT) -min-bright=50 -seed=$(SEED) | $(NORM) > $@
$(OUT)/held.tensors: $(OUT)/held.pam
	rs-patch -quiet -grid -size=64 $< | $(NORM) > $@
$(OUT)/model.safetensors: $(OUT)/train.tensors $(OUT)/held.tensors
	rs-train -model=$@ -log=$(OUT)/log.tsv -validate=$(OUT)/held.tensors -epochs=$(EPOCHS) -channels=$(CHANNELS) \
	  -dropout=0 -lr=3e-3 -seed=$(SEED) $<
$(OUT)/maps.pam: $(OUT)/model.safetensors $(OUT)/new.pam
	rs-infer -quiet -model=$^ > $@
$(OUT)/score.tsv: $(OUT)/maps.pam $(OUT)/model.safetensors
	rs-score -quiet -expect=$(HELD) -threshold=model -model=$(OUT)/model.safetensors $< > $@

# Of the first photograph: pampick reads the stream to its end, which pnmtopng would not
$(OUT)/photograph.png: $(OUT)/new.pam
	pampick -quiet 0 < $< | pamchannel -tupletype=RGB 0 1 2 | pamtopnm | pnmtopng -quiet > $@
$(OUT)/truth.png: $(OUT)/new.pam
	pampick -quiet 0 < $< | pamchannel -tupletype=GRAYSCALE 3 | pamtopnm | pnmtopng -quiet > $@
$(OUT)/map.png: $(OUT)/maps.pam
	pampick -quiet 0 < $< | pamchannel -tupletype=GRAYSCALE 0 | pamdepth 255 | pamtopnm | pnmtopng -quiet > $@
$(OUT)/overlay.png: $(OUT)/new.pam $(OUT)/maps.pam $(OUT)/model.safetensors
	$(PIPELINES)overlay -threshold=$$(rs-info -tsv $(OUT)/model.safetensors | sed -n 's/^threshold\t//p') \
	  <(pampick -quiet 0 < $(OUT)/new.pam) <(pampick -quiet 0 < $(OUT)/maps.pam) | pnmtopng -quiet > $@

$(OUT)/demo.png: $(OUT)/photograph.png $(OUT)/map.png $(OUT)/truth.png
	pnmcat -quiet -lr $(foreach name,$(^:.png=),<(pngtopnm $(name).png | pamdepth -quiet 255)) | \
	  pamscale -quiet .55 | pnmquant -quiet -fs 256 | pnmtopng -quiet -compression=9 > $@

demo: score $(OUT)/demo.png $(OUT)/overlay.png
	@printf '%s\n' "" "Two drawn photographs, segmented by a network that has seen others alone. The first of them:" \
	  "  $(OUT)/photograph.png" "  $(OUT)/map.png    what the network says" "  $(OUT)/truth.png  what was drawn" \
	  "  $(OUT)/demo.png   the three side by side" \
	  "  $(OUT)/overlay.png  hits sky blue, misses vermillion, false alarms yellow" \
	  "The model: $(OUT)/model.safetensors; its training: $(OUT)/log.tsv"

.PHONY: score demo
