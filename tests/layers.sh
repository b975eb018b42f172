#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every #include is an arrow of this picture, and is written from the root of the tree.
#
#     app ──> unrolled ──> solvers        inside app, a room uses those to its right:
#      ├────> deconv ────> solvers
#      ├────> sources ───> solvers        commands ──> batch ──> settings ──> bench ──> pipelines ──> report ───> host
#      └────> io                             └───────> reproduce ────────────────────────┘      └──> simulate ──┘
#
#     lib ──> unrolled, deconv, sources, solvers
#
# A room is a folder with C files; one that is not below has no place in the picture. Of the rooms of
# app only commands, and the log beside them, print.
#
# usage: tests/layers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

# room: the rooms whose headers it may include, besides its own
rooms='
solvers:
io:
deconv: solvers
sources: solvers
unrolled: solvers
app/host: solvers io
app/report: app/host solvers io
app/simulate: app/host solvers io deconv
app/pipelines/outputs: app/host solvers io
app/pipelines/inputs: app/host solvers io deconv unrolled
app/pipelines/convert: app/pipelines/outputs app/host solvers io deconv
app/pipelines/run: app/pipelines/inputs app/pipelines/outputs app/report app/host solvers io deconv unrolled
app/pipelines/solve: app/pipelines/inputs app/pipelines/outputs app/host solvers io deconv
app/pipelines/sources: app/pipelines/inputs app/pipelines/outputs app/report app/host solvers io sources unrolled
app/pipelines/train: app/pipelines/inputs app/pipelines/outputs app/pipelines/sources app/host solvers io sources unrolled
app/bench: app/pipelines/inputs app/pipelines/sources app/report app/simulate app/host solvers io sources unrolled
app/reproduce: app/pipelines/inputs app/report app/simulate app/host solvers io deconv unrolled
app/settings: PIPELINES app/bench app/simulate app/host solvers io deconv sources
app/batch: app/settings PIPELINES app/host io
app/commands: app app/settings app/batch app/bench app/reproduce PIPELINES app/report app/simulate app/host BELOW
app: app/settings app/host BELOW
lib: solvers deconv sources unrolled
tests: APP BELOW lib
bench: APP BELOW lib
'
pipelines='app/pipelines/inputs app/pipelines/outputs app/pipelines/convert app/pipelines/run app/pipelines/solve app/pipelines/sources app/pipelines/train'
below='solvers io deconv sources unrolled'
app="app app/settings app/batch app/bench app/reproduce $pipelines app/report app/simulate app/host"
rooms=$(echo "$rooms" | sed -e "s|PIPELINES|$pipelines|" -e "s|BELOW|$below|" -e "s|APP|$app|")

# room: the headers of libraries that it may include
libraries='
solvers: glib.h cblas.h immintrin.h pthread.h sched.h
io: glib.h gio/gio.h json-glib/json-glib.h nifti/nifti2_io.h nifti2_io.h isa-l.h isa-l/igzip_lib.h zlib.h sndfile.h matio.h
deconv: glib.h cblas.h fftw3.h immintrin.h pthread.h
sources: glib.h cblas.h fftw3.h
unrolled: glib.h cblas.h json-glib/json-glib.h
app/host: glib.h cblas.h fftw3.h json-glib/json-glib.h nettle/sha2.h
app/report: glib.h json-glib/json-glib.h zlib.h
app/simulate: glib.h cblas.h
app/pipelines/outputs: glib.h glib/gstdio.h json-glib/json-glib.h
app/pipelines/inputs: glib.h
app/pipelines/convert: glib.h json-glib/json-glib.h
app/pipelines/run: glib.h json-glib/json-glib.h
app/pipelines/solve: glib.h
app/pipelines/sources: glib.h glib/gstdio.h cblas.h json-glib/json-glib.h
app/pipelines/train: glib.h glib/gstdio.h json-glib/json-glib.h
app/bench: glib.h glib/gstdio.h json-glib/json-glib.h
app/reproduce: glib.h glib/gstdio.h cblas.h json-glib/json-glib.h
app/settings: glib.h
app/batch: glib.h glib/gstdio.h json-glib/json-glib.h
app/commands: glib.h glib/gstdio.h gio/gio.h json-glib/json-glib.h
app: glib.h glib-unix.h cblas.h json-glib/json-glib.h
lib: glib.h
tests: glib.h glib/gstdio.h gio/gio.h cblas.h fftw3.h json-glib/json-glib.h nifti/nifti2_io.h nifti2_io.h zlib.h sndfile.h cmocka.h pthread.h
bench: glib.h glib/gstdio.h gio/gio.h cblas.h fftw3.h json-glib/json-glib.h zlib.h sndfile.h pthread.h
'

