#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every command has a manual page, and every function of the library is told of in taut.h(3).
#
# usage: tests/pages.sh TAUT ROOT
set -eu
status=0
for command in $("$1" --help | awk '/^Commands:/ { on = 1; next } on && /^  / { print $1 }'); do
    if [ ! -f "$2/docs/taut-$command.1.scd" ]; then
        echo "taut-$command(1): docs/taut-$command.1.scd is absent"
        status=1
    elif ! grep -q "'taut-$command': \['$command'\]" "$2/docs/meson.build"; then
        echo "taut-$command(1): not in docs/meson.build"
        status=1
    fi
done
# shellcheck disable=SC2013 # names have no blanks
for function in $(sed -n 's/^TAUT_API .*[ *]\(taut_[a-z_]*\)(.*/\1/p' "$2/lib/taut.h"); do
    if ! grep -q "\*$function\*(" "$2/docs/taut.h.3.scd"; then
        echo "taut.h(3): $function is absent"
        status=1
    fi
done
exit $status
