// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tests/check.h"

#include "io/io_context.h"
#include "solvers/parallel.h"

#include <glib/gstdio.h>
#include <string.h>

// Files of a test live in a folder of its own.

static inline char *temporary_folder(void)
{
    char *folder = g_dir_make_tmp("taut-test-XXXXXX", NULL);
    assert_non_null(folder);
    return folder;
}

/** Removes a folder and what is in it, and frees its name. */
static inline void remove_folder(char *folder)
{
    GDir *entries = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(entries); name != NULL;
         name = g_dir_read_name(entries)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_remove(path) != 0)
            print_error("cannot remove %s\n", path);
    }
    g_dir_close(entries);
    g_rmdir(folder);
    g_free(folder);
}

/** Writes a file of the folder; its path is to be freed. */
static inline char *write_file(const char *folder, const char *name, const void *bytes, size_t n)
{
    char *path = g_build_filename(folder, name, NULL);
    assert_true(g_file_set_contents(path, bytes, (gssize) n, NULL));
    return path;
}

/** Names in a folder. */
static inline size_t count_files(const char *folder)
{
    size_t n = 0;
    GDir *entries = g_dir_open(folder, 0, NULL);
    while (g_dir_read_name(entries) != NULL)
        n++;
    g_dir_close(entries);
    return n;
}

// A team of threads for an io_context.

struct team_call {
    void (*body)(void *data, size_t i);
    void *data;
};

static inline void team_body(void *data, size_t index, struct workspace *ws)
{
    (void) ws;
    const struct team_call *call = data;
    call->body(call->data, index);
}

static inline bool team_run(void *team, size_t n, void (*body)(void *data, size_t i), void *data)
{
    struct team_call call = {body, data};
    return parallel_for(team, n, team_body, &call);
}

/** A context that works on a team; free it with parallel_free(io.team). */
static inline struct io_context team_context(size_t n_threads)
{
    struct io_context io = io_context_default();
    io.team = parallel_new(n_threads, NULL);
    io.run = team_run;
    io.n_threads = n_threads;
    return io;
}

/** Fails unless the error is of this code and its message has `part`; clears it. */
static inline void check_error(GError **error, int code, const char *part, const char *file,
                               int line)
{
    if (*error == NULL || (*error)->domain != IO_ERROR || (*error)->code != code ||
        strstr((*error)->message, part) == NULL) {
        print_error("expected error %d with \"%s\", found %d \"%s\"\n", code, part,
                    *error == NULL ? -1 : (*error)->code, *error == NULL ? "" : (*error)->message);
        _fail(file, line);
    }
    g_clear_error(error);
}

#define assert_io_error(error, code, part) check_error((error), (code), (part), __FILE__, __LINE__)
