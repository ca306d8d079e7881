#!/usr/bin/env bats
load common

@test "by default one drawing of 565 x 584 with truth and field of view" {
    run --separate-stderr -0 bash -c 'rs-synth >one.pam'
    assert_equal "$stderr" 'rs-synth: images written: 1'
    run -0 pamfile -allimages -machine one.pam
    assert_output 'one.pam: PAM RAW 565 584 5 255 RGB_VESSEL_FOV'
}

@test "-count, -width and -height" {
    rs-synth -quiet -count=3 -width=40 -height=30 >three.pam
    run -0 pamfile -allimages -machine three.pam
    assert_equal "${#lines[@]}" 3
    assert_line --index 2 'three.pam: PAM RAW 40 30 5 255 RGB_VESSEL_FOV'
}

@test "drawing k is the same however many are drawn" {
    rs-synth -quiet -count=3 -width=40 -height=30 >three.pam
    rs-synth -quiet -count=2 -width=40 -height=30 >two.pam
    cmp -n "$(stat -c %s two.pam)" three.pam two.pam
}

@test "the same seed makes the same bytes, another seed others" {
    rs-synth -quiet -width=64 -height=64 >default.pam
    rs-synth -quiet -width=64 -height=64 -seed=1 >one.pam
    rs-synth -quiet -width=64 -height=64 -seed=2 >two.pam
    cmp default.pam one.pam
    run -1 cmp -s one.pam two.pam
}

@test "the smallest, and a narrow one" {
    rs-synth -quiet -width=16 -height=16 | pamfile
    rs-synth -quiet -width=16 -height=300 | pamfile
}

@test "-quiet says nothing" {
    run --separate-stderr -0 bash -c 'rs-synth -quiet -width=16 -height=16 >/dev/null'
    assert_equal "$stderr" ''
}

@test "usage errors" {
    fails 2 'operand' rs-synth eye.pam
    fails 2 '-width' rs-synth -width=15
    fails 2 '-height' rs-synth -height=0
    fails 2 '-count' rs-synth -count=0
    fails 2 '-seed' rs-synth -seed=-1
    fails 2 'not an option' rs-synth -depth=5
    fails 2 '20000 x 20000 pixels are more than' rs-synth -width=20000 -height=20000
}

@test "a full disk" {
    fails 1 'stdout: No space left' bash -c 'rs-synth -quiet >/dev/full'
    fails 1 'stdout: No space left' bash -c 'rs-synth -quiet -width=16 -height=16 >/dev/full'
}

@test "a reader that stops early" {
    run --separate-stderr -0 bash -o pipefail -c 'rs-synth -quiet -count=50 -width=99 -height=99 | head -c 10 >/dev/null'
    assert_equal "$stderr" ''
}
