// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/fif.h"
#include "io/sensors.h"

enum source_space_type { SOURCE_SURFACE = 1, SOURCE_VOLUME = 2, SOURCE_DISCRETE = 3 };

/** Identifiers of source spaces that are hemispheres. */
enum { SOURCE_LEFT = 101, SOURCE_RIGHT = 102 };

/** Points, some of them sources. */
struct source_space {
    enum source_space_type type;
    int32_t id;       // SOURCE_LEFT, SOURCE_RIGHT or another
    size_t n_points;  //
    double *points;   // owned, n_points x 3, m, in the frame of the forward solution
    double *normals;  // owned, n_points x 3, unit vectors in that frame
    uint8_t *in_use;  // owned, n_points
    size_t n_in_use;  //
    size_t *vertex;   // owned, n_in_use: the sources, ascending indices of points
    int32_t *nearest; // owned, n_points: the source nearest to each; NULL where it is not told
};

/**
 * What unit dipoles give at the sensors. The columns of `gain` are three a source (its x, y and z
 * moments), or one where it is fixed (the moment along the normal of its patch), sources in the
 * order of spaces and vertices; rows are MEG channels, then EEG channels.
 * T, T/m or V per A m.
 */
struct forward {
    char *path;                 // owned
    bool compressed;            // gzip
    size_t n_channels;          //
    char **names;               // owned, n_channels and NULL
    enum channel_kind *kinds;   // owned
    size_t n_sources;           // in all spaces
    bool is_fixed;              // one column a source
    double *gain;               // owned, n_channels x 3 n_sources (or n_sources), column-major
    int32_t frame;              // FIF_FRAME_HEAD or FIF_FRAME_MRI: of points, normals and moments
    float mri_to_head[3][4];    //
    bool has_mri_to_head;       //
    float device_to_head[3][4]; // of the measurement that it was computed for
    bool has_device_to_head;    //
    int compensation_grade;     // CTF, of its MEG channels; 0: none
    struct source_space *space; // owned
    size_t n_spaces;            //
    GPtrArray *warnings;        // owned, of owned strings
};

/** Columns of the gain a source: 3, or 1 where the orientation is fixed. */
static inline size_t fif_forward_axes(const struct forward *forward)
{
    return forward->is_fixed ? 1 : 3;
}

/**
 * Reads a forward solution of free or fixed orientation. Its MEG and EEG parts are put together.
 * Sources within a millimetre of another are a warning: surfaces in another unit than metres have
 * all of theirs there. Errors: IO_ERROR_INPUT, _MEMORY, _CANCELLED.
 */
struct forward *fif_forward_read(const char *path, const struct io_context *io, GError **error);

/** The same of a file that is open. */
struct forward *fif_forward_of(const struct fif *fif, const struct io_context *io, GError **error);

void fif_forward_free(struct forward *forward);
typedef struct forward owned_forward; // for g_autoptr(owned_forward)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_forward, fif_forward_free)
