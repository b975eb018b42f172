// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/sources/sources.h"

/**
 * The reference map of --map: n_positions x n_time, row-major; NULL where none is asked for. "mne"
 * is in A m, "dspm" has no unit: noise is that of the average, sqrt(nave) below the covariance.
 * Owned by the caller.
 */
double *sources_map(const struct sources *sources);
