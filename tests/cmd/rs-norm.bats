#!/usr/bin/env bats
load common

# gray W H SAMPLE...: a plain PGM of maxval 100
gray() {
    printf 'P2 %d %d 100\n' "$1" "$2"
    shift 2
    echo "$@"
}

# floats FILE: the numbers of the first record's image
floats() {
    local length
    length=$(od -An -tu8 -N8 "$1" | tr -d ' ')
    od -An -v -tf4 -w4 -j $((8 + length)) -N "${2:-16}" "$1" | awk '{ printf "%s%.4f", (NR > 1 ? " " : ""), $1 }'
}

@test "patch: minus the mean, over the standard deviation" {
    gray 2 2 10 20 30 40 | rs-norm -quiet -size=2 >t
    assert_equal "$(floats t)" "-1.3416 -0.4472 0.4472 1.3416"
    gray 2 2 10 20 30 40 | rs-norm -quiet -size=2 -no-std >t
    assert_equal "$(floats t)" "-0.1500 -0.0500 0.0500 0.1500"
    gray 2 2 10 20 30 40 | rs-norm -quiet -size=2 -no-mean >t
    assert_equal "$(floats t)" "0.8944 1.7888 2.6832 3.5776"
}

@test "none: scaled to 0..1 alone" {
    gray 2 2 10 20 30 40 | rs-norm -quiet -mode=none >t
    assert_equal "$(floats t)" "0.1000 0.2000 0.3000 0.4000"
}

@test "dataset: statistics over all images, fitted, then applied" {
    gray 2 1 0 20 >a.pgm
    gray 2 2 40 60 80 100 >b.pgm
    run --separate-stderr -0 rs-norm -mode=dataset -fit=s a.pgm b.pgm
    assert_equal "$output" ""
    rs-info s | grep -q '^mean: 0.5'
    rs-norm -quiet -stats=s b.pgm >t
    # mean .5, standard deviation .341565 + 2e-6
    assert_equal "$(floats t)" "-0.2928 0.2928 0.8783 1.4638"
    rs-norm -quiet -stats=s -mode=dataset b.pgm | cmp - t
}

@test "statistics rule: an option that contradicts them is a usage error" {
    gray 2 1 0 20 | rs-norm -quiet -mode=dataset -fit=s
    gray 2 1 0 20 >a.pgm
    fails 2 "-mode contradicts s" rs-norm -stats=s -mode=none a.pgm
    fails 2 "-green contradicts s" rs-norm -stats=s -green a.pgm
    fails 2 "-no-mean contradicts s" rs-norm -stats=s -no-mean a.pgm
    fails 2 "-pixels contradicts s" rs-norm -stats=s -pixels=fov a.pgm
}

@test "usage errors" {
    fails 2 "-fit goes with -mode=dataset" rs-norm -fit=s
    fails 2 "needs -fit=STATS first" rs-norm -mode=dataset
    fails 2 "write statistics or apply them" rs-norm -mode=dataset -fit=s -stats=s
    fails 2 "two answers" rs-norm -gray -green
    fails 2 "is not one of patch|dataset|none|image|zca|zca-filter" rs-norm -mode=batch
    fails 2 "is not an option" rs-norm -moed=none
    fails 2 "wants an argument" rs-norm -mode
}

@test "gray and green of a colour photograph; inside the field of view alone" {
    printf 'P3 2 1 100 100 50 0  0 100 100\n' >c.ppm
    rs-norm -quiet -mode=none -green c.ppm >t
    assert_equal "$(floats t 8)" "0.5000 1.0000"
    rs-norm -quiet -mode=none -gray c.ppm >t
    assert_equal "$(floats t 8)" "0.5925 0.7010"
    gray 2 2 10 20 60 90 >p.pgm
    gray 2 2 100 100 100 0 >f.pgm
    pamstack -quiet -tupletype=GRAYSCALE_FOV p.pgm f.pgm | rs-norm -quiet -size=2 -pixels=fov >t
    assert_equal "$(floats t)" "-0.9258 -0.4629 1.3887 0.0000"
}

@test "truth and field of view travel along" {
    gray 2 1 10 20 >p.pgm
    gray 2 1 0 50 >v.pgm
    gray 2 1 100 0 >f.pgm
    pamstack -quiet -tupletype=GRAYSCALE_VESSEL_FOV p.pgm v.pgm f.pgm | rs-norm -quiet -size=2 >t
    assert_equal "$(tail -c 4 t | od -An -tu1 | xargs)" "0 127 255 0"
    run -0 rs-info t
    assert_line "vessel: yes"
    assert_line "patch: 2x1"
}

