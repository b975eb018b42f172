#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# taut.h compiles alone: as C99, and as C++ where there is a compiler for it.
#
# usage: tests/taut_header.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}/lib"

program='#include "taut.h"
#include "taut.h"
int main(void) { taut_options options; taut_options_init(&options); return options.method == 0; }'

# try COMPILER LANGUAGE STANDARD
try()
{
    printf '%s\n' "$program" |
        "$1" -std="$3" -pedantic -Wall -Wextra -Werror -fsyntax-only -I. -x "$2" -
}

try "${CC:-cc}" c c99
for standard in c++11 c++20; do
    if command -v "${CXX:-c++}" >/dev/null; then
        try "${CXX:-c++}" c++ "$standard"
    else
        echo "no C++ compiler: $standard is not tried"
    fi
done
