// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/swings.h"

#include <glib.h>
#include <math.h>

static double mean_of(const double *values, size_t n)
{
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum += values[t];
    return n > 0 ? sum / (double) n : 0.0;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static double largest_deviation(const double *x, size_t n)
{
    double mean = mean_of(x, n), low = mean, high = mean, sum2 = 0.0;
    for (size_t t = 0; t < n; t++) {
        sum2 += (x[t] - mean) * (x[t] - mean);
        low = x[t] < low ? x[t] : low;
        high = larger(x[t], high);
    }
    return sum2 > 0.0 ? larger(high - mean, mean - low) * sqrt((double) n / sum2) : 0.0;
}

struct swings swings_measure(const double *u, size_t n, size_t edge, const double *x, size_t n_x)
{
    double mean = mean_of(u, n), total = 0.0, largest = 0.0, stretch = 0.0, before = 0.0;
    double window = 0.0, ends = 0.0;
    size_t width = n / 10;
    for (size_t t = 0; t < n; t++) {
        double deviation = u[t] - mean, square = deviation * deviation;
        stretch = before * deviation <= 0.0 ? square : stretch + square;
        before = deviation;
        window += square;
        if (t >= width)
            window -= (u[t - width] - mean) * (u[t - width] - mean);
        largest = larger(largest, larger(stretch, window));
        total += square;
    }
    for (size_t t = 0; t < n; t++)
        if (t < edge || t + edge >= n)
            ends += (u[t] - mean) * (u[t] - mean);
    // Of a constant, only rounding varies; sums that were taken apart may have rounded up.
    if (!(total > 1e-20 * (double) n * larger(mean * mean, 1e-200)))
        return (struct swings){0.0, 0.0, largest_deviation(x, n_x)};
    return (struct swings){ends / total, fmin(largest / total, 1.0), largest_deviation(x, n_x)};
}

size_t swings_edge(size_t n, double tr_s)
{
    const double transient_s = 12.0;
    size_t edge = (size_t) ceil(fmin(transient_s / tr_s, (double) n));
    return MAX(MIN(edge, n / 10), 1);
}

enum swings_kind swings_kind_of(const struct swings *swings, size_t n, size_t edge)
{
    const double least_ends = 0.2, single = 0.5, spike = 7.0;
    double steady = 2.0 * (double) edge / (double) MAX(n, 1);
    if (swings->ends > fmax(least_ends, 2.0 * steady))
        return SWINGS_ENDS;
    if (swings->single > single)
        return SWINGS_SINGLE;
    return swings->spike > spike ? SWINGS_SPIKE : SWINGS_NONE;
}
