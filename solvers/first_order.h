// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/iterative.h"
#include "solvers/kernels.h"

/** Where the next gradient is taken: at the last iterate, or ahead of it. */
enum momentum {
    MOMENTUM_NONE,
    MOMENTUM_NESTEROV,  // Beck and Teboulle 2009
    MOMENTUM_RESTARTED, // the same, dropped where it leads uphill; O'Donoghue and Candes 2015
};

/**
 * Proximal gradient methods: from y, a step down the gradient of 1/2 ||x - B z||^2, then the prox
 * of the penalty,
 *
 *     z+ = prox_{rho lambda}(y - rho B' (B y - x)),  rho = 1 / ||B||^2,  y+ = z+ + beta (z+ - z).
 *
 * Analysis form: B = A and z = u, with the prox of TV, or the soft threshold for the Lasso.
 * Synthesis form of TV: B = A L, u = L z the cumulative sum of z, and a soft threshold that
 * leaves z_1, the level, alone.
 */
struct first_order {
    struct iterative_solver base;
    const struct kernels *kernels;
    enum momentum momentum;
    linop *synthesis; // owned; A L, or NULL for the analysis form
};

/** A solver of the analysis form. */
struct solver *first_order_new(const char *name, enum momentum momentum,
                               const struct problem *problem, const struct solver_options *options);

/** A solver of the synthesis form; it does not apply to the Lasso. */
struct solver *first_order_new_synthesis(const char *name, enum momentum momentum,
                                         const struct problem *problem,
                                         const struct solver_options *options, GError **error);

/** The iterations from the start in u on, which becomes the last iterate; `self` is the base. */
void first_order_minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                          struct workspace *ws);
