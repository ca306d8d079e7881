# The classical filters on DRIVE: what a network is to be better than.
#
#   make -f pipelines/baseline.mk DATA=../data          the twenty training photographs, on which the filters' sizes were chosen
#   make -f pipelines/baseline.mk DATA=../data test     the twenty test photographs, at the training photographs' thresholds
#   make -f pipelines/baseline.mk DATA=../data found    the sensitivity there, where the share FALSE_ALARMS of the background
#                                                       is taken for vessel (.018: as by the network of talk-drive.mk)
#
# DATA is the folder that holds DRIVE/; OUT is where every file goes. Nothing is trained.

OUT = build/baseline
METHODS = matched tophat
FALSE_ALARMS = .018

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk
include $(PIPELINES)photographs.mk

TRAINING = $(DRIVE_TRAINING:%=$(PHOTOGRAPHS)/DRIVE/training/%.pam)
TEST = $(DRIVE_TEST:%=$(PHOTOGRAPHS)/DRIVE/test/%.pam)

all: $(OUT)/training.tsv
	@column -t $<
test: $(OUT)/test.tsv
	@column -t $<

$(OUT)/training.%.maps: $(TRAINING)
	@mkdir -p $(@D)
	rs-baseline -method=$* $^ > $@
$(OUT)/test.%.maps: $(TEST)
	@mkdir -p $(@D)
	rs-baseline -method=$* $^ > $@
$(OUT)/training.%.scores: $(OUT)/training.%.maps
	rs-score -expect=20 -bootstrap=1000 -threshold=best-dice $< > $@
chosen = $$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$$i] = i } $$1 == "all" { print $$at["threshold"] }' $(1))
$(OUT)/test.%.scores: $(OUT)/test.%.maps $(OUT)/training.%.scores
	rs-score -expect=20 -bootstrap=1000 -threshold=$(call chosen,$(word 2,$^)) $< > $@

# The rows of all photographs
rows = { head -n 1 $< | sed 's/^/method\t/'; for m in $(METHODS); do sed -n "s/^all/$$m\tall/p" $(OUT)/$(1).$$m.scores; done; } > $@
$(OUT)/training.tsv: $(METHODS:%=$(OUT)/training.%.scores)
	$(call rows,training)
$(OUT)/test.tsv: $(METHODS:%=$(OUT)/test.%.scores)
	$(call rows,test)

$(OUT)/test.%.roc: $(OUT)/test.%.maps
	rs-score -expect=20 -curve=roc $< > $@
found: $(METHODS:%=$(OUT)/test.%.roc)
	@for m in $(METHODS); do \
	  awk -v method=$$m -v at=$(FALSE_ALARMS) 'NR > 1 && $$2 >= at { print method, $$3; exit }' $(OUT)/test.$$m.roc; done

.PHONY: all test found
