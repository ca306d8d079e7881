#!/usr/bin/env bats
load common

# Eight patches of 16x16 from a drawn photograph, and two others for validation
setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -width=96 -height=96 >s.pam
    rs-patch -quiet -size=16 -count=40 -min-vessel=5 s.pam | rs-norm -quiet >train.tensors
    rs-patch -quiet -size=16 -count=8 -min-vessel=5 -seed=2 s.pam | rs-norm -quiet >held.tensors
    export FILES=$BATS_FILE_TMPDIR
}

train() {
    rs-train -quiet -channels=4,6 -epochs=2 -batch=8 "$@"
}

@test "same seed, same bytes, for 1, 2 and 4 threads, from file and pipe" {
    train -threads=1 -model=one "$FILES/train.tensors"
    train -threads=2 -model=two "$FILES/train.tensors"
    train -threads=4 -model=four <"$FILES/train.tensors"
    cat "$FILES/train.tensors" | train -model=pipe
    cmp one two
    cmp one four
    cmp one pipe
    train -seed=2 -model=other "$FILES/train.tensors"
    run ! cmp -s one other
    train -dropout=0 -model=other "$FILES/train.tensors"
    run ! cmp -s one other
}

@test "the model says what it is" {
    train -model=m -validate="$FILES/held.tensors" "$FILES/train.tensors"
    run -0 rs-info m
    assert_line "kind: rs-model"
    assert_line "channels: 4,6"
    assert_line "normalisation: patch"
    assert_line "patch: 16x16"
    assert_line "enc1.conv1.weight: [4,3,3,3]"
    assert_line --regexp '^threshold: 0\.'
    assert_line --regexp '^temperature: [0-9.]+$'
    assert_line --partial "training: -epochs=2 -batch=8 -lr=0.001"
    refute_line --partial "threads"
    train -model=m "$FILES/train.tensors"
    run -0 rs-info m
    refute_line --partial "threshold"
}

@test "-threshold, -temperature, -diameter: the model says them; a map is of the temperature" {
    train -model=m "$FILES/train.tensors"
    train -model=n -threshold=.375 -temperature=2 -diameter=540.5 "$FILES/train.tensors"
    run -0 rs-info m
    refute_line --regexp '^(threshold|temperature|diameter): '
    run -0 rs-info n
    assert_line "threshold: 0.375"
    assert_line "temperature: 2"
    assert_line "diameter: 540.5"
    refute_line --partial "-temperature"
    cmp <(tail -c 4000 m) <(tail -c 4000 n)
    train -model=o -temperature=2 "$FILES/train.tensors" # without a diameter, to which rs-infer would resize
    for model in m o; do pamchannel -tupletype=RGB 0 1 2 <"$FILES/s.pam" | rs-infer -quiet -model=$model >$model.pgm; done
    # p of temperature 2, that of an average of windows, is q = 1 / (1 + sqrt((1 - p) / p)), to the level of 65536
    paste <(pamtopnm -plain m.pgm | tail -n +4 | xargs -n 1) <(pamtopnm -plain o.pgm | tail -n +4 | xargs -n 1) |
        awk '{ p = ($1 + .5) / 65536; q = 65536 / (1 + sqrt((1 - p) / p)); d = q - .5 - $2
            if (d < -2 || d > 2) { print $1, $2, q; exit 1 } n++ } END { exit !(n == 96 * 96) }'
    fails 2 "-threshold goes without -validate" train -model=m -validate="$FILES/held.tensors" -threshold=.5
    fails 2 "-temperature goes without -validate" train -model=m -validate="$FILES/held.tensors" -temperature=1
    fails 2 "-temperature: '0'" train -model=m -temperature=0
    fails 2 "-diameter: '0'" train -model=m -diameter=0
}

@test "-validate: the temperature is that of the lowest loss there, the threshold one of tempered p" {
    rs-patch -quiet -size=16 -count=8 -min-vessel=5 -seed=2 "$FILES/s.pam" >held.pam
    train -lr=.01 -model=m -log=log -validate="$FILES/held.tensors" "$FILES/train.tensors"
    rs-infer -quiet -model=m held.pam >maps.pam
    rs-score -quiet -choose maps.pam | awk 'NR == 2 { print $2; exit !(($2 - 1) ^ 2 < 1e-6) }'
    rs-score -quiet -threshold=best-dice maps.pam | tail -n 1 | cut -f 10 >best
    awk -v t="$(rs-info m | sed -n 's/^threshold: //p')" '{ sub(/oracle:/, ""); exit !(($1 - t) ^ 2 < (2 / 65536) ^ 2) }' best
    awk -v loss="$(rs-score -quiet maps.pam | tail -n 1 | cut -f 7)" -F'\t' '$5 != "NA" && NR > 1 { last = $5 }
        END { exit !(loss < last) }' log
}

