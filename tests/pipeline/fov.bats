#!/usr/bin/env bats
# rs-fov against the fields of view that come with real photographs: every one of them overlaps by 99 %.
load ../cmd/common

# overlaps NUMBER: so many pairs "photograph mask", as commands that write PNM, one a line; those that are tried do
overlaps() {
    local photograph mask tried count=0
    tried=$(thinned "$1")
    while IFS='|' read -r photograph mask; do
        count=$((count + 1))
        [ $count -le "$tried" ] || continue
        $photograph 2>/dev/null | rs-fov -quiet >found.pam
        $mask 2>/dev/null | pamdepth -quiet 255 >given.pgm
        pamchannel -infile=found.pam -tupletype=PROB 3 >found.pgm
        pamstack -quiet -tupletype=PROB_VESSEL found.pgm given.pgm | rs-score -quiet -pixels=image >score.tsv
        awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { exit !(at["iou"] && $at["iou"] >= .99) }' score.tsv ||
            fail "$photograph: $(cut -f 17 score.tsv | xargs)"
    done
    assert_equal "$count" "$1"
}

@test "DRIVE" {
    [ -d "$DATA/DRIVE/test/mask" ] || skip "no DRIVE in $DATA"
    for image in "$DATA"/DRIVE/*/images/*.tif; do
        name=$(basename "$image" .tif)
        echo "tifftopnm $image|giftopnm ${image%/images*}/mask/${name}_mask.gif"
    done | overlaps 40
}

@test "CHASE_DB1" {
    [ -d "$DATA/CHASE_DB1_mask" ] || skip "no CHASE_DB1_mask in $DATA"
    for image in "$DATA"/CHASE_DB1/*.jpg; do
        echo "jpegtopnm $image|giftopnm $DATA/CHASE_DB1_mask/$(basename "$image" .jpg).gif"
    done | overlaps 28
}

@test "HRF" {
    [ -d "$DATA/HRF/fov" ] || skip "no HRF in $DATA"
    for image in "$DATA"/HRF/images/*; do
        name=$(basename "$image")
        echo "jpegtopnm $image|pngtopnm $DATA/HRF/fov/${name%.*}_mask.png"
    done | overlaps 45
}
