// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"
#include "solvers/workspace.h"

#include <glib.h>
#include <stdbool.h>

/** One second-order section: y_t = b0 x_t + b1 x_{t-1} + b2 x_{t-2} - a1 y_{t-1} - a2 y_{t-2}. */
struct biquad {
    double b0, b1, b2;
    double a1, a2;
    double start1, start2; // state in which a constant 1 at the filter's input finds the section
};

enum { BUTTERWORTH_ORDER = 5, BUTTERWORTH_MAX_SECTIONS = 5 };

/** A Butterworth filter of order 5; a band-pass has 10 poles. */
struct butterworth {
    size_t n_sections;
    size_t n_padding; // samples that butterworth_apply adds at either end
    struct biquad sections[BUTTERWORTH_MAX_SECTIONS];
};

/**
 * Designs a filter by the bilinear transform of the analog prototype, with edges as fractions of
 * half the sampling rate, 0 < edge < 1: low > 0 is the edge of a high-pass, high > 0 that of a
 * low-pass, both (low < high) those of a band-pass.
 */
struct butterworth butterworth_design(double low, double high);

/**
 * Filters every series in place, forward and backward, so that no phase remains.
 *
 * Series are extended at both ends by n_padding samples reflected through the end point, and the
 * sections start as if the first sample had always been there (Gustafsson 1996; what scipy's
 * sosfiltfilt does by default). Needs n_time > n_padding. Every series has the same bytes whatever
 * its place in the block.
 */
void butterworth_apply(const struct butterworth *filter, struct block *y, struct workspace *ws);
