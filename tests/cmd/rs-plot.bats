#!/usr/bin/env bats
load common

# log ROWS [VALIDATE-EVERY]: a training's log
log() {
    printf '%s\t' step epoch loss accuracy val_loss val_accuracy val_dice val_auc learning_rate patches_per_second
    printf 'seconds\n'
    awk -v rows="$1" -v every="${2:-0}" 'BEGIN {
        for (i = 1; i <= rows; i++) {
            val = every && i % every == 0 ? .5 / i "\t.9\t.7\t.95" : "NA\tNA\tNA\tNA"
            printf "%d\t1\t%g\t.8\t%s\t.001\t100\t%d.500\n", 50 * i, 1 / i, val, i }
    }'
}

# curve roc|pr|calibration ROW...: with blanks for tabs
curve() {
    case $1 in
    roc) printf 'threshold\tfalse_positive_rate\tsensitivity\n' ;;
    pr) printf 'threshold\tsensitivity\tprecision\n' ;;
    calibration) printf 'lower\tupper\tcount\tmean_p\tprevalence\n' ;;
    esac
    shift
    printf '%s\n' "$@" | tr ' ' '\t'
}

roc() {
    curve roc '1 0 0' '.75 .125 .5' '.5 .25 .75' '0 1 1'
}

# words FILE: the texts of an SVG, a line each
words() {
    grep -o '<text>[^<]*\(<[^>]*>[^<]*\)*</text>' "$1" | sed 's/<[^>]*>//g; s/^ *//'
}

# on_terminal COLUMNS LINES COMMAND: what it writes there, in `shown`; its status, in `status`
on_terminal() {
    local columns=$1 lines=$2
    status=0
    TERM=xterm script -qec "stty cols $columns rows $lines; $3" typescript >/dev/null || status=$?
    shown=$(sed '1d; N; $!P; $!D; $d' typescript | tr -d '\r')
}

# without_colours: a text that has them
without_colours() {
    sed 's/\x1b\[[0-9;]*m//g'
}

@test "PNG to a pipe, and to a file" {
    log 20 5 >log.tsv
    rs-plot <log.tsv >piped.png
    rs-plot log.tsv >file.png
    pngtopnm piped.png | pamfile | grep -q '1920 by 960'
    cmp piped.png file.png
}

@test "a log: its panels, its legend" {
    log 20 5 | rs-plot -format=svg >log.svg
    run -0 words log.svg
    for word in 'log loss' accuracy Dice AUC 'learning rate' step training validation 'not smoothed' 1000; do
        assert_line "$word"
    done
    log 20 | rs-plot -format=svg >train.svg
    run -0 words train.svg
    assert_line training
    for word in Dice AUC validation; do
        refute_line "$word"
    done
}

@test "-panels draws these alone" {
    log 20 5 >log.tsv
    rs-plot -format=svg -panels=dice log.tsv >dice.svg
    run -0 words dice.svg
    assert_line Dice
    assert_line validation
    refute_line training
    refute_line 'log loss'
    log 20 >train.tsv
    fails 1 "nothing to draw" rs-plot -panels=dice,auc train.tsv
    fails 2 "'los' is not loss, accuracy" rs-plot -panels=los log.tsv
}

@test "-smooth=0 shows what is, and no more" {
    log 20 5 >log.tsv
    rs-plot -smooth=0 -format=svg log.tsv >raw.svg
    run -0 words raw.svg
    refute_line 'not smoothed'
    rs-plot -smooth=0 -format=svg -panels=learning_rate log.tsv >a.svg
    rs-plot -smooth=.9 -format=svg -panels=learning_rate log.tsv >b.svg
    cmp a.svg b.svg
    fails 2 "-smooth" rs-plot -smooth=1 log.tsv
}

@test "several runs, by their files' names or their own" {
    log 20 5 >a.tsv
    log 30 >b.tsv
    rs-plot -format=svg a.tsv 'U-Net, 8=b.tsv' >two.svg
    run -0 words two.svg
    assert_line a
    assert_line 'U-Net, 8'
    rs-plot -format=svg mine=a.tsv >one.svg
    run -0 words one.svg
    assert_line mine
    log 20 | rs-plot -format=svg a.tsv - >stdin.svg
    run -0 words stdin.svg
    assert_line stdin
}

