#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every header compiles alone, and twice.
#
# usage: tests/headers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

cflags="-std=c17 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -fsyntax-only -I. -isystem /usr/include/nifti
$(pkg-config --cflags glib-2.0 gio-2.0 json-glib-1.0 fftw3 openblas zlib | sed 's/-I/-isystem /g')"
export cflags

# shellcheck disable=SC2016 # for the shells that it starts
find solvers io deconv sources unrolled app lib tests bench -name '*.h' -print 2>/dev/null | sort |
    xargs -n 8 -P "$(nproc)" sh -c '
status=0
for header; do
    printf "#include \"%s\"\n#include \"%s\"\n" "$header" "$header" |
        ${CC:-cc} $cflags -x c - || { echo "$header: does not compile alone"; status=1; }
done
exit $status' sh
