#!/usr/bin/env bats
load common

setup() {
    rs-synth -quiet -width=100 -height=90 >a.pam
    rs-synth -quiet -width=80 -height=70 -seed=2 >b.pam
    cat a.pam b.pam >ab.pam
}

# kinds FILE: size, planes, maxval and TUPLTYPE, a line an image
kinds() {
    pamfile -allimages -machine "$1" | cut -d ' ' -f 4-
}

# unmarked: images on stdin that are RGB_VESSEL_FOV_PATCH, without the mark
unmarked() {
    pamchannel -tupletype=RGB_VESSEL_FOV 0 1 2 3 4
}

# sums PLANE...: of every image on stdin, white being 1
sums() {
    pamchannel "$@" | pamexec 'pamsumm -sum -brief -normalize'
}

@test "300 patches of 64 x 64 of every image of every file" {
    run --separate-stderr -0 bash -c 'rs-patch a.pam b.pam >out.pam'
    assert_equal "$stderr" 'rs-patch: images read: 2, written: 600'
    assert_equal "$(kinds out.pam | sort | uniq -c | xargs)" '600 64 64 5 255 RGB_VESSEL_FOV_PATCH'
}

@test "a stream of two is two files, and - is standard input" {
    rs-patch -quiet -count=9 a.pam b.pam >files.pam
    rs-patch -quiet -count=9 <ab.pam >stream.pam
    rs-patch -quiet -count=9 a.pam - <b.pam >mixed.pam
    cmp files.pam stream.pam
    cmp files.pam mixed.pam
}

@test "-size and -count; a patch as big as the image is the image" {
    rs-patch -quiet -size=16 -count=5 a.pam >five.pam
    run -0 kinds five.pam
    assert_equal "${#lines[@]}" 5
    assert_line --index 4 '16 16 5 255 RGB_VESSEL_FOV_PATCH'
    rs-synth -quiet -width=48 -height=48 >square.pam
    rs-patch -quiet -size=48 -count=1 square.pam | unmarked | cmp - square.pam
}

@test "patch k is the same however many are cut" {
    rs-patch -quiet -count=3 a.pam >three.pam
    rs-patch -quiet -count=7 a.pam >seven.pam
    cmp -n "$(stat -c %s three.pam)" three.pam seven.pam
}

@test "the same seed makes the same bytes, another seed others" {
    rs-patch -quiet -count=9 ab.pam >default.pam
    rs-patch -quiet -count=9 -seed=1 ab.pam >one.pam
    rs-patch -quiet -count=9 -seed=2 ab.pam >two.pam
    cmp default.pam one.pam
    run -1 cmp -s one.pam two.pam
}

@test "-min-vessel is reached by every patch" {
    rs-patch -quiet -size=24 -count=40 a.pam | sums 3 >any
    rs-patch -quiet -size=24 -count=40 -min-vessel=60 a.pam | sums 3 >rich
    assert_equal "$(wc -l <rich)" 40
    [ "$(sort -n any | awk '{ print int($1); exit }')" -lt 60 ]
    [ "$(sort -n rich | awk '{ print int($1); exit }')" -ge 60 ]
}

@test "-min-bright is reached by every patch, over all planes of the photograph" {
    rs-patch -quiet -size=24 -count=40 a.pam | sums 0 1 2 >any
    rs-patch -quiet -size=24 -count=40 -min-bright=700 a.pam | sums 0 1 2 >bright
    assert_equal "$(wc -l <bright)" 40
    [ "$(sort -n any | awk '{ print int($1); exit }')" -lt 700 ]
    [ "$(sort -n bright | awk '{ print int($1); exit }')" -ge 700 ]
}

@test "no such patch: the image and what was wanted" {
    fails 1 'a.pam: image 1: no 64 x 64 patch with min-vessel 4000 and min-bright 50 in 1000 tries' \
        rs-patch -min-vessel=4000 -min-bright=50 a.pam
}

@test "-min-vessel wants a truth" {
    pamchannel -infile=b.pam -tupletype=RGB 0 1 2 | cat a.pam - >mixed.pam
    fails 2 'rs-patch: mixed.pam: image 2: -min-vessel needs a truth plane (_VESSEL)' \
        bash -c 'rs-patch -count=2 -min-vessel=5 mixed.pam >/dev/null'
    fails 2 'stdin: image 2: -min-vessel' bash -c 'rs-patch -count=2 -min-vessel=5 a.pam - <mixed.pam >/dev/null'
    rs-patch -quiet -min-bright=5 mixed.pam | tail -c 1 >/dev/null
}

