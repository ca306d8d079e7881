# The pictures of the README, from the experiments that it tells of:
#
#   make -f pipelines/figures.mk DATA=../data
#
# doc/training.png, how the network of pipelines/drive.mk on all twenty learnt; doc/roc.png, its ROC curve on DRIVE's
# test photographs with that of rs-baseline and the second observer's point; doc/overlay.png, the photograph of
# `make demo`. What is not there yet is trained first.

OUT = build/figures

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

DOC = $(PIPELINES)../doc

all: $(DOC)/training.png $(DOC)/roc.png $(DOC)/overlay.png

$(BUILD)/drive/test.maps $(BUILD)/drive/model.tsv:
	$(MAKE) -f $(PIPELINES)drive.mk $@
$(BUILD)/baseline/test.matched.maps:
	$(MAKE) -f $(PIPELINES)baseline.mk $@

$(DOC)/training.png: $(BUILD)/drive/model.tsv
	rs-plot -output=$@ -panels=loss,accuracy,learning_rate -smooth=.6 "drive.mk, all twenty"=$<

# The second observer's drawing as a map, the first one's as its truth
$(OUT)/second.maps: $(DRIVE_TEST:%=$(PHOTOGRAPHS)/DRIVE/test/%.pam)
	@mkdir -p $(@D)
	for number in $(DRIVE_TEST); do \
	  pamchannel -quiet -infile=$(PHOTOGRAPHS)/DRIVE/test/$$number.pam 3 4 > $@.truth; \
	  giftopnm -quiet $(DRIVE)/test/2nd_manual/$${number}_manual2.gif | ppmtopgm | \
	    pamstack -quiet -tupletype=PROB_VESSEL_FOV - $@.truth; \
	done > $@
	rm $@.truth
$(OUT)/second.roc: $(OUT)/second.maps
	rs-score -quiet -curve=roc $< > $@
$(OUT)/drive.roc: $(BUILD)/drive/test.maps
$(OUT)/baseline.roc: $(BUILD)/baseline/test.matched.maps
$(OUT)/drive.roc $(OUT)/baseline.roc:
	@mkdir -p $(@D)
	rs-score -quiet -curve=roc $< > $@
$(DOC)/roc.png: $(OUT)/drive.roc $(OUT)/baseline.roc $(OUT)/second.roc
	rs-plot -output=$@ network=$(OUT)/drive.roc rs-baseline=$(OUT)/baseline.roc "second observer"=$(OUT)/second.roc

$(DOC)/overlay.png: $(BUILD)/demo/demo.png
	pngtopnm $(BUILD)/demo/demo.png | pamscale -quiet .7 | pnmquant -quiet -fs 256 | \
	  pnmtopng -quiet -compression=9 > $@
$(BUILD)/demo/demo.png:
	$(MAKE) -f $(PIPELINES)demo.mk demo

.PHONY: all
