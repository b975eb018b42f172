#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What lib/taut.h promises is what lib/taut.abi stores, and what the library exports: no more, no less.
# The description is made of the header alone, so that it is the same for every build.
#
# usage: tests/abi.sh LIBTAUT [ROOT]     compares
#        tests/abi.sh --renew [ROOT]     stores what the header says now
set -eu
library=$1
[ "$library" = --renew ] || library=$(realpath "$library")
cd "${2:-$(dirname "$0")/..}"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

for program in abidw abidiff nm; do
    if ! command -v "$program" >/dev/null; then
        echo "# skipped: $program is absent (abigail-tools, binutils)"
        exit 77
    fi
done

# Each declaration of the header with a body.
sed -e 's|^TAUT_API \(.*\)|@\1|' lib/taut.h | awk '
/^@/ { on = 1; text = "" }
on { text = text " " $0 }
on && /;$/ {
    on = 0
    sub(/^ @/, "", text)
    sub(/;$/, " { __builtin_trap(); }", text)
    print text
}' >"$place/bodies"
{
    echo '#include "taut.h"'
    cat "$place/bodies"
} >"$place/taut.c"
"${CC:-cc}" -std=gnu17 -g -O0 -fPIC -shared -w -Ilib -Wl,-soname,libtaut.so.0 "$place/taut.c" \
    -o "$place/libtaut.so"

if [ "$library" = --renew ]; then
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-architecture --type-id-style hash \
        "$place/libtaut.so" >lib/taut.abi
    exit
fi

# Exported names, without versions and what the sanitizers add.
exported()
{
    nm -D --defined-only "$1" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort
}
exported "$place/libtaut.so" >"$place/promised"
exported "$library" >"$place/found"
if ! diff "$place/promised" "$place/found"; then
    echo "abi: $library does not export what lib/taut.h declares"
    exit 1
fi
if ! abidiff --no-architecture lib/taut.abi "$place/libtaut.so"; then
    echo "abi: the interface is not that of lib/taut.abi: functions may be added, and fields at the end of"
    echo "abi: structs with a size; then tests/abi.sh --renew"
    exit 1
fi
