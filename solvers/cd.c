// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/descent.h"

#include <cblas.h>

// One sweep on c = M' (x - M w), which a Gram matrix keeps current: columns that do not move cost
// nothing.
static void sweep_correlations(const struct gram *gram, double lambda, double *w, double *c)
{
    for (size_t j = 0; j < gram->n; j++) {
        double norm2 = gram_entry(gram, j, j);
        double move = descent_coordinate(w[j], c[j], norm2, lambda) - w[j];
        if (move == 0.0)
            continue;
        w[j] += move;
        cblas_daxpy((int) gram->n, -move, gram->values + j * gram->ld, 1, c, 1);
    }
}

// One sweep on r = x - M w.
static void sweep_residual(const struct lasso_form *form, double lambda, double *w, double *r)
{
    int n_out = (int) form->problem->op->n_out;
    for (size_t j = 0; j < form->n; j++) {
        const double *column = form->matrix + j * (size_t) n_out;
        double c = cblas_ddot(n_out, column, 1, r, 1);
        double move = descent_coordinate(w[j], c, form->norm2[j], lambda) - w[j];
        if (move == 0.0)
            continue;
        w[j] += move;
        cblas_daxpy(n_out, -move, column, 1, r, 1);
    }
}

static void minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                     struct workspace *ws)
{
    const struct lasso_form *form = ((const struct descent *) self)->form;
    size_t mark = workspace_mark(ws);
    double *w = WORKSPACE_ALLOC(ws, double, form->n);
    double *r = WORKSPACE_ALLOC(ws, double, self->base.problem->op->n_out);
    double *c = WORKSPACE_ALLOC(ws, double, form->n);
    lasso_form_coefficients(form, u, w);
    while (progress_continue(progress, u, ws)) {
        if (descent_is_stale(progress))
            descent_refresh(form, progress->x, w, r, c);
        if (form->gram != NULL)
            sweep_correlations(form->gram, progress->lambda, w, c);
        else
            sweep_residual(form, progress->lambda, w, r);
        if (progress_needs_point(progress))
            lasso_form_expand(form, progress->x, w, u);
    }
    lasso_form_expand(form, progress->x, w, u);
    workspace_release(ws, mark);
}

struct solver *solver_new_cd(const struct problem *problem, const struct solver_options *options,
                             GError **error G_GNUC_UNUSED)
{
    return descent_new("cd", problem, options, minimise);
}
