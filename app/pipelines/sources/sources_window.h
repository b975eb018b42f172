// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/sources/sources.h"

// What the files share that read a window.

/** Samples from first to last of a part, both included, without a gap. */
struct stretch {
    size_t part;
    size_t first;
    size_t last;
};

/**
 * All stretches between gaps, in the order of parts: of the chosen part and of those that have its
 * channels at its rate. Of struct stretch; owned.
 */
GArray *sources_stretches(const struct sources *sources);

/** A stretch with what a filter needs on both sides of it, as far as `around` has it. */
struct stretch sources_with_margin(const struct sources *sources, const struct stretch *stretch,
                                   const struct stretch *around);

/**
 * Reads the chosen channels of a stretch, filtered: channel i to rows + i * stride. The chosen part
 * stays chosen. Errors: those of recording_read.
 */
bool sources_read_stretch(struct sources *sources, const struct stretch *stretch, double *rows,
                          size_t stride, GError **error);

/**
 * The samples [samples[0], samples[1]) of the window whose times are within an interval, as
 * MNE-Python has it: both ends included, not rounded to the nearest sample. Error: APP_ERROR_USAGE
 * where there are none, or where the interval ends more than a sample outside the window.
 */
bool sources_baseline(const struct sources *sources, const struct interval *given,
                      size_t samples[2], GError **error);

/**
 * The onsets in seconds (of double, owned) of the events that were asked for, and all spans of bad
 * data (of struct event, owned texts). Errors: IO_ERROR, APP_ERROR_USAGE.
 */
bool sources_events(struct sources *sources, GArray *onsets, GArray *spans, GError **error);

/** The parts (of size_t) of a file of epochs that were asked for. Errors: IO_ERROR,
 * APP_ERROR_USAGE.
 */
bool sources_epochs_of_file(struct sources *sources, GArray *parts, GError **error);

/** Averages epochs around events, or those of a file of epochs, into the window. */
bool sources_average_epochs(struct sources *sources, GError **error);
