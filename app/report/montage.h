// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/report/picture.h"
#include "io/recording.h"

#include <stdbool.h>

/** Which way slices are cut; the number is the turned axis that they stand on. */
enum montage_plane { MONTAGE_SAGITTAL, MONTAGE_CORONAL, MONTAGE_AXIAL };

/**
 * Slices of a grid, cut to what is inside.
 *
 * Voxel axes are turned to the nearest of right, anterior, superior by the affine. Axial and
 * coronal slices have the subject's left at the left, sagittal ones have posterior there; the top
 * is anterior (axial) or superior. Without a usable affine axes stay as stored.
 */
struct montage {
    const struct image_grid *grid; // borrowed
    enum montage_plane plane;
    size_t across, up;      // turned axes of the picture
    size_t axis[3];         // voxel axis that runs to the right, to the front, upwards
    bool flipped[3];        // whether it runs the other way
    size_t low[3], high[3]; // first and one past the last voxel shown, on turned axes
    size_t n_slices;        //
    size_t *slices;         // owned; on the turned axis of the plane, ascending
    bool oriented;          // left and right are known
};

/**
 * The voxel axis nearest to each of right, anterior, superior, and whether it runs the other way;
 * as stored where the affine is not usable.
 */
void montage_axes(const struct image_grid *grid, size_t axis[3], bool flipped[3]);

/**
 * Lays out at most max_slices slices, evenly of those where inside (one byte a voxel) is non-zero
 * somewhere; the whole grid if there is none.
 */
struct montage *montage_new(const struct image_grid *grid, const uint8_t *inside,
                            enum montage_plane plane, size_t max_slices);
void montage_free(struct montage *montage);
typedef struct montage owned_montage; // for g_autoptr(owned_montage)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_montage, montage_free)

/** Voxels across and down a slice, and their size in mm. */
void montage_tile(const struct montage *montage, size_t size[2], double voxel_mm[2]);

/** The picture of slice s of a volume of palette indices on the grid. */
struct picture *montage_draw(const struct montage *montage, size_t s, const uint8_t *indices);

/** Where slice s stands in mm: right, anterior or superior, at the middle of the grid. */
double montage_slice_mm(const struct montage *montage, size_t s);
