// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "app/log.h"

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stddef.h>

/** What `taut` ends with; fixed, scripts rely on it. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_PARTIAL = 1, // some units failed, all the others were done
    EXIT_USAGE = 2,   // wrong usage or configuration
    EXIT_INPUT = 3,   // an input is absent, unreadable or invalid
    EXIT_OUTPUT = 4,  // an output cannot be written, or exists and --force is absent
    EXIT_STRICT = 5,  // --strict, and a series missed its tolerance
    EXIT_SIGINT = 130,
    EXIT_SIGTERM = 143,
};

/** What every command has: the options of all commands, threads, files, log. */
struct app {
    bool quiet;
    bool verbose;
    bool json;                // one JSON object on stdout, nothing else
    struct host host;         // what jobs are given; its team is owned, its `say` is the log
    struct log *log;          // owned
    enum exit_status outcome; // of a command that returns true: EXIT_DONE, _PARTIAL or _STRICT
};

/**
 * A command. argv[0] is its name. False with an error where it could not be done; true where it
 * was, with app->outcome telling of parts that were not.
 */
struct command {
    const char *name;
    const char *arguments; // for the usage line: "BOLD -o DIR"
    const char *summary;   // one line
    bool (*run)(struct app *app, const struct command *self, int argc, char **argv, GError **error);
};

struct options;
struct option_table;

/**
 * Reads options and arguments: those of a table are checked and put into `values`, a struct of its
 * kind (or NULL) that points into what is returned; those of every command go to app. Then starts
 * the log and the threads. Owned, NULL on error. Errors: APP_ERROR_USAGE, APP_ERROR_CONFIG,
 * APP_ERROR_INPUT, APP_ERROR_OUTPUT (log file), APP_ERROR_HELP (--help was given).
 */
struct options *app_options(struct app *app, const struct command *self,
                            const struct option_table *table, void *values, int argc, char **argv,
                            GError **error);

/** Releases what app_options made; app itself is the caller's. */
void app_clear(struct app *app);

/**
 * A part of a line of results that holds names or other text from outside: what is not printable in
 * them is escaped (text_escape), a newline at the very end excepted.
 */
void app_tell(const char *format, ...) G_GNUC_PRINTF(1, 2);

/** Prints a text to stdout; takes it. */
void app_print(char *text);

/** Prints an object to stdout, on one line; takes it. */
void app_print_json(JsonObject *object);

bool cmd_bench(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_deconv(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_run(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_solve(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_config(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_convert(struct app *app, const struct command *self, int argc, char **argv,
                 GError **error);
bool cmd_deconv(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_denoise(struct app *app, const struct command *self, int argc, char **argv,
                 GError **error);
bool cmd_hrf(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_info(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_simulate(struct app *app, const struct command *self, int argc, char **argv,
                  GError **error);
bool cmd_demo(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_report(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_sources(struct app *app, const struct command *self, int argc, char **argv,
                 GError **error);
bool cmd_train(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_apply(struct app *app, const struct command *self, int argc, char **argv, GError **error);
bool cmd_reproduce(struct app *app, const struct command *self, int argc, char **argv,
                   GError **error);
