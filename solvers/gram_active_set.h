// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/gram.h"
#include "solvers/workspace.h"

#include <stdbool.h>

/** min_w 1/2 w' G w - b' w + lambda ||w||_1, a Lasso on a Gram matrix. */
struct gram_lasso {
    const struct gram *gram;
    const double *b; // gram->ld entries, zero in the padding
    double lambda;   // >= 0
    /**
     * Neighbouring columns are nearly equal (steps of a TV problem): of each run of neighbours that
     * violate with one sign, only the worst joins.
     */
    bool one_per_run;
    bool positive; // w >= 0: columns violate where (b - G w)_j > lambda; not with one_per_run
};

struct gram_active_set_result {
    bool finished;   // no column violates: |b - G w|_j <= lambda (1 + 1e-10) and rounding
    size_t n_solves; // of the reduced problem
};

/**
 * The exact minimiser by an active set: S, the columns with w_j != 0, grows by those that violate
 * |b - G w|_j <= lambda and shrinks by those that a move to the minimiser on S would take through
 * zero (Osborne, Presnell and Turlach 2000, with several columns joining at a time).
 *
 * w: gram->n entries, the start on entry (zeros will do), the minimiser on return. A column that
 * depends on S takes the place of one of S, by a move that changes w but not M w. Not finished:
 * rounding kept the objective from falling further; w is then the best point found.
 */
struct gram_active_set_result gram_active_set_solve(const struct gram_lasso *lasso, double *w,
                                                    struct workspace *ws);
