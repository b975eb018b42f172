// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"
#include "io/tsv.h"

#include <json-glib/json-glib.h>

// What BIDS keeps beside a sensor recording, `ENTITIES_eeg.EXT` (or _meg, _ieeg): its tables
// `ENTITIES_channels.tsv`, ... and `ENTITIES_eeg.json`. Up to the root of the dataset (the folder
// with dataset_description.json) those count too whose entities the recording has; the nearest
// one wins. A recording of another name, STEM.EXT, has STEM_channels.tsv, ... and STEM.json in its
// own folder.

/** The folder and the name of a sibling as this program writes it: "x_eeg.wav", "events" ->
 * "x_events.tsv". To be freed. */
char *siblings_table_path(const char *path, const char *suffix);

/** The path of the table of a recording; NULL: none. To be freed. */
char *siblings_find_table(const char *path, const char *suffix);

/**
 * The JSON side-cars of a recording, merged: of a key that several have the nearest one counts.
 * NULL without an error where there is none.
 */
JsonObject *siblings_json(const char *path, GError **error);

/** A positive number of a side-car; *value is untouched where it has none. */
bool siblings_number(JsonObject *json, const char *name, double *value);

/** The kind that a word in the type column means, in any case ("EEG", "MEGMAG", "TRIG"). */
bool siblings_channel_kind(const char *type, enum channel_kind *kind);

/** The word for a kind. */
const char *siblings_channel_type(enum channel_kind kind);

/**
 * Applies the siblings to a sensor recording: names, types and status of channels, units of those
 * of which the file tells none that is known (else the file's hold, and a contradiction is told),
 * events (instead of those of the file), positions of electrodes, the line frequency. What is
 * malformed is left out with a warning. False: stopped for want of memory.
 */
bool siblings_apply(struct recording *recording, const struct io_context *io, GError **error);
