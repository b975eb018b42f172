// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/whiten.h"

/** How the rank of the data of a group of sensors is known. */
enum rank_origin {
    RANK_OF_PROJECTIONS, // all that projections leave
    RANK_OF_SEPARATION,  // signal-space separation left so many components of MEG
    RANK_OF_EIGENVALUES, // below a gap, moments of the samples are rounding
};

/** "projections", "signal-space separation", "eigenvalues". */
const char *rank_origin_name(enum rank_origin origin);

struct data_space_input {
    size_t n;                     // chosen channels
    const enum sensor_kind *kind; //
    const struct projector_matrix *projector;
    const double *rows; // samples as recorded, row-major n x n_samples, finite
    size_t n_samples;   // 0: none
    size_t sss_rank;    // components that signal-space separation left of MEG; 0: it was not done
};

/**
 * The space that projected data lie in. Columns of the basis V are orthonormal in units in which
 * kinds of sensors are alike (sensor_comparable_unit), those of MEG first; data are S^-1 V c.
 */
struct data_space {
    size_t n;
    size_t rank[SENSOR_GROUPS]; // 0: the group has no channels
    enum rank_origin origin[SENSOR_GROUPS];
    bool has_basis[SENSOR_GROUPS]; // false: too few samples to tell which directions
    double *basis[SENSOR_GROUPS]; // owned; n x rank, column-major, 0 at channels of the other group
};

/**
 * The rank of a group is the least of: its channels less what projections take; for MEG the
 * components left by signal-space separation, less projections; and r where, of the eigenvalues of
 * the moments of 2 samples a channel or more, the r-th is 1000 times the next one, which is no more
 * than single precision leaves: 100 (2^-24)^2 P (1 + sqrt(n / n_samples))^2, P the largest mean
 * square of a channel.
 */
struct data_space *data_space_new(const struct data_space_input *input);
void data_space_free(struct data_space *space);
typedef struct data_space owned_data_space; // for g_autoptr(owned_data_space)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_data_space, data_space_free)

/** Whether a group has a lower rank than projections alone leave. */
bool data_space_is_reduced(const struct data_space *space, enum sensor_group group);
