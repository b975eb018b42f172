// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/run/run.h"

/**
 * The done-record of a run, `STEM.taut.json` beside its outputs: what it was made from (files with
 * size, time and SHA-256; settings; version) and what was made. It is published twice: as "started"
 * before the outputs take their names, as "done" after. What has no matching "done" is not done.
 */

/** The name of the record of a run. Owned. */
char *record_name(const char *stem);

/** Publishes the record. Error: IO_ERROR_OUTPUT. */
bool record_write(const struct run *run, bool done, const GPtrArray *outputs, GError **error);

/** Whether a record says that outputs were begun and not finished. */
bool record_is_unfinished(const struct run *run);

/** Whether a record of any kind is there: then outputs beside it are ours to replace. */
bool record_exists(const struct run *run);

/**
 * Whether a record says that this very run is done: same version, settings and inputs, all outputs
 * there. Inputs of another time but the same size are compared by their SHA-256.
 */
bool record_is_current(const struct run *run);
