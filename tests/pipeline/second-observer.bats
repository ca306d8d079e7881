#!/usr/bin/env bats
# DRIVE's second observer scored against the first: figures that the literature gives, too.
load ../cmd/common

setup() {
    [ -d "$DATA/DRIVE/test/2nd_manual" ] || skip "no DRIVE in $DATA"
}

# observers: the second observer's drawing as a map, the first one's as its truth, in the field of view
observers() {
    local number
    for number in $(seq -w 20); do
        giftopnm -quiet "$DATA/DRIVE/test/2nd_manual/${number}_manual2.gif" | ppmtopgm >map.pgm
        giftopnm -quiet "$DATA/DRIVE/test/1st_manual/${number}_manual1.gif" | pamdepth 255 >truth.pgm
        giftopnm -quiet "$DATA/DRIVE/test/mask/${number}_test_mask.gif" | pamdepth 255 >field.pgm
        pamstack -quiet -tupletype=PROB_VESSEL_FOV map.pgm truth.pgm field.pgm
    done
}

@test "the second observer of DRIVE against the first" {
    observers >observers.pam
    run --separate-stderr -0 rs-score -expect=20 -bootstrap=100 observers.pam
    assert_equal "$stderr" 'rs-score: images scored: 20, pixels: 4538143'
    for wanted in dice=.7891 accuracy=.9473 sensitivity=.7746 specificity=.9725; do
        awk -F '\t' -v column="${wanted%=*}" -v wanted="${wanted#*=}" '
            NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
            { found[$1] = $at[column] }
            END { exit !(found["all"] - wanted < .00005 && wanted - found["all"] < .00005 &&
                         found["lower"] < found["all"] && found["all"] < found["upper"]) }' <<<"$output" ||
            fail "$wanted is not what was found: $output"
    done
}
