// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/descent.h"

#include <cblas.h>

// The coordinate whose minimiser is farthest from where it stands, and the move to it.
static size_t find_move(const struct lasso_form *form, double lambda, const double *w,
                        const double *c, double *move)
{
    size_t best = 0;
    *move = 0.0;
    for (size_t j = 0; j < form->n; j++) {
        double offered = descent_coordinate(w[j], c[j], form->norm2[j], lambda) - w[j];
        if (fabs(offered) > fabs(*move)) {
            *move = offered;
            best = j;
        }
    }
    return best;
}

// c = M' (x - M w) after w_j has moved; without a Gram matrix its column j is made on the spot.
static void follow_move(const struct lasso_form *form, size_t j, double move, double *c)
{
    int n = (int) form->n;
    if (form->gram != NULL) {
        cblas_daxpy(n, -move, form->gram->values + j * form->gram->ld, 1, c, 1);
        return;
    }
    int n_out = (int) form->problem->op->n_out;
    cblas_dgemv(CblasColMajor, CblasTrans, n_out, n, -move, form->matrix, n_out,
                form->matrix + j * (size_t) n_out, 1, 1.0, c, 1);
}

// An iteration is as many moves as there are columns, the work of a cyclic sweep.
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
        for (size_t i = 0; i < form->n; i++) {
            double move;
            size_t j = find_move(form, progress->lambda, w, c, &move);
            if (move == 0.0)
                break;
            w[j] += move;
            follow_move(form, j, move, c);
        }
        if (progress_needs_point(progress))
            lasso_form_expand(form, progress->x, w, u);
    }
    lasso_form_expand(form, progress->x, w, u);
    workspace_release(ws, mark);
}

struct solver *solver_new_greedy_cd(const struct problem *problem,
                                    const struct solver_options *options,
                                    GError **error G_GNUC_UNUSED)
{
    return descent_new("greedy-cd", problem, options, minimise);
}
