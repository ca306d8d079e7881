#!/usr/bin/env bats
load common

# Drawn photographs: with their planes, and without a field of view
setup() {
    rs-synth -quiet -count=2 -width=120 -height=100 >drawn.pam
    pamchannel -infile=drawn.pam -tupletype=RGB_VESSEL 0 1 2 3 >bare.pam
}

# square: a photograph without any surround
square() {
    pampick 0 <bare.pam | pamchannel -tupletype=RGB 0 1 2 | pamtopnm | pamcut -left=30 -top=20 -width=60 -height=60
}

# overlap FILE: the figure iou of its field of view against the drawn one, over both images
overlap() {
    pamchannel -infile="$1" -tupletype=PROB "${2:-4}" >found
    pamchannel -infile=drawn.pam 4 >given
    pamstack -quiet -tupletype=PROB_VESSEL found given | rs-score -quiet -pixels=image | awk -F '\t' '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        END { print $at["iou"] }'
}

@test "a plane is added, behind the others, to every photograph" {
    run --separate-stderr -0 bash -c 'rs-fov bare.pam >out.pam'
    assert_equal "$stderr" 'rs-fov: photographs read: 2, fields of view given: 0, found: 2'
    run -0 pamfile -allimages -machine out.pam
    assert_line --index 1 'out.pam: PAM RAW 120 100 5 255 RGB_VESSEL_FOV'
    cmp <(pamchannel -infile=out.pam 0 1 2 3) <(pamchannel -infile=drawn.pam 0 1 2 3)
    awk -v iou="$(overlap out.pam)" 'BEGIN { exit !(iou > .99) }'
    pamchannel -infile=drawn.pam -tupletype=GRAYSCALE 1 | rs-fov -quiet >out.pam
    assert_equal "$(pamfile -machine out.pam)" 'out.pam: PAM RAW 120 100 2 255 GRAYSCALE_FOV'
    awk -v iou="$(overlap out.pam 1)" 'BEGIN { exit !(iou > .98) }'
}

@test "a photograph that has one passes unchanged, and not with -replace" {
    rs-patch -quiet -size=64 -count=1 drawn.pam | rs-fov -quiet | cmp - <(rs-patch -quiet -size=64 -count=1 drawn.pam)
    run --separate-stderr -0 bash -c 'rs-fov drawn.pam | cmp - drawn.pam'
    assert_equal "$stderr" 'rs-fov: photographs read: 2, fields of view given: 2, found: 0'
    pamstack -quiet -tupletype=RGB_VESSEL_FOV bare.pam <(pamchannel -infile=drawn.pam 0) >wrong.pam
    rs-fov wrong.pam | cmp - wrong.pam
    rs-fov -replace wrong.pam | cmp - <(rs-fov bare.pam)
}

@test "-print: a table instead of images, one row a photograph" {
    run --separate-stderr -0 rs-fov -print bare.pam
    assert_equal "${#lines[@]}" 3
    assert_line --index 0 "$(printf 'image\tfound\tx\ty\tdiameter')"
    # drawn: (60, 50), and .956 of 100 pixels wide
    awk -F '\t' 'function far(a, b, most) { return a - b > most || b - a > most }
        NR > 1 && ($1 != NR - 1 || $2 != "yes" || far($3, 60, .5) || far($4, 50, .5) || far($5, 95.6, 1)) { exit 1 }' <<<"$output"
    run --separate-stderr -0 rs-fov -print drawn.pam
    awk -F '\t' 'NR > 1 && ($2 != "yes" || $5 < 95 || $5 > 96.2) { exit 1 }' <<<"$output"
    assert_equal "$stderr" 'rs-fov: photographs read: 2, fields of view given: 2, found: 0'
}

@test "none is found: a line that names the image, all of it is inside, status 0" {
    square >square.ppm
    local said='rs-fov: warning: square.ppm: image 1: no field of view found; the whole image is taken'
    run --separate-stderr -0 bash -c 'rs-fov -quiet bare.pam square.ppm >out.pam'
    assert_equal "$stderr" "$said"
    pamchannel -infile=<(rs-fov -quiet square.ppm 2>/dev/null) -tupletype=GRAYSCALE 3 | pamtopnm >plane.pgm
    assert_equal "$(pamsumm -min -brief plane.pgm)" 255
    run --separate-stderr -0 rs-fov -quiet -print square.ppm
    assert_equal "$output" "$(printf 'image\tfound\tx\ty\tdiameter\n1\tno\tNA\tNA\tNA')"
    assert_equal "$stderr" "$said"
    printf 'P2 1 1 9 0\n' | rs-fov -quiet 2>/dev/null | pamtopam | cmp - <(printf \
        'P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 9\nTUPLTYPE GRAYSCALE_FOV\nENDHDR\n\0\11')
}

@test "the same bytes, whatever came before; 16 bit like 8 bit" {
    rs-fov -quiet bare.pam >out.pam
    cat bare.pam bare.pam | rs-fov -quiet | tail -c "$(stat -c %s out.pam)" | cmp - out.pam
    pamdepth 65535 bare.pam | rs-fov -quiet | cmp - <(pamdepth 65535 out.pam)
}

@test "usage errors, and what is no photograph" {
    fails 2 'not an option' rs-fov -threshold=3
    fails 2 'not an option' rs-fov -print=x
    fails 1 'stdin: no image in input' rs-fov </dev/null
    pamstack -quiet -tupletype=PROB_FOV <(pamchannel -infile=drawn.pam 0) <(pamchannel -infile=drawn.pam 4) >map.pam
    fails 1 'map.pam: image 1: a map of probabilities, not a photograph' rs-fov map.pam
    run --separate-stderr -1 rs-fov -print map.pam
    fails 1 'stdout: No space left' bash -c 'rs-fov -quiet bare.pam >/dev/full'
    fails 1 'stdout: No space left' bash -c 'rs-fov -quiet -print bare.pam >/dev/full'
}
