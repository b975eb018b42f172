// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/app_error.h"
#include "io/io_context.h"
#include "solvers/parallel.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum host_line {
    HOST_DETAIL,  // for those who ask for more
    HOST_INFO,    //
    HOST_WARNING, // always shown, unless the job is refused
    HOST_ERROR,   // at once
};

/**
 * Where a job's words go: an implementation embeds it as its first member. Jobs call the functions
 * below instead. Only `progress` may be called from several threads.
 */
struct host_say {
    void (*line)(struct host_say *self, enum host_line kind, const char *text);
    /** Whether inputs may still be refused: until they may not, lines are held back. */
    void (*hold)(struct host_say *self, bool held);
    /** A stage of work begins ("read", "solve"), or, NULL, ends. */
    void (*stage)(struct host_say *self, const char *name);
    void (*progress)(struct host_say *self, double fraction);
    /** A number to be shown beside the progress. */
    void (*value)(struct host_say *self, const char *name, double value);
};

/** What a job needs of whoever runs it; it does not change while jobs run. */
struct host {
    struct io_context io;    // runs on the team, stops by the signal, draws progress
    struct parallel *team;   // borrowed; `jobs` threads
    const atomic_bool *stop; // borrowed; set by the first signal
    size_t jobs;             // threads
    size_t mem_limit;        // bytes that this process may ask for
    bool force;              // outputs that are there may be overwritten
    bool paranoid;           // what is done is hashed again before it is skipped
    struct host_say *say;    // borrowed; NULL: nobody listens
};

/** Whether a signal asks to stop; if so sets APP_ERROR_STOPPED. */
bool host_stopped(const struct host *host, GError **error);

/**
 * Whether a file may be written: its folder can be written into, and it is not there, or `replaces`
 * or host->force allow it to go. Errors: APP_ERROR_OUTPUT, IO_ERROR_EXISTS.
 */
bool host_check_output(const struct host *host, const char *path, bool replaces, GError **error);

/** A line for those who ask for more. */
void host_detail(const struct host *host, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** A line of how it went. */
void host_info(const struct host *host, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** What the user should know of the result. */
void host_warning(const struct host *host, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** What went wrong with one of several jobs; drops lines that are held back. */
void host_error(const struct host *host, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** From now on lines are held back: the job may still be refused. */
void host_hold(const struct host *host);
/** The inputs are good: what is held is told, and what comes from now on at once. */
void host_accept(const struct host *host);

/** Begins a stage of work: "read", "solve", "write". */
void host_progress_begin(const struct host *host, const char *stage);
/** The fraction done, 0..1, of the stage; from any thread, as often as one likes. */
void host_progress(const struct host *host, double fraction);
/** A number beside it, "loss 0.0171"; of a stage that runs on one thread. */
void host_progress_value(const struct host *host, const char *name, double value);
void host_progress_end(const struct host *host);
