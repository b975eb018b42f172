// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Why a series is no example of activity, as good as its fit may be. */
enum swings_kind {
    SWINGS_NONE,   // nothing of the kind: it goes up and down throughout
    SWINGS_ENDS,   // most of its variation is at the beginning or the end of the run
    SWINGS_SINGLE, // most of it is one swing: a drift or a step that cleaning left
    SWINGS_SPIKE,  // a frame is far from all others
    SWINGS_N_KINDS
};

/**
 * Where a series varies. Shares are of sum (u - mean u)^2, u an activity of n samples.
 *
 * ends    of the first and the last `edge` samples together
 * single  of the largest stretch of samples that are on one side of the mean, or of the largest
 *         stretch of n / 10 samples
 * spike   largest |x - mean x| over the standard deviation of x, the data
 */
struct swings {
    double ends;
    double single;
    double spike;
};

/** x has n_x samples, u has n. A series that does not vary has zeros. */
struct swings swings_measure(const double *u, size_t n, size_t edge, const double *x, size_t n_x);

/** Samples at either end that a transient takes: 12 s, at most a tenth of the run, at least 1. */
size_t swings_edge(size_t n, double tr_s);

/**
 * The first of ends (above .2 and twice what they have in a steady series), single (above .5) and
 * spike (above 7) that holds.
 */
enum swings_kind swings_kind_of(const struct swings *swings, size_t n, size_t edge);