@test "an image smaller than the patch" {
    fails 1 'b.pam: image 1: 80 x 70 is smaller than a patch of 80 x 80; -grid pads' rs-patch -size=80 b.pam
}

@test "-grid covers the image, padded by black outside the field of view" {
    run --separate-stderr -0 bash -c 'rs-patch -grid ab.pam >out.pam'
    assert_equal "$stderr" 'rs-patch: images read: 2, written: 8'
    for top in 0 64; do
        for left in 0 64; do
            pamcut -pad -left "$left" -top "$top" -width 64 -height 64 a.pam
        done
    done >wanted.pam
    unmarked <out.pam | head -c "$(stat -c %s wanted.pam)" | cmp - wanted.pam
}

@test "-grid gives an image without a field of view one" {
    pamchannel -infile=b.pam -tupletype=RGB 0 1 2 | pamtopnm >photograph.ppm
    rs-patch -quiet -grid -size=100 photograph.ppm >out.pam
    run -0 kinds out.pam
    assert_output '100 100 4 255 RGB_FOV_PATCH'
    assert_equal "$(sums 3 <out.pam)" '5600.000000'
    rs-patch -quiet -count=1 photograph.ppm >out.pam
    run -0 kinds out.pam
    assert_output '64 64 3 255 RGB_PATCH'
}

@test "-step sets how far the patches of the grid are apart" {
    rs-patch -quiet -grid -size=40 -step=20 b.pam >out.pam
    run -0 kinds out.pam
    assert_equal "${#lines[@]}" 9
    rs-patch -quiet -grid -size=40 -step=40 b.pam >out.pam
    rs-patch -quiet -grid -size=40 b.pam | cmp - out.pam
}

# Photographs normalised as a whole, their values from 0 to 1 again, and cut before
@test "tensors are cut as images are: the same places, the same planes" {
    rs-norm -quiet -mode=none ab.pam >ab.tensors
    for options in -count=9 '-count=9 -size=40 -min-vessel=90' '-count=9 -size=40 -pixels=fov' -grid '-grid -size=48 -step=20'; do
        # shellcheck disable=SC2086
        rs-patch -quiet $options ab.pam | rs-norm -quiet -mode=none >wanted
        # shellcheck disable=SC2086
        rs-patch -quiet $options ab.tensors | cmp - wanted
    done
    rs-patch -quiet -count=9 - <ab.tensors >piped
    rs-patch -quiet -count=9 ab.tensors | cmp - piped
    run --separate-stderr -0 bash -c 'rs-patch -count=4 ab.tensors >out'
    assert_equal "$stderr" 'rs-patch: images read: 2, written: 8'
}

@test "tensors of photographs normalised by themselves: of different sizes, then of one" {
    rs-norm -quiet -mode=image -pixels=fov ab.pam >ab.tensors
    run -1 rs-info ab.tensors
    rs-patch -quiet -count=5 -size=32 ab.tensors >patches
    run -0 rs-info patches
    assert_line 'patch: 32x32'
    assert_line 'normalisation: image'
    assert_line 'samples: 10'
    rs-train -quiet -channels=2,2 -epochs=1 -model=m patches
    rs-infer -quiet -model=m ab.pam | kinds - | uniq -c >maps
    assert_equal "$(xargs <maps)" '1 100 90 3 65535 PROB_VESSEL_FOV 1 80 70 3 65535 PROB_VESSEL_FOV'
    fails 1 'a whole photograph is wanted' bash -c 'rs-patch -quiet -size=32 -grid a.pam | rs-infer -model=m >/dev/null'
}

@test "tensors that cannot be cut" {
    rs-norm -quiet -mode=none b.pam >b.tensors
    rs-patch -quiet -count=2 b.pam | rs-norm -quiet >patches
    fails 1 'patches: image 1: tensor: patches that were normalised each by itself' rs-patch -size=8 patches
    fails 2 '-min-bright has no meaning' rs-patch -min-bright=1 b.tensors
    fails 1 'b.tensors: image 1: tensor: 80 x 70 is smaller than a patch of 80 x 80' rs-patch -size=80 b.tensors
    fails 1 'pixels are more than -max-pixels=5599' rs-patch -max-pixels=5599 b.tensors
    head -c 9999 b.tensors >torn
    fails 1 'torn: image 1: tensor: ends in the middle of its data' rs-patch torn
    fails 1 'mixed: image 2: tensor: not a safetensors record' bash -c 'cat b.tensors a.pam >mixed; rs-patch mixed >/dev/null'
    fails 1 'mixed: image 2: not a PNM or PAM image' bash -c 'cat a.pam b.tensors >mixed; rs-patch mixed >/dev/null'
}

