#!/usr/bin/env bats
load common

# pam WIDTH HEIGHT MAXVAL TUPLTYPE SAMPLE...: a PAM of 8 bits on stdout
pam() {
    local width=$1 height=$2 maxval=$3 kind=$4 sample
    shift 4
    printf 'P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s\nENDHDR\n' \
        "$width" "$height" $(($# / (width * height))) "$maxval" "$kind"
    for sample; do
        printf "\\$(printf %03o "$sample")"
    done
}

# ten: p = 1/8, 3/8, 5/8, 7/8; at 1/2 TP 3, FP 1, FN 1, TN 5
ten() {
    pam 5 2 3 PROB_VESSEL 3 3  3 2  2 3  0 3  3 0   1 0  1 1  0 0  0 0  0 1
}

# six: two pixels outside the field of view, both wrong
six() {
    pam 3 2 3 PROB_VESSEL_FOV 3 3 3  0 3 1  0 0 3   1 3 2  3 0 0  1 0 3
}

# figure ROW COLUMN: from the table on stdin
figure() {
    awk -F '\t' -v row="$1" -v column="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        NR > 1 && $1 == row { print $at[column] }'
}

# is ROW COLUMN WANTED: in the table of the last run
is() {
    assert_equal "$1 $2 $(figure "$1" "$2" <<<"$output")" "$1 $2 $3"
}

# varied COUNT: maps of 8 x 8 pixels, a third of them vessel, each map wrong in its own way
varied() {
    local image pixel samples
    for ((image = 0; image < $1; image++)); do
        samples=()
        for ((pixel = 0; pixel < 64; pixel++)); do
            samples+=($(((pixel * 31 + image * image * 5) % 170 + pixel % 3 / 2 * 80)) $((pixel % 3 / 2 * 255)))
        done
        pam 8 8 255 PROB_VESSEL "${samples[@]}"
    done
}

@test "the figures of a map, worked by hand" {
    ten >ten.pam
    run --separate-stderr -0 rs-score -pixels=image ten.pam
    row='image	10	0.4	0.729167	0.620833	0.623655	0.203125	0.225'
    row+='	0.5	0.8	0.791667	0.75	0.833333	0.75	0.75	0.6	0.583333'
    assert_equal "$output" "image	pixels	count	prevalence	auc_roc	auc_pr	log_loss	brier	ece\
	threshold	accuracy	balanced_acc	sensitivity	specificity	precision	dice	iou	mcc
1	$row
all	$row"
    assert_equal "$stderr" 'rs-score: images scored: 1, pixels: 10'
}

@test "-quiet says nothing, stdin is the default" {
    ten >ten.pam
    run --separate-stderr -0 rs-score -quiet -pixels=image <ten.pam
    assert_equal "$stderr" ''
    assert_equal "${#lines[@]}" 3
}

@test "images of different sizes make a row each and one of all pixels" {
    { ten; pam 1 1 3 PROB_VESSEL 3 3; ten; } >three.pam
    run --separate-stderr -0 rs-score -pixels=image three.pam
    assert_equal "$stderr" 'rs-score: images scored: 3, pixels: 21'
    assert_equal "$(cut -f1 <<<"$output" | xargs)" 'image 1 2 3 all'
    is 2 count 1
    is 2 accuracy 1
    is all count 21
    is all accuracy 0.809524
    is 3 mcc 0.583333
    one=$output
    ten >ten.pam
    pam 1 1 3 PROB_VESSEL 3 3 >one.pam
    run --separate-stderr -0 rs-score -pixels=image ten.pam - ten.pam <one.pam
    assert_equal "$output" "$one"
}

@test "-pixels: the field of view, the image, a crop" {
    six >six.pam
    run --separate-stderr -0 rs-score six.pam
    is 1 pixels fov
    is 1 count 4
    is 1 accuracy 0.75
    run --separate-stderr -0 rs-score -pixels=image six.pam
    is all pixels image
    is all count 6
    is all accuracy 0.5
    run --separate-stderr -0 rs-score -pixels=crop:0,0,2,2 six.pam
    is all pixels crop:0,0,2,2
    is all count 4
    is all accuracy 0.25
    run --separate-stderr -0 rs-score -pixels=crop:2,1,1,1 six.pam
    is 1 count 1
    is 1 specificity 1
}

@test "-threshold: a number" {
    ten >ten.pam
    run --separate-stderr -0 rs-score -pixels=image -threshold=.75 ten.pam
    is 1 threshold 0.75
    is 1 sensitivity 0.5
    run --separate-stderr -0 rs-score -pixels=image -threshold=0.875 ten.pam
    is 1 sensitivity 0.5
    run --separate-stderr -0 rs-score -pixels=image -threshold=0.8751 ten.pam
    is 1 sensitivity 0
    is 1 precision NA
    run --separate-stderr -0 rs-score -pixels=image -threshold=0 ten.pam
    is 1 sensitivity 1
    is 1 specificity 0
}

@test "-threshold=best-dice is one for all rows, and labelled" {
    { ten; pam 4 1 3 PROB_VESSEL 1 3  1 3  1 3  0 0; } >two.pam
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice two.pam
    assert_equal "$(cut -f1 <<<"$output" | xargs)" 'image 1 2 all'
    for row in 1 2 all; do
        is "$row" threshold oracle:0.25
    done
    is all dice 0.75
    is 1 dice 0.6
    is 2 dice 1
    ten >ten.pam
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice ten.pam
    is all threshold oracle:0.5
}

@test "what the pixels leave undefined is NA" {
    pam 2 1 255 PROB_VESSEL 9 0  8 0 >background.pam
    run --separate-stderr -0 rs-score -pixels=image background.pam
    for column in auc_roc auc_pr sensitivity balanced_acc precision dice iou mcc; do
        is all "$column" NA
    done
    is all accuracy 1
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice background.pam
    is all threshold oracle:NA
    is all accuracy NA
    pam 2 1 255 PROB_VESSEL_FOV 9 0 0  8 0 0 >outside.pam
    run --separate-stderr -0 rs-score outside.pam
    is all count 0
    is all prevalence NA
    is all log_loss NA
    is all accuracy NA
}

@test "65536 levels" {
    {
        printf 'P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 65535\nTUPLTYPE PROB_VESSEL\nENDHDR\n'
        printf '\150\366\377\377\150\365\000\000'
    } >wide.pam
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice wide.pam
    is all threshold oracle:0.410003662
    is all auc_roc 1
    is all dice 1
    run --separate-stderr -0 rs-score -pixels=image -threshold=0.410003662 wide.pam
    is all dice 1
}

@test "-bootstrap: bounds on both sides, the same for the same seed" {
    varied 8 >varied.pam
    run --separate-stderr -0 rs-score -pixels=image -bootstrap=200 varied.pam
    assert_equal "$(cut -f1 <<<"$output" | xargs)" 'image 1 2 3 4 5 6 7 8 all lower upper'
    for column in auc_roc auc_pr log_loss brier accuracy dice mcc; do
        echo "$(figure lower "$column" <<<"$output") $(figure all "$column" <<<"$output")" \
            "$(figure upper "$column" <<<"$output")" >bounds
        awk '{ exit !($1 <= $2 && $2 <= $3 && $1 < $3) }' bounds || fail "$column: $(cat bounds)"
    done
    is lower count 512
    is upper threshold 0.5
    first=$output
    run --separate-stderr -0 rs-score -pixels=image -bootstrap=200 -seed=1 varied.pam
    assert_equal "$output" "$first"
    run --separate-stderr -0 rs-score -pixels=image -bootstrap=200 -seed=2 varied.pam
    assert_not_equal "$output" "$first"
    assert_equal "$(grep -v -e lower -e upper <<<"$output")" "$(rs-score -quiet -pixels=image varied.pam)"
}

@test "-bootstrap with best-dice, and of one image" {
    varied 3 >varied.pam
    run --separate-stderr -0 rs-score -pixels=image -bootstrap=50 -threshold=best-dice varied.pam
    assert_equal "$(cut -f1 <<<"$output" | xargs)" 'image 1 2 3 all lower upper'
    is lower threshold "$(figure all threshold <<<"$output")"
    ten >ten.pam
    run --separate-stderr -0 rs-score -pixels=image -bootstrap=50 ten.pam
    is lower accuracy NA
    is upper auc_roc NA
}

@test "-expect" {
    { ten; ten; } >two.pam
    run --separate-stderr -0 rs-score -pixels=image -expect=2 two.pam
    is all count 20
    for wanted in 1 3; do
        run --separate-stderr -1 rs-score -pixels=image -expect=$wanted two.pam
        assert_equal "$stderr" "rs-score: 2 of $wanted images"
        is all count ''
    done
}

@test "only maps with truth are scored" {
    pam 1 1 255 RGB_VESSEL 1 2 3 255 >photograph.pam
    pam 1 1 255 PROB 7 >bare.pam
    echo P2 1 1 255 7 >map.pgm
    fails 1 'photograph.pam: image 1: TUPLTYPE RGB_VESSEL, but' rs-score photograph.pam
    fails 1 'bare.pam: image 1: TUPLTYPE PROB, but' rs-score bare.pam
    fails 1 'stdin: image 1: TUPLTYPE GRAYSCALE, but' rs-score <map.pgm
    fails 1 'PROB_VESSEL or PROB_VESSEL_FOV' rs-score map.pgm
}

@test "what does not fit" {
    ten >ten.pam
    fails 1 'PROB_VESSEL has no field of view' rs-score ten.pam
    fails 1 'rs-fov or pamstack, or score with -pixels=image' rs-score ten.pam
    fails 1 'ten.pam: image 1: crop:3,0,3,2 does not fit in 5 x 2 pixels' rs-score -pixels=crop:3,0,3,2 ten.pam
    fails 1 'does not fit' rs-score -pixels=crop:0,178956970,178956970,178956970 ten.pam
}

@test "the image at fault is named, and no row of all is written" {
    { ten; pam 1 1 255 PROB_VESSEL 3 0; } >two.pam
    run --separate-stderr -1 rs-score -pixels=image two.pam
    assert_equal "$stderr" \
        'rs-score: two.pam: image 2: maxval 255 after images of maxval 3: pamdepth brings them to one'
    assert_equal "$(cut -f1 <<<"$output" | xargs)" 'image 1'
    { ten; ten | head -c -1; } >torn.pam
    run --separate-stderr -1 rs-score -pixels=image torn.pam
    assert_equal "$stderr" 'rs-score: torn.pam: image 2: ends in the middle of an image'
    is all count ''
}

@test "no image" {
    fails 1 'stdin: no image in input' rs-score </dev/null
    fails 1 'absent.pam: No such file' rs-score absent.pam
    fails 1 'absent.safetensors: No such file' rs-score -threshold=model -model=absent.safetensors
}

@test "wrong options" {
    fails 2 "'fox' is not one of fov|image|crop:X,Y,W,H" rs-score -pixels=fox
    fails 2 "'crop:1,2,3' is not crop:X,Y,W,H" rs-score -pixels=crop:1,2,3
    fails 2 "'crop:1,2,3,0' is not crop:X,Y,W,H" rs-score -pixels=crop:1,2,3,0
    fails 2 'whole number' rs-score -pixels=crop:-1,2,3,4
    fails 2 'whole number' rs-score -pixels=crop:
    fails 2 "'1.5' is not a number from 0 to 1, best-dice or model" rs-score -threshold=1.5
    fails 2 "'nan' is not a number" rs-score -threshold=nan
    fails 2 '-threshold=model and -model=FILE go together' rs-score -threshold=model
    fails 2 '-threshold=model and -model=FILE go together' rs-score -model=x.safetensors
    fails 2 'whole number' rs-score -bootstrap=0
    fails 2 'whole number' rs-score -expect=0
    fails 2 'is not an option' rs-score -treshold=1
}

@test "a write that fails is an error, a reader that leaves is none" {
    ten >ten.pam
    run --separate-stderr -1 bash -c 'rs-score -pixels=image ten.pam >/dev/full'
    assert_equal "$stderr" 'rs-score: stdout: No space left on device'
    run --separate-stderr -0 bash -c '{ sleep .2; cat ten.pam ten.pam; } | rs-score -pixels=image | true
        exit "${PIPESTATUS[1]}"'
    assert_equal "$stderr" ''
}

@test "-threshold=model: the one that validation chose; a model without one is refused" {
    rs-synth -quiet -width=64 -height=64 >s.pam
    rs-patch -quiet -size=16 -count=8 s.pam | rs-norm -quiet >t
    rs-train -quiet -channels=2,2 -epochs=1 -model=m -validate=t t
    rs-train -quiet -channels=2,2 -epochs=1 -model=bare t
    rs-infer -quiet -model=m s.pam >map.pam
    run -0 --separate-stderr rs-score -threshold=model -model=m map.pam
    wanted=$(rs-info m | sed -n 's/^threshold: //p')
    awk -v wanted="$wanted" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "threshold") at = i }
        NR == 2 { exit !($at - wanted < 1e-8 && wanted - $at < 1e-8 && wanted > 0) }' <<<"$output"
    fails 1 "bare: no threshold in this model" rs-score -threshold=model -model=bare map.pam
}
