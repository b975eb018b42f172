// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"

#include <json-glib/json-glib.h>

/**
 * The JSON object beside an image: `NAME.json` for `NAME.nii` and `NAME.nii.gz`.
 * NULL without an error where there is none.
 */
JsonObject *sidecar_read(const char *image_path, GError **error);

/** NAME.json for NAME.nii, NAME.nii.gz or another NAME.ext, whether it is there or not. To be
 * freed. */
char *sidecar_path(const char *image_path);

/** The JSON object that a file is. */
JsonObject *sidecar_read_file(const char *path, GError **error);

/**
 * The objects of several files as one: of a member that several have, the first one counts. NULL
 * without an error where there are no files.
 */
JsonObject *sidecar_read_merged(const GPtrArray *paths, GError **error);

/**
 * The side-cars of an image, those that count most first: by BIDS inheritance where its name has
 * entities (bids_name.h), else NAME.json beside it. A dangling link is one of them. Owned, of owned
 * paths; empty where there are none.
 */
GPtrArray *sidecar_find(const char *image_path);

/** RepetitionTime in seconds; 0 where absent. Error if it is not a number in (0, 20]. */
bool sidecar_interval(JsonObject *sidecar, double *interval_s, GError **error);

/** Writes an object, pretty-printed, by publish. */
bool sidecar_write(const char *path, JsonObject *object, bool overwrite, GError **error);
