// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/outputs/input_file.h"

#include "app/host/hash.h"

#include <string.h>
#include <sys/stat.h>

static void input_file_free(void *data)
{
    struct input_file *file = data;
    g_free(file->path);
    g_free(file);
}

GPtrArray *input_files_new(void)
{
    return g_ptr_array_new_with_free_func(input_file_free);
}

static gint64 mtime_ns(const struct stat *status)
{
    return (gint64) status->st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) +
           status->st_mtim.tv_nsec;
}

void input_files_add(GPtrArray *files, const char *role, const char *path)
{
    struct input_file *file = g_new0(struct input_file, 1);
    file->role = role;
    file->path = g_strdup(path);
    struct stat status;
    if (stat(path, &status) == 0) {
        file->size = (guint64) status.st_size;
        file->mtime_ns = mtime_ns(&status);
    }
    g_ptr_array_add(files, file);
}

const struct input_file *input_files_find(const GPtrArray *files, const char *role)
{
    for (guint i = 0; i < files->len; i++) {
        const struct input_file *file = g_ptr_array_index(files, i);
        if (strcmp(file->role, role) == 0)
            return file;
    }
    return NULL;
}

char **input_files_sha256(const GPtrArray *files, const struct host *host, GError **error)
{
    g_auto(GStrv) sha256 = g_new0(char *, files->len + 1);
    for (guint i = 0; i < files->len; i++) {
        const struct input_file *file = g_ptr_array_index(files, i);
        sha256[i] = hash_file(file->path, host->stop, error);
        if (sha256[i] == NULL)
            return NULL;
    }
    return g_steal_pointer(&sha256);
}

bool input_file_unchanged(const struct input_file *file, GError **error)
{
    struct stat status;
    bool same = stat(file->path, &status) == 0 && (guint64) status.st_size == file->size &&
                mtime_ns(&status) == file->mtime_ns;
    if (!same)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected it to stay as it is, found it changed while it was read",
                    file->path);
    return same;
}
