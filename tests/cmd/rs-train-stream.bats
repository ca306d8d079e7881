#!/usr/bin/env bats
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -count=2 -width=96 -height=96 >s.pam
    rs-patch -quiet -size=16 -count=40 -min-bright=5 s.pam | rs-norm -quiet >t
    rs-patch -quiet -size=16 -count=8 -seed=2 s.pam | rs-norm -quiet >held
    export FILES=$BATS_FILE_TMPDIR
}

# In the background it is the tool itself that $! names: hence exec.
train() {
    [ "$1" != -background ] || { shift; exec rs-train -quiet -channels=4,6 -batch=8 "$@"; }
    rs-train -quiet -channels=4,6 -batch=8 "$@"
}

@test "an endless stream: trained as it comes, and the pipeline ends with 0" {
    cp "$FILES/s.pam" .
    run -0 --separate-stderr bash -c 'set -euo pipefail
        while cat s.pam; do :; done | rs-rotate -quiet -copies=1 | rs-patch -quiet -size=16 -count=10 | rs-norm -quiet |
            rs-train -model=m -steps=40 -batch=8 -channels=4,6 -shuffle=32'
    assert_equal "$stderr" "rs-train: samples: 320, steps: 40"
    run -0 rs-info m
    assert_line --partial "training: -steps=40 -shuffle=32 -validate-every=1000 -batch=8"
}

@test "an endless stream: every tool holds its memory" {
    bare || skip "a checker takes memory of its own"
    run -0 "$ROOT/tests/endless" 1000
    assert_line --regexp "^rs-train: [0-9]+ KiB after 500 steps"
}

@test "file, pipe, chunks and threads: the same bytes; another reservoir: others" {
    train -steps=8 -shuffle=16 -model=file "$FILES/t"
    train -steps=8 -shuffle=16 -threads=1 -model=pipe <"$FILES/t"
    dd if="$FILES/t" bs=777 status=none | train -steps=8 -shuffle=16 -threads=4 -model=chunks
    cmp file pipe
    cmp file chunks
    train -steps=8 -shuffle=17 -model=other "$FILES/t"
    run ! cmp -s file other
}

@test "every sample of a stream is used once, the reservoir's last ones, too" {
    fails 1 "the input ended after 10 of 1000 steps" train -steps=1000 -shuffle=64 -model=m "$FILES/t"
    [ -s m ]
    fails 1 "the input ended after 20 of 1000 steps" train -steps=1000 -shuffle=8 -model=m "$FILES/t" "$FILES/t"
}

@test "validation on a stream, and models on the way" {
    train -steps=10 -shuffle=16 -validate="$FILES/held" -validate-every=4 -log=log -log-every=3 -keep=m-%03d.st \
        -keep-every=5 -model=m "$FILES/t"
    assert_equal "$(cut -f 1 log | xargs)" "step 3 4 6 8 9 10"
    assert_equal "$(awk -F'\t' '$5 != "NA" { print $1 }' log | xargs)" "step 4 8 10"
    # what was chosen at step 4 is nothing to the network of step 5
    run -0 rs-info m-005.st
    refute_line --regexp '^(threshold|temperature): '
    run -0 rs-info m-010.st
    if [ "$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } NR > 1 && $at["val_loss"] != "NA" {
        if (best == "" || $at["val_loss"] < best) { best = $at["val_loss"]; step = $1 } } END { print step }' log)" = 10 ]; then
        assert_line --regexp '^threshold: '
    else
        refute_line --regexp '^threshold: '
    fi
    run -0 rs-info m
    assert_line --regexp '^threshold: '
    [ ! -e m-015.st ]
}

@test "-schedule=cosine: from the rate down to nearly none" {
    train -epochs=2 -schedule=cosine -lr=.01 -log=log -log-every=1 -model=m "$FILES/t"
    awk -F'\t' 'NR > 1 { if (last && $9 >= last) exit 1; last = $9; if (NR == 2) first = $9 }
        END { exit !(first > .0099 && last < .0002) }' log
}

