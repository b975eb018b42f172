// SPDX-License-Identifier: BSD-3-Clause
// A library to load first (LD_PRELOAD): it lets the file operations of a program fail on purpose.
// It stands before the calls of libc in which a program's own code, stdio and zlib end. What stdio
// does inside libc no such library sees, so streams are opened through fopencookie.
//
//     FAULT_PATH=text      gate files alone whose path, as given or resolved, has this text in it
//                          (without it, all regular files that are opened)
//     FAULT_WRITE_NTH=n    the n-th write fails
//     FAULT_WRITE_AFTER=b  writes past b bytes in all fail, and the one that crosses is cut: a full
//                          disk
//     FAULT_WRITE_ERRNO=e  with this error, or ENOSPC
//     FAULT_READ_NTH=n     the n-th read fails with EIO
//     FAULT_SHORT=n        each read and write moves at most n bytes
//     FAULT_EINTR_EVERY=n  every n-th read, write and sync is interrupted
//     FAULT_FSYNC=e        fsync and fdatasync fail with this error
//     FAULT_CLOSE=e        close fails with this error
//     FAULT_RENAME_NTH=n   the n-th rename fails with EIO
//     FAULT_KILL_NTH=n     the process kills itself at the n-th gated call of any kind
//     FAULT_TEAR=1         ... half of a write reaches the file before
//     FAULT_REPORT=path    at the end, a line of counts is added to this file
//
// Not seen: mmap, sendfile, copy_file_range, io_uring, linkat, dup2.
#undef _FILE_OFFSET_BITS // open and open64 are two names here
#define _GNU_SOURCE      // NOLINT(bugprone-reserved-identifier)
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_FILES = 4096 };

static struct {
    const char *path;
    const char *report;
    long write_nth, write_after, write_errno, read_nth, at_most, interrupt_every, fsync_errno,
        close_errno, rename_nth, kill_nth, tear;
} asked;

static atomic_bool is_gated[MAX_FILES];
static FILE *_Atomic streams[MAX_FILES]; // of the descriptors that cookies hold
static atomic_long n_calls, n_writes, n_reads, n_renames, n_faults, n_written;

static struct {
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*readv)(int, const struct iovec *, int);
    int (*close)(int);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*dup)(int);
    int (*open)(const char *, int, ...);
    int (*openat)(int, const char *, int, ...);
    int (*mkstemp)(char *);
    int (*mkostemp)(char *, int);
    int (*rename)(const char *, const char *);
    int (*renameat)(int, const char *, int, const char *);
    int (*renameat2)(int, const char *, int, const char *, unsigned);
    FILE *(*fdopen)(int, const char *);
    int (*fileno)(FILE *);
} libc;

static long number(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

static void read_environment(void)
{
    asked.path = getenv("FAULT_PATH");
    asked.report = getenv("FAULT_REPORT");
    asked.write_nth = number("FAULT_WRITE_NTH", 0);
    asked.write_after = number("FAULT_WRITE_AFTER", -1);
    asked.write_errno = number("FAULT_WRITE_ERRNO", ENOSPC);
    asked.read_nth = number("FAULT_READ_NTH", 0);
    asked.at_most = number("FAULT_SHORT", 0);
    asked.interrupt_every = number("FAULT_EINTR_EVERY", 0);
    asked.fsync_errno = number("FAULT_FSYNC", 0);
    asked.close_errno = number("FAULT_CLOSE", 0);
    asked.rename_nth = number("FAULT_RENAME_NTH", 0);
    asked.kill_nth = number("FAULT_KILL_NTH", 0);
    asked.tear = number("FAULT_TEAR", 0);
}

// The next function of the name: a pointer to void and one to a function are of one size here.
static void find(const char *name, void *slot)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(slot, &symbol, sizeof symbol);
}

