#!/usr/bin/env bats
load common

@test "installed tools and pages work from there, and uninstall leaves nothing" {
    make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$PWD/root" PREFIX=/opt/rs install
    for tool in "$BUILD"/bin/*; do
        run -0 "root/opt/rs/bin/${tool##*/}" -version
        assert_output --regexp "^${tool##*/} \(rs-tools\) [0-9.]+"
        [ -s "root/opt/rs/share/man/man1/${tool##*/}.1" ]
    done
    run -0 mandoc root/opt/rs/share/man/man7/rs.7
    make -s -C "$ROOT" BUILD="$BUILD" DESTDIR="$PWD/root" PREFIX=/opt/rs uninstall
    assert_equal "$(find root -type f)" ""
}