# resumes OPTION...
resumes() {
    train -epochs=4 -model=whole -log=whole.log -log-every=3 "$@" "$FILES/t"
    train -background -epochs=4 -model=part -log=log -log-every=3 -checkpoint=c -checkpoint-every=7 "$@" "$FILES/t" &
    pid=$!
    until [ -e c ]; do sleep .01; done
    kill -TERM $pid
    wait $pid || status=$?
    [ "${status:-0}" = 143 ] || [ "${status:-0}" = 0 ]
    train -epochs=4 -model=part -log=log -log-every=3 -checkpoint=c -resume "$@" "$FILES/t"
    cmp part whole
    cmp <(cut -f 1-8 log) <(cut -f 1-8 whole.log)
}

@test "-warmup: a linear rise to the rate, then the schedule over the rest" {
    train -epochs=2 -schedule=cosine -warmup=.2 -lr=.01 -log=log -log-every=1 -model=m "$FILES/t"
    assert_equal "$(cut -f 9 log | sed -n 2,6p | xargs)" "0.002 0.004 0.006 0.008 0.01"
    awk -F'\t' 'NR > 6 { if ($9 >= last) exit 1 } { last = $9 } END { exit !(NR == 21 && last < .0002) }' log
    run -0 rs-info m
    assert_line --partial "-lr=0.01 -schedule=cosine -warmup=0.2 -beta1=0.9"
}

@test "resumed after an end in the middle: the bytes of a training in one go" {
    resumes
}

@test "resumed with an average that is validated: likewise" {
    resumes -average=.95 -warmup=.1 -schedule=cosine -validate="$FILES/held"
    run -0 rs-info c
    assert_line --regexp '^average.parameters: \[[0-9]+\]$'
}

# Whether the network of averages is kept, and is that of the steps, is tests/unit/test_average.c's and this one's.
@test "-average: the network of averages is kept, the other one trained" {
    train -steps=9 -shuffle=16 -model=plain -keep=plain-%d -keep-every=1 -log=plain.log -log-every=1 "$FILES/t"
    train -steps=9 -shuffle=16 -model=mean -keep=mean-%d -keep-every=1 -log=mean.log -log-every=1 -average=.99 "$FILES/t"
    cmp <(cut -f 3-4 plain.log) <(cut -f 3-4 mean.log)
    perl -e 'use strict; my %last;
        sub arrays { open my $f, "<", shift or die; binmode $f; local $/; my $all = <$f>;
            my $n = unpack "Q<", $all; [unpack "f<*", substr $all, 8 + $n] }
        my @mean = @{arrays("mean-1")};
        for my $t (2 .. 9) {
            my ($x, $a) = (arrays("plain-$t"), arrays("mean-$t"));
            my $d = (1 + $t) / (10 + $t);
            @mean == @$x or die "lengths";
            for my $i (0 .. $#mean) {
                $mean[$i] = $d * $mean[$i] + (1 - $d) * $x->[$i];
                abs($mean[$i] - $a->[$i]) < 1e-6 or die "step $t, number $i: $a->[$i], not $mean[$i]";
            }
        }'
}

@test "SIGUSR1 checkpoints and goes on; without a checkpoint to go on from -resume begins" {
    train -background -epochs=60 -model=m -log=log -checkpoint=c -checkpoint-every=100000 -resume "$FILES/t" &
    pid=$!
    until [ -s log ]; do sleep .01; done # it has begun, and listens
    kill -USR1 $pid
    until [ -e c ] || ! kill -0 $pid; do sleep .01; done
    wait $pid
    run -0 rs-info c
    assert_line "kind: rs-checkpoint"
}

# interrupted BYTES: a training that waits for samples, so many bytes of one there, is told to end, and goes on
interrupted() {
    train -steps=20 -shuffle=16 -model=whole < <(cat "$FILES"/{t,t,t,t})
    mkfifo pipe
    train -background -steps=20 -shuffle=16 -model=part -checkpoint=c -log=log -log-every=1 <pipe &
    pid=$!
    exec 7>pipe
    cat "$FILES/t" >&7
    head -c "$1" "$FILES/t" >&7
    until grep -q ^8 log 2>/dev/null; do sleep .01; done # of 80 samples 64 are used, and no other comes
    sleep .2
    kill -TERM $pid
    wait $pid || status=$?
    exec 7>&-
    assert_equal "$status" 143
    run -0 rs-info c
    assert_line "step: 8"
    train -steps=20 -shuffle=16 -model=part -checkpoint=c -log=log -log-every=1 -resume < <(cat "$FILES"/{t,t,t,t})
    cmp part whole
}

