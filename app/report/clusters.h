// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

/** Voxels that touch one another, by faces, edges or corners. */
struct cluster {
    size_t n_voxels;
    size_t peak; // voxel of the grid with the largest value; the lowest index among equals
};

/**
 * Finds the clusters of the voxels where `inside` (one byte a voxel) is non-zero, the largest
 * first, and the one that begins first among equals. Returns how many there are; `clusters` gets
 * at most `most` of them.
 */
size_t clusters_find(const struct image_grid *grid, const uint8_t *inside, const float *values,
                     struct cluster *clusters, size_t most);
