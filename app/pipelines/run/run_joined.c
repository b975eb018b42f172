// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_joined.h"

#include "deconv/censor.h"
#include "deconv/hrf_conv.h"
#include "solvers/methods.h"

#include <math.h>
#include <string.h>

static struct block slice_frames(const struct block *block, const struct run_part *part)
{
    return (struct block){part->n, block->n_series, block->stride, block->data + part->first};
}

// Its confounds, as clean_new takes them: n frames of each column. Owned.
static double *slice_confounds(const struct run_joined_options *options,
                               const struct run_part *part)
{
    size_t n_columns = options->clean->n_confounds;
    double *values = g_new(double, part->n *n_columns + 1);
    for (size_t j = 0; j < n_columns; j++)
        memcpy(values + j * part->n, options->clean->confounds + j * options->n_time + part->first,
               part->n * sizeof *values);
    return values;
}

static bool make_part(const struct run_joined_options *options, struct run_part *part,
                      GError **error)
{
    struct clean_options clean = *options->clean;
    g_autofree double *confounds = slice_confounds(options, part);
    if (clean.confounds != NULL)
        clean.confounds = confounds;
    if (clean.censored != NULL)
        clean.censored += part->first;
    part->clean = clean_new(part->n, options->tr_s, &clean, error);
    if (part->clean == NULL)
        return false;
    part->op = hrf_conv_new(options->response->h, options->response->n, part->n, HRF_CONV_CAUSAL,
                            HRF_CONV_AUTO, error);
    if (part->op == NULL)
        return false;
    if (clean.censored != NULL)
        part->seen = censor_operator(part->op, clean.censored);
    part->problem = problem_new_tv(part->seen == NULL ? part->op : part->seen);
    part->solver =
        methods_find(PROBLEM_TV, options->method)->create(part->problem, options->solver, error);
    return part->solver != NULL;
}

struct run_joined *run_joined_new(const struct run_joined_options *options, GError **error)
{
    g_autoptr(owned_run_joined) joined = g_new0(struct run_joined, 1);
    joined->parts = g_new0(struct run_part, options->n);
    joined->n = options->n;
    for (size_t i = 0; i < options->n; i++) {
        struct run_part *part = &joined->parts[i];
        size_t end = i + 1 < options->n ? options->starts[i + 1] : options->n_time;
        part->first = options->starts[i];
        part->n = end - part->first;
        if (!make_part(options, part, error)) {
            g_prefix_error(error, "run %zu: ", i + 1);
            return NULL;
        }
    }
    return g_steal_pointer(&joined);
}

void run_joined_free(struct run_joined *joined)
{
    if (joined == NULL)
        return;
    for (size_t i = 0; i < joined->n; i++) {
        struct run_part *part = &joined->parts[i];
        solver_free(part->solver);
        problem_free(part->problem);
        linop_free(part->seen);
        linop_free(part->op);
        clean_free(part->clean);
    }
    g_free(joined->parts);
    g_free(joined);
}

/* The operators side by side */

struct side_by_side {
    linop base;
    const struct run_joined *joined; // borrowed
};

static void each_part(const linop *op, const struct block *in, struct block *out,
                      void (*of)(const linop *op, const struct block *in, struct block *out,
                                 struct workspace *ws),
                      struct workspace *ws)
{
    const struct run_joined *joined = ((const struct side_by_side *) op)->joined;
    for (size_t i = 0; i < joined->n; i++) {
        struct block from = slice_frames(in, &joined->parts[i]);
        struct block to = slice_frames(out, &joined->parts[i]);
        of(joined->parts[i].op, &from, &to, ws);
    }
}

static void apply(const linop *op, const struct block *u, struct block *x, struct workspace *ws)
{
    each_part(op, u, x, linop_apply, ws);
}

static void adjoint(const linop *op, const struct block *x, struct block *u, struct workspace *ws)
{
    each_part(op, x, u, linop_adjoint, ws);
}

static void free_operator(linop *op)
{
    g_free(op);
}

linop *run_joined_operator(const struct run_joined *joined)
{
    const struct run_part *last = &joined->parts[joined->n - 1];
    struct side_by_side *op = g_new0(struct side_by_side, 1);
    op->joined = joined;
    op->base = (linop){.n_in = last->first + last->n,
                       .n_out = last->first + last->n,
                       .apply = apply,
                       .adjoint = adjoint,
                       .free = free_operator};
    for (size_t i = 0; i < joined->n; i++)
        op->base.norm2 = fmax(op->base.norm2, joined->parts[i].op->norm2);
    return &op->base;
}

