#!/usr/bin/env bats
# Whitening, from the patches to the map
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -width=120 -height=96 -count=3 >photos
    rs-patch -quiet -size=24 -count=250 photos >patches
    rs-norm -quiet -mode=zca -fit=full -gray patches
    rs-norm -quiet -mode=zca -fit=top -gray -rank=30 patches
    rs-norm -quiet -mode=zca-filter -fit=filter -kernel=7 photos
    export FILES=$BATS_FILE_TMPDIR
}

# pairs X,Y...: patches of two pixels, of maxval 100
pairs() {
    local pair
    for pair; do printf 'P2 2 1 100 %d %d\n' "${pair%,*}" "${pair#*,}"; done
}

# floats FILE SAMPLE: the two numbers of a sample of two pixels
floats() {
    python3 - "$@" <<'PYTHON'
import json, struct, sys
with open(sys.argv[1], "rb") as stream:
    for _ in range(int(sys.argv[2])):
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        data = stream.read(8)
print("%.4f %.4f" % struct.unpack("<2f", data))
PYTHON
}

# spoil FILE OFFSET BYTES: overwrites some, counted from the end
spoil() {
    printf "$3" | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - $2)) conv=notrunc status=none
}

@test "by hand: two pixels that vary by .25 and .01 about their means" {
    pairs 0,40 100,40 0,60 100,60 >p
    rs-norm -quiet -mode=zca -size=2 -fit=s p
    rs-norm -quiet -stats=s -size=2 p >t
    # .5 / sqrt(.25 + .1 * .13) and .1 / sqrt(.01 + .1 * .13)
    assert_equal "$(floats t 4)" "0.9750 0.6594"
    assert_equal "$(floats t 1)" "-0.9750 -0.6594"
    rs-norm -quiet -mode=zca -size=2 -epsilon=1 -fit=s p
    rs-norm -quiet -stats=s -size=2 p >t
    assert_equal "$(floats t 4)" "0.8111 0.2673"
    # what is left beside one direction is one direction here
    rs-norm -quiet -mode=zca -size=2 -rank=1 -fit=s p
    rs-norm -quiet -stats=s -size=2 p >t
    assert_equal "$(floats t 4)" "0.9750 0.6594"
    run -0 rs-info s
    assert_line "vectors: 4"
    assert_line "whitening.vectors: [1,2]"
    assert_line "rank: 1"
}

@test "the same bytes for any number of threads, learnt and applied" {
    rs-norm -quiet -mode=zca -gray -fit=one -threads=1 "$FILES/patches"
    cmp one "$FILES/full"
    rs-norm -quiet -mode=zca -gray -rank=30 -fit=one -threads=3 "$FILES/patches"
    cmp one "$FILES/top"
    rs-norm -quiet -stats=one -threads=1 "$FILES/patches" >a
    rs-norm -quiet -stats=one -threads=3 "$FILES/patches" | cmp - a
    # 750 samples, of which the last do not fill a batch
    assert_equal "$(rs-info a | grep ^samples)" "samples: 750"
}

@test "tensors know the statistics by their SHA-256, and do not carry them" {
    rs-norm -quiet -stats="$FILES/full" "$FILES/patches" >t
    run -0 rs-info t
    assert_line "statistics: $(sha256sum <"$FILES/full" | cut -d ' ' -f 1)"
    assert_line "epsilon: 0.1"
    [ "$(head -c 1000 t | grep -a -c whitening)" = 0 ]
}

@test "rs-train wants the statistics, and no others; the model needs no second file" {
    cd "$BATS_TEST_TMPDIR"
    cp "$FILES/full" full
    rs-norm -quiet -stats=full "$FILES/patches" >t
    local train="rs-train -model=m -epochs=1 -channels=2,4"
    fails 1 "whitened tensors: -stats must name the file of SHA-256 $(sha256sum <full | cut -d ' ' -f 1)" $train t
    fails 1 "$FILES/top: SHA-256 " $train -stats="$FILES/top" t
    fails 1 "not a file of statistics" $train -stats=t t
    LC_ALL=C sed 's/"epsilon":"0.1"/"epsilon":"0.2"/g' t >other
    fails 1 "full: what the tensors say of their whitening is not so" $train -stats=full other
    [ ! -e m ]
    $train -quiet -stats=full t
    rm full
    run -0 rs-info m
    assert_line "whitening.matrix: [576,576]"
    assert_line "parameters: 423"
    rs-infer -quiet -model=m "$FILES/photos" >maps
    rs-infer -quiet -threads=3 -memory=2 -model=m "$FILES/photos" | cmp - maps
    rs-norm -quiet "$FILES/patches" >plain
    fails 1 "-stats=$FILES/full, but the tensors are normalised by what they carry" $train -stats="$FILES/full" plain
}

