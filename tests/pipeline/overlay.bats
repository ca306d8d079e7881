#!/usr/bin/env bats
load ../cmd/common

PATH=$ROOT/pipelines:$PATH

# A photograph of one colour, 6 x 3; a map and a truth that meet in every way
setup() {
    { echo P3 6 3 255; yes '200 100 50' | head -n 18; } >photo.ppm
    printf 'P2 6 3 255\n0 0 0 0 0 0  0 0 127 128 255 0  0 0 0 0 0 0\n' >map.pgm
    printf 'P2 6 3 255\n0 0 0 0 0 0  0 255 127 128 0 0  0 0 0 0 0 0\n' >truth.pgm
}

# row N: of the overlay on standard input, its pixels
row() {
    pnmtoplainpnm | sed 1,3d | xargs -n 3 | sed 's/ /,/g' | xargs -n 6 | sed -n "$1p"
}

ground=100,100,100 hit=90,156,193 miss=190,95,20 alarm=212,202,73
bare=200,100,50 line=97,172,215

@test "with truth: hits, misses and false alarms over grey" {
    run --separate-stderr -0 bash -c 'overlay photo.ppm map.pgm truth.pgm >out.ppm'
    assert_equal "$stderr" ''
    assert_equal "$(pamfile -machine out.ppm)" 'out.ppm: PPM RAW 6 3 3 255 RGB'
    assert_equal "$(row 2 <out.ppm)" "$ground $miss $ground $hit $alarm $ground"
    assert_equal "$(row 1 <out.ppm)" "$ground $ground $ground $ground $ground $ground"
}

@test "without: a line beside the vessels, which keep their colour" {
    run --separate-stderr -0 bash -c 'overlay photo.ppm map.pgm >out.ppm'
    assert_equal "$stderr" ''
    assert_equal "$(row 1 <out.ppm)" "$bare $bare $line $line $line $line"
    assert_equal "$(row 2 <out.ppm)" "$bare $bare $line $bare $bare $line"
    # in a large photograph it is thicker
    overlay <(pgmmake .5 3000 9) <(pnmpad -black -left 1500 -right 1499 -top 4 -bottom 4 <(pgmmake 1 1 1)) >large.ppm
    assert_equal "$(ppmtopgm large.ppm | pamcut -left 1490 -width 20 | pnmtoplainpnm | sed 1,3d | xargs -n 20 | sed -n 5p |
        tr ' ' '\n' | grep -vc 128)" 6
}

@test "-threshold" {
    overlay -threshold=.49 photo.ppm map.pgm truth.pgm >out.ppm
    assert_equal "$(row 2 <out.ppm)" "$ground $miss $alarm $hit $alarm $ground"
    overlay -threshold=1 photo.ppm map.pgm truth.pgm >out.ppm
    assert_equal "$(row 2 <out.ppm)" "$ground $miss $ground $miss $alarm $ground"
}

@test "any planes, any maxval, a mask, a grey photograph" {
    overlay photo.ppm map.pgm truth.pgm >wanted.ppm
    overlay <(pamdepth 65535 photo.ppm) <(pamdepth 65535 map.pgm) <(pamdepth 65535 truth.pgm) | cmp - wanted.ppm
    overlay photo.ppm <(pamthreshold -simple map.pgm | pamtopnm) truth.pgm | cmp - wanted.ppm
    pamstack -tupletype=RGB_VESSEL_FOV photo.ppm truth.pgm map.pgm >photo.pam
    overlay photo.pam map.pgm truth.pgm | cmp - wanted.ppm
    overlay photo.pam <(pamstack -tupletype=PROB_VESSEL map.pgm truth.pgm) | cmp - wanted.ppm
    overlay <(pgmmake -maxval=255 .3922 6 3) map.pgm truth.pgm | cmp - wanted.ppm
    overlay <(pgmmake -maxval=255 .3922 6 3) map.pgm >out.ppm
    assert_equal "$(row 1 <out.ppm | cut -d ' ' -f 1,2)" "$ground $ground"
}

@test "what is half is no vessel in a truth" {
    overlay photo.ppm map.pgm <(sed 's/ 255/ 100/; s/128/50/; s/127/51/' truth.pgm) >out.ppm
    assert_equal "$(row 2 <out.ppm)" "$ground $miss $miss $alarm $alarm $ground"
}

@test "a stream, as rs-infer writes it" {
    rs-synth -quiet -count=2 -width=40 -height=30 >eyes.pam
    pamchannel -infile=eyes.pam -tupletype=PROB_VESSEL 1 3 >maps.pam
    overlay eyes.pam - <maps.pam >out.ppm
    overlay <(pampick -quiet 1 <eyes.pam) <(pampick -quiet 1 <maps.pam) >second.ppm
    assert_equal "$(pamfile -allimages -machine out.ppm | wc -l)" 2
    pampick -quiet 1 <out.ppm | cmp - second.ppm
}

@test "what does not go together, and what is wrong" {
    fails 1 'overlay: 1 photographs, 2 maps' overlay photo.ppm <(cat map.pgm map.pgm)
    fails 1 'overlay: 1 photographs, 2 truths' overlay photo.ppm map.pgm <(cat map.pgm map.pgm)
    fails 1 'overlay: image 1: photograph, map and truth are not of one size' overlay photo.ppm <(pgmmake 1 3 6)
    fails 1 'overlay: nowhere.ppm: ' overlay nowhere.ppm map.pgm
    fails 1 'overlay: -: ' overlay photo.ppm - </dev/null
    fails 2 "is not a number from 0 to 1" overlay -threshold=2 photo.ppm map.pgm
    fails 2 '-colour is not an option' overlay -colour photo.ppm map.pgm
    fails 2 'wants PHOTOGRAPHS MAPS [TRUTHS]' overlay photo.ppm
    fails 1 'No space left' bash -c 'overlay photo.ppm map.pgm >/dev/full'
}
