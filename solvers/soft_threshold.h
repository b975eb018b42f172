// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <math.h>

/** sign(a) max(|a| - t, 0) for t >= 0: the prox of t |.|. NaN where a is. */
static inline double soft_threshold(double a, double t)
{
    double left = fabs(a) - t;
    return left <= 0.0 ? 0.0 : copysign(left, a);
}
