// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** What io/ is lent by its caller: it starts no threads and prints nothing itself. */
struct io_context {
    /** Bytes that this process may ask for; what an input needs is compared before allocating. */
    size_t mem_limit;

    /** gzip level of what is written, 0..3. */
    int compression;

    /**
     * Calls body(data, i) once for every i < n, on as many threads as there are; false if it was
     * stopped. NULL: one after the other on the calling thread.
     */
    bool (*run)(void *team, size_t n, void (*body)(void *data, size_t i), void *data);
    void *team;
    size_t n_threads; // of the team, at least 1: how many items to prepare at a time

    /** Told the fraction done, now and then, on the calling thread; false: stop. May be NULL. */
    bool (*go_on)(void *progress, double fraction);
    void *progress;
};

/** No limit of memory, level 1, one thread, nobody to tell. */
struct io_context io_context_default(void);

enum io_error {
    IO_ERROR_INPUT,     // absent, unreadable or invalid
    IO_ERROR_MEMORY,    // valid, but it needs more than mem_limit
    IO_ERROR_OUTPUT,    // cannot be written
    IO_ERROR_EXISTS,    // there already, and not to be overwritten
    IO_ERROR_CANCELLED, // go_on or run said stop
};
#define IO_ERROR (io_error_quark())
GQuark io_error_quark(void);

/** Sets `PATH: MESSAGE`, the path made printable (text_escape). */
void io_error_set(GError **error, enum io_error code, const char *path, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/** Sets IO_ERROR_CANCELLED `PATH: stopped`: the caller did not want to go on. Returns false. */
bool io_error_stopped(GError **error, const char *path);

/**
 * Notes a warning of a file, which is taken, once. After a hundred one more says that others are
 * left out: a broken file may have as many as it has bytes.
 */
void io_warnings_add(GPtrArray *warnings, char *text);

/** io->run, or a plain loop where it is NULL. */
bool io_context_run(const struct io_context *io, size_t n, void (*body)(void *data, size_t i),
                    void *data);

/** Whether the caller wants to go on; tells it the fraction done. */
bool io_context_go_on(const struct io_context *io, double fraction);

/**
 * n * size bytes, not cleared, or NULL and IO_ERROR_MEMORY `PATH: needs ...` where that is above
 * io->mem_limit or not to be had. n = 0 gives a pointer that may be freed.
 */
void *io_context_alloc(const struct io_context *io, const char *path, size_t n, size_t size,
                       GError **error);
