#!/usr/bin/env bats
# pipelines/vessels: photographs as cameras write them in, pictures out.
load ../cmd/common

PATH=$ROOT/pipelines:$PATH

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    rs-synth -quiet -count=2 -width=96 -height=64 >eyes.pam
    rs-patch -quiet -size=32 -count=20 eyes.pam | rs-norm -quiet -mode=none >tensors
    rs-train -quiet -channels=4,4 -epochs=6 -batch=4 -lr=.02 -dropout=0 -model=model -threshold=.4 tensors
    pampick -quiet 0 <eyes.pam | pamchannel -tupletype=RGB 0 1 2 | pamtopnm -quiet >eye.ppm
    rs-infer -quiet -model=model eye.ppm >map.pgm
}

setup() {
    cp "$BATS_FILE_TMPDIR"/{model,eye.ppm,map.pgm} .
}

# turned ORIENTATION: a JPEG that says so in its EXIF
turned() {
    printf "\xff\xd8\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x0$1\0\0\0\0\0\0"
    tail -c +3
}

map_of() { pngtopnm "$1" | pamdepth -quiet 65535; }

@test "PNG, TIFF and PNM: map, mask and overlay beside them" {
    pnmtopng -quiet eye.ppm >a.png
    pnmtotiff -quiet eye.ppm >b.tif
    cp eye.ppm c.ppm
    pamdepth -quiet 65535 eye.ppm | pnmtotiff -quiet >d.tiff
    run --separate-stderr -0 vessels -model=model -min-area=1 a.png b.tif c.ppm d.tiff
    assert_equal "$output$stderr" ''
    rs-mask -quiet -threshold=.4 map.pgm >mask.pgm
    for stem in a b c d; do
        map_of $stem.map.png | cmp - map.pgm
        map_of $stem.mask.png | cmp - mask.pgm
        overlay eye.ppm mask.pgm | cmp - <(pngtopnm $stem.overlay.png)
    done
    assert_equal "$(find . -name '*.new')" ''
}

@test "the model that came with the program, at its own threshold" {
    rs-synth -quiet -width=300 -height=300 | pamchannel -tupletype=RGB 0 1 2 | pamtopnm -quiet >drawn.ppm
    vessels -min-area=1 drawn.ppm
    rs-infer -quiet drawn.ppm >drawn.pgm
    rs-mask -quiet -threshold=model drawn.pgm | cmp - <(map_of drawn.mask.png)
    run -1 cmp -s <(rs-mask -quiet -threshold=.5 drawn.pgm) <(map_of drawn.mask.png)
}

@test "a JPEG is turned as its EXIF says" {
    command -v jpegexiforient >/dev/null || skip "no jpegexiforient"
    pnmtojpeg -quiet -quality=95 eye.ppm >plain.jpg
    turned 6 <plain.jpg >clockwise.jpg
    turned 3 <plain.jpg >upside-down.jpg
    vessels -model=model plain.jpg clockwise.jpg upside-down.jpg
    assert_equal "$(pngtopnm clockwise.map.png | pamfile -machine | cut -d ' ' -f 4,5)" '64 96'
    jpegtopnm -quiet plain.jpg | pamflip -cw | rs-infer -quiet -model=model | cmp - <(map_of clockwise.map.png)
    jpegtopnm -quiet plain.jpg | pamflip -rotate180 | rs-infer -quiet -model=model | cmp - <(map_of upside-down.map.png)
}

@test "what is no photograph is named, the others are done" {
    echo hello >text.jpg
    head -c 200 eye.ppm >torn.ppm
    cp eye.ppm good.ppm
    run --separate-stderr -1 vessels -model=model text.jpg torn.ppm missing.png good.ppm
    assert_equal "${#stderr_lines[@]}" 3
    assert_equal "${stderr_lines[0]}" 'vessels: text.jpg: not a JPEG, PNG, TIFF or PNM file'
    assert_regex "${stderr_lines[1]}" '^vessels: torn.ppm: rs-infer: '
    assert_regex "${stderr_lines[2]}" '^vessels: missing.png: '
    [ -s good.overlay.png ]
    assert_equal "$(find . -name '*.png' | wc -l)" 3
    fails 2 'wants photographs' vessels -model=model
    fails 2 '-colour is not an option' vessels -colour good.ppm
    fails 2 'none is no folder' vessels -folder=none good.ppm
}

@test "what is doubtful is done, and told" {
    rs-train -quiet -channels=2,3 -epochs=1 -batch=8 -diameter=400 -threshold=.4 -model=of-400 "$BATS_FILE_TMPDIR/tensors"
    ppmmake orange 60 40 >orange.ppm
    cp eye.ppm small.ppm
    run --separate-stderr -0 vessels -model=of-400 orange.ppm small.ppm
    assert_equal "${#stderr_lines[@]}" 2
    assert_equal "${stderr_lines[0]}" \
        'vessels: warning: orange.ppm: no field of view found; all of it is taken, at its own size'
    assert_regex "${stderr_lines[1]}" '^vessels: warning: small.ppm: its field of view, [5-9][0-9] pixels across, is enlarged [4-8]\.'
    [ -s orange.map.png ] && [ -s small.map.png ]
}

@test "a folder of photographs, with make, xargs and parallel" {
    mkdir photos out
    for stem in 'first eye' second; do pnmtopng -quiet eye.ppm >"photos/$stem.png"; done
    printf '%s\0' photos/*.png | xargs -0 -n 1 -P 2 vessels -model=model -threads=1 -folder=out
    assert_equal "$(find out -name '*.map.png' | wc -l)" 2
    cmp "out/first eye.map.png" out/second.map.png
    printf '%s\n' '%.overlay.png: %.png' '	vessels -model=model -threads=1 $<' >rules
    echo broken >photos/third.png
    run -2 make -s -k -j 2 -f rules photos/second.overlay.png photos/third.overlay.png
    [ -s photos/second.overlay.png ]
    command -v parallel >/dev/null || skip "no parallel"
    rm out/*
    run -1 parallel --joblog log vessels -model=model -threads=1 -folder=out ::: photos/second.png photos/third.png
    assert_equal "$(tail -n +2 log | cut -f 7 | sort | xargs)" '0 1'
}
