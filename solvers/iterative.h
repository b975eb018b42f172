// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/solver.h"

/** One series on its way to a solution: what an iterative method needs to know about it. */
struct progress {
    const struct problem *problem;        // borrowed
    const struct solver_options *options; // borrowed
    const double *x;                      // borrowed
    double lambda;                        // > 0 and below lambda_max, or 0
    size_t series;                        // in the whole data, for the observer
    size_t iteration;                     // of the iterate now at hand; 0: the start
    size_t next_check;                    // iteration at which the gap is looked at next
};

/** Whether progress_continue will look at the point it is given, or only count it. */
bool progress_needs_point(const struct progress *progress);

/**
 * Takes note of an iterate (n_in samples): tells the observer and, every few iterations, looks at
 * its duality gap. True if one more iteration is due, which is then counted.
 */
bool progress_continue(struct progress *progress, const double *u, struct workspace *ws);

/**
 * A solver that treats the series of a block one by one, each from a starting point. A method
 * embeds it as its first member and fills it with iterative_solver_init.
 */
struct iterative_solver {
    struct solver base;
    linop *pseudo_inverse; // owned; START_PINV, else NULL
    /** From the start in u (n_in samples) to the solution: steps while progress_continue. */
    void (*minimise)(const struct iterative_solver *self, struct progress *progress, double *u,
                     struct workspace *ws);
};

/** Fills a solver whose base.free is iterative_solver_free; a method that owns more sets its own.
 */
void iterative_solver_init(struct iterative_solver *solver, const char *name,
                           const struct problem *problem, const struct solver_options *options);

/** Releases what iterative_solver_init took, and the memory of the solver itself. */
void iterative_solver_free(struct solver *solver);

/** Whether the problem is one of TV; if not, *error says that `name` does not apply. */
bool iterative_solver_is_for_tv(const char *name, const struct problem *problem, GError **error);
