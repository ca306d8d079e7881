# Contestants that take turns, rows of what comes of it, and peers that stay between turns. For tests/bench/run.
#
# A contestant's turns lie in $work/NAME.turns, a line each; its figures in a line are apart by tabs. Where a name has
# a suffix, NAME.SUFFIX, its figures are made from those of NAME, whose title it bears.

declare -A title sends receives pid

say() {
    echo "bench: $*" >&2
}

# race NAME=COMMAND...: each command in turn, TURNS times; what it prints is a line of its turns. A command that fails
# is out of the race; ours may not fail.
race() {
    local turn entry name words
    rm -f "$work"/*.turns
    for ((turn = 1; turn <= TURNS; turn++)); do
        for entry; do
            name=${entry%%=*}
            [ "$turn" = 1 ] || [ -e "$work/$name.turns" ] || continue
            read -ra words <<<"${entry#*=}"
            "${words[@]}" >>"$work/$name.turns" && continue
            say "$name fails: ${words[*]}"
            [ "$name" != ours ] || exit 1
            rm "$work/$name.turns"
        done
    done
}

# derive SUFFIX EXPRESSION NAME...: gives contestants that ran a figure more, an awk expression of the figures of a turn,
# `first` to `fourth`; behind a contestant's own stand those of `beside`, if that is in the race
derive() {
    local suffix=$1 expression=$2 name turns
    shift 2
    for name; do
        turns=("$work/$name.turns" "$work/beside.turns")
        [ -e "${turns[0]}" ] || continue
        [ -e "${turns[1]}" ] || turns=("${turns[0]}")
        paste "${turns[@]}" |
            awk -F '\t' "{ first = \$1; second = \$2; third = \$3; fourth = \$4; print $expression }" \
                >"$work/$name.$suffix.turns"
    done
}

header() {
    local columns=(work ours ours_low ours_high peer peer_low peer_high unit ratio ratio_low ratio_high kernel threads)
    printf '%s\t' "${columns[@]}"
    echo against
}

# row WORK UNIT OURS [PEER]
row() {
    local ours=$work/$3.turns peer=/dev/null against=-
    if [ $# = 4 ]; then
        peer=$work/$4.turns
        against=${title[${4%%.*}]}
    fi
    awk -v work="$1$held" -v unit="$2" -v kernel="$kernel" -v threads="$threads" -v against="$against" -f "$here/row" \
        "$ours" "$peer"
}

# rows WORK UNIT .SUFFIX|'' PEER...: ours against each of the peers that ran, or alone
rows() {
    local what=$1 unit=$2 suffix=$3 peer alone=yes
    shift 3
    for peer; do
        [ -e "$work/$peer$suffix.turns" ] || continue
        row "$what" "$unit" "ours$suffix" "$peer$suffix"
        alone=
    done
    [ -z "$alone" ] || row "$what" "$unit" "ours$suffix"
}

left_out() {
    say "left out: $1: $(tail -n 1 "$work/error")"
}

# able NAME COMMAND...: whether a peer is there; it is asked for its title
able() {
    title[$1]=$("${@:2}" --title 2>"$work/error") || { left_out "$1" && return 1; }
}

# start NAME PROGRAM...: a peer that stays, for `ask`; the first that it says is its title. False if it says nothing.
start() {
    local name=$1 fd
    mkfifo "$work/in" "$work/out"
    "${@:2}" <"$work/in" >"$work/out" 2>"$work/error" &
    pid[$name]=$!
    exec {fd}>"$work/in"
    sends[$name]=$fd
    exec {fd}<"$work/out"
    receives[$name]=$fd
    rm "$work/in" "$work/out"
    title[$name]=$(ask "$name") || { left_out "$name" && stop "$name" && return 1; }
}

# ask NAME [QUESTION]: its answer, one line; false if it is gone
ask() {
    local answer
    [ $# = 1 ] || echo "$2" >&"${sends[$1]}"
    IFS= read -r -u "${receives[$1]}" answer && echo "$answer"
}

stop() {
    local name in out
    for name; do
        [ "${pid[$name]:-}" ] || continue
        in=${sends[$name]} out=${receives[$name]}
        exec {in}>&- {out}<&-
        kill "${pid[$name]}" 2>/dev/null || true
        wait "${pid[$name]}" 2>/dev/null || true
        unset "pid[$name]"
    done
}