@test "SIGTERM while samples are waited for: a checkpoint, and on from there" {
    interrupted 0
}

@test "SIGTERM in the middle of a record: likewise" {
    interrupted 5000
}

@test "a training that was validated is not gone on with without" {
    train -epochs=2 -model=m -checkpoint=c -validate="$FILES/held" "$FILES/t"
    cp m before
    fails 1 "c: of a training with -validate" train -epochs=2 -model=m -checkpoint=c -resume -about=x "$FILES/t"
    cmp m before
}

@test "a checkpoint that is damaged, or of another training, is refused" {
    train -epochs=2 -model=m -checkpoint=c -checkpoint-every=4 "$FILES/t"
    fails 1 "c: of another training: dropout is '0.1', it was '0.2'" \
        train -epochs=2 -dropout=.1 -model=m -checkpoint=c -resume "$FILES/t"
    fails 1 "c: of another training: training is '-epochs=3" \
        train -epochs=3 -model=m -checkpoint=c -resume "$FILES/t"
    fails 1 "c: of another training: training is" train -epochs=2 -average=.9 -model=m -checkpoint=c -resume "$FILES/t"
    size=$(stat -c %s c)
    head -c $((size - 1)) c >torn
    cp c.previous torn.previous
    fails 1 "torn: ends in the middle of its data; the one before it is torn.previous" \
        train -epochs=2 -model=m -checkpoint=torn -resume "$FILES/t"
    cp c flipped
    printf 'x' | dd of=flipped bs=1 seek=$((size - 100)) conv=notrunc status=none
    fails 1 "flipped: its hash is not that of its data" \
        train -epochs=2 -model=m -checkpoint=flipped -resume "$FILES/t"
    train -epochs=2 -model=again -checkpoint=c.previous -resume "$FILES/t"
    cmp again m
}

@test "a complete training, resumed: the same weights, what the model says anew" {
    train -steps=8 -shuffle=16 -average=.9 -model=m -checkpoint=c -log=log "$FILES/t"
    cp log log.before
    train -steps=8 -shuffle=16 -average=.9 -model=again -checkpoint=c -resume -log=log "$FILES/t"
    cmp m again
    cmp log log.before
    train -steps=8 -shuffle=16 -average=.9 -model=told -checkpoint=c -resume -threshold=.25 -temperature=2 \
        -diameter=640 -about=words "$FILES/t"
    run -0 rs-info told
    assert_line 'threshold: 0.25'
    assert_line 'temperature: 2'
    assert_line 'about: words'
    tail -c 1000 m | cmp - <(tail -c 1000 told)
    fails 1 "c: of another training: training is" train -steps=8 -shuffle=16 -model=m -checkpoint=c -resume -threshold=.25 \
        "$FILES/t"
}

@test "killed at random moments and resumed, models equal those undisturbed" {
    count=$(thinned 20)
    run -0 "$ROOT/tests/torture" "$count"
    assert_output --partial "$count of $count models equal"
}

@test "usage errors" {
    fails 2 "two answers to one question" train -model=m -epochs=1 -steps=1
    fails 2 "-shuffle goes with -steps" train -model=m -epochs=1 -shuffle=5
    fails 2 "-resume needs -checkpoint" train -model=m -epochs=1 -resume
    fails 2 "-keep and -keep-every go together" train -model=m -epochs=1 -keep=m-%d
    for pattern in m m-%s m-%d-%d m-%99d m-%; do
        fails 2 "is not a name with one %d" train -model=m -epochs=1 -keep-every=1 -keep=$pattern
    done
    fails 2 "-average: '1'" train -model=m -epochs=1 -average=1
    fails 2 "-warmup: '1.1'" train -model=m -epochs=1 -warmup=1.1
    fails 2 "a stream may be endless" train -model=m -steps=1 -expect=1
    fails 1 "are more than -memory=1 MiB" train -model=m -steps=1 -memory=1 "$FILES/t"
}
