#!/usr/bin/env bats
# Every tool against what may come its way: hostile/drive KIND TOOL runs the cases, here are the two lists.
load common

# In memory: some fifteen thousand cases write a file or two each.
setup_file() {
    FILES=$(mktemp -d /dev/shm/hostile.XXXXXX 2>/dev/null || mktemp -d)
    export FILES BIN=$BUILD/bin SANITIZED= LOCPATH=$FILES
    bare || SANITIZED=1
    "$BATS_TEST_DIRNAME/hostile/drive" seeds
    cd "$FILES" || exit
    local train="rs-train -quiet -threads=1 -batch=2 -epochs=2"
    rs-synth -quiet -width=128 -height=96 >large
    for size in 1 2; do
        rs-patch -quiet -size=2 -count=$size -min-vessel=1 large | rs-norm -quiet >tensors
        [ $size = 2 ] || mv tensors tensor
    done
    # rs-patch cuts these, and may do so twice
    pamcut -quiet -width=2 -height=2 photo | rs-norm -quiet -mode=image | rs-patch -quiet -size=2 -count=1 >whole
    cat whole whole >wholes
    rs-patch -quiet -size=32 -count=1 large | rs-norm -quiet >patches
    rs-norm -quiet -mode=dataset -size=3 -fit=statistics photo
    rs-patch -quiet -size=2 -count=40 large >squares
    rs-norm -quiet -mode=zca -rank=2 -fit=whitening squares
    $train -channels=1,1 -model=model -checkpoint=checkpoint -checkpoint-every=1 -validate=tensors tensors
    mv checkpoint.previous checkpoint # the one after the first of two epochs
    $train -channels=16,32 -model=wide patches
    pamcut -quiet -width=2 -height=2 photo | rs-norm -quiet -mode=none | $train -channels=1,1 -model=plain
    localedef -i de_DE -f UTF-8 ./de_DE.UTF-8 && cp -r de_DE.UTF-8 de_DE
    true
} 2>/dev/null

teardown_file() {
    [ "${EVERY:-1}" = 1 ] || echo "# of cut, flipped and lying input and of refused memory every ${EVERY}th case" >&3
    sort "$FILES/counts" | awk '{ all += $2; n[$1] += $2 } END { printf "# %d cases:", all
        for (tool in n) printf " %s %d", tool, n[tool]; print "" }' >&3
    rm -rf "$FILES"
}

# hostile KIND TOOL, in little memory: what a header promises must not be taken for granted
hostile() {
    [ -n "$SANITIZED" ] || ulimit -v 1000000
    well "$BATS_TEST_DIRNAME/hostile/drive" "$@"
}

well() {
    run "$@"
    [ "$status" = 0 ] || fail "$output"
}

# Where nobody else sees it
on_disk() {
    local unshare mount="mount -t tmpfs -o size=64k none"
    mkdir -p "$FILES/disk"
    for unshare in "unshare -m" "unshare -rm"; do
        if $unshare $mount "$FILES/disk" 2>/dev/null; then
            DISK=$FILES/disk well $unshare sh -c "$mount \"\$DISK\" && exec \"\$@\"" - \
                "$BATS_TEST_DIRNAME/hostile/drive" disk "$1"
            return
        fi
    done
    skip "nothing can be mounted here"
}

in_german() {
    [ -e "$FILES/de_DE" ] || skip "localedef cannot make de_DE here"
    hostile language "$1"
}

refused() {
    [ -z "$SANITIZED" ] || skip "a sanitizer has an allocator of its own"
    [ -e "$FILES/refuse.so" ] ||
        "${CC:-cc}" -O2 -shared -fPIC -o "$FILES/refuse.so" "$BATS_TEST_DIRNAME/hostile/refuse.c" -ldl
    hostile memory "$1"
}

@test "rs-rotate: streams that are cut" { hostile cuts rs-rotate; }
@test "rs-scale: streams that are cut" { hostile cuts rs-scale; }
@test "rs-patch: streams that are cut" { hostile cuts rs-patch; }
@test "rs-fov: streams that are cut" { hostile cuts rs-fov; }
@test "rs-baseline: streams that are cut" { hostile cuts rs-baseline; }
@test "rs-norm: streams and statistics that are cut" { hostile cuts rs-norm; }
@test "rs-train: streams and checkpoints that are cut" { hostile cuts rs-train; }
@test "rs-infer: streams and models that are cut" { hostile cuts rs-infer; }
@test "rs-mask: streams and models that are cut" { hostile cuts rs-mask; }
@test "rs-score: streams and models that are cut" { hostile cuts rs-score; }
@test "rs-info: tensors, statistics and models that are cut" { hostile cuts rs-info; }
@test "rs-plot: tables that are cut" { hostile cuts rs-plot; }