// Other libraries may open files before this one's constructor runs: every call begins here.
__attribute__((constructor)) static void start(void)
{
    static atomic_bool started;
    if (atomic_exchange(&started, true))
        return;
    find("write", &libc.write);
    find("read", &libc.read);
    find("pwrite", &libc.pwrite);
    find("pread", &libc.pread);
    find("writev", &libc.writev);
    find("readv", &libc.readv);
    find("close", &libc.close);
    find("fsync", &libc.fsync);
    find("fdatasync", &libc.fdatasync);
    find("dup", &libc.dup);
    find("open", &libc.open);
    find("openat", &libc.openat);
    find("mkstemp", &libc.mkstemp);
    find("mkostemp", &libc.mkostemp);
    find("rename", &libc.rename);
    find("renameat", &libc.renameat);
    find("renameat2", &libc.renameat2);
    find("fdopen", &libc.fdopen);
    find("fileno", &libc.fileno);
    read_environment();
}

__attribute__((destructor)) static void finish(void)
{
    char line[200];
    if (asked.report == NULL)
        return;
    int n = snprintf(line, sizeof line, "calls %ld writes %ld reads %ld renames %ld faults %ld\n",
                     atomic_load(&n_calls), atomic_load(&n_writes), atomic_load(&n_reads),
                     atomic_load(&n_renames), atomic_load(&n_faults));
    int file = libc.open(asked.report, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file < 0)
        return;
    if (libc.write(file, line, (size_t) n) != n)
        abort();
    libc.close(file);
}

/* Which files */

static bool gated(int file)
{
    return file > 2 && file < MAX_FILES && atomic_load(&is_gated[file]);
}

