#!/usr/bin/env bats
# What shells complete is what the tools take.
load common

setup() {
    make -s -C "$ROOT" BUILD="$BUILD" completions
    share=$BUILD/share
}

# options TOOL: as -help shows them, with = where they take an argument
options() {
    "$BUILD/bin/$1" -help | sed -nE 's/^  (-[^ =]*=?).*/\1/p'
}

# completed TOOL LINE: what bash proposes for the last word of the line
completed() {
    bash -c '. "$1"; COMP_LINE=$2 COMP_POINT=${#2}; "_${3//-/_}" 2>/dev/null; printf "%s\n" "${COMPREPLY[@]}"' - \
        "$share/bash-completion/completions/$1" "$2" "$1"
}

@test "-help -verbose is a table of the same options" {
    for tool in "$BUILD"/bin/*; do
        "$tool" -help -verbose | awk -F '\t' 'NR == 1 { if ($0 != "option\tkind\targument\thelp") exit 1; next }
            { if (NF != 4 || $2 !~ /^(flag|number|text|choice|input|output)$/) exit 1; print "-" $1 ($2 == "flag" ? "" : "=") }' >listed
        options "${tool##*/}" | diff - listed || fail "${tool##*/}"
    done
}

@test "bash: every option of every tool" {
    for tool in "$BUILD"/bin/*; do
        tool=${tool##*/}
        completed "$tool" "$tool -" | diff <(options "$tool") - || fail "$tool"
    done
}

@test "bash: words of a choice, files, a prefix, two hyphens" {
    assert_equal "$(completed rs-norm 'rs-norm -mode=' | head -n 2 | xargs)" "patch dataset"
    assert_equal "$(completed rs-norm 'rs-norm -green --mode=dat')" dataset
    assert_equal "$(completed rs-norm 'rs-norm --gr' | xargs)" "-gray -green"
    touch eye.pam
    assert_equal "$(completed rs-norm 'rs-norm -stats=ey')" eye.pam
    assert_equal "$(completed rs-norm 'rs-norm -gray ey')" eye.pam
    assert_equal "$(completed rs-norm 'rs-norm -max-pixels=1')" ''
    COMP_WORDBREAKS=' ' run -0 bash -c '. "$1"; COMP_WORDBREAKS=" " COMP_LINE="rs-norm -mode=p" COMP_POINT=15
        _rs_norm; echo "${COMPREPLY[@]}"' - "$share/bash-completion/completions/rs-norm"
    assert_output -- -mode=patch
}

@test "zsh and fish: every option of every tool, in files that they can read" {
    for tool in "$BUILD"/bin/*; do
        tool=${tool##*/}
        sed -nE "s/^    '(-[a-z0-9-]*=?)[[].*/\1/p" "$share/zsh/site-functions/_$tool" | diff <(options "$tool") - || fail "$tool"
        sed -nE 's/^complete -c [^ ]* -o ([^ ]*) (-[xr])?.*/-\1 \2/p' "$share/fish/vendor_completions.d/$tool.fish" |
            sed -E 's/ -[xr]/=/; s/ $//' | diff <(options "$tool") - || fail "$tool"
        ! command -v zsh >/dev/null || zsh -n "$share/zsh/site-functions/_$tool"
        ! command -v fish >/dev/null || fish --no-execute "$share/fish/vendor_completions.d/$tool.fish"
    done
}
