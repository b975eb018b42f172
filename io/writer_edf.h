// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

/** What became of the values of a recording in 16 or 24 bits. */
struct edf_rounding {
    size_t n_exact;          // channels whose stored integers are those of the recording
    size_t n_rounded;        // channels whose values were rounded to steps of their range
    double largest_error;    // half a step, at most; relative to the channel's largest value
    size_t n_short_names;    // names that were cut to 16 letters
    size_t n_short_triggers; // trigger channels of which only the low 16 bits were kept
};

/**
 * Writes the samples of a sensor recording with its events as EDF+C, or BDF+C (24 bits) where
 * is_bdf, by the publish protocol. In two passes: one over the samples for their ranges, one that
 * writes; a recording that has not been read is streamed twice.
 *
 * Integers that fit are written as they are, between two ends whose physical values eight
 * characters hold best; other values are rounded to 2^16 or 2^24 steps from the smallest to the
 * largest of their channel. A trigger channel that does not fit 16 bits keeps its low ones, the
 * triggers. Records are as long as divides the recording, near 1 s, and as the eight characters
 * of their duration can tell. Neither the patient nor the time of day is written.
 *
 * Error: IO_ERROR_INPUT where a sample is not finite; _OUTPUT, _EXISTS, _MEMORY, _CANCELLED.
 */
bool writer_edf_write(const char *path, struct recording *recording, bool is_bdf, bool overwrite,
                      const struct io_context *io, struct edf_rounding *rounding, GError **error);
