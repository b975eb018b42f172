// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"

/** A file that a result depends on, as it was when it was first looked at. */
struct input_file {
    const char *role; // "bold", "mask", ...; static
    char *path;       // owned
    guint64 size;
    gint64 mtime_ns;
};

/** A list of owned struct input_file. */
GPtrArray *input_files_new(void);

/** Notes a file with its size and time. */
void input_files_add(GPtrArray *files, const char *role, const char *path);

/** The file of a role; NULL where there is none. */
const struct input_file *input_files_find(const GPtrArray *files, const char *role);

/** The SHA-256 of each. Owned, NULL at the end. Errors: APP_ERROR_INPUT, APP_ERROR_STOPPED. */
char **input_files_sha256(const GPtrArray *files, const struct host *host, GError **error);

/** Whether a file still has its size and time. Error: APP_ERROR_INPUT. */
bool input_file_unchanged(const struct input_file *file, GError **error);