@test "a filter goes over whole photographs, which are cut afterwards" {
    rs-norm -quiet -stats="$FILES/filter" "$FILES/photos" >t
    assert_equal "$(rs-info t | grep -E '^(window|image|samples)' | xargs)" "window: 7 samples: 3 image: [3,96,120]"
    rs-patch -quiet -size=16 -count=40 t >pieces
    assert_equal "$(rs-info pieces | grep ^patch)" "patch: 16x16"
    rs-train -quiet -model=m -stats="$FILES/filter" -epochs=1 -channels=2,4 pieces
    rs-infer -quiet -threads=1 -model=m "$FILES/photos" >maps
    rs-infer -quiet -threads=4 -memory=1 -model=m "$FILES/photos" | cmp - maps
    fails 1 "a whole photograph is wanted" rs-norm -stats="$FILES/filter" "$FILES/patches"
}

@test "in the field of view alone: outside all is 0" {
    rs-norm -quiet -mode=zca-filter -pixels=fov -kernel=5 -green -fit=s "$FILES/photos"
    rs-norm -quiet -stats=s "$FILES/photos" >t
    run -0 python3 - t <<'PYTHON'
import json, sys
import numpy as np
with open(sys.argv[1], "rb") as stream:
    header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    data = stream.read()
def array(name, dtype):
    a = header[name]
    return np.frombuffer(data[slice(*a["data_offsets"])], dtype).reshape(a["shape"])[0, 0]
x, fov = array("image", "<f4"), array("fov", "u1")
print((x[fov == 0] == 0).all(), (x[fov > 0] != 0).mean() > .99, 0 < (fov > 0).mean() < 1)
PYTHON
    assert_output "True True True"
}

@test "what cannot be whitened, or whitens nothing" {
    fails 1 "where a covariance wants two" bash -c "rs-synth -quiet -width=16 -height=16 | rs-norm -mode=zca -size=16 -fit=s"
    pairs 5,5 5,5 5,5 >p
    fails 1 "nothing varies" rs-norm -mode=zca -size=2 -fit=s p
    pairs 5,6 6,5 >p
    fails 1 "a rank of 2, where there are 2 numbers" rs-norm -mode=zca -size=2 -rank=2 -fit=s p
    fails 1 "not a patch cut by rs-patch" rs-norm -mode=zca -fit=s "$FILES/photos"
    fails 1 "where patches of 24 x 24 are whitened" rs-norm -stats="$FILES/full" <(rs-patch -quiet -size=8 -count=1 "$FILES/photos")
    rs-patch -quiet -size=8 -count=2 "$FILES/photos" >small
    cat "$FILES/patches" small >both
    fails 1 "image 751: 8 x 8, where patches of 24 x 24" rs-norm -mode=zca -fit=s both
    fails 1 "more than the 12288 numbers" bash -c "rs-synth -quiet -width=80 -height=80 | rs-norm -mode=zca -size=80 -fit=s"
    [ ! -e s ]
}

