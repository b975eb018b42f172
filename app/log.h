// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"

#include <glib.h>
#include <stdbool.h>

/**
 * What the user is told while a command works: lines on stderr, also in a file, and progress.
 *
 * A refusal is one line, with no warning beside it. So lines are held back until log_accept says
 * that the inputs are good, and a refusal drops what is held. The file has all of them.
 */
struct log;

/** file: also write there, appending (NULL: no). Error: APP_ERROR_OUTPUT. */
struct log *log_new(bool quiet, bool verbose, const char *file, GError **error);
void log_free(struct log *log);

/** What jobs tell their words to; of the log. */
struct host_say *log_say(struct log *log);

/** Whether the file took every line so far. Error: APP_ERROR_OUTPUT. */
bool log_check_file(const struct log *log, GError **error);

/** A line for those who ask for more (--verbose). */
void log_detail(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** A line that is not shown with --quiet. */
void log_info(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** A line that is always shown, unless the command is refused. */
void log_warning(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** An error, at once; drops what is held. */
void log_error(struct log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** From now on lines are held back (the state of a new log). */
void log_hold(struct log *log);
/** The inputs are good: shows what is held, and what comes from now on at once. */
void log_accept(struct log *log);

/** Begins a stage of work: "read", "solve", "write". */
void log_progress_begin(struct log *log, const char *stage);
/** The fraction done, 0..1, of the stage; from any thread, as often as one likes. */
void log_progress(struct log *log, double fraction);
/** A number that the progress line shows besides, "loss 0.0171"; for a stage that runs on one
 * thread. */
void log_progress_value(struct log *log, const char *name, double value);
/** Clears the progress line; a detail tells how long the stage took. */
void log_progress_end(struct log *log);
