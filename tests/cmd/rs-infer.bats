#!/usr/bin/env bats
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -count=2 -width=75 -height=61 >s.pam
    rs-patch -quiet -size=16 -count=20 s.pam >patches.pam
    rs-norm -quiet patches.pam >patch.tensors
    rs-norm -quiet -mode=none patches.pam >none.tensors
    for mode in patch none; do
        rs-train -quiet -channels=4,6,8 -epochs=1 -batch=8 -model=$mode.model $mode.tensors
    done
    export FILES=$BATS_FILE_TMPDIR
}

@test "a photograph of any size becomes a map of that size, planes passed through" {
    for mode in patch none; do
        rs-infer -quiet -model="$FILES/$mode.model" "$FILES/s.pam" >map.pam
        run -0 pamfile -allimages map.pam
        assert_equal "$(grep -c "75 by 61 by 3 maxval 65535" <<<"$output")" 2
        assert_equal "$(grep -c "Tuple type: PROB_VESSEL_FOV" <<<"$output")" 2
        pamchannel -quiet -tupletype=X 1 2 <map.pam | tail -n +7 >a
        pamdepth -quiet 65535 <"$FILES/s.pam" | pamchannel -quiet -tupletype=X 3 4 | tail -n +7 >b
        cmp a b
    done
}

@test "without truth and field of view the map is a PGM" {
    pamchannel -quiet -tupletype=RGB 0 1 2 <"$FILES/s.pam" | pamtopnm >photo.ppm
    rs-infer -quiet -model="$FILES/none.model" photo.ppm >map.pgm
    run -0 pamfile map.pgm
    assert_output --partial "PGM raw, 75 by 61  maxval 65535"
}

@test "outside the field of view the probability is 0, inside it is not" {
    rs-synth -quiet -width=75 -height=61 | rs-infer -quiet -model="$FILES/patch.model" >map.pam
    pamchannel -quiet -tupletype=X 0 2 <map.pam | tail -n +8 | od -An -v -w4 --endian=big -tu2 >pairs
    awk '$2 == 0 && $1 != 0 { exit 1 }' pairs
    awk '$2 && $1 { inside++ } END { exit !(inside > 2000) }' pairs
}

@test "same bytes for 1, 2 and 4 threads, and for images together or one by one" {
    for mode in patch none; do
        rs-infer -quiet -threads=1 -model="$FILES/$mode.model" "$FILES/s.pam" >one
        rs-infer -quiet -threads=2 -model="$FILES/$mode.model" "$FILES/s.pam" | cmp - one
        rs-infer -quiet -threads=4 -model="$FILES/$mode.model" <"$FILES/s.pam" | cmp - one
    done
}

@test "-step: windows that overlap more give another average" {
    rs-infer -quiet -model="$FILES/patch.model" "$FILES/s.pam" >half
    rs-infer -quiet -step=8 -model="$FILES/patch.model" "$FILES/s.pam" | cmp - half
    rs-infer -quiet -step=4 -model="$FILES/patch.model" "$FILES/s.pam" >quarter
    run ! cmp -s half quarter
    fails 2 "leaves gaps" rs-infer -step=17 -model="$FILES/patch.model" "$FILES/s.pam"
    fails 2 "-step goes with a model of patch-wise" rs-infer -step=8 -model="$FILES/none.model" "$FILES/s.pam"
}

@test "a photograph of other planes is refused, both named" {
    ppmtopgm <(pamchannel -quiet -tupletype=RGB 0 1 2 <"$FILES/s.pam" | pamtopnm) >gray.pgm
    fails 1 "gray.pgm: image 1: an image of planes GRAYSCALE, where a photograph of planes RGB is wanted" \
        rs-infer -model="$FILES/patch.model" gray.pgm
    rs-norm -quiet -pixels=fov "$FILES/patches.pam" | rs-train -quiet -channels=2,2 -epochs=1 -model=fov.model
    pamchannel -quiet -tupletype=RGB_VESSEL 0 1 2 3 <"$FILES/s.pam" >blind.pam
    run --separate-stderr -1 rs-infer -model=fov.model blind.pam
    [[ $stderr == *"planes RGB_VESSEL have none"* ]]
}

@test "what is no model is refused" {
    fails 2 "-model=FILE must be given" rs-infer
    fails 1 "nothing: No such file" rs-infer -model=nothing
    fails 1 "not a model made by rs-train" rs-infer -model="$FILES/patch.tensors"
    rs-norm -quiet -mode=dataset -fit=stats "$FILES/patches.pam"
    fails 1 "not a model made by rs-train" rs-infer -model=stats
    head -c 5000 "$FILES/patch.model" >torn
    fails 1 "ends in the middle of" rs-infer -model=torn
    (cat "$FILES/patch.model"; echo) >longer
    fails 1 "junk after the last array" rs-infer -model=longer
    sed 's/"channels":"4,6,8"/"channels":"4,6,9"/' "$FILES/patch.model" >other
    fails 1 "has not the type and shape of this network" rs-infer -model=other
    sed 's/"network":"unet"/"network":"vnet"/' "$FILES/patch.model" >other
    fails 1 "network 'vnet' is not one that this version knows" rs-infer -model=other
}

@test "torn streams, no image, a full disk, a reader that stops" {
    fails 1 "stdin: no image in input" rs-infer -model="$FILES/none.model" </dev/null
    head -c 30000 "$FILES/s.pam" >torn.pam
    run --separate-stderr -1 rs-infer -quiet -model="$FILES/none.model" torn.pam
    assert_equal "$stderr" "rs-infer: torn.pam: image 2: ends in the middle of an image"
    run --separate-stderr -1 bash -c "rs-infer -model='$FILES/none.model' '$FILES/s.pam' >/dev/full"
    assert_equal "$stderr" "rs-infer: stdout: No space left on device"
    run -0 bash -o pipefail -c "rs-infer -quiet -model='$FILES/none.model' '$FILES/s.pam' | head -c 10 | wc -c"
    assert_output 10
}

@test "-memory: the same map in strips, and what is too little is said" {
    rs-synth -quiet -width=400 -height=300 >wide.pam
    rs-infer -quiet -threads=1 -memory=1000 -model="$FILES/none.model" wide.pam >whole
    for threads in 1 2 3; do
        rs-infer -quiet -threads=$threads -memory=$((threads * 8)) -model="$FILES/none.model" wide.pam | cmp - whole
    done
    rs-train -quiet -channels=64,64,64,64 -epochs=1 -batch=8 -model=large.model "$FILES/none.tensors"
    fails 1 "rs-infer: wide.pam: image 1: 1 threads want at least -memory=" \
        rs-infer -threads=1 -memory=1 -model=large.model wide.pam
    fails 2 "-memory: '0' is not a whole number" rs-infer -memory=0 -model=large.model wide.pam
}

@test "every kernel that this processor has makes the same map but for its last bits" {
    for kernel in base avx2 avx512; do
        RS_KERNEL=$kernel rs-infer -quiet -model="$FILES/none.model" "$FILES/s.pam" 2>err >"$kernel.pam" ||
            { grep -q "not on this processor\|no such kernel" err && continue; }
        run -0 env RS_KERNEL=$kernel rs-infer -version
        assert_line "kernel: $kernel"
        pamarith -quiet -difference base.pam "$kernel.pam" | pamsumm -quiet -max -brief >most
        awk '$1 > 2 { exit 1 }' most
    done
    RS_KERNEL=none fails 1 "RS_KERNEL=none: no such kernel" rs-infer -model="$FILES/none.model" "$FILES/s.pam"
}
