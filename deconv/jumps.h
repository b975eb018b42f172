// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/** A change of level, of one sample or of several neighbours of one sign taken together. */
struct jump {
    double place; // in samples: u[place] is after it; the mean of its parts, weighted by their size
    double size;  // of the level
};

/**
 * The jumps of u, n samples; neighbours of one sign are one: an onset between two samples is drawn
 * as two steps. Returns how many; room for n - 1.
 */
size_t jumps_merge(const double *u, size_t n, struct jump *jumps);

/** The sample at which a jump is put: its place rounded, and within 1 .. n - 1. */
size_t jumps_sample(const struct jump *jump, size_t n);
