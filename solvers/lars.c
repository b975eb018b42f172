// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram_path.h"
#include "solvers/lasso_form.h"
#include "solvers/solver.h"

#include <string.h>

struct lars {
    struct solver base;
    struct lasso_form *form; // owned
};

// One series on its way down the path.
struct descent {
    const struct lars *solver;
    const double *x;
    double *w;
    double *u;
    size_t series;
    size_t n_pieces;
};

static void tell(const struct descent *descent)
{
    const struct solver_observer *observer = descent->solver->base.options.observer;
    if (observer == NULL)
        return;
    lasso_form_expand(descent->solver->form, descent->x, descent->w, descent->u);
    observer->iterate(observer->data, descent->series, descent->n_pieces, descent->u);
}

// w at the end of a piece, of which each is an iteration.
static bool visit(void *data, const struct gram_path_piece *piece)
{
    struct descent *descent = data;
    memset(descent->w, 0, descent->solver->form->n * sizeof(double));
    for (size_t i = 0; i < piece->n; i++)
        descent->w[piece->index[i]] = piece->w[i] + (piece->from - piece->to) * piece->direction[i];
    descent->n_pieces++;
    tell(descent);
    return descent->n_pieces < descent->solver->base.options.max_iter;
}

static void solve(const struct solver *self, const struct solve_input *input, struct block *u,
                  struct series_result *results, struct workspace *ws)
{
    const struct lars *solver = (const struct lars *) self;
    const struct lasso_form *form = solver->form;
    size_t mark = workspace_mark(ws);
    struct block b = {triangle_padded(form->n), input->x->n_series, triangle_padded(form->n), NULL};
    b.data = WORKSPACE_ALLOC(ws, double, b.stride *b.n_series);
    double *w = WORKSPACE_ALLOC(ws, double, form->n);
    lasso_form_correlations(form, input->x, &b, ws);
    for (size_t v = 0; v < b.n_series; v++) {
        results[v].lambda_max = lasso_form_lambda_max(block_series(&b, v), form->n);
        results[v].lambda = solve_input_lambda(input, v, results[v].lambda_max);
        struct descent descent = {.solver = solver,
                                  .x = block_series(input->x, v),
                                  .w = w,
                                  .u = block_series(u, v),
                                  .series = input->first_series + v};
        memset(w, 0, form->n * sizeof(double));
        tell(&descent);
        if (form->gram != NULL)
            gram_path_follow(form->gram, block_series(&b, v), results[v].lambda, visit, &descent,
                             ws);
        lasso_form_expand(form, descent.x, w, descent.u);
        results[v].iterations = descent.n_pieces;
    }
    workspace_release(ws, mark);
}

static void release(struct solver *self)
{
    lasso_form_free(((struct lars *) self)->form);
    g_free(self);
}

struct solver *solver_new_lars(const struct problem *problem, const struct solver_options *options,
                               GError **error)
{
    if (lasso_form_size(problem) > LASSO_FORM_MOST_GRAM_COLUMNS) {
        g_set_error(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE,
                    "lars: expected at most %d columns, found %zu", LASSO_FORM_MOST_GRAM_COLUMNS,
                    lasso_form_size(problem));
        return NULL;
    }
    struct lars *solver = g_new0(struct lars, 1);
    solver->base = (struct solver){
        .name = "lars", .problem = problem, .options = *options, .solve = solve, .free = release};
    solver->form = lasso_form_new(problem, true);
    return &solver->base;
}
