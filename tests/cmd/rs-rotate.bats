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

@test "-flip and -quarter alone copy samples exactly, each way about as often" {
    pamcut -quiet -width=40 -height=40 a.pam >square.pam
    flips=(-null -leftright)
    turns=(-null -rotate90 -rotate180 -rotate270)
    rs-rotate -quiet -no-original -copies=64 -angle=0 -flip -quarter square.pam | pamtopam |
        pamsplit - copy%d.pam
    for flip in "${flips[@]}"; do
        for turn in "${turns[@]}"; do
            for plane in 0 3 4; do # one and the other after it: pamflip knows no five planes
                pamchannel -infile=square.pam $plane | pamflip $flip | pamflip $turn >"like$flip$turn.$plane"
            done
        done
    done
    for copy in copy*.pam; do
        for plane in 0 3 4; do
            pamchannel -infile="$copy" $plane >found.$plane
        done
        for like in like*.0; do
            cmp -s found.0 "$like" && cmp found.3 "${like%.0}.3" && cmp found.4 "${like%.0}.4" && echo "${like%.0}"
        done
    done >ways
    assert_equal "$(wc -l <ways)" 64
    assert_equal "$(sort -u ways | wc -l)" 8
    [ "$(sort ways | uniq -c | sort -n | awk '{ print $1; exit }')" -ge 2 ]
}

@test "-zoom is held to its bounds; one option does not move what another draws" {
    area() { pamchannel -tupletype=GRAYSCALE 4 | pamexec 'pamsumm -sum -brief -normalize' | sort -n; }
    rs-synth -quiet -width=90 -height=90 >eye.pam
    whole=$(area <eye.pam)
    rs-rotate -quiet -no-original -copies=60 -angle=0 -zoom=.5,1 eye.pam | area >areas
    awk -v whole="$whole" '{ s = sqrt($1 / whole); if (s < .49 || s > 1.01) exit 1 } END { exit NR != 60 }' areas
    awk -v whole="$whole" 'NR == 1 { least = $1 / whole } END { exit !(least < .3 && $1 / whole > .85) }' areas
    rs-rotate -quiet -zoom=1,1 ab.pam >none.pam
    rs-rotate -quiet ab.pam | cmp - none.pam
    rs-rotate -quiet -angle=0 -zoom=1,1 -copies=1 ab.pam | cmp - <(cat a.pam a.pam b.pam b.pam)
    rs-rotate -quiet -threads=1 -zoom=.8,1.25 -flip -quarter ab.pam >one.pam
    rs-rotate -quiet -threads=3 -zoom=.8,1.25 -flip -quarter ab.pam | cmp - one.pam
}

@test "a patch stays one, turned or not" {
    rs-patch -quiet -size=20 -count=2 a.pam >cut.pam
    rs-rotate -quiet -copies=1 cut.pam >out.pam
    run -0 kinds out.pam
    assert_line --index 3 '20 20 5 255 RGB_VESSEL_FOV_PATCH'
    pamchannel -infile=cut.pam -tupletype=GRAYSCALE_PATCH 1 | rs-fov -quiet >out.pam
    run -0 kinds out.pam
    assert_line --index 1 '20 20 2 255 GRAYSCALE_FOV_PATCH'
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
    fails 2 "-zoom: '.2' is not a number from 0.25 to 4" rs-rotate -zoom=.2,1 a.pam
    fails 2 '-zoom: too few numbers: 2' rs-rotate -zoom=1 a.pam
    fails 2 '-zoom: too many numbers: 2' rs-rotate -zoom=1,1,1 a.pam
    fails 2 '1.5 is more than 1.25' rs-rotate -zoom=1.5,1.25 a.pam
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
