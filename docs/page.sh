#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A manual page in scdoc with the options and commands that the program itself lists.
#
# usage: page.sh FILL.awk TAUT PAGE.scd [COMMAND]
set -eu
export LC_ALL=C
told=$(mktemp -d)
trap 'rm -rf "$told"' EXIT
"$2" config --options >"$told/options"
"$2" --help >"$told/help"
awk -v command="${4:-taut}" -f "$1" "$told/options" "$told/help" "$3"
