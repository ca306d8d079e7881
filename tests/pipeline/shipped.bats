#!/usr/bin/env bats
# The model that comes with the program, on real photographs, and the experiments that made it and its like, in small.
load ../cmd/common

# figure NAME TABLE: of all photographs
figure() {
    awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } $1 == "all" { print $at[name] }' "$2"
}

# between NUMBER LOW HIGH
between() {
    awk -v x="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(x >= low && x <= high) }' || fail "$1 is not in $2..$3"
}

@test "it is the file that its manual tells of" {
    grep -q "^\.Li $(sha256sum <"$ROOT/lib/model/rs.safetensors" | cut -d ' ' -f 1) ,$" "$ROOT/man/man7/rs-models.7"
}

@test "DRIVE, whose camera it has not seen: vessels are found, and probabilities are what they say" {
    [ -d "$DATA/DRIVE/training" ] || skip "no DRIVE in $DATA"
    make -s -C "$ROOT" -f pipelines/talk-drive.mk DATA="$DATA" PHOTOGRAPHS="$PWD" "$PWD"/DRIVE/training/2{1,2,3}.pam
    rs-infer -quiet DRIVE/training/*.pam | rs-score -quiet -threshold=model >scores
    between "$(figure auc_roc scores)" .955 1
    between "$(figure dice scores)" .74 1
    between "$(figure ece scores)" 0 .05
}

@test "a photograph without mask or truth: soon, in little memory, black outside, few specks" {
    [ -e "$DATA/sample/retina.jpg" ] || skip "no sample/retina.jpg in $DATA"
    jpegtopnm -quiet "$DATA/sample/retina.jpg" >eye.ppm
    if bare; then
        (ulimit -v 600000 && rs-infer -quiet eye.ppm >map.pgm)
    else
        rs-infer -quiet eye.ppm >map.pgm
    fi
    # a corner; and 8 % of the square is vessel
    assert_equal "$(pamcut -width 150 -height 150 map.pgm | pamsumm -max -brief)" 0
    rs-mask -quiet -min-area=1 map.pgm >mask.pgm
    rs-mask -quiet -min-area=30 map.pgm >large.pgm
    all=$(pamdepth -quiet 1 mask.pgm | pamsumm -sum -brief) large=$(pamdepth -quiet 1 large.pgm | pamsumm -sum -brief)
    between "$(awk "BEGIN { print $large / $all }")" .99 1
    between "$(awk "BEGIN { print $all / 1411 / 1411 }")" .07 .11
}

@test "ship.mk in small: trained, threshold and temperature chosen, the model told" {
    [ -d "$DATA/HRF" ] && [ -d "$DATA/CHASE_DB1" ] && [ -d "$DATA/DRIVE" ] || skip "no HRF, CHASE_DB1 and DRIVE in $DATA"
    run -0 make -s -C "$ROOT" -f pipelines/ship.mk DATA="$DATA" OUT="$PWD/ship" STEPS=40 DIAMETER=560 COARSE=400 \
        HRF_TRAINING="15_h 13_h" CHASE_TRAINING="01L 02L 07L" HELD="HRF/15_h CHASE_DB1/07L" TRAIN_OPTIONS=-channels=8,8 \
        "$PWD/ship/held.tsv"
    grep -q '^held-hrf' ship/held.tsv
    rs-info -tsv ship/model.safetensors >said
    for name in threshold temperature; do
        assert_equal "$(awk -v name=$name '$1 == name { printf "%.9g", $2 }' said)" \
            "$(awk -v name=$name 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { printf "%.9g", $at[name] }' ship/chosen.tsv)"
    done
    grep -q '^about.*not a medical device' said
}

@test "drive.mk in small: a fold chooses, all train" {
    [ -d "$DATA/DRIVE/training" ] || skip "no DRIVE in $DATA"
    run -0 make -s -C "$ROOT" -f pipelines/drive.mk DATA="$DATA" OUT="$PWD/drive" FOLDS=1 FOLD_STEPS=30 STEPS=10 \
        DRIVE_TRAINING="21 22 23" held_1=21 TRAIN_OPTIONS=-channels=8,8 "$PWD/drive/model.safetensors"
    between "$(awk -F '\t' 'NR == 2 { print $1 }' drive/chosen.tsv)" 0.01 .99
    rs-info drive/model.safetensors | grep -q '^threshold: 0'
}

@test "coarse.mk: a photograph that was reduced has a worse map" {
    bare || skip "eight networks of 800 x 800 pixels: minutes under a checker"
    [ -d "$DATA/DRIVE/training" ] || skip "no DRIVE in $DATA"
    run -0 --separate-stderr make -s -C "$ROOT" -f pipelines/coarse.mk DATA="$DATA" OUT="$PWD/coarse" NUMBERS=21 FACTORS="1 .3"
    assert_equal "$(cut -d ' ' -f 1 <<<"$output" | xargs)" 'factor 1 .3'
    awk 'NR == 2 { whole = $3 } NR == 3 { exit !(whole > .75 && $3 < whole - .05) }' <<<"$output"
}
