// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/solver.h"

#include <math.h>
#include <string.h>

G_DEFINE_QUARK(solvers_error, solvers_error)

const char *series_status_name(enum series_status status)
{
    static const char *const names[SERIES_N_STATUS] = {"outside",   "solved",     "constant",
                                                       "nonfinite", "inaccurate", "skipped"};
    g_assert((size_t) status < SERIES_N_STATUS);
    return names[status];
}

struct solver_options solver_options_default(void)
{
    return (struct solver_options){.tol = 1e-6, .max_iter = 100000, .start = START_CONST};
}

double solve_input_lambda(const struct solve_input *input, size_t v, double lambda_max)
{
    return input->lambda_is_ratio ? input->lambda[v] * lambda_max : input->lambda[v];
}

enum series_status series_classify(const double *x, size_t n)
{
    // x - x is zero for a finite number and NaN for the others.
    double nonfinite = 0.0;
    bool varies = false;
    for (size_t t = 0; t < n; t++) {
        nonfinite += x[t] - x[t];
        varies |= x[t] != x[0];
    }
    if (!(nonfinite == 0.0))
        return SERIES_NONFINITE;
    return varies ? SERIES_SOLVED : SERIES_CONSTANT;
}

bool series_is_off_centre(const double *x, size_t n)
{
    double sum = 0.0, sum2 = 0.0;
    for (size_t t = 0; t < n; t++) {
        sum += x[t];
        sum2 += x[t] * x[t];
    }
    double mean = sum / (double) n;
    return mean * mean > sum2 / (double) n - mean * mean;
}

static size_t count_jumps(const struct problem *problem, const double *u)
{
    size_t count = 0;
    if (problem->kind == PROBLEM_LASSO) {
        for (size_t i = 0; i < problem->op->n_in; i++)
            count += u[i] != 0.0;
        return count;
    }
    for (size_t i = 1; i < problem->op->n_in; i++)
        count += u[i] != u[i - 1];
    return count;
}

static void note_certificate(const struct problem *problem, const struct certificate *found,
                             const double *u, double tol, struct series_result *result)
{
    result->objective = found->objective;
    result->duality_gap = found->duality_gap;
    result->relative_gap = found->relative_gap;
    result->n_jumps = count_jumps(problem, u);
    if (!(found->relative_gap <= tol))
        result->status = SERIES_INACCURATE;
}

void series_certify(const struct problem *problem, const double *x, const double *u, double tol,
                    struct series_result *result, struct workspace *ws)
{
    struct certificate found = problem_certify(problem, x, u, result->lambda, ws);
    note_certificate(problem, &found, u, tol, result);
}

// A dense operator is applied to all series at once, others to one at a time, which stays in cache.
static void certify(const struct solver *solver, const struct block *x, const struct block *u,
                    struct series_result *results, struct workspace *ws)
{
    size_t n_series = x->n_series;
    size_t step = solver->problem->op->matrix != NULL ? n_series : 1;
    size_t mark = workspace_mark(ws);
    double *lambda = WORKSPACE_ALLOC(ws, double, n_series);
    struct certificate *found = WORKSPACE_ALLOC(ws, struct certificate, n_series);
    for (size_t v = 0; v < n_series; v++)
        lambda[v] = results[v].lambda;
    for (size_t v = 0; v < n_series; v += step) {
        struct block x_part = block_slice(x, v, step);
        struct block u_part = block_slice(u, v, step);
        problem_certify_block(solver->problem, &x_part, &u_part, lambda + v, found + v, ws);
    }
    for (size_t v = 0; v < n_series; v++)
        note_certificate(solver->problem, &found[v], block_series(u, v), solver->options.tol,
                         &results[v]);
    workspace_release(ws, mark);
}

static void solve_finite(const struct solver *solver, const struct solve_input *input, size_t first,
                         size_t count, struct block *u, struct series_result *results,
                         struct workspace *ws)
{
    struct block x = block_slice(input->x, first, count);
    struct block part = block_slice(u, first, count);
    struct solve_input sub = *input;
    sub.x = &x;
    sub.lambda = input->lambda + first;
    sub.first_series = input->first_series + first;
    struct block start;
    if (input->start != NULL) {
        start = block_slice(input->start, first, count);
        sub.start = &start;
    }
    solver->solve(solver, &sub, &part, results + first, ws);
    certify(solver, &x, &part, results + first, ws);
}

void solver_run(const struct solver *solver, const struct solve_input *input, struct block *u,
                struct series_result *results, struct workspace *ws)
{
    const linop *op = solver->problem->op;
    size_t n_series = input->x->n_series;
    g_assert(input->x->n_time == op->n_out && u->n_time == op->n_in && u->n_series == n_series);

    for (size_t v = 0; v < n_series; v++) {
        memset(&results[v], 0, sizeof results[v]);
        results[v].status = series_classify(block_series(input->x, v), op->n_out);
        if (results[v].status == SERIES_NONFINITE)
            memset(block_series(u, v), 0, op->n_in * sizeof(double));
    }
    for (size_t first = 0; first < n_series; first++) {
        size_t end = first;
        while (end < n_series && results[end].status != SERIES_NONFINITE)
            end++;
        if (end > first)
            solve_finite(solver, input, first, end - first, u, results, ws);
        first = end;
    }
}

void solver_free(struct solver *solver)
{
    if (solver != NULL)
        solver->free(solver);
}