# A header of 80 and n times 256 bytes begins with a "P"
@test "a record that begins with P is a record" {
    rs-synth -quiet -width=64 -height=64 | rs-norm -quiet -mode=none >t
    perl -0777 -ne '$n = unpack "Q<"; $m = 336; $m += 256 while $m < $n;
        print pack("Q<", $m), substr($_, 8, $n), " " x ($m - $n), substr $_, 8 + $n' t >p
    assert_equal "$(head -c 1 p)" P
    rs-patch -quiet -size=16 -count=3 p | cmp - <(rs-patch -quiet -size=16 -count=3 t)
    (cat p p) | rs-patch -quiet -size=16 -grid | rs-info | grep -x 'samples: 32'
}

@test "-pixels=fov keeps random patches in the box around the field of view" {
    ppmmake black 100 80 | ppmtopgm >photo.pgm
    pgmmake 1 30 20 | pnmpad -black -left=50 -right=20 -top=40 -bottom=20 >fov.pgm
    pamstack -quiet -tupletype=GRAYSCALE_FOV photo.pgm fov.pgm >eye.pam
    rs-patch -quiet -size=20 -count=50 -pixels=fov eye.pam | sums 1 >inside
    assert_equal "$(sort -u inside | xargs)" 400.000000
    rs-norm -quiet -mode=none eye.pam | rs-patch -quiet -size=20 -count=50 -pixels=fov | rs-info | grep -x 'samples: 50'
    fails 1 '30 x 20 of the field of view is smaller than a patch of 21 x 21' rs-patch -size=21 -pixels=fov eye.pam
    pgmmake 0 100 80 >none.pgm
    pamstack -quiet -tupletype=GRAYSCALE_FOV photo.pgm none.pgm >blind.pam
    fails 1 'an empty field of view' rs-patch -size=2 -pixels=fov blind.pam
    fails 1 'without a plane of it' rs-patch -size=2 -pixels=fov photo.pgm
    fails 2 '-pixels has no meaning with -grid' rs-patch -grid -pixels=fov eye.pam
}

@test "usage errors" {
    fails 2 '-size' rs-patch -size=0 a.pam
    fails 2 '-size' rs-patch -size=8193 a.pam
    fails 2 '-count' rs-patch -count=0 a.pam
    fails 2 '-min-bright' rs-patch -min-bright=-1 a.pam
    fails 2 'not an option' rs-patch -copies=3 a.pam
    fails 2 '-count has no meaning with -grid' rs-patch -grid -count=300 a.pam
    fails 2 '-min-vessel has no meaning with -grid' rs-patch -grid -min-vessel=0 a.pam
    fails 2 '-min-bright has no meaning with -grid' rs-patch -grid -min-bright=1 a.pam
    fails 2 '-step has no meaning without -grid' rs-patch -step=64 a.pam
    fails 2 'gaps' rs-patch -grid -step=65 a.pam
}

@test "bad input" {
    head -c 1000 a.pam >torn.pam
    cat a.pam - <<<junk >junk.pam
    fails 1 'stdin: no image in input' rs-patch </dev/null
    fails 1 'none.pam: No such file' rs-patch none.pam
    fails 1 'torn.pam: image 1: ends in the middle of an image' rs-patch torn.pam
    fails 1 'junk.pam: image 2: not a PNM or PAM image' bash -c 'rs-patch junk.pam >/dev/null'
    fails 1 'torn.pam: image 1: ends' bash -c 'rs-patch -grid a.pam torn.pam >/dev/null'
}

@test "a full disk" {
    fails 1 'stdout: No space left' bash -c 'rs-patch -quiet a.pam >/dev/full'
    fails 1 'stdout: No space left' bash -c 'rs-patch -quiet -size=4 -count=1 a.pam >/dev/full'
}

@test "a reader that stops early" {
    run --separate-stderr -0 bash -o pipefail -c 'rs-patch -quiet a.pam | head -c 10 >/dev/null'
    assert_equal "$stderr" ''
}
