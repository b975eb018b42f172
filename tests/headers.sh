#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every header compiles alone, and twice.
#
# usage: tests/headers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

cflags=$(pkg-config --cflags glib-2.0 gio-2.0 json-glib-1.0 fftw3 openblas zlib)
status=0
for header in $(find solvers io deconv sources unrolled app tests bench -name '*.h' 2>/dev/null | sort); do
    # shellcheck disable=SC2086 # a list
    printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
        ${CC:-cc} -std=c17 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -fsyntax-only \
            -I. -isystem /usr/include/nifti $cflags -x c - || { echo "$header: does not compile alone"; status=1; }
done
exit $status
