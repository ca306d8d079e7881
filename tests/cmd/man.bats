#!/usr/bin/env bats
load common

BLOCKS=$BATS_TEST_DIRNAME/mdoc-blocks

# runs PAGE: its examples, in order, in the present folder
runs() {
    "$BLOCKS" commands "$1" >script
    [ -s script ] || fail "$1 has no examples"
    bash -euo pipefail script >out 2>err || fail "the examples of $1: $(tail -n 3 err)"
}

# program PAGE: the program that it shows, in the file that it names
program() {
    file=$(sed -n '/^\.Sh EXAMPLES/,$p' "$1" | grep -oE '[a-z]+\.(c|py)' | head -n 1)
    "$BLOCKS" text "$1" >"$file"
    [ -s "$file" ] || fail "$1 shows no program"
}

# python MODULE: makes the name python3 one that has the module; false if there is none
python() {
    local candidate
    for candidate in python3 /usr/bin/python3; do
        if "$candidate" -c "import $1" 2>/dev/null; then
            mkdir -p bin
            printf '#!/bin/sh\nexec "%s" "$@"\n' "$("$candidate" -c 'import sys; print(sys.executable)')" >bin/python3
            chmod +x bin/python3
            PATH=$PWD/bin:$PATH
            return
        fi
    done
    return 1
}

@test "mandoc finds nothing, and every page of ours that is referred to exists" {
    # Netpbm's pages may not be installed; those named rs are here
    MANPATH=$ROOT/man mandoc -T lint -W style "$ROOT"/man/man?/* >found 2>&1 || true
    run -1 grep -vE 'referenced manual not found: Xr [^r]|outdated mandoc.db' found
}

@test "groff, too: no column of a table is wider than a terminal of 80" {
    command -v groff >/dev/null || skip "no groff"
    for page in "$ROOT"/man/man?/*; do
        groff -mandoc -Tutf8 -rLL=78n -rLT=78n "$page" 2>>found >/dev/null
    done
    assert_equal "$(cat found)" ''
}

@test "the options of -help and of the manual are the same, with their arguments" {
    for tool in "$BUILD"/bin/*; do
        page=$ROOT/man/man1/${tool##*/}.1
        "$tool" -help | sed -n 's/^  -\([^ ]*\).*/\1/p' | sort >helped
        sed -n 's/^\.It Fl //p' "$page" | sed -E 's/(^| )(Ns|Ar|Cm)( |$)/ /g; s/(^| )(Ns|Ar|Cm)( |$)/ /g; s/ //g' |
            sort >documented
        diff helped documented || fail "$page"
    done
}

@test "a manual for every tool and a tool for every manual, each with the sections that all have" {
    diff <(basename -a "$BUILD"/bin/*) <(basename -a -s .1 "$ROOT"/man/man1/*)
    for page in "$ROOT"/man/man1/*; do
        run -0 sed -n 's/^\.Sh //p' "$page"
        assert_equal "$(grep -v '^ENVIRONMENT\|^CAVEATS' <<<"$output" | xargs)" \
            "NAME SYNOPSIS DESCRIPTION EXIT STATUS EXAMPLES SEE ALSO"
    done
}

@test "rs(7) lists every tool, its own pages exist, and README has the same table" {
    page=$ROOT/man/man7/rs.7
    sed -n '/^\.Ss Tools/,/^\.El/s/^\.It Xr //p' "$page" | sed 's/ 1 Ta /|/; s/ Ta /|/' >listed
    diff <(cut -d '|' -f 1 listed | sort) <(basename -a "$BUILD"/bin/*)
    sed -n 's/^| `\(rs-[a-z]*\)` | \(.*\) | \(.*\) |$/\1|\2|\3/p' "$ROOT/README.md" | diff listed -
    while read -r name section; do
        [ -s "$ROOT/man/man$section/$name.$section" ] || fail "no page $name($section)"
    done < <(sed -n 's/.*Xr \(rs[-a-z]*\) \([0-9]\).*/\1 \2/p' "$page")
    while read -r pipeline; do
        [ -s "$ROOT/$pipeline" ] || fail "no $pipeline"
    done < <(sed -n 's,.*Pa \(pipelines/[^ ]*\).*,\1,p' "$page")
}

@test "the examples of every tool's manual, and of rs(7), run in an empty folder" {
    for page in "$ROOT"/man/man1/*.1 "$ROOT/man/man7/rs.7"; do
        mkdir "${page##*/}"
        (cd "${page##*/}" && runs "$page")
    done
}

@test "rs-image(5): the filter in C handles every image of a stream" {
    page=$ROOT/man/man5/rs-image.5
    program "$page"
    runs "$page"
    rs-info green.tensors | grep -x 'source: GRAYSCALE'
    rs-synth -quiet -count=2 -width=40 -height=30 >two.pam
    ./green <two.pam | cmp - <(pamchannel -infile=two.pam -tupletype=GRAYSCALE_VESSEL_FOV 1 3 4)
    pamchannel -infile=two.pam -tupletype=RGB 0 1 2 | ./green | cmp - <(pamchannel -infile=two.pam \
        -tupletype=GRAYSCALE 1 | pamtopnm)
    run -1 ./green <green.tensors
    run -1 bash -c './green <two.pam >/dev/full'
}

@test "rs-tensor(5): the ten lines of Python read a stream" {
    python numpy || skip "no python3 with numpy"
    page=$ROOT/man/man5/rs-tensor.5
    program "$page"
    assert_equal "$(wc -l <means.py)" 10
    runs "$page"
    assert_equal "$(grep -c '^image (1, 3, 64, 64) ' out)" 6
    printf 'P2 2 2 100 10 20 30 40\n' >p.pgm
    pamstack -quiet -tupletype=GRAYSCALE_VESSEL_FOV p.pgm p.pgm p.pgm | rs-norm -quiet -mode=none >one
    run -0 bash -c 'cat one one | python3 means.py'
    assert_line --index 3 'image (1, 1, 2, 2) 0.250000'
    assert_line --index 4 'vessel (1, 1, 2, 2) 63.500000'
    assert_line --index 5 'fov (1, 1, 2, 2) 0.000000'
}

@test "rs-model(5): PyTorch loads a model and comes to the same probabilities" {
    python torch,numpy || skip "no python3 with torch and numpy"
    page=$ROOT/man/man5/rs-model.5
    program "$page"
    runs "$page"
    # 1e-4 in levels of 65536, and a map that is not flat
    [ "$(tail -n 1 out)" -le 6 ]
    [ "$(pamsumm -max -brief map.pgm)" -gt $(($(pamsumm -min -brief map.pgm) + 6554)) ]
    for kind in -up={nearest,bilinear,transposed} -block={residual,attention}; do
        rs-train -quiet -model=deep.safetensors $kind -epochs=1 -channels=4,6,8,10 eye.tensors
        rs-infer -quiet -model=deep.safetensors photo.ppm >map.pgm
        python3 unet.py deep.safetensors photo.ppm >torch.pgm
        [ "$(pamarith -difference map.pgm torch.pgm | pamsumm -max -brief)" -le 6 ]
    done
}
