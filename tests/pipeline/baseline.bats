#!/usr/bin/env bats
load ../cmd/common

# What was reached when the filters' sizes were chosen, on those photographs
@test "DRIVE: the classical filters find vessels as well as ever" {
    [ -d "$DATA/DRIVE/training" ] || skip "no DRIVE in $DATA"
    run -0 make -s -C "$ROOT" -f pipelines/baseline.mk DATA="$DATA" OUT="$PWD/baseline" "$PWD/baseline/training.tsv"
    awk -F '\t' '$2 == "all" { print $6; n++; if ($6 < ($1 == "matched" ? .946 : .937)) exit 1 }
        END { if (n != 2) exit 1 }' baseline/training.tsv || fail "$(cut -f 1-7 baseline/training.tsv)"
}
