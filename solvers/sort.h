// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/** Puts numbers in ascending order. */
void sort_doubles(double *values, size_t n);
