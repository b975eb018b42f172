// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/solver.h"

/**
 * The exact solver of operators without a structure: the active set of gram_active_set.h on the
 * Gram matrix of the problem's Lasso form, shared by all series, or the working sets of
 * working_set.h where columns are too many for one. Always runs to its own end. With START_GIVEN
 * it begins from the support (the jumps) of the start. Iterations are reduced problems solved.
 */
struct solver *gram_exact_new(const struct problem *problem, const struct solver_options *options);
