// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>
#include <stdint.h>

/** What a mask was made from. */
enum automask_basis {
    AUTOMASK_MEAN,          // the mean over time: the brain is brighter than what is around it
    AUTOMASK_NO_MEAN,       // the mean is small beside the standard deviation, as of z-scores
    AUTOMASK_NO_BACKGROUND, // nothing is much darker than the rest: the grid is full of brain
};

/** What is known of each voxel of a grid; all borrowed. */
struct automask_input {
    const size_t *dim;     // 3, the first index fastest
    const double *mean;    // over time
    const double *sd;      // over time
    const uint8_t *varies; // 0 or 1
};

/**
 * The brain in an echo-planar image (after compute_epi_mask of nilearn).
 *
 * The threshold lies in the middle of the largest step between the quantiles 0.2 and 0.85 of the
 * sorted means. What is above it is eroded twice, its largest connected part is kept, dilated four
 * times and eroded twice; series that do not vary are then left out. The edge of the grid wears
 * nothing off, and where nothing survives, erosion is left out. A mean that is not finite is taken
 * from its neighbours.
 *
 * Where the mean says nothing of a brain, all that varies is inside. That is so where half of the
 * voxels that vary have a mean below their standard deviation (noise of a magnitude image has 1.9
 * times that), and where what is below the threshold has a mean above half of what is above it
 * (beside a head it has a tenth).
 *
 * mask: out, one byte a voxel; basis: out. Returns how many voxels are inside.
 */
size_t automask(const struct automask_input *input, uint8_t *mask, enum automask_basis *basis);