@test "rs-rotate: headers with a bit that is flipped" { hostile flips rs-rotate; }
@test "rs-scale: headers with a bit that is flipped" { hostile flips rs-scale; }
@test "rs-patch: headers with a bit that is flipped" { hostile flips rs-patch; }
@test "rs-fov: headers with a bit that is flipped" { hostile flips rs-fov; }
@test "rs-baseline: headers with a bit that is flipped" { hostile flips rs-baseline; }
@test "rs-norm: headers with a bit that is flipped" { hostile flips rs-norm; }
@test "rs-train: headers with a bit that is flipped" { hostile flips rs-train; }
@test "rs-infer: headers with a bit that is flipped" { hostile flips rs-infer; }
@test "rs-mask: headers with a bit that is flipped" { hostile flips rs-mask; }
@test "rs-score: headers with a bit that is flipped" { hostile flips rs-score; }
@test "rs-info: headers with a bit that is flipped" { hostile flips rs-info; }
@test "rs-plot: tables with a bit that is flipped" { hostile flips rs-plot; }

@test "rs-rotate: images that lie" { hostile headers rs-rotate; }
@test "rs-scale: images that lie" { hostile headers rs-scale; }
@test "rs-patch: images that lie" { hostile headers rs-patch; }
@test "rs-fov: images that lie" { hostile headers rs-fov; }
@test "rs-baseline: images that lie" { hostile headers rs-baseline; }
@test "rs-norm: images that lie" { hostile headers rs-norm; }
@test "rs-infer: images that lie" { hostile headers rs-infer; }
@test "rs-mask: maps that lie" { hostile headers rs-mask; }
@test "rs-score: maps that lie" { hostile headers rs-score; }
@test "rs-plot: tables that lie" { hostile headers rs-plot; }

@test "rs-patch: tensors that lie" { hostile records rs-patch; }
@test "rs-norm: statistics that lie" { hostile records rs-norm; }
@test "rs-train: tensors and checkpoints that lie" { hostile records rs-train; }
@test "rs-infer: models that lie" { hostile records rs-infer; }
@test "rs-mask: models that lie" { hostile records rs-mask; }
@test "rs-score: models that lie" { hostile records rs-score; }
@test "rs-info: tensors, statistics and models that lie" { hostile records rs-info; }

@test "rs-patch: what is no number is cut as it is" { hostile numbers rs-patch; }
@test "rs-norm: statistics that are no numbers" { hostile numbers rs-norm; }
@test "rs-train: tensors that are no numbers" { hostile numbers rs-train; }
@test "rs-infer: weights that are no numbers" { hostile numbers rs-infer; }
@test "rs-mask: weights that are no numbers" { hostile numbers rs-mask; }
@test "rs-score: weights that are no numbers" { hostile numbers rs-score; }
@test "rs-info: what is no number is shown" { hostile numbers rs-info; }
@test "rs-plot: cells that are no numbers" { hostile numbers rs-plot; }

@test "rs-synth: slow readers, and some that go" { hostile reads rs-synth; }
@test "rs-rotate: byte by byte, slow readers, signals" { hostile reads rs-rotate; }
@test "rs-scale: byte by byte, slow readers, signals" { hostile reads rs-scale; }
@test "rs-patch: byte by byte, slow readers, signals" { hostile reads rs-patch; }
@test "rs-fov: byte by byte, slow readers, signals" { hostile reads rs-fov; }
@test "rs-baseline: byte by byte, slow readers, signals" { hostile reads rs-baseline; }
@test "rs-norm: byte by byte, slow readers, signals" { hostile reads rs-norm; }
@test "rs-train: byte by byte, signals" { hostile reads rs-train; }
@test "rs-infer: byte by byte, slow readers, signals" { hostile reads rs-infer; }
@test "rs-mask: byte by byte, slow readers, signals" { hostile reads rs-mask; }
@test "rs-score: byte by byte, slow readers, signals" { hostile reads rs-score; }
@test "rs-info: byte by byte, slow readers, signals" { hostile reads rs-info; }
@test "rs-plot: byte by byte, slow readers, signals" { hostile reads rs-plot; }

