# For every .bats file: the built tools on PATH, a scratch folder, run with stderr apart.
bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load
load /usr/lib/bats/bats-assert/load
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
absolute() { case $1 in /*) echo "$1" ;; *) echo "$ROOT/$1" ;; esac; }
export BUILD
BUILD=$(absolute "${BUILD:-build}")
DATA=$(absolute "${DATA:-data}")
PATH=$BUILD/bin:$PATH
cd "$BATS_TEST_TMPDIR" 2>/dev/null || cd "$BATS_FILE_TMPDIR" || exit

# Whether the tools run as they are, with the memory, time and loader of their own; tests/checked sets CHECKER
bare() { [[ ${CHECKER:-} != @(asan|tsan|valgrind) ]]; }

# thinned COUNT: so many of COUNT cases are tried: every EVERY-th, but two at least
thinned() {
    local count=$(($1 / ${EVERY:-1}))
    [ $count -ge 2 ] || count=2
    echo $count
    [ $count = "$1" ] || echo "# $count of $1 cases: EVERY=$EVERY" >&3
}

# fails STATUS TEXT COMMAND...: ends with STATUS, one line on stderr that contains TEXT, nothing on stdout
fails() {
    local status_wanted=$1 text=$2
    shift 2
    run --separate-stderr "-$status_wanted" "$@"
    [ -z "$output" ] || fail "stdout is not empty: $output"
    [ "${#stderr_lines[@]}" = 1 ] || fail "stderr is not one line: $stderr"
    [[ $stderr == *"$text"* ]] || fail "stderr '$stderr' does not say '$text'"
}
