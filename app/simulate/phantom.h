// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/recording.h"
#include "io/writer_nifti.h"
#include "solvers/parallel.h"

/** How a run on the phantom is drawn; the same law gives the same bytes. */
struct phantom_law {
    size_t dim[3];
    size_t n_frames;
    double tr_s;
    size_t n_voxels;      // in the brain mask: exactly so many; 0: as the ellipsoid holds
    const char *hrf;      // as hrf_new takes it, borrowed
    double snr_db;        // 10 log10(||h * u||^2 / ||noise||^2) of every active voxel
    double ar1;           // correlation of neighbouring noise samples, 0 <= ar1 < 1
    double noise_percent; // standard deviation of the noise, of the baseline
    double drift_percent; // size of the slow cosines, of the baseline
    double baseline;      // of grey matter
    uint64_t seed;
};

/** 20 x 20 x 10 voxels, 200 frames every 2 s, SPM response, 3 dB, AR(1) 0.3, seed 0. */
struct phantom_law phantom_law_default(void);

/** A region of the phantom: its voxels share the time course of their activity. */
struct phantom_region {
    const char *name;
    double centre[3]; // in units of the brain's half axes
    double radius;
    double duration_s[2]; // of an event, from and to; 0: one frame
    double gap_s[2];      // between events
    double spike_share;   // of the events that are one frame long all the same
};
enum { PHANTOM_N_REGIONS = 5 };
extern const struct phantom_region phantom_regions[PHANTOM_N_REGIONS];

/**
 * A head of nested ellipsoids (scalp, skull, fluid, grey and white matter, ventricles) with active
 * regions: isolated spikes, short events, long blocks, and mixtures.
 *
 * x(t) = baseline (1 + (a (h * u_r)(t) + noise(t) + drift(t)) / 100): u_r is 1 during the events
 * of the region (times their height), a is such that the signal-to-noise ratio of each voxel is
 * exactly the one asked for, noise is AR(1). Outside the brain samples are drawn when written.
 */
struct phantom {
    struct phantom_law law;
    struct image_grid grid;
    size_t n_voxels;                     // in the mask
    uint8_t *tissue;                     // owned; of each voxel of the grid
    uint8_t *region;                     // owned; 0: none, r + 1: phantom_regions[r]
    uint32_t *slot;                      // owned; position in the mask, UINT32_MAX outside
    size_t *voxel;                       // owned; grid index of each mask voxel
    double *activity[PHANTOM_N_REGIONS]; // owned; n_frames each, before the amplitude
    double *response[PHANTOM_N_REGIONS]; // owned; h * activity
    double *amplitude;                   // owned; of each mask voxel, percent; 0: not active
    float *samples;                      // owned; n_frames x n_voxels, time-major
};

/**
 * Draws the run on the threads of a team; holds n_frames x n_voxels floats.
 * Error: DECONV_ERROR (response), IO_ERROR_MEMORY, IO_ERROR_CANCELLED, or IO_ERROR_INPUT where the
 * grid has fewer voxels than asked for.
 */
struct phantom *phantom_new(const struct phantom_law *law, struct parallel *team, size_t mem_limit,
                            GError **error);
void phantom_free(struct phantom *phantom);
typedef struct phantom owned_phantom; // for g_autoptr(owned_phantom)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_phantom, phantom_free)

/** The value of frame t at a voxel of the grid that is not in the mask. */
double phantom_outside(const struct phantom *phantom, size_t t, size_t index);

/** Refuses, with IO_ERROR_EXISTS, to write where one of the files is there already. */
bool phantom_check_outputs(const char *bold_path, bool overwrite, GError **error);

/**
 * Writes the run to `STEM_bold.nii.gz` (any name that ends in .nii or .nii.gz) with its sidecar,
 * and beside it `STEM_desc-brain_mask`, the activity in percent as `STEM_desc-truth_bold`, and the
 * regions as `STEM_desc-regions_dseg`; all or none, in a folder that is made where it is absent.
 * Appends the paths to `outputs` (owned strings).
 */
bool phantom_write(struct phantom *phantom, const char *bold_path, enum image_type type,
                   bool overwrite, const struct io_context *io, GPtrArray *outputs, GError **error);
