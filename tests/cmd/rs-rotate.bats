#!/usr/bin/env bats
load common

setup() {
    rs-synth -quiet -width=50 -height=40 >a.pam
    rs-synth -quiet -width=33 -height=60 -seed=2 >b.pam
    cat a.pam b.pam >ab.pam
}

# kinds FILE: size, planes, maxval and TUPLTYPE, a line an image
kinds() {
    pamfile -allimages -machine "$1" | cut -d ' ' -f 4-
}

# values PLANE: of the first image on stdin, each value that occurs
values() {
    pamchannel -tupletype=GRAYSCALE "$1" | pamtopnm | pgmhist -machine | awk '$2 { print $1 }'
}

@test "the original and three copies of every image of every file" {
    run --separate-stderr -0 bash -c 'rs-rotate a.pam b.pam >out.pam'
    assert_equal "$stderr" 'rs-rotate: images read: 2, written: 8'
    run -0 kinds out.pam
    assert_equal "${#lines[@]}" 8
    assert_line --index 3 '50 40 5 255 RGB_VESSEL_FOV'
    assert_line --index 4 '33 60 5 255 RGB_VESSEL_FOV'
    cmp -n "$(stat -c %s a.pam)" a.pam out.pam
}

@test "a stream of two is two files, and - is standard input" {
    rs-rotate -quiet a.pam b.pam >files.pam
    rs-rotate -quiet <ab.pam >stream.pam
    rs-rotate -quiet a.pam - <b.pam >mixed.pam
    cmp files.pam stream.pam
    cmp files.pam mixed.pam
}

@test "-copies and -no-original" {
    rs-rotate -quiet -copies=2 -no-original a.pam >two.pam
    rs-rotate -quiet -copies=2 a.pam >three.pam
    cat a.pam two.pam | cmp - three.pam
    rs-rotate -quiet -copies=0 ab.pam | cmp - ab.pam
}

@test "copy k is the same however many are made" {
    rs-rotate -quiet -copies=1 -no-original a.pam >one.pam
    rs-rotate -quiet -copies=4 -no-original a.pam >four.pam
    cmp -n "$(stat -c %s one.pam)" one.pam four.pam
}

@test "-angle=0 leaves every copy as it was" {
    rs-rotate -quiet -angle=0 -copies=2 a.pam >still.pam
    cat a.pam a.pam a.pam | cmp - still.pam
}

@test "the same seed makes the same bytes, another seed others" {
    rs-rotate -quiet ab.pam >default.pam
    rs-rotate -quiet -seed=1 ab.pam >one.pam
    rs-rotate -quiet -seed=2 ab.pam >two.pam
    cmp default.pam one.pam
    run -1 cmp -s one.pam two.pam
}

@test "the truth becomes a share; with -hard it is 0 or maxval; the field of view always is" {
    rs-rotate -quiet -copies=1 -no-original a.pam >soft.pam
    rs-rotate -quiet -copies=1 -no-original -hard a.pam >hard.pam
    [ "$(values 3 <soft.pam | wc -l)" -gt 20 ]
    assert_equal "$(values 3 <hard.pam)" $'0\n255'
    assert_equal "$(values 4 <soft.pam)" $'0\n255'
}

@test "-hard makes the truth of the original hard as well" {
    pamchannel -infile=a.pam -tupletype=RGB_VESSEL 0 1 2 0 >soft.pam
    [ "$(values 3 <soft.pam | wc -l)" -gt 20 ]
    rs-rotate -quiet -copies=0 -hard soft.pam >hard.pam
    assert_equal "$(values 3 <hard.pam)" $'0\n255'
}

@test "an image without a field of view gets one, in the original, too" {
    pamchannel -infile=a.pam -tupletype=RGB 0 1 2 | pamtopnm >photograph.ppm
    rs-rotate -quiet -copies=1 photograph.ppm >out.pam
    run -0 kinds out.pam
    assert_output $'50 40 4 255 RGB_FOV\n50 40 4 255 RGB_FOV'
    assert_equal "$(rs-rotate -quiet -copies=0 photograph.ppm | values 3)" 255
    assert_equal "$(rs-rotate -quiet -copies=1 -no-original photograph.ppm | values 3)" $'0\n255'
}

@test "16 bits, one plane, and a map of probabilities" {
    pamchannel -infile=a.pam -tupletype=PROB_VESSEL 1 3 | pamdepth 65535 >map.pam
    rs-rotate -quiet -copies=1 map.pam >out.pam
    run -0 kinds out.pam
    assert_output $'50 40 3 65535 PROB_VESSEL_FOV\n50 40 3 65535 PROB_VESSEL_FOV'
    pamchannel -infile=a.pam -tupletype=GRAYSCALE 1 | pamtopnm | rs-rotate -quiet -copies=0 >gray.pam
    run -0 kinds gray.pam
    assert_output '50 40 2 255 GRAYSCALE_FOV'
}

@test "usage errors" {
    fails 2 '-copies' rs-rotate -copies=-1 a.pam
    fails 2 '-angle' rs-rotate -angle=361 a.pam
    fails 2 '-seed' rs-rotate -seed=x a.pam
    fails 2 'not an option' rs-rotate -size=3 a.pam
    fails 2 'nothing to write' rs-rotate -copies=0 -no-original a.pam
}

@test "bad input" {
    head -c 1000 a.pam >torn.pam
    cat a.pam - <<<junk >junk.pam
    fails 1 'stdin: no image in input' rs-rotate </dev/null
    fails 1 'none.pam: No such file' rs-rotate none.pam
    fails 1 'torn.pam: image 1: ends in the middle of an image' rs-rotate torn.pam
    fails 1 'junk.pam: image 2: not a PNM or PAM image' bash -c 'rs-rotate junk.pam >/dev/null'
    fails 1 'torn.pam: image 1: ends' bash -c 'rs-rotate a.pam torn.pam >/dev/null'
}

@test "a full disk" {
    fails 1 'stdout: No space left' bash -c 'rs-rotate -quiet a.pam >/dev/full'
    rs-synth -quiet -width=16 -height=16 >tiny.pam
    fails 1 'stdout: No space left' bash -c 'rs-rotate -quiet -copies=0 tiny.pam >/dev/full'
}

@test "a reader that stops early" {
    run --separate-stderr -0 bash -o pipefail -c 'rs-rotate -quiet -copies=200 a.pam | head -c 10 >/dev/null'
    assert_equal "$stderr" ''
}

@test "-verbose says what every image is" {
    rs-synth -quiet -count=2 -width=32 -height=24 >s.pam
    run --separate-stderr -0 rs-rotate -copies=0 -verbose s.pam
    assert_equal "${stderr_lines[1]}" "rs-rotate: s.pam: image 2: RGB_VESSEL_FOV 32x24, maxval 255"
}
