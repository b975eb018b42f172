#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The checks of the tree can fail: each refuses a planted fault, and accepts the tree without it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0
n=0

ok()
{
    n=$((n + 1))
    echo "ok $n - $1"
}

not_ok()
{
    n=$((n + 1))
    failed=1
    echo "not ok $n - $1"
}

# refuses WHAT FILE LINE COMMAND...: plants the line at the end of the file; the command must fail,
# and must pass again once it is gone.
refuses()
{
    what=$1 file=$tree/$2 line=$3
    shift 3
    mkdir -p "$(dirname "$file")"
    kept=no
    [ ! -e "$file" ] || { cp "$file" "$tree/kept"; kept=yes; }
    printf '%s\n' "$line" >>"$file"
    if "$@" >"$tree/said" 2>&1; then planted=accepted; else planted=refused; fi
    if [ $kept = yes ]; then mv "$tree/kept" "$file"; else rm "$file"; fi
    if [ $planted = refused ] && "$@" >"$tree/said" 2>&1; then ok "$what"; else not_ok "$what"; fi
}

counts()
{
    what=$1 expected=$2
    shift 2
    printf '%s\n' "$@" >"$tree/log"
    if [ "$(python3 "$here/../tools/count_tests.py" "$tree/log" | tail -n 1)" = "$expected" ]; then
        ok "$what"
    else
        not_ok "$what"
    fi
}

mkdir -p "$tree/solvers" "$tree/io" "$tree/app" "$tree/.ci"
# the rooms of app, each above or beside those before it
rooms='host report simulate pipelines/outputs pipelines/inputs pipelines/convert pipelines/run
pipelines/solve pipelines/sources pipelines/train bench reproduce settings batch . commands'
spdx='// SPDX-License-Identifier: BSD-3-Clause'
printf '%s\n' "$spdx" '#pragma once' '#include <glib.h>' >"$tree/solvers/a.h"
printf '%s\n' "$spdx" '#include "solvers/a.h"' '#include <math.h>' >"$tree/solvers/a.c"
printf '%s\n' "$spdx" '#include "solvers/a.h"' >"$tree/app/main.c"
printf '%s\n' "$spdx" '#pragma once' >"$tree/io/b.h"
for room in $rooms; do
    mkdir -p "$tree/app/$room"
    printf '%s\n' "$spdx" '#pragma once' >"$tree/app/$room/a.h"
done
for script in setup test .ci/run; do
    printf '%s\n' '#!/bin/sh' '# SPDX-License-Identifier: BSD-3-Clause' >"$tree/$script"
done

layers="$here/layers.sh $tree"
# shellcheck disable=SC2086 # command and argument
{
    refuses "an arrow against the picture is refused" solvers/a.c '#include "io/b.h"' $layers
    refuses "io uses no solver" io/b.h '#include "solvers/a.h"' $layers
    refuses "nobody uses app" io/c.c '#include "app/main.c"' $layers
    refuses "io uses no FFTW" io/b.h '#include <fftw3.h>' $layers
    refuses "solvers use no JSON" solvers/a.h '# include <json-glib/json-glib.h>' $layers
    refuses "threads start in one file" solvers/a.c '#include <pthread.h>' $layers
    refuses "OpenMP is for nobody" app/main.c '#include <omp.h>' $layers
    below=
    for room in $rooms; do
        for lower in $below; do
            refuses "app/$lower does not use app/$room" "app/$lower/b.c" \
                "#include \"$(echo "app/$room/a.h" | sed 's|/[.]/|/|')\"" $layers
        done
        below="$below $room"
    done
    refuses "jobs do not log" app/pipelines/run/b.c '#include "app/log.h"' $layers
    refuses "jobs do not print" app/pipelines/run/b.c '#include <stdio.h>' $layers
    refuses "io does not use a room of app" io/c.c '#include "app/host/a.h"' $layers
    refuses "pictures are not sources" app/report/b.c '#include "sources/a.h"' $layers
    refuses "a folder that is no room is refused" app/report/deep/b.c "$spdx" $layers
    refuses "a header in no room is refused" app/main.c '#include "app/report/deep/a.h"' $layers
    refuses "an include beside the file is refused" solvers/a.c '#include "a.h"' $layers
    refuses "an include through .. is refused" solvers/a.c '#include "solvers/../io/b.h"' $layers
    refuses "an include of nothing is refused" solvers/a.c '#include "solvers/absent.h"' $layers
    refuses "a macro as include is refused" solvers/a.c '#include HEADER' $layers
    refuses "a header that needs another first is refused" solvers/a.h 'size_t absent(GHashTabel *x);' \
        "$here/headers.sh" "$tree"
    refuses "a header without its guard is refused" solvers/bad.h 'struct twice { int x; };' \
        "$here/headers.sh" "$tree"
    refuses "a file without its licence is refused" solvers/c.c 'int x;' "$here/licences.sh" "$tree"
}

counts "subtests are counted" "2 passed, 1 failed" \
    '{"name": "a", "result": "FAIL", "returncode": 1, "stdout": "1..3\nok 1 - x\nnot ok 2 - y\nok 3 - z\n"}'
counts "a skipped subtest is no pass" "1 passed, 0 failed" \
    '{"name": "a", "result": "OK", "returncode": 0, "stdout": "# skipped: x is absent\nok 1 # SKIP x\nok 2 - z\n"}'
counts "a crash after passes is a failure" "1 passed, 1 failed" \
    '{"name": "a", "result": "ERROR", "returncode": -11, "stdout": "1..2\nok 1 - x\n"}'
counts "a test without subtests counts once" "1 passed, 1 failed" \
    '{"name": "a", "result": "OK", "returncode": 0, "stdout": ""}' \
    '{"name": "b", "result": "TIMEOUT", "returncode": -15}'
echo "1..$n"
exit $failed
