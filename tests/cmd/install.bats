#!/usr/bin/env bats
load common

# Where the tools themselves are: what tests/checked puts in their place would look for a model where they are, not where
# it was copied to
programs() { [ -d "$BUILD/plain" ] && echo "$BUILD/plain" || echo "$BUILD/bin"; }

@test "installed tools and pages work from there, and uninstall leaves nothing" {
    make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$PWD/root" PREFIX=/opt/rs install
    for tool in "$BUILD"/bin/*; do
        run -0 "root/opt/rs/bin/${tool##*/}" -version
        assert_output --regexp "^${tool##*/} \(rs-tools\) [0-9.]+"
        [ -s "root/opt/rs/share/man/man1/${tool##*/}.1" ]
    done
    run -0 mandoc root/opt/rs/share/man/man7/rs.7
    { grep -oh 'pipelines/[a-z.-]*[a-z]' root/opt/rs/share/man/man?/* && grep -o 'doc/[a-z]*.png' "$ROOT"/README.md; } |
        sort -u >named
    (cd root/opt/rs/share/rs && xargs ls >/dev/null) <named
    make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$PWD/root" PREFIX=/opt/rs uninstall
    assert_equal "$(find root -type f)" ""
}

@test "an installation that cannot be whole fails" {
    mkdir -p root/opt/rs/share/man/man1/rs-fov.1/rs-fov.1 # where the page cannot go
    run make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$PWD/root" PREFIX=/opt/rs install
    [ "$status" != 0 ]
}

@test "installed pipelines work from there" {
    make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$PWD/root" PREFIX=/opt/rs install
    rs-synth -quiet -width=64 -height=64 >eye.pam
    rs-patch -quiet -size=16 -count=20 eye.pam | rs-norm -quiet -mode=none |
        rs-train -quiet -channels=2,3 -epochs=1 -batch=8 -model=m -threshold=0.37
    pamchannel -tupletype=RGB 0 1 2 <eye.pam | pamtopnm -quiet >eye.ppm
    rs-infer -quiet -model=m eye.ppm >map.pgm
    PATH=$PWD/root/opt/rs/bin:/usr/bin:/bin
    root/opt/rs/share/rs/pipelines/vessels -model=m eye.ppm
    pngtopnm eye.map.png | cmp - map.pgm
    run -0 make -n -f root/opt/rs/share/rs/pipelines/smoke.mk
    assert_output --partial rs-train
}

@test "the model that came with the program is the one where none is named" {
    PATH=$(programs):$PATH
    rs-synth -quiet -count=2 -width=64 -height=64 >eyes.pam
    rs-patch -quiet -size=16 -count=20 eyes.pam | rs-norm -quiet >tensors
    rs-train -quiet -channels=2,3 -epochs=1 -batch=8 -model=m -threshold=0.37 tensors
    rs-infer -quiet -tta=flips -model=m eyes.pam >maps.pam
    rs-score -quiet -threshold=0.37 maps.pam >scores
    rs-mask -quiet -threshold=0.37 maps.pam >masks
    for place in installed/share/rs built/lib/model; do
        mkdir -p $place "${place%%/*}/bin" "${place%%/*}/build/bin"
        cp m $place/rs.safetensors
    done
    cp "$(programs)"/rs-{infer,score,mask} installed/bin
    cp "$(programs)"/rs-{infer,score,mask} built/build/bin
    for bin in installed/bin built/build/bin "$PWD/installed/bin"; do
        "$bin/rs-infer" -quiet eyes.pam | cmp - maps.pam
        "$bin/rs-score" -quiet -threshold=model maps.pam | cmp - scores
        "$bin/rs-mask" -quiet -threshold=model maps.pam | cmp - masks
    done
    ln -s "$PWD/installed/bin/rs-infer" anywhere
    ./anywhere -quiet eyes.pam | cmp - maps.pam
    ./anywhere -quiet -tta=none eyes.pam | cmp - <(rs-infer -quiet -model=m eyes.pam)
    mkdir named && (cd named && PATH=../installed/bin:$PATH rs-infer -quiet ../eyes.pam | cmp - ../maps.pam)
}

@test "without one, the message says where it was looked for" {
    mkdir -p bare/bin
    cp "$(programs)"/rs-{infer,score,mask} bare/bin
    fails 1 "rs-infer: $PWD/bare/bin/../share/rs/rs.safetensors: no model came with the program; -model=FILE names one" \
        bare/bin/rs-infer eyes.pam
    for tool in rs-score rs-mask; do
        fails 1 "no model came with the program" "bare/bin/$tool" -threshold=model maps.pam
    done
    mkdir -p bare/share/rs/rs.safetensors
    fails 1 "rs.safetensors: " bare/bin/rs-infer eyes.pam
}

@test "make install brings the model, where there is one" {
    mkdir tree
    cp -r "$ROOT"/{Makefile,README.md,doc,pipelines,man,cmd,lib,completions} tree
    mkdir -p tree/lib/model
    echo weights >tree/lib/model/rs.safetensors
    make -s -C tree BUILD="$BUILD" -o all -o completions DESTDIR="$PWD/root" PREFIX=/opt/rs install
    assert_equal "$(cat root/opt/rs/share/rs/rs.safetensors)" weights
    make -s -C tree BUILD="$BUILD" -o all DESTDIR="$PWD/root" PREFIX=/opt/rs uninstall
    assert_equal "$(find root -type f)" ""
}
