#!/usr/bin/env bats
# What a tool gives up, tried from within: sandbox/probe.c does, in every thread.
load common
unset RS_SANDBOX # a build that measures coverage leaves the sandbox

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit
    export FILES=$BATS_FILE_TMPDIR
    "${CC:-cc}" -O2 -shared -fPIC -o probe.so "$BATS_TEST_DIRNAME/sandbox/probe.c" -ldl -pthread
    rs-synth -quiet -width=48 -height=48 >photo
    rs-patch -quiet -size=8 -count=20 photo | rs-norm -quiet >tensors
    rs-train -quiet -channels=1,1 -epochs=1 -model=model tensors
}

setup() {
    mkdir elsewhere beside
    echo kept | tee elsewhere/file >beside/file
}

# Those that give up what they can: all but those that run other programs
tools() {
    grep -L 'runs_programs = true' "$ROOT"/cmd/*.c | xargs basename -a -s .c
}

# probe COMMAND...: what it could do, in the file `report`
probe() {
    bare || skip "a checker is to be loaded first"
    PROBE_ELSEWHERE=$PWD/elsewhere PROBE_BESIDE=$PWD/beside PROBE_REPORT=$PWD/report \
        LD_PRELOAD=$FILES/probe.so "$@" >out 2>err || true
    [ -s report ] || fail "$* has not been probed"
}

# probe_tool TOOL: with what it must be told before it reads
probe_tool() {
    local words=()
    case $1 in
    rs-infer) words=("-model=$FILES/model") ;;
    rs-scale) words=(-factor=2) ;;
    rs-train) words=(-model=beside/m -epochs=1) ;;
    esac
    rm -f report
    probe "$1" "${words[@]}" <"$FILES/photo"
}

has_landlock() {
    # 444 everywhere: landlock_create_ruleset, asked for its version
    [ "$(perl -e 'print syscall(444, 0, 0, 1)')" -gt 0 ] || skip "this kernel has no Landlock"
}

has_seccomp() {
    grep -q ^Seccomp: /proc/self/status || skip "this kernel has no seccomp"
    [[ $(uname -m) = @(x86_64|aarch64) ]] || skip "no list of calls for this processor"
}

# all_are ERROR ATTEMPT...: so ended each in each of the three threads
all_are() {
    local error=$1 thread attempt
    shift
    for thread in main older newer; do
        for attempt; do
            grep -qx "$thread	$attempt	$error" report || fail "$(grep "$thread	$attempt" report), not $error"
        done
    done
}

files=("read a file" "list a folder" "write a file" "make a file" "make a folder" "make a link" "rename a file"
    "remove a file")
calls=("socket inet" "socket unix" "socket netlink" socketpair io_uring ptrace chmod chown truncate "type" execveat execve)

@test "no tool opens, makes or removes a file that it was not given" {
    has_landlock
    for tool in $(tools); do
        probe_tool "$tool"
        all_are EACCES "${files[@]}" "read beside"
        [ "$tool" = rs-train ] || all_are EACCES "make beside"
    done
    assert_equal "$(ls elsewhere beside; cat elsewhere/file)" $'beside:\nfile\nnew\n\nelsewhere:\nfile\nkept'
}

@test "no tool runs a program, makes a socket, or does what Landlock does not see" {
    has_seccomp
    for tool in $(tools); do
        probe_tool "$tool"
        all_are EPERM "${calls[@]}"
    done
}

@test "RS_SANDBOX=0: all of that is allowed" {
    export RS_SANDBOX=0
    for tool in $(tools); do
        rm -rf elsewhere/* beside/new
        echo kept >elsewhere/file
        probe_tool "$tool"
        for attempt in "${files[@]:0:4}" "rename a file" "read beside" "make beside" "socket unix" socketpair; do
            grep -qx "main	$attempt	allowed" report || fail "$(grep "main	$attempt" report)"
        done
        grep -qx "main	execve	ENOENT" report
        run -1 grep EACCES report
    done
}

@test "a file that is written: others of its folder may be made, for the temporary, but not read" {
    has_landlock
    probe rs-train -model=beside/m -epochs=1 "$FILES/tensors"
    all_are EACCES "${files[@]}" "read beside"
    all_are allowed "make beside"
    rm report beside/new
    probe rs-norm -mode=dataset -fit=beside/stats "$FILES/photo"
    all_are EACCES "${files[@]}" "read beside"
    all_are allowed "make beside"
    [ -s beside/stats ]
}

# everything FOLDER: what rs-train writes there, some of it behind links, some of it when it goes on
everything() {
    mkdir -p "$1"/{model,checkpoint,log,keep,real}
    cd "$1" || exit
    ln -s ../real/m model/m
    ln -s ../real/c checkpoint/c
    touch real/m real/c
    local train=(rs-train -quiet "-channels=1,1" -batch=4 -epochs=2 -model=model/m -checkpoint=checkpoint/c
        -checkpoint-every=3 -log=log/l -log-every=1 -keep=keep/k-%d -keep-every=4 "$FILES/tensors")
    "${train[@]}" 2>err
    cut -f 1-9 log/l # but for what time it took
    rm log/l
    "${train[@]}" -resume 2>>err
    cut -f 1-9 log/l
    find . | sort
    sha256sum real/m keep/*
}

@test "all that rs-train writes is as without the sandbox" {
    (RS_SANDBOX=0 everything without) >wanted
    (everything within) >got
    diff wanted got
    grep -qx ./checkpoint/c.previous got
}

@test "three thousand files, in no more descriptors than ever" {
    perl -e 'for (1 .. 3000) { open my $f, ">", "p$_.pgm"; print $f "P5 1 1 255\n", chr($_ & 255) }'
    (ulimit -n 32 && rs-patch -quiet -size=1 -count=1 p*.pgm) >patches
    cat p*.pgm | rs-patch -quiet -size=1 -count=1 | cmp - patches
}

@test "files by other names: links, pipes, /dev/stdin, twice" {
    ln -s "$FILES/photo" photo
    cat "$FILES"/photo "$FILES"/photo "$FILES"/photo "$FILES"/photo | rs-patch -quiet -size=4 -count=1 >wanted
    rs-patch -quiet -size=4 -count=1 photo <(cat photo) /dev/stdin photo <"$FILES/photo" | cmp - wanted
}

@test "a kernel without Landlock and seccomp: the same bytes, and not a word" {
    rs-rotate -quiet "$FILES/photo" >wanted
    PROBE_OLD=1 probe rs-rotate -quiet "$FILES/photo"
    cmp out wanted
    assert_equal "$(cat err)" ""
    assert_equal "$(grep -c asked report)" 2
}

@test "the manual of every tool tells of RS_SANDBOX, and so does rs(7)" {
    for page in $(tools | sed 's/$/.1/; s,^,man1/,') man7/rs.7; do
        grep -q '^\.It Ev RS_SANDBOX' "$ROOT/man/$page" || fail "$page does not"
    done
}
