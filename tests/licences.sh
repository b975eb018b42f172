#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every source file names its licence in its first two lines.
#
# usage: tests/licences.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

find setup test .ci/run solvers io deconv sources unrolled app lib python examples tests bench tools docs -type f \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.R' -o -name '*.jl' -o -name '*.awk' -o -path setup -o -path test \
    -o -path .ci/run \) -print0 2>/dev/null | sort -z | xargs -0 awk '
FNR == 1 && NR > 1 && !found { refuse() }
FNR == 1 { found = 0; file = FILENAME }
FNR <= 2 && /SPDX-License-Identifier: BSD-3-Clause$/ { found = 1 }
FNR == 3 { nextfile }
function refuse() {
    print file ": no SPDX-License-Identifier in its first two lines"
    refused = 1
}
END {
    if (!found)
        refuse()
    exit refused
}'
