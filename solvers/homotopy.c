// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/homotopy.h"

#include "solvers/gram_path.h"

#include <math.h>
#include <string.h>

// One series on its way down: b = M' x, and ||Pi x||^2.
struct walk {
    const struct lasso_form *form;
    const double *x;
    double *b;
    double norm2;
    homotopy_visit *visit; // homotopy_path
    void *data;
    const double *lambda; // homotopy_at
    struct block *u;
    struct path_point *points;
    double *w;
    size_t n_done;
};

static double projected_norm2(const struct problem *problem, const double *x)
{
    double level = problem_trivial_level(problem, x);
    double sum = 0.0;
    for (size_t t = 0; t < problem->op->n_out; t++) {
        double rest = level == 0.0 ? x[t] : x[t] - level * problem->level[t];
        sum += rest * rest;
    }
    return sum;
}

static struct walk begin(const struct lasso_form *form, const double *x, struct workspace *ws)
{
    size_t padded = form->gram == NULL ? form->n : form->gram->ld;
    struct walk walk = {.form = form,
                        .x = x,
                        .b = WORKSPACE_ALLOC(ws, double, padded),
                        .norm2 = projected_norm2(form->problem, x)};
    // The cast drops const from a series that is only read.
    struct block series = block_of_series((double *) x, form->problem->op->n_out);
    struct block b = block_of_series(walk.b, padded);
    if (form->n > 0)
        lasso_form_correlations(form, &series, &b, ws);
    return walk;
}

// 0 where a constant explains x and what is left in b is rounding.
static double lambda_max(const struct walk *walk, struct workspace *ws)
{
    if (!(problem_lambda_max(walk->form->problem, walk->x, ws) > 0.0))
        return 0.0;
    return lasso_form_lambda_max(walk->b, walk->form->n);
}

static double coefficient(const struct gram_path_piece *piece, size_t i, double lambda)
{
    return piece->w[i] + (piece->from - lambda) * piece->direction[i];
}

// On the path w' (b - G w) = lambda ||w||_1, hence ||x - A u||^2 = ||Pi x||^2 - b' w - lambda
// ||w||_1.
static struct path_point point_on(const struct walk *walk, const struct gram_path_piece *piece,
                                  double lambda)
{
    struct path_point point = {.lambda = lambda, .n_jumps = piece->n};
    double fit = 0.0;
    for (size_t i = 0; i < piece->n; i++) {
        double w = coefficient(piece, i, lambda);
        fit += walk->b[piece->index[i]] * w;
        point.penalty += fabs(w);
    }
    point.residual_norm2 = fmax(walk->norm2 - fit - lambda * point.penalty, 0.0);
    return point;
}

static struct path_point trivial_point(const struct walk *walk, double lambda)
{
    return (struct path_point){.lambda = lambda, .residual_norm2 = walk->norm2};
}

static bool visit_end(void *data, const struct gram_path_piece *piece)
{
    struct walk *walk = data;
    struct path_point point = point_on(walk, piece, piece->to);
    return walk->visit(walk->data, &point);
}

bool homotopy_path(const struct lasso_form *form, const double *x, double lambda_end,
                   homotopy_visit *visit, void *data, struct workspace *ws)
{
    g_assert(form->n == 0 || form->gram != NULL);
    size_t mark = workspace_mark(ws);
    struct walk walk = begin(form, x, ws);
    walk.visit = visit;
    walk.data = data;
    struct path_point first = trivial_point(&walk, lambda_max(&walk, ws));
    bool finished = true;
    if (visit(data, &first) && first.lambda > 0.0)
        finished = gram_path_follow(form->gram, walk.b, lambda_end, visit_end, &walk, ws).finished;
    workspace_release(ws, mark);
    return finished;
}

static void take(struct walk *walk, struct path_point point)
{
    lasso_form_expand(walk->form, walk->x, walk->w, block_series(walk->u, walk->n_done));
    if (walk->points != NULL)
        walk->points[walk->n_done] = point;
    walk->n_done++;
}

static bool take_those_on(void *data, const struct gram_path_piece *piece)
{
    struct walk *walk = data;
    while (walk->n_done < walk->u->n_series && walk->lambda[walk->n_done] >= piece->to) {
        double lambda = walk->lambda[walk->n_done];
        memset(walk->w, 0, walk->form->n * sizeof(double));
        for (size_t i = 0; i < piece->n; i++)
            walk->w[piece->index[i]] = coefficient(piece, i, lambda);
        take(walk, point_on(walk, piece, lambda));
    }
    return walk->n_done < walk->u->n_series;
}

size_t homotopy_at(const struct lasso_form *form, const double *x, const double *lambda,
                   struct block *u, struct path_point *points, struct workspace *ws)
{
    g_assert(form->n == 0 || form->gram != NULL);
    size_t n_lambda = u->n_series;
    size_t mark = workspace_mark(ws);
    struct walk walk = begin(form, x, ws);
    walk.lambda = lambda;
    walk.u = u;
    walk.points = points;
    walk.w = WORKSPACE_ALLOC(ws, double, form->n);
    memset(walk.w, 0, form->n * sizeof(double));
    double most = lambda_max(&walk, ws);
    while (walk.n_done < n_lambda && lambda[walk.n_done] >= most)
        take(&walk, trivial_point(&walk, lambda[walk.n_done]));
    if (walk.n_done < n_lambda)
        gram_path_follow(form->gram, walk.b, lambda[n_lambda - 1], take_those_on, &walk, ws);
    workspace_release(ws, mark);
    return walk.n_done;
}
