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
    # of whole photographs inside their field of view, of one size
    rs-norm -quiet -mode=image -pixels=fov s.pam | rs-patch -quiet -size=16 -count=20 |
        rs-train -quiet -channels=4,6,8 -epochs=1 -batch=8 -diameter=58 -model=photo.model
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
}

@test "what is no model is refused" {
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
    fails 1 "rs-infer: wide.pam: image 1: this model wants at least -memory=" \
        rs-infer -threads=1 -memory=1 -model=large.model wide.pam
    fails 2 "-memory: '0' is not a whole number" rs-infer -memory=0 -model=large.model wide.pam
}

@test "more threads than the memory has room for: the same map, on fewer" {
    rs-synth -quiet -width=400 -height=300 >wide.pam
    for mode in patch none; do
        rs-infer -quiet -threads=1 -memory=1000 -model="$FILES/$mode.model" wide.pam >whole
        rs-infer -quiet -threads=100 -memory=4 -model="$FILES/$mode.model" wide.pam | cmp - whole
    done
}

@test "half of an even maxval is no vessel, and stays none on the way" {
    pamdepth -quiet 255 <"$FILES/s.pam" | pamchannel -quiet -tupletype=RGB 0 1 2 | pamdepth -quiet 2 >photo.pam
    pgmmake -maxval=2 .5 75 61 >half.pgm
    pamstack -quiet -tupletype=RGB_VESSEL photo.pam half.pgm >eye.pam
    run -0 bash -c "rs-infer -quiet -model='$FILES/none.model' eye.pam | pamchannel -quiet -tupletype=X 1 | pamsumm -max -brief"
    assert_output 32767
    rs-norm -quiet -mode=none eye.pam >t
    assert_equal "$(tail -c 1 t | od -An -tu1 | tr -d ' ')" 127
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

# sizes FILE: of the images in it
sizes() {
    pamfile -allimages -machine "$1" | cut -d ' ' -f 4-
}

@test "a photograph without a field of view: it is found less its rim, the map is 0 outside, and no plane of it is written" {
    rs-synth -quiet -width=240 -height=200 | pamchannel -tupletype=RGB_VESSEL 0 1 2 3 >photo.pam
    rs-fov -quiet photo.pam >given.pam
    rs-infer -quiet -scale=none -model="$FILES/photo.model" photo.pam >found.pam
    rs-infer -quiet -scale=none -model="$FILES/photo.model" given.pam >map.pam
    assert_equal "$(sizes found.pam)" '240 200 2 65535 PROB_VESSEL'
    pamchannel -infile=map.pam -tupletype=X 0 2 | tail -n +8 | od -An -v -w4 --endian=big -tu2 |
        awk '!$2 && $1 { exit 1 } $2 && $1 { inside++ } END { exit !(inside > 20000) }'
    pamstack -tupletype=X <(pamchannel -infile=found.pam -tupletype=X 0) <(pamchannel -infile=map.pam -tupletype=X 2) |
        tail -n +8 | od -An -v -w4 --endian=big -tu2 | awk '
            !$2 && $1 { exit 1 }
            $2 { inside++ }
            $2 && !$1 { rim++ }
            END { share = 4 * .003; exit !(rim > .8 * share * inside && rim < 1.3 * share * inside) }'
    # a model that knows neither needs none
    rs-infer -quiet -model="$FILES/patch.model" photo.pam | pamchannel -tupletype=GRAYSCALE 0 | pamtopnm >whole.pgm
    [ "$(pamsumm -min -brief whole.pgm)" -gt 0 ]
}

@test "-scale: the network sees the photograph at the model's diameter, the map has the photograph's size" {
    rs-synth -quiet -width=240 -height=200 >large.pam
    read -r diameter < <(rs-fov -print -quiet large.pam | awk 'NR == 2 { print $5 }')
    for scale in auto none "$(awk -v d="$diameter" 'BEGIN { print 58 / d }')" 2; do
        rs-infer -quiet -scale="$scale" -model="$FILES/photo.model" large.pam >"map.$scale.pam"
        assert_equal "$(sizes "map.$scale.pam")" '240 200 3 65535 PROB_VESSEL_FOV'
        pamchannel -infile="map.$scale.pam" -tupletype=X 0 2 | tail -n +8 | od -An -v -w4 --endian=big -tu2 |
            awk '!$2 && $1 { exit 1 } $2 && !$1 { dark++ } END { exit dark > 10 }'
    done
    rs-infer -quiet -model="$FILES/photo.model" large.pam | cmp - map.auto.pam
    cmp map.auto.pam map.0.*.pam
    run -1 cmp -s map.auto.pam map.none.pam
    run -1 cmp -s map.none.pam map.2.pam
    for threads in 1 3; do
        rs-infer -quiet -threads=$threads -memory=$((threads * 8)) -model="$FILES/photo.model" large.pam | cmp - map.auto.pam
    done
    # a model without a diameter
    rs-infer -quiet -model="$FILES/none.model" large.pam >without.pam
    rs-infer -quiet -scale=none -model="$FILES/none.model" large.pam | cmp - without.pam
    fails 2 "-scale: 'large' is not a number" rs-infer -scale=large -model="$FILES/none.model" large.pam
    fails 1 "resized by 1000, are more than -max-pixels=178956970" \
        rs-infer -scale=1000 -model="$FILES/none.model" large.pam
}

@test "-scale: a patch tells no scale" {
    rs-patch -quiet -size=20 -count=1 "$FILES/s.pam" >patch.pam
    fails 1 "patch.pam: image 1: a patch, whose scale nothing tells" rs-infer -model="$FILES/photo.model" patch.pam
}

@test "-tta=flips: the mean over mirror images, the same bytes for any threads and memory" {
    rs-synth -quiet -width=200 -height=112 >wide.pam
    for mode in none patch photo; do
        rs-infer -quiet -tta=flips -threads=1 -memory=1000 -model="$FILES/$mode.model" wide.pam >flips
        rs-infer -quiet -model="$FILES/$mode.model" wide.pam >plain
        run -1 cmp -s flips plain
        for threads in 2 3; do
            rs-infer -quiet -tta=flips -threads=$threads -memory=$((threads * 8)) -model="$FILES/$mode.model" wide.pam |
                cmp - flips
        done
    done
    # 200 x 112 are even to the network, and windows take no part
    mirrored() {
        pamchannel -infile="$1" -tupletype=RGB 0 1 2 | pamtopnm | pamflip $2 >turned.ppm
        rs-infer -quiet -model="$FILES/none.model" turned.ppm | pamflip $2
    }
    pamchannel -infile=wide.pam -tupletype=RGB 0 1 2 | pamtopnm >photo.ppm
    rs-infer -quiet -tta=flips -model="$FILES/none.model" photo.ppm >flips.pgm
    mirrored wide.pam -null >a
    mirrored wide.pam -lr >b
    mirrored wide.pam -tb >c
    mirrored wide.pam -r180 >d
    pamarith -mean <(pamarith -mean a b) <(pamarith -mean c d) >mean.pgm
    [ "$(pamarith -difference mean.pgm flips.pgm | pamsumm -max -brief)" -le 2 ]
}

@test "a photograph that is enlarged more than three times: a map, and a warning" {
    for factor in .5 .25; do
        rs-scale -quiet -factor=$factor "$FILES/s.pam" >$factor.pam
        run --separate-stderr -0 rs-infer -quiet -model="$FILES/photo.model" $factor.pam
        assert_line --index 0 --partial P7
        [ $factor = .25 ] || assert_equal "$stderr" ''
    done
    for i in 0 1; do
        # shellcheck disable=SC2154
        assert_regex "${stderr_lines[i]}" "^rs-infer: warning: .25.pam: image $((i + 1)): its field of view, 1[0-9] pixels \
across, is enlarged [34]\.[0-9] times: too coarse for thin vessels$"
    done
}

# page: black letters on white
page() {
    pbmtext -nomargins "What is a fundus? It is the back of the eye." | pnmscale 3 | ppmchange -quiet black black |
        pnmpad -white -width=500 -height=400
}

@test "photographs that are none: a map and a warning, or a refusal, and never more" {
    page | ppmtoppm >page.ppm
    ppmmake black 200 150 >black.ppm
    ppmmake white 200 150 >white.ppm
    ppmmake orange 1 1 >one.ppm
    ppmmake orange 1 2000 >thin.ppm
    pgmnoise -randomseed=1 300 200 | rgb3toppm - <(pgmnoise -randomseed=2 300 200) <(pgmnoise -randomseed=3 300 200) >noise.ppm
    for photo in page black white one thin noise; do
        for scale in auto none 0.5 3; do
            for tta in none flips; do
                run --separate-stderr -0 rs-infer -tta=$tta -scale=$scale -model="$FILES/photo.model" $photo.ppm
                assert_line --index 0 --partial P5
            done
        done
        rs-infer -quiet -model="$FILES/photo.model" $photo.ppm >map.pgm 2>err
        assert_equal "$(sizes map.pgm | cut -d ' ' -f 1,2)" "$(sizes $photo.ppm | cut -d ' ' -f 1,2)"
        [ $photo = page ] || assert_equal "$(cat err)" \
            "rs-infer: warning: $photo.ppm: image 1: no field of view found; all of it is taken, at its own size"
    done
}

@test "a field of view of one colour, and an empty one: a map" {
    for level in 0 1; do
        pamstack -quiet -tupletype=RGB_FOV <(ppmmake orange 150 150) <(rs-synth -quiet -width=150 -height=150 |
            pamchannel -tupletype=GRAYSCALE 4 | pamtopnm | pamfunc -quiet -multiplier=$level) >flat.pam
        rs-infer -quiet -model="$FILES/photo.model" flat.pam >map.pam 2>err
        assert_equal "$(sizes map.pam)" '150 150 2 65535 PROB_FOV'
        pamchannel -infile=map.pam -tupletype=GRAYSCALE 0 | pamtopnm | pamsumm -max -brief >most
        [ $level = 0 ] && assert_equal "$(cat most)" 0
        [ $level = 0 ] || [ "$(cat most)" -gt 0 ]
    done
}

@test "the memory of a whole run: 1411 x 1411 and 3504 x 2336 in less than 300 MiB" {
    bare || skip "a checker takes its own"
    for size in "1411 1411" "3504 2336"; do
        read -r width height <<<"$size"
        rs-synth -quiet -width="$width" -height="$height" | pamchannel -tupletype=RGB 0 1 2 | pamtopnm >photo.ppm
        for options in "" -scale=none -tta=flips; do
            /usr/bin/env python3 - rs-infer -quiet $options -model="$FILES/photo.model" photo.ppm <<'PYTHON'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
assert memory < 300, f"{memory:.0f} MiB: {sys.argv[1:]}"
PYTHON
        done
    done
}
