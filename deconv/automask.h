// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * The brain in an echo-planar image, from its mean over time (after compute_epi_mask of nilearn).
 *
 * The threshold lies in the middle of the largest step between the quantiles 0.2 and 0.85 of the
 * sorted means. What is above it is eroded twice, its largest connected part is kept, dilated four
 * times and eroded twice; series that do not vary are then left out. The edge of the grid wears
 * nothing off, and where nothing survives, erosion is left out.
 *
 * mean, varies (0 or 1), mask (out): dim[0] x dim[1] x dim[2], the first index fastest. A mean that
 * is not finite is taken from its neighbours. Returns how many voxels are inside.
 */
size_t automask(const double *mean, const uint8_t *varies, const size_t dim[3], uint8_t *mask);
