// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stddef.h>

/**
 * Cubic splines through n points at the same places, with not-a-knot ends: the third derivative
 * does not jump at the second point and the last but one. Immutable once made.
 */
struct spline;

/** x: n >= 4 rising places, copied. */
struct spline *spline_new(const double *x, size_t n);
void spline_free(struct spline *spline);
typedef struct spline owned_spline; // for g_autoptr(owned_spline)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_spline, spline_free)

/** The slopes at the points of the spline through the values y; y, slopes: n each. */
void spline_slopes(const struct spline *spline, const double *y, double *slopes);

/** The spline at a place between points i and i + 1. */
double spline_value(const struct spline *spline, const double *y, const double *slopes, size_t i,
                    double place);
