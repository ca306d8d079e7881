#!/usr/bin/env bats
# What is built does not tell where, when or by whom.
load common

# build FOLDER DATE: the tools and librs.a from sources of that date, as `make` builds them but for what takes long
build() {
    mkdir -p "$1"
    cp -r "$ROOT/Makefile" "$ROOT/cmd" "$ROOT/lib" "$1"
    find "$1" -exec touch -d "$2" {} +
    env -u MAKEFLAGS make -s -j2 -C "$1" BUILD=build CFLAGS="-O0 -g" HARDENING= SANITIZE= all
    (cd "$1/build" && sha256sum bin/* librs.a)
}

@test "built in two folders, at two dates, in two time zones and languages: the same tools, byte for byte" {
    umask 022
    TZ=UTC-14 LC_ALL=C build here 2001-01-01 >first
    umask 077
    TZ=UTC+12 LC_ALL=C.UTF-8 LOGNAME=other HOSTNAME=elsewhere build "a folder/of another name" 2026-02-28 >second
    tools=("$ROOT"/cmd/*.c)
    assert_equal "$(wc -l <first)" "$((${#tools[@]} + 1))"
    diff first second
    run -1 grep -rlE '__(DATE|TIME|TIMESTAMP)__' "$ROOT/cmd" "$ROOT/lib"
}
