#!/usr/bin/env bats
# The second observers of DRIVE and of CHASE_DB1's test photographs scored against the first: figures that the literature
# gives, too.
load ../cmd/common

wanted() {
    [ -e "$DATA/$1" ] || skip "no $1 in $DATA"
}

# drawn SECOND FIRST FIELD: three commands' images as a map and its truth, in the field of view
drawn() {
    $1 | ppmtopgm | pamdepth -quiet 255 >map.pgm
    $2 | pamdepth -quiet 255 >truth.pgm
    $3 | pamdepth -quiet 255 >field.pgm
    pamstack -quiet -tupletype=PROB_VESSEL_FOV map.pgm truth.pgm field.pgm
}

drive() {
    local number in=$DATA/DRIVE/test
    for number in $(seq -w 20); do
        drawn "giftopnm -quiet $in/2nd_manual/${number}_manual2.gif" \
            "giftopnm -quiet $in/1st_manual/${number}_manual1.gif" "giftopnm -quiet $in/mask/${number}_test_mask.gif"
    done
}

chase() {
    local name in=$DATA/CHASE_DB1/Image
    for name in 11L 11R 12L 12R 13L 13R 14L 14R; do
        drawn "pngtopnm -quiet ${in}_${name}_2ndHO.png" "pngtopnm -quiet ${in}_${name}_1stHO.png" \
            "giftopnm -quiet $DATA/CHASE_DB1_mask/Image_$name.gif"
    done
}

# scores_of PIXELS COLUMN=FIGURE...: the pooled line of $output, to four figures, within its bounds
scores_of() {
    local figure
    assert_equal "${stderr##*: }" "$1"
    for figure in "${@:2}"; do
        awk -F '\t' -v column="${figure%=*}" -v wanted="${figure#*=}" '
            NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
            { found[$1] = $at[column] }
            END { exit !(found["all"] - wanted < .00005 && wanted - found["all"] < .00005 &&
                         found["lower"] < found["all"] && found["all"] < found["upper"]) }' <<<"$output" ||
            fail "$figure is not what was found: $output"
    done
}

@test "the second observer of DRIVE against the first" {
    wanted DRIVE/test/2nd_manual
    drive >observers.pam
    run --separate-stderr -0 rs-score -expect=20 -bootstrap=100 observers.pam
    scores_of 4538143 dice=.7891 accuracy=.9473 sensitivity=.7746 specificity=.9725
}

@test "the second observer of CHASE_DB1 against the first" {
    wanted CHASE_DB1/Image_11L_2ndHO.png
    chase >observers.pam
    run --separate-stderr -0 rs-score -expect=8 -bootstrap=100 observers.pam
    scores_of 5303375 dice=.7971 accuracy=.9614 sensitivity=.8316 specificity=.9744
}
