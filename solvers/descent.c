// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/descent.h"

#include <cblas.h>
#include <string.h>

static void release(struct solver *self)
{
    lasso_form_free(((struct descent *) self)->form);
    iterative_solver_free(self);
}

struct solver *descent_new(const char *name, const struct problem *problem,
                           const struct solver_options *options,
                           void (*minimise)(const struct iterative_solver *self,
                                            struct progress *progress, double *u,
                                            struct workspace *ws))
{
    struct descent *solver = g_new0(struct descent, 1);
    iterative_solver_init(&solver->base, name, problem, options);
    solver->base.minimise = minimise;
    solver->base.base.free = release;
    solver->form = lasso_form_new(problem, lasso_form_size(problem) <= LASSO_FORM_GRAM_COLUMNS);
    return &solver->base.base;
}

void descent_refresh(const struct lasso_form *form, const double *x, const double *w, double *r,
                     double *c)
{
    size_t n_out = form->problem->op->n_out;
    memcpy(r, x, n_out * sizeof(double));
    for (size_t j = 0; j < form->n; j++)
        if (w[j] != 0.0)
            cblas_daxpy((int) n_out, -w[j], form->matrix + j * n_out, 1, r, 1);
    cblas_dgemv(CblasColMajor, CblasTrans, (int) n_out, (int) form->n, 1.0, form->matrix,
                (int) n_out, r, 1, 0.0, c, 1);
}
