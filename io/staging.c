// SPDX-License-Identifier: BSD-3-Clause
#include "io/staging.h"

#include "io/publish.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// In the hidden folder: older outputs that were replaced, and links on their way to be names.
#define OLDER ".older"
#define LINKS ".links"
// At the end of the name of a hidden folder whose outputs have all their names.
#define DONE ".done"

struct staged {
    char *name;        // owned
    char *path;        // owned; in the hidden folder
    struct stat older; // what had the name when it was added
    bool replaces;     // whether there was one
};

struct staging {
    char *folder;      // owned; where the outputs belong
    char *hidden;      // owned; where they are until then
    char *hidden_name; // owned; its last part
    int folder_fd;     // descriptors: neither can be swapped for another under us
    int hidden_fd;     //
    GPtrArray *made;   // owned, of owned paths: folders that were not there before, outermost first
    GPtrArray *names;  // owned, of borrowed names
    GPtrArray *staged; // owned, of owned struct staged
    bool committed;
};

static bool fail(const char *path, GError **error)
{
    io_error_set(error, IO_ERROR_OUTPUT, path, "cannot write: %s", g_strerror(errno));
    return false;
}

// The innermost folder on the way to `folder` that is there. Owned.
static char *existing_ancestor(const char *folder)
{
    char *at = g_strdup(folder);
    while (!g_file_test(at, G_FILE_TEST_EXISTS)) {
        char *parent = g_path_get_dirname(at);
        bool top = strcmp(parent, at) == 0;
        g_free(at);
        at = parent;
        if (top)
            break;
    }
    return at;
}

