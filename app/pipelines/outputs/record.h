// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/outputs/input_file.h"
#include "app/pipelines/outputs/outcome.h"

#include <glib.h>
#include <stdbool.h>

/**
 * The done-record of a unit of work, `STEM.taut.json` beside its outputs: what it was made from
 * (files with size, time and SHA-256; settings; version) and what was made (names, sizes, times,
 * SHA-256). It takes its name after the outputs. What has no matching "done" is not done.
 */
struct record {
    const char *folder;          // borrowed, as all
    const char *stem;            //
    const char *settings_sha256; //
    const GPtrArray *inputs;     // of struct input_file
};

/** The name of the record of a unit. Owned. */
char *record_name(const char *stem);

/** What a record is to say, beside what the unit is made from. */
struct record_end {
    char *const *sha256;           // one an input
    const char *where;             // the folder in which the outputs are now
    const GPtrArray *outputs;      // names
    const struct outcome *outcome; // of the series, or NULL
};

/**
 * Writes the record at a path. end->where NULL: the unit is started, its outputs are to come.
 * Hashes the outputs on the threads of the host. Errors: IO_ERROR_OUTPUT, APP_ERROR_INPUT.
 */
bool record_write(const struct record *record, const char *path, const struct record_end *end,
                  const struct host *host, GError **error);

/** Where the record of a unit stands. Owned. */
char *record_path(const struct record *record);

/** The names of outputs that a record has; none where there is no record. Owned. */
GPtrArray *record_outputs(const struct record *record);

/** Whether a record of any kind is there: then outputs beside it are ours to replace. */
bool record_exists(const struct record *record);

/**
 * Whether a record says that this very unit is done: same version, settings and inputs, all of
 * these outputs there, and those of the record, pages excepted, as they were written. Compared by
 * their SHA-256 are inputs of another time but the same size, outputs that were written to after
 * the record was, and with host->paranoid all.
 */
bool record_is_current(const struct record *record, const GPtrArray *outputs,
                       const struct host *host);
