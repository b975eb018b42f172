// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stddef.h>

/**
 * Sparse sources over a window of time: the rows of X that are not zero. Position position[i] has
 * the n_orient rows of n_time samples from x + i * n_orient * n_time on; positions ascend.
 */
struct source_estimate {
    size_t n_orient; // 1 or 3 columns of the gain a position
    size_t n_time;
    size_t n_active;  // positions in use
    size_t *position; // owned
    double *x;        // owned
};

/** No active position. */
struct source_estimate *source_estimate_new(size_t n_orient, size_t n_time);

/** Room for n_active positions, all zero; what it held is gone. */
void source_estimate_resize(struct source_estimate *estimate, size_t n_active);

/** to = from. */
void source_estimate_copy(const struct source_estimate *from, struct source_estimate *to);

void source_estimate_free(struct source_estimate *estimate);
typedef struct source_estimate owned_source_estimate; // for g_autoptr(owned_source_estimate)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_source_estimate, source_estimate_free)

/** The rows of active position i: n_orient x n_time. */
static inline double *source_estimate_rows(const struct source_estimate *estimate, size_t i)
{
    return estimate->x + i * estimate->n_orient * estimate->n_time;
}

/** ||X_k||_F of active position i. */
double source_estimate_norm(const struct source_estimate *estimate, size_t i);

/** out = M - G X, row-major n_sensors x n_time; gain: column-major; data: row-major. */
void source_estimate_residual(const struct source_estimate *estimate, const double *gain,
                              const double *data, size_t n_sensors, double *out);
