#!/usr/bin/env bats
# Images that are too large are refused by what their header says, before anything is done for them.
load common

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    rs-synth -quiet -width=48 -height=48 | rs-patch -quiet -size=8 -count=4 | rs-norm -quiet |
        rs-train -quiet -channels=1,1 -epochs=1 -model=model
    export MODEL=$BATS_FILE_TMPDIR/model
}

# What a tool must be told before it reads
needs() {
    case $1 in
    rs-infer) echo "-model=$MODEL" ;;
    rs-scale) echo "-factor=2" ;;
    esac
}

# The tools that read images, as their sources have it
readers() {
    grep -lE 'rs_tool_(images|items)' "$ROOT"/cmd/*.c | xargs basename -a -s .c
}

@test "every tool that reads images has the option, and no other" {
    for tool in "$BUILD"/bin/*; do
        ! "$tool" -help | grep -q '^  -max-pixels=N ' || basename "$tool"
    done >having
    readers | sort | diff - having
}

@test "an image of more pixels is refused, by size and option, in every tool that reads images" {
    for tool in $(readers); do
        fails 1 "$tool: stdin: image 1: 20000 x 20000 pixels are more than -max-pixels=178956970" \
            bash -c "printf 'P5\n20000 20000\n255\n' | $tool $(needs "$tool")"
        fails 1 "$tool: stdin: image 1: 3 x 2 pixels are more than -max-pixels=5" \
            bash -c "printf 'P5 3 2 255\n123456' | $tool -max-pixels=5 $(needs "$tool")"
    done
}

@test "the limit may be raised, to where planes of it still count in 31 bits" {
    fails 1 "ends in the middle of an image" \
        bash -c "printf 'P5 20000 20000 255\n' | rs-rotate -max-pixels=400000000"
    fails 1 "20000 x 20001 pixels are more than -max-pixels=400000000" \
        bash -c "printf 'P5 20000 20001 255\n' | rs-rotate -max-pixels=400000000"
    fails 2 "whole number from 1 to 429496729" rs-rotate -max-pixels=429496730
}

@test "an image of just so many pixels passes; the second one may be the one that is too large" {
    printf 'P5 3 2 255\n123456' | rs-rotate -quiet -max-pixels=6 >turned
    printf 'P5 3 2 255\n123456P5 3 3 255\n' >two
    fails 1 "two: image 2: 3 x 3 pixels are more" bash -c "rs-rotate -max-pixels=6 two >turned"
}

@test "what rs-scale makes is held to it, too, before there is room for it" {
    fails 1 "stdin: image 1: 3 x 2 pixels, resized by 2, are more than -max-pixels=23" \
        bash -c "printf 'P5 3 2 255\n123456' | rs-scale -factor=2 -max-pixels=23"
    printf 'P5 3 2 255\n123456' | rs-scale -quiet -factor=2 -max-pixels=24 >made
    pgmmake .5 1000 700 >wide
    if bare; then ulimit -v 500000; fi
    fails 1 "resized by 1000, are more than -max-pixels=178956970" rs-scale -factor=1000 wide
}

@test "rs-score holds the maps of -compare to it, too" {
    printf 'P5 2 2 255\n1234' | pamstack -quiet -tupletype=PROB_VESSEL - <(printf 'P5 2 2 255\n\377\0\0\377') >map
    printf 'P5 3 2 255\n123456' >large
    fails 1 "large: image 1: 3 x 2 pixels are more than -max-pixels=4" \
        rs-score -pixels=image -max-pixels=4 -compare=large map
}

@test "400 megapixels: rs-infer refuses them in 50 ms and little memory, with only the header there" {
    bare || skip "a checker takes its time"
    # The pipe stays open: what ends the tool is the header. The best of five, since others may have the processor.
    run -0 python3 - rs-infer "-model=$MODEL" <<'PYTHON'
import resource, subprocess, sys, time
best = 1e9
for _ in range(5):
    start = time.monotonic()
    tool = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    tool.stdin.write(b"P5\n20000 20000\n255\n")
    tool.stdin.flush()
    assert tool.wait() == 1 and tool.stdout.read() == b"" and b"-max-pixels" in tool.stderr.read()
    best = min(best, time.monotonic() - start)
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"{1000 * best:.1f} ms, {memory / 1024:.0f} MiB")
assert best < .05 and memory < 100 * 1024
PYTHON
    echo "# refused after $output" >&3
}
