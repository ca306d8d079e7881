# The model that comes with the program, lib/model/rs.safetensors, from the training photographs of HRF and CHASE_DB1:
#
#   make -f pipelines/ship.mk DATA=../data           train; scores of the eight photographs held out, which choose the
#                                                    network to keep, its threshold and its temperature
#   make -f pipelines/ship.mk DATA=../data others    scores of DRIVE's training photographs, another camera, unseen
#   make -f pipelines/ship.mk DATA=../data test      scores of the test photographs of all three, at their own size
#   make -f pipelines/ship.mk DATA=../data ship      put it in its place
#
# DATA is the folder that holds HRF/, CHASE_DB1/ and CHASE_DB1_mask/, for `others` and `test` DRIVE/ as well; SEED keys
# every random number; OUT is where every file goes. All photographs are brought to one diameter of their fields of view;
# rs-infer does the same to whatever photograph comes. Each is there a second time, as a camera of fewer pixels would have
# seen it: without, thin vessels of blurred photographs are missed (of DRIVE's vessels .63 were found, of CHASE_DB1's .83,
# and the threshold of the one was useless for the other). A training that is interrupted goes on from its checkpoint.

OUT = build/ship
SEED = 1
DIAMETER = 800
COARSE = 500
CROSSED = .3
STEPS = 4000
TRAIN_OPTIONS = -channels=16,32,64,128
INFER = rs-infer
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
	pamchannel -quiet -infile=$@.all -tupletype=GRAYSCALE 4 > $@.field
	pamstack -quiet -tupletype=RGB_VESSEL_FOV $@.photograph $@.truth $@.field | rs-scale -quiet -diameter=$(DIAMETER) > $@
	rm $@.all $@.truth $@.photograph $@.field

# Of the photographs of CHASE_DB1 there are half as many: they come twice
both = $(patsubst %,$(OUT)/scaled/%.pam,$(1)) $(patsubst %,$(OUT)/coarse/%.pam,$(1))
STREAM = $(call both,$(FITTED))
TWICE = $(call both,$(filter CHASE_DB1/%,$(FITTED)))

$(OUT)/held.tensors: $(call both,$(HELD))
	rs-norm -quiet -mode=image -pixels=fov $^ | rs-patch -quiet -size=256 -count=12 -pixels=fov -seed=$(SEED) > $@

$(OUT)/model.safetensors: $(STREAM) $(OUT)/held.tensors
	while cat $(STREAM) $(TWICE); do :; done | \
	  rs-rotate -quiet -copies=3 -flip -quarter -angle=45 -zoom=.7,1.4 -seed=$(SEED) | \
	  rs-norm -quiet -mode=image -pixels=fov -jitter=.3,.15 -seed=$(SEED) | \
	  rs-patch -quiet -size=256 -pixels=fov -count=8 -seed=$(SEED) | \
	  rs-train -model=$@ -log=$(OUT)/log.tsv -checkpoint=$(OUT)/checkpoint -resume $(TRAIN_OPTIONS) -dropout=0 \
	    -batch=4 -lr=.01 -warmup=.02 -schedule=cosine -average=.99 -shuffle=512 -diameter=$(DIAMETER) -about="$(ABOUT)" -steps=$(STEPS) \
	    -validate=$(OUT)/held.tensors -validate-every=500 -seed=$(SEED)

# Whole photographs, at their own size, with the model's own threshold
of = $($(1):%=$(PHOTOGRAPHS)/%.pam)
held-hrf = $(filter HRF/%,$(HELD))
held-chase = $(filter CHASE_DB1/%,$(HELD))
others = $(DRIVE_TRAINING:%=DRIVE/training/%)
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
