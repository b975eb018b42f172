// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/** The median of n finite numbers, whose order is changed: for even n the mean of two, NaN of none.
 */
double median(double *values, size_t n);
