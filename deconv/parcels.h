// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/block.h"
#include "solvers/workspace.h"

#include <glib.h>
#include <stdbool.h>

/** Which of n_members series are of which parcel. Immutable. */
struct parcels {
    size_t n;         // parcels, by rising label; those without a series are not among them
    size_t n_members; // series
    double *label;    // owned; n
    size_t *of;       // owned; n_members: the parcel of a series
    size_t *first;    // owned; n + 1: where the series of a parcel begin in `member`
    size_t *member;   // owned; n_members: series by parcel, rising in each
};

/** labels: of each series, finite. */
struct parcels *parcels_new(const double *labels, size_t n_members);
void parcels_free(struct parcels *parcels);
typedef struct parcels owned_parcels; // for g_autoptr(owned_parcels)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_parcels, parcels_free)

/**
 * Weights of the mean of each parcel, n_members: 1 / m for the m members that are used, 0 for the
 * others. used: n_members.
 */
void parcels_mean_weights(const struct parcels *parcels, const bool *used, double *weights);

/**
 * The weights of the first principal component of some series, not centred: of the unit vectors w
 * the one with the largest ||X w||, divided by sqrt(n_series) as an eigenvariate is; its sign is
 * that of <X w, X 1>. x: n_time x n_series, weights: n_series; all 0 where x is.
 * False where LAPACK found no eigenvectors.
 */
bool parcels_principal_weights(const struct block *x, double *weights, struct workspace *ws);

/** sums[p] = the sum over the members v of parcel p of weights[v] values[v]; weight 0: not looked
 * at. */
void parcels_sum(const struct parcels *parcels, const double *weights, const double *values,
                 double *sums);
