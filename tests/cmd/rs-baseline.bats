#!/usr/bin/env bats
load common

METHODS="matched tophat"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -count=2 -width=300 -height=280 >drawn.pam
    export DRAWN=$BATS_FILE_TMPDIR/drawn.pam
}

# column NAME: of the row of all images of a score on stdin
column() {
    awk -F '\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { print $at[name] }'
}

@test "the kind of map that rs-infer writes: 16 bit, truth and field of view behind, 0 outside" {
    for method in $METHODS; do
        run --separate-stderr -0 bash -c "rs-baseline -method=$method \"\$DRAWN\" >map.pam"
        assert_equal "$stderr" "rs-baseline: photographs filtered: 2"
        run -0 pamfile -allimages -machine map.pam
        assert_line --partial "PAM RAW 300 280 3 65535 PROB_VESSEL_FOV"
        cmp <(pamchannel -infile=map.pam 1 2) <(pamchannel -infile="$DRAWN" 3 4 | pamdepth 65535)
        pamchannel -infile=map.pam -tupletype=GRAYSCALE 0 | pamtopnm >p.pgm
        pamchannel -infile=map.pam -tupletype=GRAYSCALE 2 | pamtopnm | pnminvert >outside.pgm
        assert_equal "$(pamarith -multiply p.pgm outside.pgm | pamsumm -max -brief)" 0
        [ "$(pamsumm -max -brief p.pgm)" -gt 60000 ]
    done
}

@test "vessels are found, better than by how dark they are" {
    pamchannel -infile="$DRAWN" -tupletype=GRAYSCALE 1 | pampick 0 | pnminvert >dark.pgm
    pampick 0 <"$DRAWN" | pamchannel 3 >truth
    pampick 0 <"$DRAWN" | pamchannel 4 >field
    dark=$(pamstack -quiet -tupletype=PROB_VESSEL_FOV dark.pgm truth field | rs-score -quiet | column auc_roc)
    for method in $METHODS; do
        found=$(rs-baseline -quiet -method=$method "$DRAWN" | rs-score -quiet | column auc_roc)
        awk -v found="$found" -v dark="$dark" 'BEGIN { exit !(1 - found < (1 - dark) / 2) }' ||
            fail "$method: auc_roc $found, and $dark of the dark"
    done
}

@test "the same bytes for any number of threads, and whatever came before" {
    for method in $METHODS; do
        rs-baseline -quiet -method=$method -threads=1 "$DRAWN" >map.pam
        for threads in 2 3 7; do
            rs-baseline -quiet -method=$method -threads=$threads "$DRAWN" | cmp - map.pam
        done
        cat "$DRAWN" "$DRAWN" | rs-baseline -quiet -method=$method | tail -c "$(stat -c %s map.pam)" | cmp - map.pam
    done
}

@test "a photograph without a field of view: filtered in the one that rs-fov finds, and none is written" {
    pampick 0 <"$DRAWN" | pamchannel -tupletype=RGB 0 1 2 | pamtopnm >photo.ppm
    for method in $METHODS; do
        rs-baseline -quiet -method=$method photo.ppm >map.pgm
        assert_equal "$(pamfile -machine map.pgm)" "map.pgm: PGM RAW 300 280 1 65535 GRAYSCALE"
        rs-fov -quiet photo.ppm | rs-baseline -quiet -method=$method | pamchannel -tupletype=GRAYSCALE 0 |
            pamtopnm >wanted.pgm
        # the diameter that is measured in the plane is that of its pixels
        [ "$(pamarith -difference map.pgm wanted.pgm | pamsumm -max -brief)" -lt 3000 ]
        [ "$(pamarith -difference map.pgm wanted.pgm | pamsumm -mean -brief | cut -d . -f 1)" -lt 60 ]
    done
}

@test "the green plane alone, at any depth" {
    rs-baseline -quiet "$DRAWN" >map.pam
    pamdepth 65535 "$DRAWN" | rs-baseline -quiet | cmp - map.pam
    pamchannel -infile="$DRAWN" -tupletype=GRAYSCALE_VESSEL_FOV 1 3 4 | rs-baseline -quiet | cmp - map.pam
    pamchannel -infile="$DRAWN" -tupletype=RGB_VESSEL_FOV 3 1 3 3 4 | rs-baseline -quiet | cmp - map.pam
}

@test "sizes grow with the field of view: a photograph of four times the width scores alike" {
    for method in $METHODS; do
        small=$(rs-baseline -quiet -method=$method "$DRAWN" | rs-score -quiet | column auc_roc)
        large=$(pampick 0 <"$DRAWN" | rs-scale -quiet -factor=4 | rs-baseline -quiet -method=$method | rs-score -quiet | column auc_roc)
        awk -v a="$small" -v b="$large" 'BEGIN { exit !(a - b < .01) }' || fail "$method: $small, and $large of the large one"
    done
}

@test "nothing there, or next to nothing: no vessel, and no number that is none" {
    for method in $METHODS; do
        ppmmake gray 200 150 | rs-baseline -quiet -method=$method >map.pgm
        [ "$(pamsumm -max -brief map.pgm)" -lt 6554 ]
        for size in "1 1" "1 90" "90 1" "5 4"; do
            pamcut -width="${size% *}" -height="${size#* }" <"$DRAWN" | pamchannel -tupletype=RGB_VESSEL 0 1 2 3 |
                rs-baseline -quiet -method=$method >map.pam
        done
    done
}

@test "usage errors, and what is no photograph or not a whole one" {
    fails 2 "'network' is not one of matched|tophat" rs-baseline -method=network "$DRAWN"
    rs-baseline -quiet "$DRAWN" >map.pam
    fails 1 'map.pam: image 1: a map of probabilities, not a photograph' rs-baseline map.pam
    rs-patch -quiet -size=64 -count=1 "$DRAWN" >patch.pam
    fails 1 'patch.pam: image 1: cut from a photograph, whose field of view sets the sizes: cut its map instead' \
        rs-baseline patch.pam
    fails 1 'stdin: no image in input' rs-baseline </dev/null
    fails 1 'stdout: No space left' bash -c 'rs-baseline -quiet "$DRAWN" >/dev/full'
}