/* What is done part by part */

void run_joined_clean(const struct run_joined *joined, struct block *y, struct workspace *ws)
{
    for (size_t i = 0; i < joined->n; i++) {
        struct block part = slice_frames(y, &joined->parts[i]);
        clean_apply(joined->parts[i].clean, &part, ws);
    }
}

double run_joined_lambda_max(const struct run_joined *joined, const double *x, struct workspace *ws)
{
    double largest = 0.0;
    for (size_t i = 0; i < joined->n; i++) {
        const struct run_part *part = &joined->parts[i];
        largest = fmax(largest, problem_lambda_max(part->problem, x + part->first, ws));
    }
    return largest;
}

double run_joined_penalty(const struct run_joined *joined, const double *u)
{
    double sum = 0.0;
    for (size_t i = 0; i < joined->n; i++)
        sum += problem_penalty(joined->parts[i].problem, u + joined->parts[i].first);
    return sum;
}

bool run_joined_is_start(const struct run_joined *joined, size_t t)
{
    for (size_t i = 0; i < joined->n; i++)
        if (joined->parts[i].first == t)
            return true;
    return false;
}

// The objective of the best constant, which relative gaps are of: 1/2 ||Pi x||^2, or 1/2 ||x||^2.
static double trivial_objective(const struct run_part *part, const double *x, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *rest = WORKSPACE_ALLOC(ws, double, part->n);
    double after = 0.0, before = 0.0;
    problem_project(part->problem, x + part->first, rest);
    for (size_t t = 0; t < part->n; t++) {
        after += 0.5 * rest[t] * rest[t];
        before += 0.5 * x[part->first + t] * x[part->first + t];
    }
    workspace_release(ws, mark);
    return after > 0.0 ? after : before;
}

// result: of what comes before; adds a part's.
static void add_result(struct series_result *result, const struct series_result *part)
{
    if (result->status == SERIES_CONSTANT || part->status == SERIES_NONFINITE)
        result->status = part->status;
    result->objective += part->objective;
    result->duality_gap += part->duality_gap;
    result->n_jumps += part->n_jumps;
    result->iterations = MAX(result->iterations, part->iterations);
}

static void conclude(const struct run_joined *joined, const struct block *x,
                     struct series_result *results, struct workspace *ws)
{
    double tol = joined->parts[0].solver->options.tol;
    for (size_t v = 0; v < x->n_series; v++) {
        double scale = 0.0;
        for (size_t i = 0; i < joined->n; i++)
            scale += trivial_objective(&joined->parts[i], block_series(x, v), ws);
        struct series_result *result = &results[v];
        result->relative_gap = scale > 0.0 ? result->duality_gap / scale : result->duality_gap;
        if (result->status == SERIES_SOLVED || result->status == SERIES_INACCURATE)
            result->status = result->relative_gap <= tol ? SERIES_SOLVED : SERIES_INACCURATE;
    }
}

void run_joined_solve(const struct run_joined *joined, const struct solve_input *input,
                      struct block *u, struct series_result *results, struct workspace *ws)
{
    size_t mark = workspace_mark(ws), n_series = input->x->n_series;
    double *lambda = WORKSPACE_ALLOC(ws, double, n_series);
    struct series_result *own = WORKSPACE_ALLOC(ws, struct series_result, n_series);
    for (size_t v = 0; v < n_series; v++) {
        double largest = run_joined_lambda_max(joined, block_series(input->x, v), ws);
        lambda[v] = solve_input_lambda(input, v, largest);
        results[v] = (struct series_result){
            .status = SERIES_CONSTANT, .lambda = lambda[v], .lambda_max = largest};
    }
    for (size_t i = 0; i < joined->n; i++) {
        struct block x = slice_frames(input->x, &joined->parts[i]);
        struct block part = slice_frames(u, &joined->parts[i]);
        struct solve_input one = {.x = &x,
                                  .lambda = lambda,
                                  .lambda_is_ratio = false,
                                  .first_series = input->first_series};
        solver_run(joined->parts[i].solver, &one, &part, own, ws);
        for (size_t v = 0; v < n_series; v++)
            add_result(&results[v], &own[v]);
    }
    conclude(joined, input->x, results, ws);
    workspace_release(ws, mark);
}