@test "usage errors of whitening" {
    fails 2 "-mode=zca needs -fit=STATS first" rs-norm -mode=zca
    fails 2 "-mode=zca-filter needs -fit=STATS first" rs-norm -mode=zca-filter
    fails 2 "-rank goes not with -mode=zca-filter" rs-norm -mode=zca-filter -fit=s -rank=3
    fails 2 "-kernel goes not with -mode=zca" rs-norm -mode=zca -fit=s -kernel=3
    fails 2 "-epsilon goes not with -mode=dataset" rs-norm -mode=dataset -fit=s -epsilon=.1
    fails 2 "-no-mean goes not with -mode=zca" rs-norm -mode=zca -fit=s -no-mean
    fails 2 "has no centre" rs-norm -mode=zca-filter -fit=s -kernel=4
    fails 2 "-pixels=fov goes not with -mode=zca" rs-norm -mode=zca -pixels=fov -fit=s
    fails 2 "-size names patches" rs-norm -mode=zca-filter -size=9 -fit=s
    fails 2 "-rank contradicts $FILES/top" rs-norm -stats="$FILES/top" -rank=31
    fails 2 "-epsilon contradicts $FILES/top" rs-norm -stats="$FILES/top" -epsilon=.2
    rs-norm -quiet -stats="$FILES/top" -rank=30 -epsilon=.1 -gray "$FILES/patches" >/dev/null
}

@test "statistics that lie are refused" {
    local stats
    for stats in full top filter; do
        head -c -1 "$FILES/$stats" >s
        fails 1 "ends in the middle of array 'whitening." rs-norm -stats=s "$FILES/photos"
        (cat "$FILES/$stats" && printf x) >s
        fails 1 "not a file of statistics" rs-norm -stats=s "$FILES/photos"
        cp "$FILES/$stats" s
        spoil s 4 '\0\0\300\177'
        fails 1 "has a value that is not finite" rs-norm -stats=s "$FILES/photos"
    done
    cp "$FILES/top" s
    spoil s 4 '\0\0\200\277'
    fails 1 "'whitening.tail' has a value that is not above 0" rs-norm -stats=s "$FILES/photos"
    sed 's/"rank":"30"/"rank":"31"/' "$FILES/top" >s
    fails 1 "'whitening.vectors' has not the type and shape" rs-norm -stats=s "$FILES/photos"
    sed 's/"patch":"24x24"/"patch":"96x96"/' "$FILES/full" >s
    fails 1 "'whitening.mean' has not the type and shape" rs-norm -stats=s "$FILES/photos"
    sed 's/"patch":"24x24"/"patch":"99x99"/; s/"planes":"gray"/"planes":"all" /' "$FILES/full" >s
    fails 1 "more than the 12288 numbers" rs-norm -stats=s "$FILES/photos"
    sed 's/"epsilon":"0.1"/"epsilon":"nan"/' "$FILES/full" >s
    fails 1 "epsilon: " rs-norm -stats=s "$FILES/photos"
    sed 's/"window":"7"/"window":"6"/' "$FILES/filter" >s
    fails 1 "it is odd" rs-norm -stats=s "$FILES/photos"
    sed 's/"pixels":"image"/"pixels":"fov"  /' "$FILES/full" >s
    fails 1 "metadata 'pixels' is 'fov', where patches are whitened whole" rs-norm -stats=s "$FILES/patches"
    rs-norm -quiet -mode=dataset -fit=s "$FILES/photos"
    sed -i 's/"normalisation":"dataset"/"normalisation":"none"   /' s
    fails 1 "not a file of statistics" rs-norm -stats=s "$FILES/photos"
    fails 1 "a file that is read twice" rs-norm -stats=<(cat "$FILES/full") "$FILES/photos"
}

@test "statistics that could not be written are refused before anything is read" {
    fails 1 "nowhere/s: No such file or directory" rs-norm -mode=zca -fit=nowhere/s no-such-photographs
}

@test "an error takes the place of the progress line" {
    cd "$BATS_TEST_TMPDIR"
    (cat "$FILES/patches" && printf 'P5 24') >torn
    # the first of the patches comes late, so that a line is shown
    script -qec "(sleep $(bare && echo .3 || echo 5); cat torn) | rs-norm -mode=zca -gray -fit=s" typescript >/dev/null || true
    run -0 tail -n 1 typescript
    sed 1d typescript | tr '\r' '\n' | grep -a 'rs-norm: ' >shown
    grep -a 'vectors  ' typescript
    printf '\033[Krs-norm: stdin: image 751: ' >wanted
    cmp -n "$(stat -c %s wanted)" wanted shown
}
