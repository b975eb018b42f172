// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tests/check.h"

#include "sources/mixed_norm.h"

/** A random problem; neighbouring columns are alike, as those of a leadfield are. */
struct made {
    struct mixed_norm_input input;
    double *gain, *data;
};

static inline struct made make(guint32 seed, size_t n_sensors, size_t n_positions, size_t n_orient,
                               size_t n_time)
{
    GRand *rand = g_rand_new_with_seed(seed);
    size_t n_columns = n_positions * n_orient;
    struct made made = {.gain = g_new(double, n_sensors *n_columns),
                        .data = g_new(double, n_sensors *n_time)};
    fill_normal(rand, made.gain, n_sensors * n_columns);
    for (size_t i = n_orient * n_sensors; i < n_sensors * n_columns; i++)
        made.gain[i] = 0.9 * made.gain[i - n_orient * n_sensors] + 0.4 * made.gain[i];
    fill_normal(rand, made.data, n_sensors * n_time);
    g_rand_free(rand);
    made.input =
        (struct mixed_norm_input){made.gain, made.data, n_sensors, n_positions, n_orient, n_time};
    return made;
}

static inline void drop(struct made *made)
{
    g_free(made->gain);
    g_free(made->data);
}
