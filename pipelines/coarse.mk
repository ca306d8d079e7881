# What a map is worth of a photograph of few pixels, by the model that comes with the program:
#
#   make -f pipelines/coarse.mk DATA=../data
#
# Photographs of DRIVE, some of its training photographs (NUMBERS), 540 pixels across, are reduced by FACTORS before the
# model enlarges them; their maps are enlarged to the photographs' size and scored there, at the model's threshold, in the
# field of view. DATA is the folder that holds DRIVE/; OUT is where every file goes.

OUT = build/coarse
FACTORS = 1 .67 .5 .4 .3 .2
NUMBERS = 21 27 33

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

all: $(OUT)/scores.tsv
	@cut -f 1,6,17 $< | column -t

$(OUT)/%.maps: $(NUMBERS:%=$(PHOTOGRAPHS)/DRIVE/training/%.pam)
	@mkdir -p $(@D)
	for eye in $^; do \
	  rs-scale -quiet -factor=$* $$eye | pamchannel -quiet -tupletype=RGB_FOV 0 1 2 4 | rs-infer -quiet | \
	    pamchannel -quiet -tupletype=GRAYSCALE 0 | pamtopnm -quiet | pamscale -quiet -width=565 -height=584 > $@.map; \
	  pamchannel -quiet -infile=$$eye 3 4 | pamdepth -quiet 65535 | \
	    pamstack -quiet -tupletype=PROB_VESSEL_FOV $@.map -; \
	done > $@
	rm $@.map

$(OUT)/%.scores: $(OUT)/%.maps
	rs-score -quiet -threshold=model $< > $@
$(OUT)/scores.tsv: $(FACTORS:%=$(OUT)/%.scores)
	{ head -n 1 $< | sed 's/^/factor\t/'; \
	  for factor in $(FACTORS); do sed -n "s/^all/$$factor\tall/p" $(OUT)/$$factor.scores; done; } > $@

.PHONY: all
