// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/outputs/staging.h"

#include "app/host/app_error.h"
#include "io/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct staging {
    char *folder;     // owned; where the outputs belong
    char *hidden;     // owned; where they are until then
    GPtrArray *made;  // owned, of owned paths: folders that were not there before, outermost first
    GPtrArray *names; // owned, of owned names
    GPtrArray *paths; // owned, of owned paths in the hidden folder
    bool committed;
};

static bool fail(const char *path, GError **error)
{
    g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot write: %s", path,
                g_strerror(errno));
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

static void remove_folder(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *entry = g_build_filename(path, name, NULL);
        g_unlink(entry);
    }
    if (dir != NULL)
        g_dir_close(dir);
    g_rmdir(path);
}

// Removes the hidden folders of processes of this host that are no more.
static void sweep(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (publish_is_left_over(name) && g_file_test(path, G_FILE_TEST_IS_DIR) &&
            !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            remove_folder(path);
    }
    if (dir != NULL)
        g_dir_close(dir);
}

// Makes a folder and those that it lies in, and notes which were not there.
static bool make_folders(const char *folder, GPtrArray *made, GError **error)
{
    if (g_file_test(folder, G_FILE_TEST_IS_DIR))
        return true;
    g_autofree char *parent = g_path_get_dirname(folder);
    if (strcmp(parent, folder) != 0 && !make_folders(parent, made, error))
        return false;
    if (g_mkdir(folder, 0777) != 0)
        return errno == EEXIST && g_file_test(folder, G_FILE_TEST_IS_DIR) ? true
                                                                          : fail(folder, error);
    g_ptr_array_add(made, g_strdup(folder));
    return true;
}

struct staging *staging_new(const char *folder, GError **error)
{
    g_autoptr(owned_staging) staging = g_new0(struct staging, 1);
    staging->folder = g_strdup(folder);
    staging->made = g_ptr_array_new_with_free_func(g_free);
    staging->names = g_ptr_array_new_with_free_func(g_free);
    staging->paths = g_ptr_array_new_with_free_func(g_free);
    if (!make_folders(folder, staging->made, error))
        return NULL;
    sweep(folder);
    g_autofree char *prefix = publish_temporary_prefix();
    g_autofree char *name = g_strconcat(prefix, "XXXXXX", NULL);
    g_autofree char *template = g_build_filename(folder, name, NULL);
    if (mkdtemp(template) == NULL) {
        fail(folder, error);
        return NULL;
    }
    staging->hidden = g_steal_pointer(&template);
    return g_steal_pointer(&staging);
}

const char *staging_add(struct staging *staging, const char *name)
{
    char *path = g_build_filename(staging->hidden, name, NULL);
    g_ptr_array_add(staging->names, g_strdup(name));
    g_ptr_array_add(staging->paths, path);
    return path;
}

const GPtrArray *staging_names(const struct staging *staging)
{
    return staging->names;
}

static bool sync_folder(const char *folder, GError **error)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return fail(folder, error);
    int status;
    do
        status = fsync(descriptor);
    while (status != 0 && errno == EINTR);
    // Some file systems cannot sync a folder and say so.
    bool synced = status == 0 || errno == EINVAL || errno == ENOTSUP || fail(folder, error);
    close(descriptor);
    return synced;
}

bool staging_commit(struct staging *staging, GError **error)
{
    for (guint i = 0; i < staging->names->len; i++) {
        g_autofree char *target =
            g_build_filename(staging->folder, g_ptr_array_index(staging->names, i), NULL);
        if (g_rename(g_ptr_array_index(staging->paths, i), target) != 0)
            return fail(target, error);
    }
    staging->committed = true;
    return sync_folder(staging->folder, error);
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
    if (staging->hidden != NULL)
        remove_folder(staging->hidden);
    // Folders that were made for nothing; those that others use by now are not empty.
    for (guint i = staging->made->len; i > 0 && !staging->committed; i--)
        g_rmdir(g_ptr_array_index(staging->made, i - 1));
    g_free(staging->folder);
    g_free(staging->hidden);
    g_ptr_array_unref(staging->made);
    g_ptr_array_unref(staging->names);
    g_ptr_array_unref(staging->paths);
    g_free(staging);
}