// Whether a path below `folder` (a descriptor, or AT_FDCWD) has the text in it.
static bool has_text(int folder, const char *path)
{
    char link[64], full[8192];
    if (asked.path == NULL || strstr(path, asked.path) != NULL)
        return true;
    if (path[0] == '/')
        return false;
    if (folder == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t n = readlink(link, full, sizeof full / 2);
    if (n < 0)
        return false;
    snprintf(full + n, sizeof full - (size_t) n, "/%s", path);
    return strstr(full, asked.path) != NULL;
}

static int opened(int file, int folder, const char *path)
{
    struct stat status;
    if (file <= 2 || file >= MAX_FILES)
        return file;
    bool regular = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    atomic_store(&is_gated[file], regular && has_text(folder, path));
    return file;
}

/* The gate: what happens before a call; true where it fails, with errno set */

static bool fault(long error)
{
    atomic_fetch_add(&n_faults, 1);
    errno = (int) error;
    return true;
}

// bytes: what a write would write, or NULL. Renames and closes are not interrupted.
static bool gate(int file, const void *bytes, size_t n, bool interruptible)
{
    long call = atomic_fetch_add(&n_calls, 1) + 1;
    if (asked.kill_nth > 0 && call == asked.kill_nth) {
        if (asked.tear != 0 && bytes != NULL && n > 1 && libc.write(file, bytes, n / 2) < 0)
            abort();
        kill(getpid(), SIGKILL);
    }
    if (interruptible && asked.interrupt_every > 0 && call % asked.interrupt_every == 0)
        return fault(EINTR);
    return false;
}

static void shorten(size_t *n)
{
    if (asked.at_most > 0 && *n > (size_t) asked.at_most)
        *n = (size_t) asked.at_most;
}

static bool gate_write(int file, const void *bytes, size_t *n)
{
    if (gate(file, bytes, *n, true))
        return true;
    if (atomic_fetch_add(&n_writes, 1) + 1 == asked.write_nth)
        return fault(asked.write_errno);
    long written = atomic_load(&n_written);
    if (asked.write_after >= 0 && written >= asked.write_after)
        return fault(asked.write_errno);
    if (asked.write_after >= 0 && written + (long) *n > asked.write_after)
        *n = (size_t) (asked.write_after - written);
    shorten(n);
    return false;
}

static bool gate_read(int file, size_t *n)
{
    if (gate(file, NULL, 0, true))
        return true;
    if (atomic_fetch_add(&n_reads, 1) + 1 == asked.read_nth)
        return fault(EIO);
    shorten(n);
    return false;
}

static ssize_t count_written(ssize_t n)
{
    if (n > 0)
        atomic_fetch_add(&n_written, n);
    return n;
}

/* Reading and writing */

ssize_t write(int file, const void *bytes, size_t n)
{
    start();
    if (!gated(file))
        return libc.write(file, bytes, n);
    return gate_write(file, bytes, &n) ? -1 : count_written(libc.write(file, bytes, n));
}

ssize_t read(int file, void *bytes, size_t n)
{
    start();
    if (!gated(file))
        return libc.read(file, bytes, n);
    return gate_read(file, &n) ? -1 : libc.read(file, bytes, n);
}

ssize_t pwrite(int file, const void *bytes, size_t n, off_t offset)
{
    start();
    if (!gated(file))
        return libc.pwrite(file, bytes, n, offset);
    return gate_write(file, bytes, &n) ? -1 : count_written(libc.pwrite(file, bytes, n, offset));
}

ssize_t pread(int file, void *bytes, size_t n, off_t offset)
{
    start();
    if (!gated(file))
        return libc.pread(file, bytes, n, offset);
    return gate_read(file, &n) ? -1 : libc.pread(file, bytes, n, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t n, off64_t offset)
{
    return pwrite(file, bytes, n, offset);
}

ssize_t pread64(int file, void *bytes, size_t n, off64_t offset)
{
    return pread(file, bytes, n, offset);
}

// Of several pieces the first alone: fewer bytes than asked for are allowed.
ssize_t writev(int file, const struct iovec *pieces, int count)
{
    start();
    if (!gated(file) || count < 1)
        return libc.writev(file, pieces, count);
    return write(file, pieces[0].iov_base, pieces[0].iov_len);
}

ssize_t readv(int file, const struct iovec *pieces, int count)
{
    start();
    if (!gated(file) || count < 1)
        return libc.readv(file, pieces, count);
    return read(file, pieces[0].iov_base, pieces[0].iov_len);
}

/* Ends and names */

static bool gate_sync(int file)
{
    return gate(file, NULL, 0, true) || (asked.fsync_errno != 0 && fault(asked.fsync_errno));
}

int fsync(int file)
{
    start();
    return gated(file) && gate_sync(file) ? -1 : libc.fsync(file);
}

int fdatasync(int file)
{
    start();
    return gated(file) && gate_sync(file) ? -1 : libc.fdatasync(file);
}

int close(int file)
{
    start();
    if (!gated(file))
        return libc.close(file);
    gate(file, NULL, 0, false);
    atomic_store(&is_gated[file], false);
    int status = libc.close(file);
    return asked.close_errno != 0 && fault(asked.close_errno) ? -1 : status;
}

static bool gate_rename(int from_folder, const char *from, int to_folder, const char *to)
{
    start();
    if (!has_text(from_folder, from) && !has_text(to_folder, to))
        return false;
    gate(-1, NULL, 0, false);
    return atomic_fetch_add(&n_renames, 1) + 1 == asked.rename_nth && fault(EIO);
}

int rename(const char *from, const char *to)
{
    return gate_rename(AT_FDCWD, from, AT_FDCWD, to) ? -1 : libc.rename(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    return gate_rename(from_folder, from, to_folder, to)
               ? -1
               : libc.renameat(from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    return gate_rename(from_folder, from, to_folder, to)
               ? -1
               : libc.renameat2(from_folder, from, to_folder, to, flags);
}

int dup(int file)
{
    start();
    int copy = libc.dup(file);
    if (copy > 2 && copy < MAX_FILES)
        atomic_store(&is_gated[copy], gated(file));
    return copy;
}

/* Opening */

static mode_t mode_of(int flags, va_list arguments)
{
    // Callers start the list: the analyser loses sight of that in some orders of files.
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized)
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    start();
    return opened(libc.open(path, flags, mode), AT_FDCWD, path);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open(path, flags | O_LARGEFILE, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    start();
    return opened(libc.openat(folder, path, flags, mode), folder, path);
}

int openat64(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return openat(folder, path, flags | O_LARGEFILE, mode);
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int mkstemp(char *template)
{
    start();
    int file = libc.mkstemp(template);
    return opened(file, AT_FDCWD, template);
}

int mkstemp64(char *template)
{
    return mkstemp(template);
}

int mkostemp(char *template, int flags)
{
    start();
    int file = libc.mkostemp(template, flags);
    return opened(file, AT_FDCWD, template);
}

/* What _FORTIFY_SOURCE makes of calls. NOLINTBEGIN(bugprone-reserved-identifier) */

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);
ssize_t __read_chk(int file, void *bytes, size_t n, size_t room);
ssize_t __pread_chk(int file, void *bytes, size_t n, off_t offset, size_t room);
ssize_t __pread64_chk(int file, void *bytes, size_t n, off_t offset, size_t room);

int __open_2(const char *path, int flags)
{
    return open(path, flags);
}

int __open64_2(const char *path, int flags)
{
    return open64(path, flags);
}

int __openat_2(int folder, const char *path, int flags)
{
    return openat(folder, path, flags);
}

int __openat64_2(int folder, const char *path, int flags)
{
    return openat64(folder, path, flags);
}

ssize_t __read_chk(int file, void *bytes, size_t n, size_t room)
{
    if (n > room)
        abort();
    return read(file, bytes, n);
}

ssize_t __pread_chk(int file, void *bytes, size_t n, off_t offset, size_t room)
{
    if (n > room)
        abort();
    return pread(file, bytes, n, offset);
}

ssize_t __pread64_chk(int file, void *bytes, size_t n, off_t offset, size_t room)
{
    return __pread_chk(file, bytes, n, offset, room);
}

/* Streams, by cookies of descriptors. NOLINTEND(bugprone-reserved-identifier) */

static int file_of(const void *cookie)
{
    return (int) (intptr_t) cookie;
}

static ssize_t read_stream(void *cookie, char *bytes, size_t n)
{
    return read(file_of(cookie), bytes, n);
}

static ssize_t write_stream(void *cookie, const char *bytes, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t moved = write(file_of(cookie), bytes + done, n - done);
        if (moved < 0 && errno != EINTR)
            break;
        done += moved < 0 ? 0 : (size_t) moved;
    }
    return (ssize_t) done;
}

static int seek_stream(void *cookie, off64_t *offset, int whence)
{
    off64_t found = lseek64(file_of(cookie), *offset, whence);
    if (found < 0)
        return -1;
    *offset = found;
    return 0;
}

static int close_stream(void *cookie)
{
    return close(file_of(cookie));
}

static FILE *stream_new(int file, const char *mode)
{
    static const cookie_io_functions_t functions = {read_stream, write_stream, seek_stream,
                                                    close_stream};
    FILE *stream =
        fopencookie((void *) (intptr_t) file, mode, functions); // NOLINT(performance-no-int-to-ptr)
    if (stream != NULL)
        atomic_store(&streams[file], stream);
    return stream;
}

// A stream of a cookie has no descriptor for libc, and fsync(fileno(f)) would fail.
int fileno(FILE *stream)
{
    start();
    for (int file = 3; file < MAX_FILES; file++)
        if (gated(file) && atomic_load(&streams[file]) == stream)
            return file;
    return libc.fileno(stream);
}

static int flags_of(const char *mode)
{
    int flags = mode[0] == 'r'   ? O_RDONLY
                : mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
                                 : O_WRONLY | O_CREAT | O_APPEND;
    if (strchr(mode, '+') != NULL)
        flags = (flags & ~(O_RDONLY | O_WRONLY)) | O_RDWR;
    flags |= strchr(mode, 'x') != NULL ? O_EXCL : 0;
    return flags | (strchr(mode, 'e') != NULL ? O_CLOEXEC : 0);
}

FILE *fdopen(int file, const char *mode)
{
    start();
    return gated(file) ? stream_new(file, mode) : libc.fdopen(file, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    int file = open(path, flags_of(mode), 0666);
    FILE *stream = file < 0 ? NULL : fdopen(file, mode);
    if (stream == NULL && file >= 0)
        libc.close(file);
    return stream;
}

FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}
