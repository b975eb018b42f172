// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/lasso_form.h"

/** What became of one series. */
struct working_set_result {
    bool finished;   // as in gram_active_set.h
    size_t n_solves; // of reduced problems
};

/** The series of a block, in the Lasso form of their problem. */
struct working_set_input {
    const struct lasso_form *form;
    const struct block *x; // TV: Pi x
    const struct block *b; // M' x; n entries a series
    const double *lambda;  // one a series
};

/**
 * The exact minimisers of a block of series, for more columns than a Gram matrix may have: each
 * series is solved by gram_active_set_solve on a working set, the columns that w uses and the
 * worst violators, more of them the more columns it uses. What costs much is shared by the series
 * of the block: one product M' R looks at all columns for all of them, and Gram entries are kept.
 *
 * Gap safe screening (Ndiaye, Fercoq, Gramfort and Salmon 2017) has nothing to add here: columns
 * are known to be zero only once the gap is small, in the last round or two.
 *
 * w: n x n_series, the start on entry, the minimisers on return. Depends on what is in the block,
 * not on which thread solves it.
 */
void working_set_solve(const struct working_set_input *input, struct block *w,
                       struct working_set_result *results, struct workspace *ws);