@test "the model of the best validation loss is kept" {
    rs-train -quiet -channels=4,6 -epochs=6 -batch=4 -lr=.03 -model=m -log=log -validate="$FILES/held.tensors" \
        "$FILES/train.tensors"
    best=$(awk -F'\t' '$5 != "NA" && NR > 1 { print $5, $2 }' log | sort -g | head -n 1 | cut -d' ' -f2)
    rs-train -quiet -channels=4,6 -epochs="$best" -batch=4 -lr=.03 -model=n -log=log2 -validate="$FILES/held.tensors" \
        "$FILES/train.tensors"
    tail -c 1000 m >a
    tail -c 1000 n >b
    cmp a b
}

@test "the log: a header, rows in order, a row of validation an epoch" {
    train -model=m -log=log -log-every=2 -validate="$FILES/held.tensors" "$FILES/train.tensors"
    run -0 cut -f 1,2 log
    assert_output "$(printf '%s\t%s\n' step epoch 2 1 4 1 5 1 6 2 8 2 10 2)"
    run -0 head -n 1 log
    assert_output "$(printf 'step\tepoch\tloss\taccuracy\tval_loss\tval_accuracy\tval_dice\tval_auc\tlearning_rate\tpatches_per_second\tseconds')"
    assert_equal "$(cut -f5 log | grep -c NA)" 4
    awk -F'\t' 'NR > 1 && ($3 <= 0 || $4 < 0 || $4 > 1) { exit 1 }' log
}

@test "loss falls" {
    rs-train -quiet -channels=4,6 -epochs=12 -batch=8 -dropout=0 -lr=.01 -model=m -log=log "$FILES/train.tensors"
    awk -F'\t' 'NR == 2 { first = $3 } END { exit !($3 < first / 2) }' log
}

@test "usage errors" {
    fails 2 "-model=OUT must be given" rs-train -epochs=1
    fails 2 "-epochs=N or -steps=N must be given" rs-train -model=m
    fails 2 "'32' is one level" rs-train -model=m -epochs=1 -channels=32
    fails 2 "is not a list" rs-train -model=m -epochs=1 -channels=1,2,3,4,5,6
    fails 2 "-lr: 'nan' is not a number" rs-train -model=m -epochs=1 -lr=nan
    fails 2 "-threads: '0'" rs-train -model=m -epochs=1 -threads=0
}

@test "bad tensors are refused, and no model is left" {
    local tensors=$FILES/train.tensors size
    size=$(stat -c %s "$tensors")
    fails 1 "no tensor in input" train -model=m /dev/null
    head -c $((size - 1)) "$tensors" >torn
    fails 1 "torn: record 40: ends in the middle of its data" train -model=m torn
    fails 1 "stdin: record 40: ends in the middle of its data" bash -c "cat torn | rs-train -model=m -epochs=1"
    (cat "$tensors"; echo junk) >junk
    fails 1 "junk: record 41: ends in the middle of a header" train -model=m junk
    (cat "$tensors"; rs-patch -quiet -size=8 -count=1 "$FILES/s.pam" | rs-norm -quiet) >mixed
    fails 1 "mixed: record 41: shape [3,8,8] after [3,16,16]" train -model=m mixed
    (cat "$tensors"; rs-patch -quiet -size=16 -count=1 "$FILES/s.pam" | rs-norm -quiet -no-std) >mixed
    fails 1 "mixed: record 41: metadata 'divide_std' is 'no', it was 'yes'" train -model=m mixed
    rs-patch -quiet -size=16 -count=2 "$FILES/s.pam" | pamchannel -tupletype=RGB_PATCH 0 1 2 | rs-norm -quiet >bare
    fails 1 "tensors without truth" train -model=m bare
    rs-patch -quiet -size=16 -count=2 "$FILES/s.pam" | pamchannel -tupletype=RGB_VESSEL_PATCH 0 1 2 3 | rs-norm -quiet >bare
    fails 1 "-pixels=image" train -model=m bare
    train -model=ok -pixels=image bare
    rs-patch -quiet -size=15 -count=2 "$FILES/s.pam" | rs-norm -quiet >odd
    fails 1 "no multiple of 2" train -model=m odd
    fails 1 "validation: shape" train -model=m -validate=odd "$tensors"
    [ ! -e m ]
}

