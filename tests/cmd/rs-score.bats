#!/usr/bin/env bats
load common

# pam WIDTH HEIGHT MAXVAL TUPLTYPE SAMPLE...: a PAM of 8 bits on stdout
pam() {
    local width=$1 height=$2 maxval=$3 kind=$4 sample
    shift 4
    printf 'P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s\nENDHDR\n' \
        "$width" "$height" $(($# / (width * height))) "$maxval" "$kind"
    for sample; do
        printf %b "\\0$(printf %03o "$sample")"
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

# figure ROW COLUMN: from the table or the comparison on stdin
figure() {
    awk -F '\t' -v row="$1" -v column="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        NR > 1 && $1 == row { print $at[column] }'
}

# is ROW COLUMN WANTED: in the table of the last run
is() {
    assert_equal "$1 $2 $(figure "$1" "$2" <<<"$output")" "$1 $2 $3"
}

# scored ARGUMENT...: rs-score of all pixels
scored() {
    rs-score -pixels=image "$@"
}

# varied COUNT [SHARE]: maps of 8 x 8 pixels, a third of them vessel, each map wrong in its own way; SHARE
# quarters of the way to the truth
varied() {
    local image pixel map vessel samples
    for ((image = 0; image < $1; image++)); do
        samples=()
        for ((pixel = 0; pixel < 64; pixel++)); do
            vessel=$(((pixel % 3 == 2) * 255))
            map=$(((pixel * 31 + image * image * 5) % 170 + (pixel % 3 == 2) * 80))
            samples+=($((map + (vessel - map) * ${2:-0} / 4)) "$vessel")
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

@test "-compare: the figures of both streams, their differences, bounds and p" {
    varied 6 2 >better.pam
    varied 6 >varied.pam
    run --separate-stderr -0 rs-score -pixels=image -compare=varied.pam better.pam
    assert_equal "$stderr" 'rs-score: images scored: 6, pixels: 384'
    assert_equal "${lines[0]}" 'figure	first	second	difference	lower	upper	p'
    assert_equal "$(cut -f1 <<<"$output" | xargs)" "figure auc_roc auc_pr log_loss brier ece threshold accuracy\
 balanced_acc sensitivity specificity precision dice iou mcc"
    compared=$output
    for figure in auc_roc log_loss dice; do
        assert_equal "$(figure $figure first <<<"$compared")" \
            "$(rs-score -quiet -pixels=image better.pam | figure all $figure)"
        assert_equal "$(figure $figure second <<<"$compared")" \
            "$(rs-score -quiet -pixels=image varied.pam | figure all $figure)"
    done
    awk -F '\t' 'NR > 1 && $1 != "threshold" {
        if ($2 - $3 - $4 > 2e-6 || $4 - $2 + $3 > 2e-6 || !($5 <= $4 && $4 <= $6)) exit 1 }' <<<"$compared"
    # better in every image, so that no draw is beyond 0: p is 2 / 1001
    assert_equal "$(figure brier p <<<"$compared")" 0.001998
    [[ $(figure brier upper <<<"$compared") == -* ]]
    assert_equal "$(grep '^threshold' <<<"$compared")" 'threshold	0.5	0.5	0	NA	NA	NA'
}

@test "-compare the other way round turns the signs, and p stays" {
    varied 6 2 >better.pam
    varied 6 >varied.pam
    rs-score -quiet -pixels=image -compare=varied.pam better.pam >one
    rs-score -quiet -pixels=image -compare=better.pam varied.pam >two
    paste one two | awk -F '\t' 'NR > 1 && $1 != "threshold" &&
        !($2 == $10 && $4 == -$11 && $5 == -$13 && $6 == -$12 && $7 == $14) { exit 1 }'
}

@test "-compare with itself: no difference, p 1" {
    varied 4 >varied.pam
    cp varied.pam same.pam
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice -compare=same.pam varied.pam
    assert_equal "$(cut -f 4- <<<"$output" | sort | uniq -c | xargs)" \
        '13 0 0 0 1 1 0 NA NA NA 1 difference lower upper p'
    one=$output
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice -compare=- varied.pam <same.pam
    assert_equal "$output" "$one"
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice -compare=varied.pam <varied.pam
    assert_equal "$output" "$one"
}

@test "-compare: -bootstrap draws, the same for the same seed" {
    varied 5 2 >better.pam
    varied 5 >varied.pam
    run --separate-stderr -0 rs-score -pixels=image -compare=varied.pam better.pam
    default=$output
    run --separate-stderr -0 rs-score -pixels=image -compare=varied.pam -bootstrap=1000 -seed=1 better.pam
    assert_equal "$output" "$default"
    run --separate-stderr -0 rs-score -pixels=image -compare=varied.pam -seed=2 better.pam
    assert_not_equal "$output" "$default"
    run --separate-stderr -0 rs-score -pixels=image -compare=varied.pam -bootstrap=99 better.pam
    assert_equal "$(figure brier p <<<"$output")" 0.02
}

@test "-compare: each stream has its own best Dice, maxval and planes" {
    ten >ten.pam
    { pam 5 2 255 PROB_VESSEL_FOV 90 255 0  91 255 0  10 200 0  0 255 0  9 0 0 \
        1 0 0  1 100 0  0 0 0  0 0 0  95 0 0; } >other.pam
    run --separate-stderr -0 rs-score -pixels=image -threshold=best-dice -compare=other.pam ten.pam
    assert_equal "$(grep '^threshold' <<<"$output")" \
        'threshold	oracle:0.5	oracle:0.0390625	0.460938	NA	NA	NA'
    assert_equal "$(grep '^dice' <<<"$output")" 'dice	0.75	0.75	0	NA	NA	NA'
    run --separate-stderr -0 rs-score -pixels=image -threshold=.25 -compare=other.pam ten.pam
    assert_equal "$(grep '^sensitivity' <<<"$output")" 'sensitivity	0.75	0.5	0.25	NA	NA	NA'
    assert_equal "$(grep '^threshold' <<<"$output")" 'threshold	0.25	0.25	0	NA	NA	NA'
}

@test "-compare: -threshold=model is one for both" {
    rs-synth -quiet -width=64 -height=64 -count=2 >s.pam
    rs-patch -quiet -size=16 -count=8 s.pam | rs-norm -quiet >t
    rs-train -quiet -channels=2,2 -epochs=1 -model=m -validate=t t
    rs-infer -quiet -model=m s.pam >map.pam
    run --separate-stderr -0 rs-score -threshold=model -model=m -compare=map.pam map.pam
    wanted=$(rs-score -quiet -threshold=model -model=m map.pam | figure all threshold)
    assert_equal "$(figure threshold first <<<"$output")" "$wanted"
    assert_equal "$(figure threshold second <<<"$output")" "$wanted"
}

@test "-compare: what does not pair is named" {
    ten >ten.pam
    six >six.pam
    cat ten.pam six.pam >two.pam
    fails 1 'absent: No such file' scored -compare=absent ten.pam
    fails 1 'two.pam: image 2: no partner: ten.pam ends before its image 2' scored -compare=ten.pam two.pam
    fails 1 'ten.pam: image 1: no partner: stdin ends before its image 1' scored -compare=- ten.pam </dev/null
    fails 1 'two.pam: image 2: no partner: the operands have ended' scored -compare=two.pam ten.pam
    { cat ten.pam; pam 2 3 3 PROB_VESSEL 3 3  0 3  0 0  1 3  3 0  1 0; } >turned.pam
    fails 1 'six.pam: image 1: does not pair with turned.pam: image 2: 3 x 2 pixels, and there 2 x 3' \
        scored -compare=turned.pam ten.pam six.pam
    { cat ten.pam; pam 3 2 3 PROB_VESSEL_FOV 3 3 3  0 3 1  0 0 3   1 3 2  3 3 0  1 3 3; } >truth.pam
    fails 1 'two.pam: image 2: does not pair with truth.pam: image 2: the truth differs in 2 of 6 pixels,'\
' first in column 1 of row 1' scored -compare=truth.pam two.pam
    pam 3 2 3 PROB_VESSEL_FOV 3 3 3  0 3 1  0 0 1   1 3 2  3 0 0  1 0 3 >field.pam
    run --separate-stderr -0 scored -compare=field.pam six.pam
    fails 1 'six.pam: image 1: does not pair with field.pam: image 1: the field of view differs in 1 of 6 pixels,'\
' first in column 2 of row 0' rs-score -compare=field.pam six.pam
}

@test "-compare: what is wrong in the other stream is said of it" {
    ten >ten.pam
    ten | head -c -1 >torn.pam
    pam 5 2 3 PROB 3 3 2 0 3 1 1 0 0 0 >bare.pam
    { cat ten.pam; pam 5 2 255 PROB_VESSEL 3 3  3 2  2 3  0 3  3 0   1 0  1 1  0 0  0 0  0 1; } >maxvals.pam
    fails 1 'rs-score: torn.pam: image 1: ends in the middle of an image' scored -compare=torn.pam ten.pam
    fails 1 'rs-score: bare.pam: image 1: TUPLTYPE PROB, but' scored -compare=bare.pam ten.pam
    fails 1 'rs-score: maxvals.pam: image 2: maxval 255 after' scored -compare=maxvals.pam ten.pam ten.pam
    fails 1 'rs-score: ten.pam: image 1: PROB_VESSEL has no field of view' rs-score -compare=ten.pam ten.pam
    cat ten.pam torn.pam >late.pam
    fails 1 'rs-score: late.pam: image 2: ends in the middle' scored -compare=late.pam ten.pam
}

@test "-compare: -expect, -verbose, a full disk, stdin twice" {
    ten | tee same.pam >ten.pam
    fails 1 '1 of 2 images' scored -expect=2 -compare=ten.pam ten.pam
    run --separate-stderr -0 scored -verbose -compare=- ten.pam <same.pam
    assert_equal "${stderr_lines[0]}" 'rs-score: ten.pam: image 1: PROB_VESSEL 5x2, maxval 3'
    assert_equal "${stderr_lines[1]}" 'rs-score: stdin: image 1: PROB_VESSEL 5x2, maxval 3'
    run --separate-stderr -1 bash -c 'rs-score -pixels=image -compare=ten.pam ten.pam >/dev/full'
    assert_equal "$stderr" 'rs-score: stdout: No space left on device'
    fails 2 '-compare=-: stdin is an operand already' scored -compare=- <ten.pam
    fails 2 '-compare=-: stdin is an operand already' scored -compare=- ten.pam - <same.pam
}

@test "-curve=roc, pr and calibration, worked by hand" {
    ten >ten.pam
    run --separate-stderr -0 rs-score -pixels=image -curve=roc ten.pam
    assert_equal "$stderr" 'rs-score: images scored: 1, pixels: 10'
    assert_equal "$output" 'threshold	false_positive_rate	sensitivity
1	0	0
0.75	0.166666666666667	0.5
0.5	0.166666666666667	0.75
0.25	0.5	0.75
0	1	1'
    run --separate-stderr -0 rs-score -pixels=image -curve=pr ten.pam
    assert_equal "$output" 'threshold	sensitivity	precision
0.75	0.5	0.666666666666667
0.5	0.75	0.75
0.25	0.75	0.5
0	1	0.4'
    run --separate-stderr -0 rs-score -pixels=image -curve=calibration ten.pam
    assert_equal "${lines[0]}" 'lower	upper	count	mean_p	prevalence'
    assert_equal "${#lines[@]}" 16
    assert_equal "${lines[1]}" '0	0.0666666666666667	0	NA	NA'
    assert_equal "${lines[2]}" '0.0666666666666667	0.133333333333333	4	0.125	0.25'
    assert_equal "${lines[14]}" '0.866666666666667	0.933333333333333	3	0.875	0.666666666666667'
}

@test "-curve: areas and thresholds are those of the table" {
    { ten; varied 3 | pamdepth -quiet 3; } >maps.pam
    rs-score -quiet -pixels=image maps.pam >table.tsv
    rs-score -quiet -pixels=image -curve=roc maps.pam >roc.tsv
    rs-score -quiet -pixels=image -curve=pr maps.pam >pr.tsv
    rs-score -quiet -pixels=image -curve=calibration maps.pam >bins.tsv
    area=$(awk -F '\t' 'NR > 2 { sum += ($2 - x) * ($3 + y) / 2 } { x = $2; y = $3 } END { printf "%.6g", sum }' roc.tsv)
    assert_equal "$area" "$(figure all auc_roc <table.tsv)"
    area=$(awk -F '\t' 'NR > 1 { sum += ($2 - x) * $3; x = $2 } END { printf "%.6g", sum }' pr.tsv)
    assert_equal "$area" "$(figure all auc_pr <table.tsv)"
    gap=$(awk -F '\t' 'NR > 1 && $3 { gap = $4 - $5; sum += $3 * (gap < 0 ? -gap : gap); n += $3 }
        END { printf "%.6g", sum / n }' bins.tsv)
    assert_equal "$gap" "$(figure all ece <table.tsv)"
    tail -n +2 roc.tsv | while read -r threshold fpr sensitivity; do
        rs-score -quiet -pixels=image -threshold="$threshold" maps.pam >at.tsv
        awk -v a="$sensitivity" -v b="$(figure all sensitivity <at.tsv)" -v c="$fpr" -v d="$(figure all specificity <at.tsv)" \
            'BEGIN { exit !((a - b) ^ 2 < 1e-10 && (c + d - 1) ^ 2 < 1e-10) }' || fail "at $threshold"
    done
}

@test "-curve: of all levels that occur, of nothing, of one kind" {
    {
        printf 'P7\nWIDTH 2\nHEIGHT 1\nDEPTH 2\nMAXVAL 65535\nTUPLTYPE PROB_VESSEL\nENDHDR\n'
        printf '\150\366\377\377\150\365\000\000'
    } >wide.pam
    run --separate-stderr -0 rs-score -pixels=image -curve=roc wide.pam
    assert_equal "$(tail -n +2 <<<"$output" | xargs)" '1 0 0 0.410003662109375 0 1 0.409988403320312 1 1'
    pam 2 1 255 PROB_VESSEL 9 0  8 0 >background.pam
    run --separate-stderr -0 rs-score -pixels=image -curve=roc background.pam
    assert_equal "$(tail -n +2 <<<"$output" | xargs)" '1 0 NA 0.03515625 0.5 NA 0.03125 1 NA'
    pam 2 1 255 PROB_VESSEL_FOV 9 0 0  8 0 0 >outside.pam
    run --separate-stderr -0 rs-score -curve=roc outside.pam
    assert_equal "$(tail -n +2 <<<"$output" | xargs)" '1 NA NA'
    run --separate-stderr -0 rs-score -curve=pr outside.pam
    assert_equal "$output" 'threshold	sensitivity	precision'
}

@test "-curve: errors as without, no line of it before the end, a full disk, a reader that leaves" {
    ten >ten.pam
    fails 1 '1 of 2 images' rs-score -pixels=image -curve=roc -expect=2 ten.pam
    fails 1 'ten.pam: image 1: PROB_VESSEL has no field of view' rs-score -curve=pr ten.pam
    for curve in roc pr calibration; do
        run --separate-stderr -1 bash -c "rs-score -pixels=image -curve=$curve ten.pam >/dev/full"
        assert_equal "$stderr" 'rs-score: stdout: No space left on device'
    done
    run --separate-stderr -0 bash -c '{ sleep .2; cat ten.pam; } | rs-score -pixels=image -curve=roc | true
        exit "${PIPESTATUS[1]}"'
    assert_equal "$stderr" ''
}

@test "-curve: gnuplot reads it" {
    command -v gnuplot >/dev/null || skip "no gnuplot"
    varied 3 >maps.pam
    for curve in roc pr calibration; do
        rs-score -quiet -pixels=image -curve=$curve maps.pam >$curve.tsv
    done
    run -0 gnuplot -e 'set terminal dumb; set datafile missing "NA"' \
        -e 'plot "roc.tsv" using 2:3 with lines, "pr.tsv" using "sensitivity":"precision"' \
        -e 'plot "calibration.tsv" using "mean_p":"prevalence"'
    refute_output --partial warning
}

@test "-choose: worked by hand, of nothing, of one kind" {
    # p = 7/8: three vessel, one background; 1/8: one and three. T = log 7 / log 3, so that they become 3/4 and 1/4; the
    # least of the best thresholds is 1/4, of odds 1/3, which become exp(-log 3 / T)
    pam 4 2 3 PROB_VESSEL 3 3  3 3  3 3  3 0  0 3  0 0  0 0  0 0 >eight.pam
    run --separate-stderr -0 scored -choose eight.pam
    assert_equal "${lines[0]}" 'threshold	temperature	dice	log_loss'
    assert_equal "${#lines[@]}" 2
    awk '{ t = log(7) / log(3); q = 1 / (1 + exp(log(3) / t)); loss = -.75 * log(.75) - .25 * log(.25)
        if (($1 - q) ^ 2 + ($2 - t) ^ 2 + ($3 - .75) ^ 2 + ($4 - loss) ^ 2 > 1e-20) exit 1 }' <<<"${lines[1]}"
    assert_equal "$stderr" 'rs-score: images scored: 1, pixels: 8'
    pam 2 1 255 PROB_VESSEL 9 0  8 0 >background.pam
    run --separate-stderr -0 scored -choose background.pam
    assert_equal "${lines[1]}" 'NA	NA	NA	NA'
    pam 2 1 255 PROB_VESSEL_FOV 9 0 0  8 9 0 >outside.pam
    run --separate-stderr -0 rs-score -choose outside.pam
    assert_equal "${lines[1]}" 'NA	NA	NA	NA'
    fails 1 '1 of 2 images' scored -choose -expect=2 eight.pam
    run --separate-stderr -1 bash -c "rs-score -pixels=image -choose eight.pam >/dev/full"
    assert_equal "$stderr" 'rs-score: stdout: No space left on device'
}

@test "-choose: a model that is given what was chosen does as well as was said" {
    rs-synth -quiet -width=96 -height=96 -count=2 >s.pam
    rs-patch -quiet -size=16 -count=40 s.pam | rs-norm -quiet >t
    rs-train -quiet -channels=4,6 -epochs=4 -lr=.01 -batch=8 -model=raw t
    rs-infer -quiet -model=raw s.pam >raw.pam
    rs-score -quiet -choose raw.pam >chosen.tsv
    read -r threshold temperature dice loss < <(tail -n 1 chosen.tsv)
    rs-train -quiet -channels=4,6 -epochs=4 -lr=.01 -batch=8 -model=m -threshold="$threshold" -temperature="$temperature" t
    rs-infer -quiet -model=m s.pam >m.pam
    run -0 --separate-stderr rs-score -threshold=model -model=m m.pam
    for column in auc_roc dice log_loss; do figure all $column <<<"$output"; done >there
    before=$(rs-score -quiet raw.pam | figure all log_loss)
    awk -v dice="$dice" -v loss="$loss" -v before="$before" '{ at[NR] = $1 }
        END { exit !((at[2] - dice) ^ 2 < 1e-8 && (at[3] - loss) ^ 2 < 1e-8 && at[3] < before) }' there
    assert_equal "$(rs-score -quiet raw.pam | figure all auc_roc | cut -c 1-6)" "$(head -n 1 there | cut -c 1-6)"
    # nothing is left to be tempered
    rs-score -quiet -choose m.pam | awk 'NR == 2 { exit !(($2 - 1) ^ 2 < 1e-6) }'
}

@test "patches are scored, but not drawn from" {
    rs-synth -quiet -width=64 -height=64 -count=2 | rs-infer -quiet | rs-patch -quiet -grid -size=32 >patches.pam
    run -0 rs-score -quiet -pixels=image patches.pam
    assert_equal "$(tail -n 1 <<<"$output" | cut -f 1)" all
    fails 1 "bounds are drawn from whole maps" rs-score -pixels=image -bootstrap=10 patches.pam
    fails 1 "bounds are drawn from whole maps" rs-score -pixels=image -compare=patches.pam patches.pam
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
    fails 2 '-model=FILE goes with -threshold=model' rs-score -model=x.safetensors
    fails 2 'whole number' rs-score -bootstrap=0
    fails 2 'whole number' rs-score -expect=0
    fails 2 'is not an option' rs-score -treshold=1
    fails 2 "'det' is not one of roc|pr|calibration" rs-score -curve=det
    for other in -bootstrap=9 -compare=x.pam -threshold=.4; do
        fails 2 '-curve goes without -bootstrap, -compare and -threshold' rs-score -curve=roc $other
    done
    for other in -bootstrap=9 -compare=x.pam -threshold=.4 -curve=roc; do
        fails 2 '-choose goes without -curve, -bootstrap, -compare and -threshold' rs-score -choose $other
    done
    fails 2 'an empty name' rs-score -compare=
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
