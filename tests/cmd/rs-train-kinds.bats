#!/usr/bin/env bats
load common

# Kinds of networks: what holds for the default holds for each of them.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -width=96 -height=96 >s.pam
    rs-patch -quiet -size=16 -count=20 -min-vessel=5 s.pam | rs-norm -quiet -mode=none >train.tensors
    rs-synth -quiet -width=400 -height=300 -seed=5 >wide.pam
    export FILES=$BATS_FILE_TMPDIR
}

KINDS="-up=nearest -up=bilinear -up=transposed -block=residual -block=attention"

train() {
    rs-train -quiet -channels=4,6,8 -epochs=2 -batch=8 "$@"
}

@test "every kind: the same bytes for 1, 2 and 4 threads, each kind its own, and named in the model" {
    for kind in $KINDS; do
        train "$kind" -threads=1 -model="m$kind" "$FILES/train.tensors"
        train "$kind" -threads=2 -model=two "$FILES/train.tensors"
        train "$kind" -threads=4 -model=four <"$FILES/train.tensors"
        cmp "m$kind" two
        cmp "m$kind" four
        value=${kind#*=} key=${kind%=*}
        rs-info "m$kind" | grep -x "${key#-}: $value" || [ "$value" = nearest ]
    done
    assert_equal "$(sha256sum m-* | cut -d ' ' -f 1 | sort -u | wc -l)" "$(wc -w <<<"$KINDS")"
    train -model=default "$FILES/train.tensors"
    cmp default m-up=nearest
    run ! grep -q '"up"' default
}

@test "every kind: stopped and resumed, the bytes of a training in one go" {
    for kind in $KINDS; do
        train "$kind" -model=whole -checkpoint=c -checkpoint-every=4 "$FILES/train.tensors"
        cp c.previous half
        rs-info half | grep -x "step: 4"
        train "$kind" -model=part -checkpoint=half -resume "$FILES/train.tensors"
        cmp part whole
    done
}

@test "a checkpoint of another kind is refused, of the default one, too" {
    train -up=bilinear -model=m -checkpoint=b "$FILES/train.tensors"
    train -model=m -checkpoint=n "$FILES/train.tensors"
    fails 1 "b: of another training: up is '', it was 'bilinear'" \
        train -model=m -checkpoint=b -resume "$FILES/train.tensors"
    fails 1 "n: of another training: up is 'bilinear', it was ''" \
        train -up=bilinear -model=m -checkpoint=n -resume "$FILES/train.tensors"
}

@test "every kind: the same map in strips of any memory, on any number of threads" {
    for kind in $KINDS; do
        train "$kind" -model=m "$FILES/train.tensors"
        rs-infer -quiet -threads=1 -memory=1000 -model=m "$FILES/wide.pam" >whole
        for threads in 1 2 3; do
            rs-infer -quiet -threads=$threads -memory=$((threads * 6)) -model=m "$FILES/wide.pam" | cmp - whole
        done
    done
}

@test "a kind that is not known" {
    fails 2 "-up: 'cubic' is not one of nearest|bilinear|transposed" train -up=cubic -model=m "$FILES/train.tensors"
    train -up=bilinear -model=m "$FILES/train.tensors"
    sed 's/"up":"bilinear"/"up":"bicubic_"/' m >other
    fails 1 "other: metadata 'up': 'bicubic_' is not one that this version knows" \
        rs-infer -model=other "$FILES/wide.pam"
}
