// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/** The median of n >= 1 finite numbers, whose order is changed; for even n the mean of two. */
double median(double *values, size_t n);
