// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/fif_covariance.h"
#include "io/fif_forward.h"
#include "io/sensors.h"

/** How sensors, cortex and activity are drawn; the same law gives the same bytes. */
struct meeg_law {
    size_t n_positions;  // of the cortex
    size_t n_sites;      // of the helmet: a magnetometer and two planar gradiometers each
    size_t n_electrodes; // 0: no EEG
    size_t n_active;
    double snr_db; // 10 log10 of the mean square of signal over that of sensor noise
    uint64_t seed;
};

/** 8000 positions, 102 sites, 60 electrodes, 3 active, 0 dB, seed 0. */
struct meeg_law meeg_law_default(void);

/** An active position and its course, A m. */
struct meeg_source {
    size_t position; // in both hemispheres together, left first
    double peak_s;
    double peak_amplitude;
};

/**
 * A head that is a sphere with a folded cortex in it, sensors around, and an average in noise.
 *
 * Cortex: an ellipsoid of half axes 60, 70 and 55 mm, its radius waved by 4 %, so that normals
 * point everywhere; its lower end is cut off. Fields are those of a dipole in a spherical conductor
 * of any layers (Sarvas 1987), potentials those in a homogeneous sphere (Brody, Terry and Ideker
 * 1973), 0.33 S/m. Noise: white in every sensor, and that of dipoles all over the cortex.
 */
struct meeg_phantom {
    struct meeg_law law;
    struct forward *forward;       // owned
    struct covariance *covariance; // owned; of the noise of the average
    struct sensors *sensors;       // owned; one part, the average
    double *samples;               // owned; time-major
    struct meeg_source *active;    // owned; law.n_active, by position
};

struct meeg_phantom *meeg_phantom_new(const struct meeg_law *law);
void meeg_phantom_free(struct meeg_phantom *phantom);
typedef struct meeg_phantom owned_meeg_phantom; // for g_autoptr(owned_meeg_phantom)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_meeg_phantom, meeg_phantom_free)

/** The bytes that it takes, in double for a comparison without overflow. */
double meeg_phantom_bytes(const struct meeg_law *law);

/** Its sources as a table, columns as in that of `taut sources`. To be freed by g_free. */
char *meeg_phantom_truth(const struct meeg_phantom *phantom);

/**
 * The field at r of a current dipole at r0 in a conductor that is a sphere around 0, the rows of a
 * 3 x 3 matrix: B = field q. r is outside. In T per A m.
 */
void meeg_dipole_field(const double r0[3], const double r[3], double field[9]);

/** The potential at r, on the surface of a homogeneous sphere around 0, of unit dipoles along x, y
 * and z at r0 inside: V per A m. */
void meeg_dipole_potential(const double r0[3], const double r[3], double potential[3]);