@test "-expect and -memory" {
    fails 1 "40 samples, where -expect=41" train -model=m -expect=41 "$FILES/train.tensors"
    train -model=m -expect=80 "$FILES/train.tensors" "$FILES/train.tensors"
    for i in {1..30}; do cat "$FILES/train.tensors"; done >many
    fails 1 "more than -memory=1 MiB" bash -c "cat many | rs-train -model=m -epochs=1 -memory=1"
}

# poison FILE VALUE COUNT: the first COUNT numbers of the last record's image, each 4 bytes
poison() {
    local size
    size=$(stat -c %s "$1")
    perl -e 'print pack("f<", $ARGV[0]) x $ARGV[1]' -- "$2" "$3" |
        dd of="$1" bs=1 seek=$((size - 16 * 16 * (12 + 2))) conv=notrunc status=none
}

@test "a number that is not finite, in or on the way, stops the run; the model kept so far stays" {
    cp "$FILES/train.tensors" bad
    echo kept >m
    poison bad nan 1
    fails 1 "sample 40: tensor 'image' is not finite" train -model=m bad
    cp "$FILES/train.tensors" bad
    poison bad 3.4e38 768
    fails 1 "rs-train: step " train -model=m bad
    [[ $stderr == *": the gradient of enc1.conv1.weight is not finite" ]]
    fails 1 "validation: the loss is not finite" train -model=m -validate=bad "$FILES/train.tensors"
    assert_equal "$(cat m)" kept
}

@test "a link to what is not there is not replaced" {
    ln -s nowhere link
    fails 1 "link: a link to what is not there" train -model=link "$FILES/train.tensors"
    [ -L link ]
}

@test "a network that says one class for everything is warned of" {
    pamchannel -quiet -tupletype=RGB 0 1 2 <"$FILES/s.pam" >rgb.pam
    pamchannel -quiet -tupletype=FOV 4 <"$FILES/s.pam" >fov.pam
    pgmmake -maxval=255 0 96 96 >none.pgm
    pamstack -quiet -tupletype=RGB_VESSEL_FOV rgb.pam none.pgm fov.pam | rs-patch -quiet -size=16 -count=16 |
        rs-norm -quiet >bare.tensors
    rs-train -quiet -channels=2,2 -epochs=8 -batch=8 -lr=.05 -model=m -validate=bare.tensors bare.tensors 2>err
    grep -q "^rs-train: warning: the network says one class for every pixel" err
    rs-train -quiet -channels=2,2 -epochs=8 -batch=8 -lr=.05 -model=m bare.tensors 2>err
    grep -q "^rs-train: warning: the network says one class for every pixel" err
    train -model=m "$FILES/train.tensors" 2>err
    [ ! -s err ]
}

@test "-about is said by the model, as it is" {
    train -model=m -about='Vessels of the Häggström set; not for use.' "$FILES/train.tensors"
    run -0 rs-info m
    assert_line 'about: Vessels of the Häggström set; not for use.'
    fails 2 "-about: not UTF-8" train -model=m -about="$(printf 'a\377')" "$FILES/train.tensors"
    for text in $'a\tb' $'a\xc2\x9b1m'; do
        fails 2 "-about: a control character" train -model=m -about="$text" "$FILES/train.tensors"
    done
    fails 2 "-about: 512 bytes, of 511 at most" train -model=m -about="$(printf '%512s' x)" "$FILES/train.tensors"
    train -model=m -about="$(printf '%511s' x)" "$FILES/train.tensors"
}

@test "files that cannot be written" {
    fails 1 "nowhere/m: No such file" train -model=nowhere/m "$FILES/train.tensors"
    fails 1 "log: No space left" train -model=m -log=/dev/full "$FILES/train.tensors"
    fails 1 "nowhere/log: No such file" train -model=m -log=nowhere/log "$FILES/train.tensors"
}
