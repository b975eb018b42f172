// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/descent.h"

#include <cblas.h>
#include <float.h>
#include <math.h>

// Sweeps between two looks at which columns are surely zero; a look costs as much as a sweep.
enum { SWEEPS_BETWEEN_SCREENS = 8 };

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

static void minimise_on_correlations(const struct lasso_form *form, struct progress *progress,
                                     double *w, double *u, struct workspace *ws)
{
    double *r = WORKSPACE_ALLOC(ws, double, form->problem->op->n_out);
    double *c = WORKSPACE_ALLOC(ws, double, form->n);
    while (progress_continue(progress, u, ws)) {
        if (descent_is_stale(progress))
            descent_refresh(form, progress->x, w, r, c);
        sweep_correlations(form->gram, progress->lambda, w, c);
        if (progress_needs_point(progress))
            lasso_form_expand(form, progress->x, w, u);
    }
}

// One series of a problem whose columns are too many for a Gram matrix, and those of them that may
// be in its solution.
struct screened {
    const struct lasso_form *form;
    double lambda;
    const double *x; // Pi x
    double *w;
    double *r; // Pi (x - M w)
    double *c; // M_j' r, as they were when the columns were screened
    size_t *column;
    size_t n;
};

static const double *column_of(const struct screened *s, size_t k)
{
    return s->form->matrix + s->column[k] * s->form->problem->op->n_out;
}

static void sweep_residual(struct screened *s)
{
    int n_out = (int) s->form->problem->op->n_out;
    for (size_t k = 0; k < s->n; k++) {
        size_t j = s->column[k];
        double c = cblas_ddot(n_out, column_of(s, k), 1, s->r, 1);
        double move = descent_coordinate(s->w[j], c, s->form->norm2[j], s->lambda) - s->w[j];
        if (move == 0.0)
            continue;
        s->w[j] += move;
        cblas_daxpy(n_out, -move, column_of(s, k), 1, s->r, 1);
    }
}

// The dual point of the solution lies within *radius of *scale r, which is feasible: the dual
// objective is strongly concave, and what is left to gain is the gap. What rounding does to the
// gap is added to it.
static void find_dual_sphere(const struct screened *s, double *scale, double *radius)
{
    int n_out = (int) s->form->problem->op->n_out;
    double worst = 0.0, penalty = 0.0;
    for (size_t k = 0; k < s->n; k++) {
        worst = fmax(worst, fabs(s->c[k]));
        penalty += fabs(s->w[s->column[k]]);
    }
    double rr = cblas_ddot(n_out, s->r, 1, s->r, 1);
    double xr = cblas_ddot(n_out, s->x, 1, s->r, 1);
    *scale = rr > 0.0 ? xr / rr : 0.0;
    if (worst > 0.0)
        *scale = fmin(fmax(*scale, -s->lambda / worst), s->lambda / worst);
    double objective = 0.5 * rr + s->lambda * penalty;
    double gap = objective - *scale * (xr - 0.5 * *scale * rr);
    *radius = sqrt(2.0 * (fmax(gap, 0.0) + 8.0 * DBL_EPSILON * objective));
}

// Leaves out the columns that stay below lambda everywhere in the sphere (gap safe rule; Ndiaye,
// Fercoq, Gramfort and Salmon 2017): they are zero in the solution.
static void screen(struct screened *s)
{
    int n_out = (int) s->form->problem->op->n_out;
    cblas_dcopy(n_out, s->x, 1, s->r, 1);
    for (size_t k = 0; k < s->n; k++)
        if (s->w[s->column[k]] != 0.0)
            cblas_daxpy(n_out, -s->w[s->column[k]], column_of(s, k), 1, s->r, 1);
    for (size_t k = 0; k < s->n; k++)
        s->c[k] = cblas_ddot(n_out, column_of(s, k), 1, s->r, 1);

    double scale, radius;
    find_dual_sphere(s, &scale, &radius);
    size_t n_kept = 0;
    for (size_t k = 0; k < s->n; k++) {
        size_t j = s->column[k];
        if (fabs(scale * s->c[k]) + radius * sqrt(s->form->norm2[j]) < s->lambda) {
            cblas_daxpy(n_out, s->w[j], column_of(s, k), 1, s->r, 1);
            s->w[j] = 0.0;
        } else {
            s->column[n_kept++] = j;
        }
    }
    s->n = n_kept;
}

static void minimise_on_residual(const struct lasso_form *form, struct progress *progress,
                                 double *w, double *u, struct workspace *ws)
{
    size_t n_out = form->problem->op->n_out;
    double *x = WORKSPACE_ALLOC(ws, double, n_out);
    problem_project(form->problem, progress->x, x);
    struct screened s = {.form = form,
                         .lambda = progress->lambda,
                         .x = x,
                         .w = w,
                         .r = WORKSPACE_ALLOC(ws, double, n_out),
                         .c = WORKSPACE_ALLOC(ws, double, form->n),
                         .column = WORKSPACE_ALLOC(ws, size_t, form->n),
                         .n = form->n};
    for (size_t j = 0; j < form->n; j++)
        s.column[j] = j;
    while (progress_continue(progress, u, ws)) {
        if (progress->iteration % SWEEPS_BETWEEN_SCREENS == 1)
            screen(&s);
        sweep_residual(&s);
        if (progress_needs_point(progress))
            lasso_form_expand(form, progress->x, w, u);
    }
}

static void minimise(const struct iterative_solver *self, struct progress *progress, double *u,
                     struct workspace *ws)
{
    const struct lasso_form *form = ((const struct descent *) self)->form;
    size_t mark = workspace_mark(ws);
    double *w = WORKSPACE_ALLOC(ws, double, form->n);
    lasso_form_coefficients(form, u, w);
    if (form->gram != NULL)
        minimise_on_correlations(form, progress, w, u, ws);
    else
        minimise_on_residual(form, progress, w, u, ws);
    lasso_form_expand(form, progress->x, w, u);
    workspace_release(ws, mark);
}

struct solver *solver_new_cd(const struct problem *problem, const struct solver_options *options,
                             GError **error G_GNUC_UNUSED)
{
    return descent_new("cd", problem, options, minimise);
}