@test "what does not fit is refused, and named" {
    gray 2 1 10 20 >p.pgm
    fails 1 "stdin: no image in input" rs-norm </dev/null
    fails 1 "planes GRAYSCALE have none" rs-norm -pixels=fov p.pgm
    pamtopam <p.pgm | pamdepth 65535 | sed 's/GRAYSCALE/PROB/' >m.pam
    fails 1 "a map of probabilities, not a photograph" rs-norm m.pam
    printf 'P3 1 1 9 1 2 3\n' >c.ppm
    run --separate-stderr -1 rs-norm -size=2 p.pgm c.ppm
    [[ $stderr == "rs-norm: c.ppm: image 1: an image of planes RGB, where a photograph of planes GRAYSCALE"* ]]
    gray 2 1 10 >torn.pgm
    fails 1 "torn.pgm: image 1: ends in the middle of an image" rs-norm torn.pgm
    rs-norm -quiet -mode=none p.pgm >t
    fails 1 "not a file of statistics" rs-norm -stats=t p.pgm
    fails 1 "nowhere/s: No such file" rs-norm -mode=dataset -fit=nowhere/s p.pgm
}

@test "image: the photograph's statistics, its own; no patch" {
    gray 2 2 10 20 30 40 >p.pgm
    rs-norm -quiet -mode=image p.pgm >t
    assert_equal "$(floats t)" "-1.3416 -0.4472 0.4472 1.3416"
    run -0 rs-info t
    assert_line 'normalisation: image'
    refute_line -p 'patch:'
    gray 1 3 1 2 3 | cat p.pgm - >two.pgm
    rs-norm -quiet -mode=image two.pgm | head -c "$(stat -c %s t)" | cmp - t
}

@test "-jitter: brightness and contrast, in the field of view, by seed and image" {
    gray 4 1 10 20 60 90 >p.pgm
    gray 4 1 100 100 100 0 >f.pgm
    pamstack -quiet -tupletype=GRAYSCALE_FOV p.pgm f.pgm >one.pam
    cat one.pam one.pam >two.pam
    norm() { rs-norm -quiet -mode=image -pixels=fov "$@"; }
    norm one.pam >plain
    norm -jitter=0,0 one.pam | cmp - plain
    norm -jitter=.2,.1 two.pam >t
    norm -jitter=.2,.1 -seed=1 two.pam | cmp - t
    norm -jitter=.2,.1 one.pam | cmp - <(head -c "$(stat -c %s plain)" t)
    run ! cmp -s plain <(head -c "$(stat -c %s plain)" t)
    run ! cmp -s <(tail -c "$(stat -c %s plain)" t) <(head -c "$(stat -c %s plain)" t)
    run ! cmp -s t <(norm -jitter=.2,.1 -seed=2 two.pam)
    # one line through all numbers of the image: x (1 + g) + o; and 0 outside
    paste -d ' ' <(floats plain | tr ' ' '\n') <(floats t | tr ' ' '\n') | awk '{ x[NR] = $1; y[NR] = $2 } END {
        gain = (y[3] - y[1]) / (x[3] - x[1]); off = y[1] + gain * (x[2] - x[1]) - y[2]
        exit !(NR == 4 && y[4] == 0 && gain > 0 && gain != 1 && off < .001 && off > -.001) }'
    norm -jitter=.2,.1 two.pam | rs-info | sed '/^lowest\|^highest\|^samples/d' | diff - <(norm two.pam | rs-info | sed '/^lowest\|^highest\|^samples/d')
    fails 2 'no meaning without -jitter' rs-norm -seed=2 one.pam
    fails 2 'no meaning with -fit' rs-norm -mode=dataset -fit=s -jitter=.1,.1 one.pam
    fails 2 "-jitter: '2' is not a number from 0 to 1" rs-norm -jitter=2,0 one.pam
}

@test "cut or whole: what the mode does not take is refused" {
    rs-synth -quiet -width=40 -height=30 >whole.pam
    rs-patch -quiet -size=16 -count=2 whole.pam >cut.pam
    fails 1 'cut.pam: image 1: planes RGB_VESSEL_FOV_PATCH: a whole photograph is wanted' rs-norm -mode=image cut.pam
    fails 1 'whole.pam: image 1: not a patch cut by rs-patch' rs-norm whole.pam
    fails 1 'whole.pam: image 1: 40 x 30 is larger than a patch of -size=39' rs-norm -size=39 whole.pam
    fails 1 'cut.pam: image 1: 16 x 16 is larger' rs-norm -size=15 cut.pam
    fails 2 'names patches' rs-norm -mode=image -size=16 cut.pam
    rs-norm -quiet -size=40 whole.pam | rs-info | grep -x 'patch: 40x30'
    rs-norm -quiet -size=16 cut.pam >sized
    rs-norm -quiet cut.pam | cmp - sized
    rs-norm -quiet -mode=none cut.pam | rs-info | grep -x 'patch: 16x16'
    run ! bash -c 'rs-norm -quiet -mode=none whole.pam | rs-info | grep patch'
}

@test "a full disk is an error, a reader that stops early is none" {
    rs-synth -quiet -count=3 -width=64 -height=64 >s.pam
    run -1 --separate-stderr bash -c 'rs-norm -mode=image s.pam >/dev/full'
    [[ $stderr == "rs-norm: stdout: No space left on device" ]]
    run -0 bash -o pipefail -c 'rs-norm -mode=image s.pam 2>/dev/null | head -c 10 | wc -c'
    assert_output 10
}
