// SPDX-License-Identifier: BSD-3-Clause
#include "io/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct publish {
    char *path;      // owned: as the caller named it, for messages
    char *name;      // owned: its last part
    char *temporary; // owned: name in the same folder; NULL once committed
    int folder;      // descriptor: the folder cannot be swapped for another under us
    int fd;
    bool overwrite; // what has the name is replaced
};

static bool fail(GError **error, const char *path, int reason)
{
    io_error_set(error, IO_ERROR_OUTPUT, path, "cannot write: %s", g_strerror(reason));
    return false;
}

/** ".tmp-HOST-": what temporaries of this host begin with. To be freed. */
static char *host_prefix(void)
{
    char host[65] = "";
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        g_strlcpy(host, "localhost", sizeof host);
    g_strcanon(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.", '_');
    return g_strdup_printf(".tmp-%s-", host);
}

/**
 * Numbers of processes count within a namespace: a container that shares host name and folder
 * with another does not see its processes, and must not take them for dead.
 */
static uint64_t process_namespace(void)
{
    g_autofree char *link = g_file_read_link("/proc/self/ns/pid", NULL);
    const char *number = link == NULL ? NULL : strchr(link, '[');
    return number == NULL ? 0 : g_ascii_strtoull(number + 1, NULL, 10);
}

char *publish_temporary_prefix(void)
{
    g_autofree char *host = host_prefix();
    return g_strdup_printf("%s%ld-%" PRIu64 "-", host, (long) getpid(), process_namespace());
}

bool publish_is_left_over(const char *name)
{
    g_autofree char *host = host_prefix();
    if (!g_str_has_prefix(name, host))
        return false;
    char *end = NULL;
    guint64 pid = g_ascii_strtoull(name + strlen(host), &end, 10);
    if (*end != '-' || pid == 0 || pid > G_MAXINT32)
        return false;
    guint64 namespace = g_ascii_strtoull(end + 1, &end, 10);
    return *end == '-' && namespace == process_namespace() && kill((pid_t) pid, 0) != 0 &&
           errno == ESRCH;
}

/**
 * Creates the temporary. Mode 0666 here, so that the umask (or the folder's default ACL) applies
 * as it would to the final name: there is no way to ask for the umask that other threads cannot
 * see.
 */
static bool create_temporary(struct publish *output, GError **error)
{
    g_autofree char *prefix = publish_temporary_prefix();
    for (int attempt = 0; attempt < 100; attempt++) {
        g_free(output->temporary);
        output->temporary = g_strdup_printf("%s%08" PRIx32, prefix, g_random_int());
        output->fd = openat(output->folder, output->temporary,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (output->fd >= 0)
            return true;
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    int reason = errno;
    g_clear_pointer(&output->temporary, g_free); // not ours to remove
    return fail(error, output->path, reason);
}

/** Whether the final name may be taken: by nothing there, or by a file or link to replace. */
static bool check_target(const struct publish *output, GError **error)
{
    struct stat status;
    if (fstatat(output->folder, output->name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || fail(error, output->path, errno);
    if (S_ISDIR(status.st_mode))
        return fail(error, output->path, EISDIR);
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
        io_error_set(error, IO_ERROR_OUTPUT, output->path,
                     "cannot write: it is there and not a regular file");
        return false;
    }
    if (output->overwrite)
        return true;
    io_error_set(error, IO_ERROR_EXISTS, output->path, "exists already (--force overwrites)");
    return false;
}

struct publish *publish_new(const char *path, bool overwrite, GError **error)
{
    g_autoptr(owned_publish) output = g_new0(struct publish, 1);
    output->fd = output->folder = -1;
    output->overwrite = overwrite;
    output->path = g_strdup(path);
    output->name = g_path_get_basename(path);
    if (path[0] == '\0' || g_str_has_suffix(path, "/") || strcmp(output->name, ".") == 0 ||
        strcmp(output->name, "..") == 0) {
        fail(error, path, EISDIR);
        return NULL;
    }
    g_autofree char *folder = g_path_get_dirname(path);
    output->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (output->folder < 0) {
        fail(error, path, errno);
        return NULL;
    }
    if (!check_target(output, error) || !create_temporary(output, error))
        return NULL;
    return g_steal_pointer(&output);
}

bool publish_write(struct publish *output, const void *bytes, size_t n, GError **error)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t written = write(output->fd, at, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(error, output->path, written == 0 ? ENOSPC : errno);
        at += written;
        n -= (size_t) written;
    }
    return true;
}

bool publish_write_at(struct publish *output, const void *bytes, size_t n, uint64_t offset,
                      GError **error)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t written = pwrite(output->fd, at, n, (off_t) offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(error, output->path, written == 0 ? ENOSPC : errno);
        at += written;
        offset += (uint64_t) written;
        n -= (size_t) written;
    }
    return true;
}

static int sync_descriptor(int fd)
{
    int result;
    do
        result = fsync(fd);
    while (result != 0 && errno == EINTR);
    return result;
}

/**
 * A link takes no name that somebody else took meanwhile; a rename would. Where a file system has
 * no links, a last look has to do.
 */
static bool give_name(struct publish *output, GError **error)
{
    int folder = output->folder;
    if (!output->overwrite) {
        if (linkat(folder, output->temporary, folder, output->name, 0) == 0)
            return unlinkat(folder, output->temporary, 0) == 0 || fail(error, output->path, errno);
        if (!check_target(output, error))
            return false;
    }
    return renameat(folder, output->temporary, folder, output->name) == 0 ||
           fail(error, output->path, errno);
}

bool publish_commit(struct publish *output, GError **error)
{
    if (sync_descriptor(output->fd) != 0)
        return fail(error, output->path, errno);
    // After close the descriptor is gone, whatever it returns.
    int closed = close(output->fd);
    output->fd = -1;
    if (closed != 0 && errno != EINTR)
        return fail(error, output->path, errno);
    if (!give_name(output, error))
        return false;
    g_clear_pointer(&output->temporary, g_free);
    // Some file systems cannot sync a folder and say EINVAL: nothing more can be done there.
    if (sync_descriptor(output->folder) != 0 && errno != EINVAL)
        return fail(error, output->path, errno);
    return true;
}

void publish_free(struct publish *output)
{
    if (output == NULL)
        return;
    int reason = errno;
    if (output->fd >= 0)
        close(output->fd);
    if (output->temporary != NULL)
        unlinkat(output->folder, output->temporary, 0);
    if (output->folder >= 0)
        close(output->folder);
    g_free(output->path);
    g_free(output->name);
    g_free(output->temporary);
    g_free(output);
    errno = reason;
}

bool publish_bytes(const char *path, const void *bytes, size_t n, bool overwrite, GError **error)
{
    g_autoptr(owned_publish) output = publish_new(path, overwrite, error);
    return output != NULL && publish_write(output, bytes, n, error) &&
           publish_commit(output, error);
}

// The other name of a file, in the same folder; an output that has its name and was not told so.
static void unlink_twin(int folder, DIR *entries, ino_t inode, const char *name)
{
    rewinddir(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        if (entry->d_ino == inode && strcmp(entry->d_name, name) != 0) {
            unlinkat(folder, entry->d_name, 0);
            break;
        }
    rewinddir(entries);
}

void publish_sweep(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        struct stat status;
        if (!publish_is_left_over(entry->d_name) ||
            fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        g_autofree char *name = g_strdup(entry->d_name);
        if (status.st_nlink > 1)
            unlink_twin(fd, entries, status.st_ino, name);
        unlinkat(fd, name, 0);
    }
    closedir(entries);
}