@test "text fills 80 by 24, or COLUMNS by LINES, less a line" {
    log 20 5 >log.tsv
    run -0 env -u COLUMNS -u LINES rs-plot -format=text log.tsv
    rs-plot -format=text log.tsv >text
    assert_equal "$(wc -l <text)" 23
    assert_equal "$(wc -L <text)" 80
    for word in 'log loss' Dice training validation; do
        grep -q "$word" text
    done
    COLUMNS=120 LINES=40 rs-plot -format=text log.tsv >text
    assert_equal "$(wc -l <text) $(wc -L <text)" "39 120"
    COLUMNS=x LINES=-5 rs-plot -format=text log.tsv >text
    assert_equal "$(wc -l <text) $(wc -L <text)" "23 80"
    run -1 grep -q '[^ -~]' text
}

@test "-panels=loss in text falls as the loss does" {
    log 100 | rs-plot -format=text -panels=loss -smooth=0 >text
    # column of the first and of the last star, rows from above
    read -r first last < <(awk '/\|.*\*/ { sub(/\|\*+/, "|"); if (!n++) first = NR; last = NR } END { print first, last }' text)
    [ "$first" -lt 5 ] && [ "$last" -gt 15 ]
}

@test "on a terminal: its size, its colours" {
    log 20 5 >log.tsv
    on_terminal 100 30 "rs-plot log.tsv"
    assert_equal "$status" 0
    assert_equal "$(without_colours <<<"$shown" | wc -L)" 100
    assert_equal "$(wc -l <<<"$shown")" 29
    grep -q $'\x1b\[38;5;' <<<"$shown"
    on_terminal 100 30 "NO_COLOR=1 rs-plot log.tsv"
    run -1 grep -q $'\x1b' <<<"$shown"
    on_terminal 100 30 "TERM=dumb rs-plot log.tsv"
    run -1 grep -q $'\x1b' <<<"$shown"
    on_terminal 100 30 "rs-plot -format=png log.tsv"
    assert_equal "$status" 2
}

@test "ROC curves: a square, areas, what is on the axes" {
    roc >a.tsv
    curve roc '1 0 0' '.5 .5 .5' '0 1 1' >point.tsv
    rs-plot -format=svg net=a.tsv point.tsv >roc.svg
    run -0 words roc.svg
    for word in '1 - specificity' sensitivity chance 'net (AUC 0.7656)' point; do
        assert_line "$word"
    done
    rs-plot a.tsv | pngtopnm | pamfile | grep -q '800 by 800'
}

@test "PR and calibration curves" {
    curve pr '.5 .5 1' '.25 .75 .75' '0 1 .25' >pr.tsv
    curve pr '.5 .5 1' '0 1 .25' >point.tsv
    rs-plot -format=svg pr.tsv observer=point.tsv >pr.svg
    run -0 words pr.svg
    for word in 'sensitivity (recall)' precision 'pr (AP 0.7500)' 'observer (Dice 0.6667)'; do
        assert_line "$word"
    done
    curve calibration '0 .5 3 .25 0' '.5 .75 0 NA NA' '.75 1 1 .875 1' | rs-plot -format=svg - >calibration.svg
    run -0 words calibration.svg
    for word in 'mean probability' 'share of vessel' perfect 'stdin (ECE 0.2188)'; do
        assert_line "$word"
    done
}

@test "the figures of the legend are those of rs-score" {
    rs-synth -quiet -count=2 -width=120 -height=120 >eyes.pam
    # a map that is a blurred, noisy truth
    pamchannel -infile=eyes.pam -tupletype=GRAYSCALE 1 | pamdepth 65535 >map.pam
    pamdepth 65535 eyes.pam >deep.pam
    pamchannel -infile=deep.pam 3 4 >truth.pam
    pamstack -quiet -tupletype=PROB_VESSEL_FOV map.pam truth.pam >maps.pam
    rs-score -quiet maps.pam | tail -n 1 >table
    for pair in 'roc 5 AUC' 'pr 6 AP' 'calibration 9 ECE'; do
        read -r name column figure <<<"$pair"
        rs-score -quiet "-curve=$name" maps.pam | rs-plot -format=svg >"$name.svg"
        wanted=$(printf '%.4f' "$(cut -f "$column" table)")
        grep -q "stdin ($figure $wanted)" <(words "$name.svg") || fail "$figure $wanted: $(words "$name.svg")"
    done
}