# header: the only files of the tree (a regular expression) that may include it
only='
pthread.h: solvers/parallel[.]c|deconv/hrf_fft[.]c|(tests|bench)/.*
sched.h: solvers/parallel[.]c
nettle/sha2.h: app/host/hash[.]c
stdio.h: (solvers|io|deconv|sources|unrolled|tests|bench)/.*|app/(commands/.*|(command|log|main)[.]c)
zlib.h: (io|tests|bench)/.*|app/report/picture[.]c
nifti/nifti2_io.h: io/(header|reader|writer)_nifti[.][ch]|tests/.*
matio.h: io/reader_eeglab[.]c
nifti2_io.h: io/(header|reader|writer)_nifti[.][ch]|tests/.*
'

# C17 and POSIX, for everyone
standard='
assert.h complex.h ctype.h errno.h float.h inttypes.h limits.h locale.h math.h setjmp.h signal.h
stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h time.h
dirent.h dlfcn.h fcntl.h fnmatch.h glob.h poll.h spawn.h strings.h unistd.h
sys/mman.h sys/resource.h sys/socket.h sys/stat.h sys/time.h sys/types.h sys/uio.h sys/utsname.h
sys/wait.h
'

sources=$(find solvers io deconv sources unrolled lib app tests bench -name '*.[ch]' 2>/dev/null | sort)
[ -n "$sources" ] || { echo "layers: no source files in $PWD" >&2; exit 1; }

# shellcheck disable=SC2086 # lists
ROOMS=$rooms LIBRARIES=$libraries ONLY=$only STANDARD=$standard awk '
function read_table(text, table,    n, lines, i, colon) {
    n = split(text, lines, "\n")
    for (i = 1; i <= n; i++)
        if ((colon = index(lines[i], ":")) > 0)
            table[substr(lines[i], 1, colon - 1)] = substr(lines[i], colon + 1) " "
}
function refuse(why) {
    printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0
    refused++
}
function room_of(path) {
    return sub(/\/[^\/]*$/, "", path) ? path : ""
}
function check_own(path,    target, line) {
    target = room_of(path)
    if (path ~ /(^|\/)[.][.]?\// || !(target in rooms))
        refuse("includes are written from the root")
    else if (target != room && index(rooms[room], " " target " ") == 0)
        refuse(room "/ does not use " target "/")
    else if ((getline line < path) < 0)
        refuse("no such header")
    close(path)
}
function check_library(path) {
    if (index(standard, " " path " ") == 0 && index(libraries[room], " " path " ") == 0)
        refuse(room "/ does not use <" path ">")
    else if (path in only && FILENAME !~ ("^(" substr(only[path], 2, length(only[path]) - 2) ")$"))
        refuse("<" path "> belongs to other files")
}
BEGIN {
    read_table(ENVIRON["ROOMS"], rooms)
    read_table(ENVIRON["LIBRARIES"], libraries)
    read_table(ENVIRON["ONLY"], only)
    standard = " " ENVIRON["STANDARD"] " "
    gsub(/\n/, " ", standard)
}
FNR == 1 {
    room = room_of(FILENAME)
    if (!(room in rooms))
        refuse("no room of the picture")
}
match($0, /^[ \t]*#[ \t]*include[ \t]*/) {
    path = substr($0, RSTART + RLENGTH)
    if (path ~ /^"[^"]+"/) {
        split(path, quoted, "\"")
        check_own(quoted[2])
    } else if (path ~ /^<[^>]+>/) {
        check_library(substr(path, 2, index(path, ">") - 2))
    } else
        refuse("cannot be checked")
}
END {
    if (refused)
        exit 1
}' $sources
