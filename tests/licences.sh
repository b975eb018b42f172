#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every source file names its licence in its first two lines.
#
# usage: tests/licences.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

status=0
for file in setup test .ci/run $(find solvers io deconv sources unrolled app tests bench tools docs \
    -name '*.[ch]' -o -name '*.sh' -o -name '*.py' -o -name '*.awk' 2>/dev/null | sort); do
    if ! head -n 2 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause$'; then
        echo "$file: no SPDX-License-Identifier in its first two lines"
        status=1
    fi
done
exit $status
