#!/usr/bin/env bats
load common

DRAWN=$BATS_TEST_DIRNAME/../unit/data/masks.pgm # the first of its images is a map, PGM

# What has the form of two maps, the green plane of two drawn photographs
setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -count=2 -width=90 -height=70 >drawn.pam
    pamchannel -infile=drawn.pam -tupletype=PROB_VESSEL_FOV 1 3 4 >map.pam
    export MAP=$BATS_FILE_TMPDIR/map.pam DRAWINGS=$BATS_FILE_TMPDIR/drawn.pam
}

# samples: of the first plane of a stream of two, a line each
samples() {
    for image in 0 1; do
        pampick $image <"$1" | pamchannel -tupletype=GRAYSCALE 0 | tail -c 6300 | od -An -v -tu1 -w1
    done
}

# column NAME: of the row of all images of a score on stdin
column() {
    awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { print $at[name] }'
}

@test "a mask scores as the map does at that threshold, to the last digit" {
    for threshold in 0 .2 .5 .62 .75 1; do
        rs-mask -quiet -threshold=$threshold "$MAP" | rs-score -quiet >mask.tsv
        rs-score -quiet -threshold=$threshold "$MAP" >map.tsv
        for name in dice sensitivity specificity accuracy mcc; do
            assert_equal "$(column $name <mask.tsv)" "$(column $name <map.tsv)"
        done
    done
}

@test "the probability is 0 or maxval, the other planes are as they were, and the line on stderr says how many" {
    run --separate-stderr -0 bash -c 'rs-mask -threshold=.6 "$MAP" >mask.pam'
    run -0 pamfile -allimages -machine mask.pam
    assert_line --index 1 'mask.pam: PAM RAW 90 70 3 255 PROB_VESSEL_FOV'
    cmp <(pamchannel -infile=mask.pam 1 2) <(pamchannel -infile="$MAP" 1 2)
    samples mask.pam >found
    assert_equal "$(sort -nu found | xargs)" "0 255"
    assert_equal "$stderr" "rs-mask: maps read: 2, vessel pixels: $(grep -c 255 found)"
}

@test "a PGM is a map: what scipy and scikit-image make of one, hysteresis and small pieces included" {
    pampick 0 <"$DRAWN" >map.pgm
    rs-mask -quiet -threshold=.62 -low=.45 -min-area=25 map.pgm | pamdepth -quiet 1 | cmp - <(pampick 3 <"$DRAWN" | pamdepth 1)
    rs-mask -quiet -threshold=otsu map.pgm | pamdepth -quiet 1 | cmp - <(pampick 5 <"$DRAWN" | pamdepth 1)
    rs-mask -quiet -threshold=.5 -min-area=0 map.pgm >mask.pgm
    rs-mask -quiet map.pgm | cmp - mask.pgm
}

@test "a model's threshold, by -model alone or with -threshold=model" {
    rs-patch -quiet -size=8 -count=20 "$DRAWINGS" | rs-norm -quiet >tensors
    rs-train -quiet -channels=1,1 -epochs=1 -model=bare tensors
    rs-train -quiet -channels=1,1 -epochs=1 -validate=tensors -model=model tensors
    threshold=$(rs-info -tsv model | awk -F '\t' '/threshold/ { print $NF }')
    rs-mask -quiet -threshold="$threshold" "$MAP" >wanted
    rs-mask -quiet -model=model "$MAP" | cmp - wanted
    rs-mask -quiet -model=model -threshold=model "$MAP" | cmp - wanted
    fails 1 "bare: no threshold in this model" rs-mask -model=bare "$MAP"
    fails 2 "-model=FILE goes with -threshold=model" rs-mask -model=model -threshold=.5 "$MAP"
}

@test "usage errors, and what is no map" {
    fails 2 "-threshold: '2' is not a number from 0 to 1, otsu or model" rs-mask -threshold=2 "$MAP"
    fails 2 "-low=0.7 is above the threshold, 0.5" rs-mask -low=.7 "$MAP"
    fails 2 "-min-area" rs-mask -min-area=-1 "$MAP"
    fails 1 "image 1: TUPLTYPE RGB_VESSEL_FOV, but a map of probability is wanted" \
        rs-mask "$DRAWINGS"
    fails 1 'stdin: no image in input' rs-mask </dev/null
    fails 1 'stdout: No space left' bash -c 'rs-mask -quiet "$MAP" >/dev/full'
}

@test "a square of 20 megapixels that is one grid of pieces, in the memory of its image and some" {
    bare || skip "a checker has memory of its own"
    # every second pixel of every second row: as many pieces as there can be
    perl -e 'print "P5\n4500 4500\n255\n"; my @r = ("\xff\0" x 2250, "\0" x 4500); print $r[$_ & 1] for 1 .. 4500' >grid.pgm
    (ulimit -v 200000 && rs-mask -quiet -min-area=2 grid.pgm >mask.pgm)
    [ "$(tail -c +18 mask.pgm | tr -d '\0' | wc -c)" = 0 ]
    (ulimit -v 200000 && rs-mask -quiet -min-area=1 grid.pgm) | cmp - grid.pgm
}
