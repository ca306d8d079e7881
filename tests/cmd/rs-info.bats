#!/usr/bin/env bats
load common

setup() {
    rs-synth -quiet -width=64 -height=64 | rs-patch -quiet -size=16 -count=3 >p.pam
    rs-norm -quiet p.pam >t
}

@test "tensors: how they were made, how many, their range" {
    run -0 rs-info t
    assert_line "kind: rs-tensor"
    assert_line "source: RGB"
    assert_line "samples: 3"
    assert_line "image: [3,16,16]"
    rs-norm -quiet -mode=none p.pam >n
    run -0 rs-info n
    assert_line --regexp '^lowest: 0(\.|$)'
}

@test "-tsv: key, tab, value" {
    run -0 rs-info -tsv t
    assert_line "$(printf 'samples\t3')"
}

@test "hostile texts make no line, no column and no command of a terminal" {
    perl -e 'my $j = q({"__metadata__":{"kind":"x","about":"a\\nthreshold\\t1\\u001b]0;\\u009b\u007f","k\\ty":"z"}});
        print pack("Q<", length $j), $j' >hostile
    run -0 rs-info -tsv hostile
    assert_line "$(printf 'about\ta?threshold?1?]0;??')"
    assert_line "$(printf 'k?y\tz')"
    refute_line --regexp '^threshold'
}

@test "statistics and models" {
    rs-norm -quiet -mode=dataset -fit=s p.pam
    run -0 rs-info s
    assert_line "kind: rs-statistics"
    assert_line --regexp '^mean: 0\.[0-9]*,0\.[0-9]*,0\.[0-9]*$'
    rs-train -quiet -channels=32,64,128 -epochs=1 -model=m t
    run -0 rs-info m
    assert_line "parameters: 436449"
    assert_line "multiply_adds: 94080"
    sed 's/"network":"unet"/"network":"vnet"/' m >later
    run -0 rs-info later
    assert_line "network: vnet"
    refute_line --partial "multiply_adds"
}

# rows FIRST: of the table in rs-train(1) whose header begins with FIRST, cells parted by blanks
rows() {
    sed -n "/^\.It Em $1 Ta/,/^\.El/s/^\.It \([^E].*\)/\1/p" "$ROOT/man/man1/rs-train.1" | sed 's/ Ta / /g'
}

@test "the size of networks is that of the tables in rs-train(1)" {
    rows channels >wide.list
    rows block >kinds.list
    assert_equal "$(wc -l <wide.list) $(wc -l <kinds.list)" "7 18"
    while read -r channels parameters products _; do
        [ "$parameters" -lt 10000000 ] || continue # to train that one takes 2 GB
        rs-train -quiet -channels="$channels" -epochs=1 -model=m t
        assert_equal "$(rs-info -tsv m | tail -n 2 | xargs)" "parameters $parameters multiply_adds $products"
    done <wide.list
    while read -r block up channels parameters products; do
        rs-train -quiet -block="$block" -up="$up" -channels="$channels" -epochs=1 -model=m t
        assert_equal "$(rs-info -tsv m | tail -n 2 | xargs)" "parameters $parameters multiply_adds $products"
    done <kinds.list
}

@test "bad input" {
    fails 1 "stdin: no record in input" rs-info </dev/null
    fails 1 "p.pam: not a safetensors record" rs-info p.pam
    head -c 9000 t >torn
    fails 1 "torn: record 3: ends in the middle of its data" rs-info torn
    fails 1 "nothing: No such file" rs-info nothing
    rs-norm -quiet -no-mean p.pam >other
    cat t other >mixed
    fails 1 "mixed: record 4: metadata 'subtract_mean'" rs-info mixed
    run --separate-stderr -1 bash -c 'rs-info t >/dev/full'
    assert_equal "$stderr" "rs-info: stdout: No space left on device"
}
