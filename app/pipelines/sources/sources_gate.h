// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/sources/sources.h"

// What a problem is made of is looked at here, once, before anything is solved. Refused: sensors in
// another unit than their leadfield, references that no projector undoes, another compensation.
// Said: everything that is done to the data on the user's behalf, and what fits badly.

/**
 * Sensors that covariance and forward solution know have the unit of their leadfield (V, T, T/m).
 * Error: IO_ERROR_INPUT, with the names of those that have not.
 */
bool sources_gate_units(const struct sources *sources, GError **error);

/**
 * Compensation grade, reference, place of the head, shared channels and kinds of source spaces of
 * channels that are chosen; orientation where it follows from the source spaces. Errors:
 * IO_ERROR_INPUT, APP_ERROR_USAGE.
 */
bool sources_gate(struct sources *sources, GError **error);

/**
 * The average reference of the chosen EEG channels as one more projection, if the problem needs it.
 * `names`, `vector`: n chosen channels; what is returned borrows them.
 */
bool sources_gate_reference(const struct sources *sources, const struct channel_names *names,
                            double *vector, struct projection *projection);

/** Warns of whitened data that are far from what noise of the covariance makes. */
void sources_gate_scale(const struct sources *sources);
