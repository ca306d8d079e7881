#!/usr/bin/env bats
load ../cmd/common

@test "drawn photographs: from rs-synth to a score that a network earned" {
    make -s -C "$ROOT" -f pipelines/smoke.mk OUT="$PWD/smoke"
    run -0 cut -f 1,2,5,16 smoke/score.tsv
    assert_line --index 0 "$(printf 'image\tpixels\tauc_roc\tdice')"
    awk -F'\t' '$1 == "all" { exit !($5 > .88 && $16 > .5) }' smoke/score.tsv
}

@test "a second make has nothing to do" {
    make -s -C "$ROOT" -f pipelines/smoke.mk OUT="$PWD/smoke" TRAIN=1 COUNT=10 EPOCHS=1
    run -0 make -q -C "$ROOT" -f pipelines/smoke.mk OUT="$PWD/smoke" TRAIN=1 COUNT=10 EPOCHS=1 "$PWD/smoke/score.tsv"
}
