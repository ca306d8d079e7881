#!/usr/bin/env bats
load ../cmd/common

# The talk's pipeline on real photographs, every stage of it, with a network and a training that a test has time for.
@test "DRIVE: the talk's stages in small learn to tell vessels" {
    [ -d "$DATA/DRIVE/training" ] || skip "no DRIVE in $DATA"
    run -0 make -s -C "$ROOT" -f pipelines/talk-drive.mk DATA="$DATA" OUT="$PWD/talk" FITTED="21 22 23 24" COPIES=1 \
        COUNT=100 EPOCHS=3 SAMPLES=800 TRAIN_OPTIONS="-channels=8,16 -dropout=0 -lr=.005" "$PWD/talk/held.tsv"
    awk -F'\t' '$1 == "all" { exit !($5 > .9 && $3 > 800000) }' talk/held.tsv
}
