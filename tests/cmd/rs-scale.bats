#!/usr/bin/env bats
load common

setup() {
    rs-synth -quiet -width=120 -height=100 >a.pam
    rs-synth -quiet -width=90 -height=140 -seed=2 >b.pam
}

# kinds FILE: size, planes, maxval and TUPLTYPE, a line an image
kinds() {
    pamfile -allimages -machine "$1" | cut -d ' ' -f 4-
}

# diameters FILE: a line an image
diameters() {
    rs-fov -quiet -print "$1" | awk 'NR > 1 { print $5 }'
}

@test "-factor: every image of every file, all planes" {
    run --separate-stderr -0 bash -c 'rs-scale -factor=0.25 a.pam b.pam >out.pam'
    assert_equal "$stderr" 'rs-scale: images resized: 2'
    run -0 kinds out.pam
    assert_output $'30 25 5 255 RGB_VESSEL_FOV\n23 35 5 255 RGB_VESSEL_FOV'
    rs-scale -quiet -factor=3 - <a.pam >out.pam
    run -0 kinds out.pam
    assert_output '360 300 5 255 RGB_VESSEL_FOV'
    pamchannel -infile=out.pam -tupletype=GRAYSCALE 4 | pamtopnm | pgmhist -machine | awk '$2 { print $1 }' >values
    assert_equal "$(cat values)" $'0\n255'
}

@test "-factor=1 leaves every byte" {
    cat a.pam b.pam | rs-scale -quiet -factor=1 | cmp - <(cat a.pam b.pam)
}

@test "-diameter: of the plane, and found where there is none" {
    pamchannel -infile=a.pam -tupletype=RGB 0 1 2 | pamtopnm >photo.ppm
    rs-scale -quiet -diameter=200 a.pam b.pam photo.ppm >out.pam
    run -0 kinds out.pam
    [[ ${lines[2]} == *" 3 255 RGB" ]]
    diameters out.pam | awk '$1 < 198 || $1 > 202 { exit 1 } END { exit NR != 3 }'
}

@test "-diameter without a circle is an error that says so" {
    pgmmake .5 30 20 >gray.pgm
    fails 1 "gray.pgm: image 1: no field of view found" rs-scale -diameter=50 gray.pgm
    pamstack -quiet -tupletype=GRAYSCALE_FOV gray.pgm <(pgmmake 1 30 20) >all.pam
    fails 1 "all.pam: image 1: no circle in its field of view" rs-scale -diameter=50 all.pam
    pamchannel -infile=a.pam -tupletype=PROB_VESSEL 1 3 >map.pam
    fails 1 "map.pam: image 1: a map without a field of view" rs-scale -diameter=50 map.pam
}

@test "maps, 16 bits, one plane" {
    pamchannel -infile=a.pam -tupletype=PROB_VESSEL 1 3 | pamdepth 65535 >map.pam
    rs-scale -quiet -factor=0.5 map.pam >out.pam
    run -0 kinds out.pam
    assert_output '60 50 2 65535 PROB_VESSEL'
    pamchannel -infile=a.pam -tupletype=GRAYSCALE 1 | pamtopnm | rs-scale -quiet -factor=2 >gray.pgm
    run -0 pamfile gray.pgm
    assert_output --partial "PGM raw, 240 by 200  maxval 255"
}

@test "same bytes for 1, 2 and 5 threads" {
    for factor in 0.37 7.3; do
        rs-scale -quiet -threads=1 -factor=$factor a.pam >one
        rs-scale -quiet -threads=2 -factor=$factor a.pam | cmp - one
        rs-scale -quiet -threads=5 -factor=$factor a.pam | cmp - one
    done
}

@test "from one line to one pixel and back, and to a line" {
    pgmmake .5 3000 1 >line.pgm
    for factor in 0.001 0.01 200; do
        rs-scale -quiet -factor=$factor line.pgm >out.pgm
        run -0 pamsumm -min -brief out.pgm
        assert_output 128
        run -0 pamsumm -max -brief out.pgm
        assert_output 128
    done
}

@test "usage errors" {
    fails 2 'either -factor=F or -diameter=PIXELS must be given' rs-scale a.pam
    fails 2 'either -factor=F or -diameter=PIXELS must be given' rs-scale -factor=2 -diameter=9 a.pam
    fails 2 '-factor' rs-scale -factor=0 a.pam
    fails 2 '-factor' rs-scale -factor=nan a.pam
    fails 2 '-diameter' rs-scale -diameter=-3 a.pam
}

@test "bad input, a full disk, a reader that stops early" {
    head -c 1000 a.pam >torn.pam
    fails 1 'stdin: no image in input' rs-scale -factor=2 </dev/null
    fails 1 'torn.pam: image 1: ends in the middle of an image' rs-scale -factor=2 torn.pam
    fails 1 'torn.pam: image 1: ends' bash -c 'rs-scale -factor=2 a.pam torn.pam >/dev/null'
    fails 1 'stdout: No space left' bash -c 'rs-scale -quiet -factor=2 a.pam >/dev/full'
    run --separate-stderr -0 bash -o pipefail -c 'rs-scale -quiet -factor=20 a.pam | head -c 10 >/dev/null'
    assert_equal "$stderr" ''
}
