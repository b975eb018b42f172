// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * The mask that n values of an image mean: what is above the threshold is inside; without one (NaN)
 * what is not zero. What is not finite is outside. Returns how many are inside.
 */
size_t mask_of_values(const double *values, size_t n, double threshold, uint8_t *mask);

/**
 * NULL where the values of an image are a mask's, 0 and one other number, or labels, whole numbers;
 * else what they are: "64 distinct values from 0 to 1 (0, 0.1, ...)". Owned.
 */
char *mask_doubt(const double *values, size_t n);