bool staging_possible(const char *folder, GError **error)
{
    g_autofree char *ancestor = existing_ancestor(folder);
    if (!g_file_test(ancestor, G_FILE_TEST_IS_DIR))
        errno = ENOTDIR;
    else if (access(ancestor, W_OK | X_OK) == 0)
        return true;
    return fail(folder, error);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool look_at(int folder, const char *name, struct stat *status)
{
    return fstatat(folder, name, status, AT_SYMLINK_NOFOLLOW) == 0;
}

/**
 * Takes the name back from an output that has it already, which is one that is the same file as in
 * the hidden folder, and gives it back to the older one.
 */
static void take_back(int folder, int hidden, const char *name)
{
    struct stat ours, there;
    g_autofree char *older = g_build_filename(OLDER, name, NULL);
    if (look_at(hidden, name, &ours) && S_ISREG(ours.st_mode) && look_at(folder, name, &there) &&
        same_file(&ours, &there) && renameat(hidden, older, folder, name) != 0)
        unlinkat(folder, name, 0);
}

/** Calls visit(folder, name) for what is in a folder, the descriptor of which stays open. */
static void for_each_entry(int folder, void (*visit)(int folder, const char *name, void *data),
                           void *data)
{
    int descriptor = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (entries == NULL) {
        if (descriptor >= 0)
            close(descriptor);
        return;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            visit(folder, entry->d_name, data);
    closedir(entries);
}

static void unlink_entry(int folder, const char *name, void *data)
{
    (void) data;
    unlinkat(folder, name, 0);
}

static int open_folder(int folder, const char *name)
{
    return openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

// A folder of a hidden folder, with the files in it.
static void remove_part(int hidden, const char *name)
{
    int part = open_folder(hidden, name);
    if (part < 0)
        return;
    for_each_entry(part, unlink_entry, NULL);
    close(part);
    unlinkat(hidden, name, AT_REMOVEDIR);
}

static void take_back_entry(int hidden, const char *name, void *folder)
{
    take_back(*(const int *) folder, hidden, name);
}

static void remove_hidden(int folder, const char *name, bool done)
{
    int hidden = open_folder(folder, name);
    if (hidden < 0)
        return;
    if (!done)
        for_each_entry(hidden, take_back_entry, &folder);
    remove_part(hidden, OLDER);
    remove_part(hidden, LINKS);
    for_each_entry(hidden, unlink_entry, NULL);
    close(hidden);
    unlinkat(folder, name, AT_REMOVEDIR);
}

static void sweep_entry(int folder, const char *name, void *data)
{
    (void) data;
    struct stat status;
    if (publish_is_left_over(name) && look_at(folder, name, &status) && S_ISDIR(status.st_mode))
        remove_hidden(folder, name, g_str_has_suffix(name, DONE));
}

void staging_sweep(const char *folder)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    for_each_entry(descriptor, sweep_entry, NULL);
    close(descriptor);
    publish_sweep(folder);
}

static void note_hidden(int folder, const char *name, void *busy)
{
    (void) folder;
    if (g_str_has_prefix(name, ".tmp-"))
        *(bool *) busy = true;
}

bool staging_is_busy(const char *folder)
{
    bool busy = false;
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    for_each_entry(descriptor, note_hidden, &busy);
    close(descriptor);
    return busy;
}

// Makes a folder and those that it lies in, and notes which were not there.
static bool make_folders(const char *folder, GPtrArray *made, GError **error)
{
    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return true;
    g_autofree char *parent = g_path_get_dirname(folder);
    if (strcmp(parent, folder) != 0 && !make_folders(parent, made, error))
        return false;
    if (mkdir(folder, 0777) != 0)
        return errno == EEXIST && g_file_test(folder, G_FILE_TEST_IS_DIR) ? true
                                                                          : fail(folder, error);
    g_ptr_array_add(made, g_strdup(folder));
    return true;
}

static void staged_free(void *data)
{
    struct staged *staged = data;
    g_free(staged->name);
    g_free(staged->path);
    g_free(staged);
}

static bool make_hidden(struct staging *staging, GError **error)
{
    g_autofree char *prefix = publish_temporary_prefix();
    g_autofree char *name = g_strconcat(prefix, "XXXXXX", NULL);
    g_autofree char *template = g_build_filename(staging->folder, name, NULL);
    if (mkdtemp(template) == NULL)
        return fail(staging->folder, error);
    staging->hidden = g_steal_pointer(&template);
    staging->hidden_name = g_path_get_basename(staging->hidden);
    staging->hidden_fd = open_folder(staging->folder_fd, staging->hidden_name);
    return staging->hidden_fd >= 0 || fail(staging->folder, error);
}

struct staging *staging_new(const char *folder, GError **error)
{
    g_autoptr(owned_staging) staging = g_new0(struct staging, 1);
    staging->folder_fd = staging->hidden_fd = -1;
    staging->folder = g_strdup(folder);
    staging->made = g_ptr_array_new_with_free_func(g_free);
    staging->names = g_ptr_array_new();
    staging->staged = g_ptr_array_new_with_free_func(staged_free);
    if (!make_folders(folder, staging->made, error))
        return NULL;
    staging->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (staging->folder_fd < 0) {
        fail(folder, error);
        return NULL;
    }
    return make_hidden(staging, error) ? g_steal_pointer(&staging) : NULL;
}

const char *staging_add(struct staging *staging, const char *name, bool overwrite)
{
    struct staged *staged = g_new0(struct staged, 1);
    staged->name = g_strdup(name);
    staged->path = g_build_filename(staging->hidden, name, NULL);
    staged->replaces = overwrite && look_at(staging->folder_fd, name, &staged->older);
    g_ptr_array_add(staging->staged, staged);
    g_ptr_array_add(staging->names, staged->name);
    return staged->path;
}

const GPtrArray *staging_names(const struct staging *staging)
{
    return staging->names;
}

static bool is_without_links(int reason)
{
    return reason == EPERM || reason == ENOTSUP || reason == ENOSYS || reason == EMLINK;
}

// Whether what has the name now is what had it when the output was added.
static bool is_as_found(const struct staging *staging, const struct staged *staged)
{
    struct stat now;
    if (!look_at(staging->folder_fd, staged->name, &now))
        return !staged->replaces;
    return staged->replaces && same_file(&now, &staged->older);
}

// Keeps the older output, and puts the new one in its place.
static bool replace(const struct staging *staging, const struct staged *staged)
{
    g_autofree char *older = g_build_filename(OLDER, staged->name, NULL);
    g_autofree char *fresh = g_build_filename(LINKS, staged->name, NULL);
    int hidden = staging->hidden_fd;
    if ((mkdirat(hidden, OLDER, 0700) != 0 && errno != EEXIST) ||
        (mkdirat(hidden, LINKS, 0700) != 0 && errno != EEXIST) ||
        linkat(staging->folder_fd, staged->name, hidden, older, 0) != 0 ||
        linkat(hidden, staged->name, hidden, fresh, 0) != 0)
        return false;
    return renameat(hidden, fresh, staging->folder_fd, staged->name) == 0;
}

// What came there meanwhile is no other output if it has our bytes.
static bool is_same_output(const struct staging *staging, const struct staged *staged)
{
    g_autofree char *target = g_build_filename(staging->folder, staged->name, NULL);
    g_autoptr(GMappedFile) ours = g_mapped_file_new(staged->path, FALSE, NULL);
    g_autoptr(GMappedFile) there = g_mapped_file_new(target, FALSE, NULL);
    return ours != NULL && there != NULL &&
           g_mapped_file_get_length(ours) == g_mapped_file_get_length(there) &&
           (g_mapped_file_get_length(ours) == 0 ||
            memcmp(g_mapped_file_get_contents(ours), g_mapped_file_get_contents(there),
                   g_mapped_file_get_length(ours)) == 0);
}

static bool give_name(const struct staging *staging, const struct staged *staged, GError **error)
{
    int folder = staging->folder_fd, hidden = staging->hidden_fd;
    const char *name = staged->name;
    bool given = false;
    errno = EEXIST;
    if (is_as_found(staging, staged))
        given = staged->replaces ? replace(staging, staged)
                                 : linkat(hidden, name, folder, name, 0) == 0;
    if (given || (errno == EEXIST && is_same_output(staging, staged)))
        return true;
    g_autofree char *target = g_build_filename(staging->folder, name, NULL);
    if (errno == EEXIST) {
        io_error_set(error, IO_ERROR_EXISTS, target, "exists already (--force overwrites)");
        return false;
    }
    return (is_without_links(errno) && renameat(hidden, name, folder, name) == 0) ||
           fail(target, error);
}

static bool sync_folder(int folder)
{
    int status;
    do
        status = fsync(folder);
    while (status != 0 && errno == EINTR);
    // Some file systems cannot sync a folder and say so.
    return status == 0 || errno == EINVAL || errno == ENOTSUP;
}

bool staging_commit(struct staging *staging, GError **error)
{
    for (guint i = 0; i < staging->staged->len; i++)
        if (!give_name(staging, staging->staged->pdata[i], error))
            return false;
    g_autofree char *done = g_strconcat(staging->hidden_name, DONE, NULL);
    // From the new name of the hidden folder on, nothing is taken back.
    if (!sync_folder(staging->folder_fd) ||
        renameat(staging->folder_fd, staging->hidden_name, staging->folder_fd, done) != 0)
        return fail(staging->folder, error);
    g_free(staging->hidden_name);
    staging->hidden_name = g_steal_pointer(&done);
    staging->committed = true;
    return true;
}

void staging_propagate(const struct staging *staging, GError **error, GError *problem)
{
    g_autofree char *hidden = g_path_get_basename(staging->hidden);
    g_autofree char *part = g_strconcat(hidden, "/", NULL);
    g_autoptr(GString) message = g_string_new(problem->message);
    g_string_replace(message, part, "", 0);
    g_set_error_literal(error, problem->domain, problem->code, message->str);
    g_error_free(problem);
}

void staging_free(struct staging *staging)
{
    if (staging == NULL)
        return;
    if (staging->hidden_name != NULL)
        remove_hidden(staging->folder_fd, staging->hidden_name, staging->committed);
    if (staging->hidden_fd >= 0)
        close(staging->hidden_fd);
    if (staging->folder_fd >= 0)
        close(staging->folder_fd);
    // Folders that were made for nothing; those that others use by now are not empty.
    for (guint i = staging->made->len; i > 0 && !staging->committed; i--)
        rmdir(g_ptr_array_index(staging->made, i - 1));
    g_free(staging->folder);
    g_free(staging->hidden);
    g_free(staging->hidden_name);
    g_ptr_array_unref(staging->made);
    g_ptr_array_unref(staging->names);
    g_ptr_array_unref(staging->staged);
    g_free(staging);
}
