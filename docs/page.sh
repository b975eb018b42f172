#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A manual page in scdoc with the options and commands that the program itself lists.
#
# usage: page.sh FILL.awk TAUT PAGE.scd [COMMAND]
set -eu
export LC_ALL=C
help=$(mktemp)
trap 'rm -f "$help"' EXIT
if [ $# -gt 3 ]; then
    "$2" "$4" --help >"$help"
    sed -n 's/^@OPTIONS \(.*\)@$/\1/p' "$3" | while read -r kind; do
        echo "@$kind" >>"$help"
        "$2" "$4" "$kind" --help >>"$help"
    done
else
    { "$2" --help && "$2" config --help; } >"$help"
fi
awk -f "$1" "$help" "$3"
