// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/**
 * The sum of n samples: eight partial sums side by side, since one would be a chain of dependent
 * additions, in an order that depends on n alone.
 */
static inline double sum_of(const double *y, size_t n)
{
    enum { LANES = 8 };
    double sum[LANES] = {0.0}, rest = 0.0;
    size_t t = 0;
    for (; t + LANES <= n; t += LANES)
        for (size_t i = 0; i < LANES; i++)
            sum[i] += y[t + i];
    for (; t < n; t++)
        rest += y[t];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7])) + rest;
}

/** The sum of the squares of n samples less their mean `shift`, in the same way. */
static inline double sum_of_squares(const double *y, size_t n, double shift)
{
    enum { LANES = 8 };
    double sum[LANES] = {0.0}, rest = 0.0;
    size_t t = 0;
    for (; t + LANES <= n; t += LANES)
        for (size_t i = 0; i < LANES; i++)
            sum[i] += (y[t + i] - shift) * (y[t + i] - shift);
    for (; t < n; t++)
        rest += (y[t] - shift) * (y[t] - shift);
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7])) + rest;
}