@test "rs-synth: standard output full or closed" { hostile outputs rs-synth; }
@test "rs-rotate: standard output full or closed" { hostile outputs rs-rotate; }
@test "rs-scale: standard output full or closed" { hostile outputs rs-scale; }
@test "rs-patch: standard output full or closed" { hostile outputs rs-patch; }
@test "rs-fov: standard output full or closed" { hostile outputs rs-fov; }
@test "rs-baseline: standard output full or closed" { hostile outputs rs-baseline; }
@test "rs-norm: standard output full or closed" { hostile outputs rs-norm; }
@test "rs-train: standard output full or closed" { hostile outputs rs-train; }
@test "rs-infer: standard output full or closed" { hostile outputs rs-infer; }
@test "rs-mask: standard output full or closed" { hostile outputs rs-mask; }
@test "rs-score: standard output full or closed" { hostile outputs rs-score; }
@test "rs-info: standard output full or closed" { hostile outputs rs-info; }
@test "rs-plot: standard output full or closed" { hostile outputs rs-plot; }

@test "rs-synth: options that are none" { hostile names rs-synth; }
@test "rs-rotate: files that are none" { hostile names rs-rotate; }
@test "rs-scale: files that are none" { hostile names rs-scale; }
@test "rs-patch: files that are none" { hostile names rs-patch; }
@test "rs-fov: files that are none" { hostile names rs-fov; }
@test "rs-baseline: files that are none" { hostile names rs-baseline; }
@test "rs-norm: files that are none or cannot be written" { hostile names rs-norm; }
@test "rs-train: files that are none or cannot be written" { hostile names rs-train; }
@test "rs-infer: files that are none" { hostile names rs-infer; }
@test "rs-mask: files that are none" { hostile names rs-mask; }
@test "rs-score: files that are none" { hostile names rs-score; }
@test "rs-info: files that are none" { hostile names rs-info; }
@test "rs-plot: files that are none or cannot be written" { hostile names rs-plot; }

@test "rs-synth: a disk of 64 KiB" { on_disk rs-synth; }
@test "rs-rotate: a disk of 64 KiB" { on_disk rs-rotate; }
@test "rs-scale: a disk of 64 KiB" { on_disk rs-scale; }
@test "rs-patch: a disk of 64 KiB" { on_disk rs-patch; }
@test "rs-fov: a disk of 64 KiB" { on_disk rs-fov; }
@test "rs-baseline: a disk of 64 KiB" { on_disk rs-baseline; }
@test "rs-norm: a disk of 64 KiB, and one that is read only" { on_disk rs-norm; }
@test "rs-train: a disk of 64 KiB, and one that is read only" { on_disk rs-train; }
@test "rs-infer: a disk of 64 KiB" { on_disk rs-infer; }
@test "rs-mask: a disk of 64 KiB" { on_disk rs-mask; }
@test "rs-score: a disk of 64 KiB" { on_disk rs-score; }
@test "rs-info: a disk of 64 KiB" { on_disk rs-info; }
@test "rs-plot: a disk of 64 KiB, and one that is read only" { on_disk rs-plot; }

@test "rs-synth: in German" { in_german rs-synth; }
@test "rs-rotate: in German" { in_german rs-rotate; }
@test "rs-scale: in German" { in_german rs-scale; }
@test "rs-patch: in German" { in_german rs-patch; }
@test "rs-fov: in German" { in_german rs-fov; }
@test "rs-baseline: in German" { in_german rs-baseline; }
@test "rs-norm: in German" { in_german rs-norm; }
@test "rs-train: in German" { in_german rs-train; }
@test "rs-infer: in German" { in_german rs-infer; }
@test "rs-mask: in German" { in_german rs-mask; }
@test "rs-score: in German" { in_german rs-score; }
@test "rs-info: in German" { in_german rs-info; }
@test "rs-plot: in German" { in_german rs-plot; }

@test "rs-synth: memory refused" { refused rs-synth; }
@test "rs-rotate: memory refused" { refused rs-rotate; }
@test "rs-scale: memory refused" { refused rs-scale; }
@test "rs-patch: memory refused" { refused rs-patch; }
@test "rs-fov: memory refused" { refused rs-fov; }
@test "rs-baseline: memory refused" { refused rs-baseline; }
@test "rs-norm: memory refused" { refused rs-norm; }
@test "rs-train: memory refused" { refused rs-train; }
@test "rs-infer: memory refused" { refused rs-infer; }
@test "rs-mask: memory refused" { refused rs-mask; }
@test "rs-score: memory refused" { refused rs-score; }
@test "rs-info: memory refused" { refused rs-info; }
@test "rs-plot: memory refused" { refused rs-plot; }
