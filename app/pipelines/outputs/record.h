// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/outputs/input_file.h"
#include "app/pipelines/outputs/outcome.h"

#include <glib.h>
#include <stdbool.h>

/**
 * The done-record of a unit of work, `STEM.taut.json` beside its outputs: what it was made from
 * (files with size, time and SHA-256; settings; version) and what was made. It is published twice:
 * as "started" before the outputs take their names, as "done" after. What has no matching "done"
 * is not done.
 */
struct record {
    const char *folder;          // borrowed, as all
    const char *stem;            //
    const char *settings_sha256; //
    const GPtrArray *inputs;     // of struct input_file
};

/** The name of the record of a unit. Owned. */
char *record_name(const char *stem);

/**
 * Publishes the record. sha256: one an input, NULL where it was not read; outputs: names; outcome:
 * of the series, or NULL.
 * Error: IO_ERROR_OUTPUT.
 */
bool record_write(const struct record *record, bool done, char *const *sha256,
                  const GPtrArray *outputs, const struct outcome *outcome, GError **error);

/** The names of outputs that a record has; none where there is no record. Owned. */
GPtrArray *record_outputs(const struct record *record);

/** Whether a record says that outputs were begun and not finished. */
bool record_is_unfinished(const struct record *record);

/** Whether a record of any kind is there: then outputs beside it are ours to replace. */
bool record_exists(const struct record *record);

/**
 * Whether a record says that this very unit is done: same version, settings and inputs, all of
 * these outputs there. Inputs of another time but the same size are compared by their SHA-256.
 */
bool record_is_current(const struct record *record, const GPtrArray *outputs);
