// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/lasso_form.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

size_t lasso_form_size(const struct problem *problem)
{
    return problem->kind == PROBLEM_TV ? problem->op->n_in - 1 : problem->op->n_in;
}

// A dense A applied to the steps: the sums of its last columns.
static void sum_columns_from_the_end(const linop *op, double *sums, size_t n)
{
    for (size_t j = n; j-- > 0;) {
        double *sum = sums + j * op->n_out;
        memcpy(sum, op->matrix + (j + 1) * op->n_out, op->n_out * sizeof(double));
        if (j + 1 < n)
            cblas_daxpy((int) op->n_out, 1.0, sum + op->n_out, 1, sum, 1);
    }
}

// A applied to e_j (Lasso) or to the step that begins at sample j + 1 (TV), for all j.
static void apply_to_basis(const struct problem *problem, double *matrix, size_t n)
{
    const linop *op = problem->op;
    struct workspace *ws = workspace_new();
    double *u = WORKSPACE_ALLOC(ws, double, op->n_in);
    for (size_t j = 0; j < n; j++) {
        memset(u, 0, op->n_in * sizeof(double));
        if (problem->kind == PROBLEM_LASSO)
            u[j] = 1.0;
        else
            for (size_t i = j + 1; i < op->n_in; i++)
                u[i] = 1.0;
        linop_apply_series(op, u, matrix + j * op->n_out, ws);
    }
    workspace_free(ws);
}

// Takes the part along S out of each column, and keeps its size.
static void project_columns(struct lasso_form *form)
{
    const struct problem *problem = form->problem;
    size_t n_out = problem->op->n_out;
    form->level = g_new(double, form->n);
    for (size_t j = 0; j < form->n; j++) {
        double *column = form->owned_matrix + j * n_out;
        form->level[j] = problem_trivial_level(problem, column);
        for (size_t t = 0; t < n_out; t++)
            column[t] -= form->level[j] * problem->level[t];
    }
}

static void set_matrix(struct lasso_form *form)
{
    const linop *op = form->problem->op;
    if (form->problem->kind == PROBLEM_LASSO && op->matrix != NULL) {
        form->matrix = op->matrix;
        return;
    }
    form->owned_matrix = g_new(double, op->n_out * form->n);
    form->matrix = form->owned_matrix;
    if (op->matrix != NULL)
        sum_columns_from_the_end(op, form->owned_matrix, form->n);
    else
        apply_to_basis(form->problem, form->owned_matrix, form->n);
    if (form->problem->kind == PROBLEM_TV)
        project_columns(form);
}

struct lasso_form *lasso_form_new(const struct problem *problem, bool with_gram)
{
    struct lasso_form *form = g_new0(struct lasso_form, 1);
    form->problem = problem;
    form->kernels = kernels_best()->gram;
    form->n = lasso_form_size(problem);
    if (form->n == 0)
        return form;
    size_t n_out = problem->op->n_out;
    set_matrix(form);
    form->norm2 = g_new(double, form->n);
    for (size_t j = 0; j < form->n; j++) {
        const double *column = form->matrix + j * n_out;
        form->norm2[j] = cblas_ddot((int) n_out, column, 1, column, 1);
    }
    if (with_gram)
        form->gram = gram_new(form->matrix, n_out, form->n);
    return form;
}

void lasso_form_free(struct lasso_form *form)
{
    if (form == NULL)
        return;
    gram_free(form->gram);
    g_free(form->owned_matrix);
    g_free(form->norm2);
    g_free(form->level);
    g_free(form);
}

void lasso_form_project(const struct lasso_form *form, const struct block *x, struct block *out)
{
    for (size_t v = 0; v < x->n_series; v++)
        problem_project(form->problem, block_series(x, v), block_series(out, v));
}

// b_j = sum_{i > j} (A' Pi x)_i, in place of A' Pi x.
static void sum_from_the_end(double *b, size_t n_in)
{
    for (size_t i = n_in - 1; i-- > 1;)
        b[i] += b[i + 1];
    memmove(b, b + 1, (n_in - 1) * sizeof(double));
}

void lasso_form_correlations(const struct lasso_form *form, const struct block *x, struct block *b,
                             struct workspace *ws)
{
    const struct problem *problem = form->problem;
    size_t mark = workspace_mark(ws);
    size_t n = form->n;
    size_t n_in = problem->op->n_in;
    bool is_tv = problem->kind == PROBLEM_TV;
    struct block projected = {x->n_time, x->n_series, x->n_time, NULL};
    struct block adjoint = {n_in, x->n_series, n_in, NULL};
    adjoint.data = WORKSPACE_ALLOC(ws, double, n_in * x->n_series);
    if (is_tv) {
        projected.data = WORKSPACE_ALLOC(ws, double, x->n_time * x->n_series);
        lasso_form_project(form, x, &projected);
    }
    linop_adjoint(problem->op, is_tv ? &projected : x, &adjoint, ws);
    for (size_t v = 0; v < x->n_series; v++) {
        double *from = block_series(&adjoint, v);
        double *to = block_series(b, v);
        if (is_tv)
            sum_from_the_end(from, n_in);
        memcpy(to, from, n * sizeof(double));
        memset(to + n, 0, (b->n_time - n) * sizeof(double));
    }
    workspace_release(ws, mark);
}

void lasso_form_coefficients(const struct lasso_form *form, const double *u, double *w)
{
    for (size_t j = 0; j < form->n; j++)
        w[j] = form->problem->kind == PROBLEM_TV ? u[j + 1] - u[j] : u[j];
}

void lasso_form_expand(const struct lasso_form *form, const double *x, const double *w, double *u)
{
    size_t n_in = form->problem->op->n_in;
    if (form->problem->kind == PROBLEM_LASSO) {
        memcpy(u, w, n_in * sizeof(double));
        return;
    }
    double level = problem_trivial_level(form->problem, x);
    for (size_t j = 0; j + 1 < n_in; j++)
        level -= w[j] * form->level[j];
    u[0] = level;
    for (size_t i = 1; i < n_in; i++)
        u[i] = u[i - 1] + w[i - 1];
}

double lasso_form_lambda_max(const double *b, size_t n)
{
    double largest = 0.0;
    for (size_t j = 0; j < n; j++)
        largest = fmax(largest, fabs(b[j]));
    return largest;
}
