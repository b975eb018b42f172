// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/source_estimate.h"

/**
 * Data M = U S V' in the coordinates U S of its own time courses. The mixed norm does not change
 * under a rotation of time, so that X' solves the problem with data U S where X = X' V' solves the
 * one with M, with the same objective and gap.
 */
struct time_reduction {
    size_t n_sensors;
    size_t n_time;   // of M
    size_t rank;     // columns kept: those with s > 1e-12 s_1; at least 1
    double *data;    // owned; U S, row-major n_sensors x rank
    double *courses; // owned; V', row-major rank x n_time
};

/**
 * data: row-major n_sensors x n_time. Where that leaves all columns anyway, M is kept as it is and
 * courses is NULL.
 */
struct time_reduction *time_reduction_new(const double *data, size_t n_sensors, size_t n_time);
void time_reduction_free(struct time_reduction *reduction);
typedef struct time_reduction owned_time_reduction; // for g_autoptr(owned_time_reduction)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_time_reduction, time_reduction_free)

/** expanded = reduced V'. */
void time_reduction_expand(const struct time_reduction *reduction,
                           const struct source_estimate *reduced, struct source_estimate *expanded);