@test "names are no commands" {
    log 20 >log.tsv
    names=('`touch pwned`' '"; system("touch pwned") #' "'; system('touch pwned') #" $'a\nsystem("touch pwned")\n'
        $'a\nEND\nsystem("touch pwned")' '\140touch pwned\140' '@touch $0' '{}_x^y&~' '%s%n' '(33[31m' $'\xff\xfe\xc3' $'\x1b[31m'
        '<script>&amp;<text>' '$(touch pwned)' '|touch pwned' '!touch pwned' "$(printf 'long%.0s' {1..2000})")
    for name in "${names[@]}"; do
        rs-plot -format=svg "x$name=log.tsv" log.tsv >out.svg
        rs-plot -format=text "x$name=log.tsv" >out.txt
        assert_equal "$name: $(words out.svg | grep -c '^x\|\.\.\.')" "$name: 1"
        run -1 grep -q $'[\x01-\x08\x0b-\x1f]' out.svg
        run -1 grep -q $'[\x01-\x08\x0b-\x1f]' out.txt
        iconv -f UTF-8 -t UTF-8 out.svg >/dev/null
        file=${name//\//_}
        cp log.tsv "${file:0:200}.tsv"
        rs-plot -format=svg "./${file:0:200}.tsv" log.tsv >out.svg
    done
    [ ! -e pwned ]
    words out.svg >/dev/null
    rs-plot -format=svg '`{x}_2 "&<é>=log.tsv' log.tsv >out.svg
    rs-plot -format=text 'a$0(33[31m=log.tsv' | grep -qF 'a$0(33[31m'
    grep -qF '`{x}_2 "&amp;&lt;é' out.svg
}

@test "a user's settings of gnuplot do not matter" {
    log 20 >log.tsv
    rs-plot -format=svg log.tsv >wanted.svg
    mkdir home
    echo 'system("touch pwned"); set title "mine"' | tee home/.gnuplot home/gnuplotrc >home/.gnuplotrc
    HOME=$PWD/home XDG_CONFIG_HOME=$PWD/home GNUTERM='x`touch pwned`' rs-plot -format=svg log.tsv | cmp - wanted.svg
    [ ! -e pwned ]
}

@test "tables that do not go together, or are none" {
    log 20 >log.tsv
    roc >roc.tsv
    fails 1 "log is a training log, roc is a ROC curve" rs-plot log.tsv roc.tsv
    printf 'image\tpixels\n1\tfov\n' >score.tsv
    fails 1 "score.tsv: neither a log of rs-train nor a curve of rs-score" rs-plot score.tsv
    head -n 1 log.tsv >header.tsv
    fails 1 "header.tsv: a header alone" rs-plot header.tsv
    head -c 500 log.tsv >torn.tsv
    fails 1 "the file ends in the middle of it" rs-plot torn.tsv
    fails 1 "line 22: step: 'step'" rs-plot <(cat log.tsv log.tsv)
    fails 1 "none.tsv: No such file" rs-plot none.tsv
    fails 1 "stdin: empty" rs-plot </dev/null
}

@test "without gnuplot, and with one that fails" {
    log 20 >log.tsv
    mkdir bin empty
    fails 1 "gnuplot, which draws, cannot be run: is it installed" env PATH="$PWD/empty" "$BUILD/bin/rs-plot" log.tsv
    echo old >old.svg
    for way in 'echo; echo "  line 3: no  " >&2; exit 1' 'kill -9 $$' 'exit 0' 'exit 3'; do
        printf '#!/bin/sh\n%s\n' "$way" >bin/gnuplot
        chmod +x bin/gnuplot
        PATH=$PWD/bin:$PATH fails 1 "gnuplot" rs-plot -output=old.svg log.tsv
        assert_equal "$(cat old.svg)" old
    done
    PATH=$PWD/bin:$PATH fails 1 "gnuplot failed: without a word" rs-plot log.tsv
    printf '#!/bin/sh\necho "  line 3: no  " >&2; exit 1\n' >bin/gnuplot
    PATH=$PWD/bin:$PATH fails 1 "gnuplot failed: line 3: no" rs-plot log.tsv
    printf '#!/bin/sh\necho "wrapper: no display" >&2; exit 127\n' >bin/gnuplot
    PATH=$PWD/bin:$PATH fails 1 "gnuplot failed: wrapper: no display" rs-plot log.tsv
    chmod -x bin/gnuplot
    local why="gnuplot: Permission denied"
    [ "${CHECKER-}" != valgrind ] || why="cannot be run" # its vfork is a fork, which does not tell the parent why
    fails 1 "$why" env PATH="$PWD/bin" "$BUILD/bin/rs-plot" log.tsv
    assert_equal "$(echo old.*)" old.svg
}

@test "-output takes the format from the name, and replaces the file whole" {
    log 20 >log.tsv
    for end in png svg txt; do
        run --separate-stderr -0 rs-plot -output=out.$end log.tsv
        assert_equal "$output$stderr" ""
    done
    pngtopnm out.png >/dev/null
    tail -n 3 out.svg | grep -q '</svg>'
    grep -q 'learning rate' out.txt
    run -0 rs-plot -format=svg -output=drawing log.tsv
    cmp drawing out.svg
    rs-plot -output=again.png log.tsv
    cmp again.png out.png
    fails 2 "'out.pdf' does not end in .png, .svg or .txt" rs-plot -output=out.pdf log.tsv
    fails 1 "nowhere/x.png: No such file" rs-plot -output=nowhere/x.png log.tsv
    fails 1 "stdout: No space left" bash -c 'rs-plot log.tsv >/dev/full'
}

@test "-verbose says what is read" {
    log 20 >log.tsv
    run --separate-stderr -0 rs-plot -verbose -output=out.txt log.tsv
    assert_equal "$stderr" "rs-plot: log.tsv: a training log of 20 rows"
}

@test "-follow draws what is new, in a file, and ends quietly" {
    log 2 >log.tsv
    rs-plot -follow -format=svg -panels=loss -output=out log.tsv 2>err &
    pid=$!
    for rows in 10 37; do
        log $rows | tail -n +3 | head -c -20 >>log.tsv
        log $rows >log.tsv
        for ((i = 0; i < 100; i++)); do
            [ ! -e out ] || ! words out | grep -qx $((rows == 10 ? 500 : 1500)) || break
            sleep .05
        done
        words out | grep -qx $((rows == 10 ? 500 : 1500))
    done
    kill -INT $pid
    wait $pid
    assert_equal "$(cat err)" ""
}

@test "-follow on a terminal, interrupted there; a log that is not begun is waited for" {
    : >log.tsv
    log 5 >whole.tsv
    { sleep 1; cat whole.tsv >log.tsv; sleep 1; } &
    on_terminal 60 16 "timeout --foreground -s INT 3 rs-plot -follow -panels=loss log.tsv; echo status \$?"
    grep -q 'log loss' <<<"$shown"
    assert_equal "$(grep -c 'log loss' <<<"$shown")" 1
    # 124 is timeout's word for it
    grep -q 'status 124' <<<"$shown"
    run -1 grep -q 'rs-plot' <<<"$shown"
}

@test "-follow: what is no log, or goes, ends it; SIGTERM is obeyed" {
    log 5 >log.tsv
    fails 2 "draws on a terminal, or to -output" rs-plot -follow log.tsv
    fails 2 "wants files, not standard input" rs-plot -follow -output=x.png
    fails 2 "wants files, not standard input" rs-plot -follow -output=x.png name=-
    echo junk >junk.tsv
    fails 1 "neither a log" timeout 10 rs-plot -follow -output=x.png junk.tsv
    rs-plot -follow -output=x.svg log.tsv 2>err &
    pid=$!
    until [ -e x.svg ]; do sleep .05; done
    rm log.tsv
    status=0
    wait $pid || status=$?
    assert_equal $status 1
    grep -q "log.tsv: No such file" err
    log 5 >log.tsv
    rm x.svg
    rs-plot -follow -output=x.svg log.tsv &
    pid=$!
    until [ -e x.svg ]; do sleep .05; done
    kill $pid
    status=0
    wait $pid || status=$?
    assert_equal $status 143
}
