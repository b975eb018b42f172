#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every #include is an arrow of this picture, and is written from the root of the tree.
#
#     app ──> unrolled ──> solvers
#      ├────> deconv ────> solvers
#      ├────> sources ───> solvers
#      └────> io
#
# usage: tests/layers.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

# folder: the folders whose headers it may include, besides its own
folders='
solvers:
io:
deconv: solvers
sources: solvers
unrolled: solvers
app: solvers io deconv sources unrolled
tests: solvers io deconv sources unrolled app
bench: solvers io deconv sources unrolled app
'

# folder: the headers of libraries that it may include
libraries='
solvers: glib.h cblas.h immintrin.h pthread.h sched.h
io: glib.h gio/gio.h json-glib/json-glib.h nifti/nifti2_io.h nifti2_io.h isa-l.h isa-l/igzip_lib.h zlib.h sndfile.h
deconv: glib.h cblas.h fftw3.h immintrin.h
sources: glib.h cblas.h fftw3.h
unrolled: glib.h cblas.h json-glib/json-glib.h
app: nettle/sha2.h glib.h glib-unix.h glib/gstdio.h gio/gio.h cblas.h fftw3.h json-glib/json-glib.h zlib.h
tests: glib.h glib/gstdio.h gio/gio.h cblas.h fftw3.h json-glib/json-glib.h nifti/nifti2_io.h nifti2_io.h zlib.h sndfile.h cmocka.h pthread.h
bench: glib.h glib/gstdio.h gio/gio.h cblas.h fftw3.h json-glib/json-glib.h zlib.h sndfile.h pthread.h
'

# header: the only files of the tree (a regular expression) that may include it
only='
pthread.h: solvers/parallel[.]c|(tests|bench)/.*
sched.h: solvers/parallel[.]c
nettle/sha2.h: app/host/hash[.]c
zlib.h: (io|tests|bench)/.*|app/report/picture[.]c
nifti/nifti2_io.h: io/(header|reader|writer)_nifti[.][ch]|tests/.*
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

sources=$(find solvers io deconv sources unrolled app tests bench -name '*.[ch]' 2>/dev/null | sort)
[ -n "$sources" ] || { echo "layers: no source files in $PWD" >&2; exit 1; }

# shellcheck disable=SC2086 # lists
FOLDERS=$folders LIBRARIES=$libraries ONLY=$only STANDARD=$standard awk '
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
function check_own(path,    target, line) {
    target = path
    if (path ~ /(^|\/)[.][.]?\// || !sub(/\/.*/, "", target) || !(target in folders))
        refuse("includes are written from the root")
    else if (target != folder && index(folders[folder], " " target " ") == 0)
        refuse(folder "/ does not use " target "/")
    else if ((getline line < path) < 0)
        refuse("no such header")
    close(path)
}
function check_library(path) {
    if (index(standard, " " path " ") == 0 && index(libraries[folder], " " path " ") == 0)
        refuse(folder "/ does not use <" path ">")
    else if (path in only && FILENAME !~ ("^(" substr(only[path], 2, length(only[path]) - 2) ")$"))
        refuse("<" path "> belongs to other files")
}
BEGIN {
    read_table(ENVIRON["FOLDERS"], folders)
    read_table(ENVIRON["LIBRARIES"], libraries)
    read_table(ENVIRON["ONLY"], only)
    standard = " " ENVIRON["STANDARD"] " "
    gsub(/\n/, " ", standard)
}
FNR == 1 {
    folder = FILENAME
    sub(/\/.*/, "", folder)
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
