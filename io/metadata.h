// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

#include <json-glib/json-glib.h>

/** A repetition time outside of these is taken for one in another unit. */
#define SHORTEST_TR_S 0.05
#define LONGEST_TR_S  LONGEST_INTERVAL_S

/** What is known of a run beside its samples: the one gate through which it comes in. */
struct metadata {
    JsonObject *json;    // owned; of the side-cars, merged; NULL where there is none
    GPtrArray *sidecars; // owned, of owned paths, the one that counts most first
    double tr_s;         //
    const char *source;  // of tr_s: "option", "sidecar" or "header"
    GPtrArray *warnings; // owned, of owned lines, without the path
};

/**
 * Gathers it. sidecar: a path, or NULL for those that belong to the recording (sidecar_find).
 * given_tr_s: a repetition time that rules, or 0.
 *
 * The repetition time is the given one, else RepetitionTime or equal steps of VolumeTiming in the
 * side-cars, else the header's; one that disagrees with it by more than 1 ms is warned of, and so
 * is a header's of exactly 1 s, which many programs write for want of a better one. Without a given
 * one, what is wrong is an error: a side-car that cannot be read, a time below 50 ms or above 20 s,
 * frames at unequal distances; with one, a warning.
 *
 * Error: IO_ERROR_INPUT, naming the file.
 */
struct metadata *metadata_new(const struct recording *recording, const char *sidecar,
                              double given_tr_s, GError **error);
void metadata_free(struct metadata *metadata);
typedef struct metadata owned_metadata; // for g_autoptr(owned_metadata)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_metadata, metadata_free)

/**
 * Copies into the side-car of an image of the same run what a reader of it expects: times of slices
 * and echoes, field and flip angle, never text that may name a person. n_skipped frames at the
 * beginning are not in that image: StartTime is that much later, and
 * NumberOfVolumesDiscardedByUser that much larger. metadata may be without any side-car.
 */
void metadata_carry(const struct metadata *metadata, size_t n_skipped, JsonObject *to);
