// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/whiten.h"

#include <stdint.h>

/** The columns of a position. */
enum source_orientation {
    ORIENTATION_FIXED, // one, along the normal of the cortex
    ORIENTATION_LOOSE, // three: two tangents, less likely, and the normal
    ORIENTATION_FREE,  // three: x, y, z
};

/** Points of one source space, in head frame, of which some are sources. Borrowed. */
struct source_points {
    size_t n_points;
    const double *normals; // n_points x 3; NULL where there are none (a volume)
    size_t n_sources;
    const size_t *vertex;   // points that are sources, ascending
    const int32_t *nearest; // of each point the source nearest to it; NULL where it is not told
};

/**
 * Normals (n_sources x 3, unit) of the sources of a space: with `nearest`, that of their patch, the
 * normalised sum over the points that share a nearest source. With d the sorted distinct values of
 * `nearest`, source v has the patch of the first of d that is not below v, or of the last: its own,
 * where it is one of them, and that of its successor where it is not, as in MNE-Python.
 */
void leadfield_normals(const struct source_points *points, double *normals);

/** points or vectors (n x 3) from one frame to another: x <- R x + t; vectors do without t. */
void leadfield_move_points(const float transform[3][4], double *points, size_t n);
void leadfield_turn_vectors(const float transform[3][4], double *vectors, size_t n);

/**
 * Orthonormal axes of a position, row-major 3 x 3: two tangents, then the normal. Which tangents is
 * arbitrary; they vary smoothly with the normal but at (0, 0, -1).
 */
void leadfield_axes(const double normal[3], double axes[9]);

struct leadfield_input {
    const struct whitener *whitener;
    const double *gain;    // of moments along x, y, z: n_channels x 3 n_positions, column-major
    size_t n_positions;    //
    const double *normals; // n_positions x 3; NULL will do for free orientation
    enum source_orientation orientation;
    double loose;           // weight of tangents, 0 < loose <= 1
    const bool *is_surface; // of each position; tangents of others weigh 1; NULL: all are
    double depth;           // exponent of the depth prior, 0: none; MNE-Python has 0.8
};

/** G, whitened and weighted, with trace(G G') the rank of the whitener. */
struct leadfield {
    size_t n_sensors; // rows: the rank
    size_t n_positions;
    size_t n_orient;
    double *gain;   // owned; n_sensors x n_positions n_orient, column-major
    double *weight; // owned; s: a row of X times s is an amplitude in A m
    double *axes;   // owned; of each column its axis in head frame, 3 each
};

/**
 * G = c W G0 diag(s), columns of G0 along the axes of a position. s_j = sqrt(p_j) d_k^(-depth / 2),
 * d_k the squared Frobenius norm of the whitened columns of position k (of the one column where the
 * orientation is fixed; the least one that is not zero in the place of zero), p_j = loose for a
 * tangent and 1 else; then G and s are multiplied by c = sqrt(rank / ||G||_F^2). The weighting of
 * MNE-Python (Lin et al. 2006). Error: SOURCES_ERROR_GEOMETRY without the normals that the
 * orientation needs, or where no position is seen by any sensor.
 */
struct leadfield *leadfield_new(const struct leadfield_input *input, GError **error);
void leadfield_free(struct leadfield *leadfield);
typedef struct leadfield owned_leadfield; // for g_autoptr(owned_leadfield)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_leadfield, leadfield_free)
