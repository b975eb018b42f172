// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/spline.h"

#include <stdbool.h>

// The slopes s solve a tridiagonal system: the second derivative does not jump at inner points,
//   h_i s_{i-1} + 2 (h_{i-1} + h_i) s_i + h_{i-1} s_{i+1} = 3 (h_i d_{i-1} + h_{i-1} d_i),
// h_i = x_{i+1} - x_i, d_i = (y_{i+1} - y_i) / h_i, and the ends are those of de Boor 1978.
struct spline {
    size_t n;
    double *x;     // owned
    double *ratio; // owned; below the diagonal, over the pivot of the row before
    double *pivot; // owned
    double *above; // owned
};

static double step(const struct spline *spline, size_t i)
{
    return spline->x[i + 1] - spline->x[i];
}

struct spline *spline_new(const double *x, size_t n)
{
    g_assert(n >= 4);
    struct spline *spline = g_new0(struct spline, 1);
    spline->n = n;
    spline->x = g_memdup2(x, n * sizeof(double));
    spline->ratio = g_new0(double, n);
    spline->pivot = g_new0(double, n);
    spline->above = g_new0(double, n);
    spline->pivot[0] = step(spline, 1);
    spline->above[0] = x[2] - x[0];
    for (size_t i = 1; i < n; i++) {
        bool is_last = i + 1 == n;
        double below = is_last ? x[n - 1] - x[n - 3] : step(spline, i);
        double diagonal = is_last ? step(spline, n - 3) : 2.0 * (x[i + 1] - x[i - 1]);
        spline->above[i] = is_last ? 0.0 : step(spline, i - 1);
        spline->ratio[i] = below / spline->pivot[i - 1];
        spline->pivot[i] = diagonal - spline->ratio[i] * spline->above[i - 1];
    }
    return spline;
}

void spline_free(struct spline *spline)
{
    if (spline == NULL)
        return;
    g_free(spline->x);
    g_free(spline->ratio);
    g_free(spline->pivot);
    g_free(spline->above);
    g_free(spline);
}

// The right-hand side at an end: `near` is the step at it, `next` the one after.
static double end_side(double near, double next, double near_slope, double next_slope)
{
    double both = near + next;
    return ((near + 2.0 * both) * next * near_slope + near * near * next_slope) / both;
}

void spline_slopes(const struct spline *spline, const double *y, double *slopes)
{
    size_t n = spline->n;
    double h0 = step(spline, 0), h1 = step(spline, 1);
    double d0 = (y[1] - y[0]) / h0, d1 = (y[2] - y[1]) / h1;
    slopes[0] = end_side(h0, h1, d0, d1);
    for (size_t i = 1; i < n; i++) {
        double side = 0.0;
        if (i + 1 < n) {
            h1 = step(spline, i);
            d1 = (y[i + 1] - y[i]) / h1;
            side = 3.0 * (h1 * d0 + h0 * d1);
        } else {
            h1 = step(spline, n - 3);
            side = end_side(h0, h1, d0, (y[n - 2] - y[n - 3]) / h1);
        }
        slopes[i] = side - spline->ratio[i] * slopes[i - 1];
        h0 = h1;
        d0 = d1;
    }
    slopes[n - 1] /= spline->pivot[n - 1];
    for (size_t i = n - 1; i-- > 0;)
        slopes[i] = (slopes[i] - spline->above[i] * slopes[i + 1]) / spline->pivot[i];
}

double spline_value(const struct spline *spline, const double *y, const double *slopes, size_t i,
                    double place)
{
    double h = step(spline, i), t = (place - spline->x[i]) / h, rest = 1.0 - t;
    return rest * rest * ((1.0 + 2.0 * t) * y[i] + t * h * slopes[i]) +
           t * t * ((3.0 - 2.0 * t) * y[i + 1] - rest * h * slopes[i + 1]);
}
