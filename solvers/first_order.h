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

/** What a proximal gradient method iterates on, and the prox of its penalty. */
enum first_order_form {
    FORM_ANALYSIS,  // z = u, B = A: the prox of TV, or the soft threshold for the Lasso
    FORM_SYNTHESIS, // u = L z, B = A L: the soft threshold on the jumps, not on the level z_1
    FORM_DUAL,      // u = A^+ (x - B z), B = (A^+)' nabla': the projection on |z_i| <= lambda
};

/**
 * Proximal gradient methods: from y, a step down the gradient of 1/2 ||B z - x||^2, then the prox,
 *
 *     z+ = prox(y - rho B' (B y - x)),  rho = 1 / ||B||^2,  y+ = z+ + beta (z+ - z).
 *
 * The dual form (Chambolle 2004) is that of TV for A of full column rank: its minimiser gives u;
 * it begins at z = 0, whatever the start.
 */
struct first_order {
    struct iterative_solver base;
    const struct kernels *kernels;
    enum momentum momentum;
    enum first_order_form form;
    const linop *op;       // B; borrowed
    linop *form_op;        // owned; B where it is not A, else NULL
    linop *pseudo_inverse; // owned; A^+ of the dual form, else NULL
};

/** A solver of the analysis form. */
struct solver *first_order_new(const char *name, enum momentum momentum,
                               const struct problem *problem, const struct solver_options *options);

/** A solver of the synthesis form; it does not apply to the Lasso. */
struct solver *first_order_new_synthesis(const char *name, enum momentum momentum,
                                         const struct problem *problem,
                                         const struct solver_options *options, GError **error);

/**
 * A solver of the dual form. It does not apply to the Lasso, nor to an operator without full
 * column rank: it would solve another problem. `unchecked` makes it all the same.
 */
struct solver *first_order_new_dual(const char *name, enum momentum momentum,
                                    const struct problem *problem,
                                    const struct solver_options *options, GError **error);
struct solver *first_order_new_dual_unchecked(const char *name, enum momentum momentum,
                                              const struct problem *problem,
                                              const struct solver_options *options);

/** The iterations from the start in u on, which becomes the last iterate; `self` is the base. */
void first_order_minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                          struct workspace *ws);
