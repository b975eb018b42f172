// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

#include <json-glib/json-glib.h>

/**
 * The events of the trigger channel of a sensor recording, of struct event; none where there is no
 * such channel. Owned. Errors: those of recording_read.
 */
GArray *info_sensors_codes(struct recording *recording, const struct io_context *io,
                           GError **error);

/** Lines that say what a sensor recording holds: channels, rates, filters, events, projectors;
 * codes are sorted. */
void info_sensors_print(const struct recording *recording, GArray *codes);

/** The same as members of an object, with every channel and event, and every code counted. */
void info_sensors_json(const struct recording *recording, GArray *codes, JsonObject *object);

/** A line for each struct projector, and an array of objects. */
void info_projectors_print(const GPtrArray *projectors);
JsonArray *info_projectors_json(const GPtrArray *projectors);

/**
 * recording_scan of every part; counts are of all of them, and extremes, which have no one unit,
 * are left out (NaN). The chosen part is chosen again.
 */
bool info_sensors_scan(struct recording *recording, struct recording_summary *summary,
                       const struct io_context *io, GError **error);
