// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/channels.h"

/** Directions taken out of the data, one a row (signal-space projection). Borrowed. */
struct projection {
    const char *name;
    bool is_reference; // the average reference of EEG
    size_t n_vectors;
    struct channel_names channels;
    const double *vectors; // n_vectors x channels.n, row-major
};

/** P = I - U U' on the chosen channels. */
struct projector_matrix {
    size_t n;          // channels
    size_t n_vectors;  // columns of U
    double *u;         // owned; n x n_vectors, column-major, orthonormal
    GPtrArray *shrunk; // owned, of borrowed names of projections that lost over 10 % of a vector
};

/**
 * The projector of all these vectors together, repeats and all: each keeps its entries on the
 * chosen channels and is normalised; of their span, left singular vectors with s > 0.01 s_1 are
 * kept. NULL and SOURCES_ERROR_PROJECTIONS if they leave nothing of the channels.
 */
struct projector_matrix *projector_matrix_new(const struct projection *projections,
                                              size_t n_projections,
                                              const struct channel_names *chosen, GError **error);
void projector_matrix_free(struct projector_matrix *projector);
typedef struct projector_matrix owned_projector_matrix; // for g_autoptr
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_projector_matrix, projector_matrix_free)

/** rows <- P rows; rows: row-major n x n_columns. */
void projector_matrix_apply(const struct projector_matrix *projector, double *rows,
                            size_t n_columns);

/** MEG (magnetometers and gradiometers together) and EEG are whitened apart. */
enum sensor_group { GROUP_MEG, GROUP_EEG, SENSOR_GROUPS };

/** "meg" or "eeg". */
const char *sensor_group_name(enum sensor_group group);

enum sensor_group sensor_group_of(enum sensor_kind kind);

/** One over a unit in which noise of all kinds is of one order: 1e11 m/T, 1e12 / T, 1e5 / V. */
double sensor_comparable_unit(enum sensor_kind kind);

struct data_space;

struct whitener_input {
    size_t n;                     // chosen channels
    const enum sensor_kind *kind; //
    const double *covariance;     // n x n, of the chosen
    bool is_diagonal;             // its entries off the diagonal are not known
    const struct projector_matrix *projector;
    const struct data_space *space; // of the data; NULL: not known
};

/**
 * W, rank x n, with W C W' = I, C the projected covariance with its block between MEG and EEG left
 * out: for each group diag(e^-1/2) V' of the `rank` largest eigenvalues. Signals are whitened as
 * W P x. Rows are unique up to a rotation.
 */
struct whitener {
    size_t n;    // channels
    size_t rank; // rows
    size_t n_of_group[SENSOR_GROUPS];
    size_t rank_of_group[SENSOR_GROUPS];
    size_t rank_of_noise[SENSOR_GROUPS]; // of the covariance alone
    double *matrix;                      // owned; W P, rank x n, row-major
};

enum sources_error {
    SOURCES_ERROR_PROJECTIONS, // projections leave nothing
    SOURCES_ERROR_RANK,        // the noise covariance of a group has rank 0
    SOURCES_ERROR_BAND,        // of a filter, outside what the rate allows
    SOURCES_ERROR_GEOMETRY,    // source spaces lack what an orientation needs
};
#define SOURCES_ERROR (sources_error_quark())
GQuark sources_error_quark(void);

/**
 * The rank of a group is the number of singular values above (channels) eps (the largest one), of
 * the covariance in units in which kinds of sensors are alike (gradiometers 1e11, magnetometers
 * 1e12, EEG 1e5); of a diagonal one, its positive entries less the projector's vectors. Where the
 * data have a lower one, it is theirs, and T C T' is in the place of C, T x the part of x in the
 * space of the data (orthogonal in those units; where too few samples tell that space, the
 * strongest eigenvectors of a full C do, and a diagonal C keeps its rank). NULL and
 * SOURCES_ERROR_RANK if it is 0.
 */
struct whitener *whitener_new(const struct whitener_input *input, GError **error);
void whitener_free(struct whitener *whitener);
typedef struct whitener owned_whitener; // for g_autoptr(owned_whitener)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_whitener, whitener_free)

/** W P of rows (row-major n x n_columns): rank x n_columns, row-major. To be freed by g_free. */
double *whitener_apply(const struct whitener *whitener, const double *rows, size_t n_columns);
