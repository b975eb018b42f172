// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"

/** Grids whose voxels are nearer than this are the same. */
#define VOLUME_TOLERANCE_MM 1e-3

/**
 * Reads a 3-D image on the grid of another: one value a voxel, to be freed. nearest: an image on
 * another grid is led over to this one, each voxel having the value of the nearest voxel there, and
 * NaN where that is outside. warnings: owned lines are added, without the path.
 *
 * Error: IO_ERROR_INPUT naming the file: no image, several frames, other dimensions, or, with the
 * distance in mm, another place.
 */
double *volume_read(const char *path, const char *grid_path, const struct image_grid *grid,
                    bool nearest, GPtrArray *warnings, const struct io_context *io, GError **error);
