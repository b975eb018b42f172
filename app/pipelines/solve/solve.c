// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/solve/solve.h"

#include "app/host/budget.h"
#include "app/pipelines/inputs/operator.h"
#include "app/pipelines/solve/solve_path.h"
#include "solvers/cpu_clock.h"

#include <math.h>

void solve_clear(struct solve *solve)
{
    array_free(solve->x);
    g_free(solve->lambda);
    array_free(solve->start);
    solver_free(solve->solver);
    solve_path_free(solve->path);
    trace_free(solve->trace);
    lambda_rule_free(solve->rule);
    problem_free(solve->problem);
    linop_free(solve->op);
    g_free(solve->u);
    g_free(solve->results);
    g_free(solve->cpu_seconds);
}

static bool fail(GError **error, const char *path, const char *expected, size_t found)
{
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected %s, found %zu", path, expected,
                found);
    return false;
}

static bool read_lambdas(struct solve *solve, GError **error)
{
    const char *path = solve->options.lambdas;
    g_autoptr(owned_array) lambdas = array_read(path, &solve->host->io, error);
    if (lambdas == NULL)
        return false;
    size_t n = lambdas->n_rows * lambdas->n_columns;
    if (n != solve->x->n_rows || (lambdas->n_rows != 1 && lambdas->n_columns != 1)) {
        g_autofree char *expected =
            g_strdup_printf("one value for each of %zu series", solve->x->n_rows);
        return fail(error, path, expected, n);
    }
    for (size_t v = 0; v < n; v++) {
        solve->lambda[v] = lambdas->values[v];
        if (isfinite(solve->lambda[v]) && solve->lambda[v] >= 0.0)
            continue;
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: value %zu: expected a number from 0 on, found %g", path, v + 1,
                    solve->lambda[v]);
        return false;
    }
    return true;
}

static bool plan_lambda(struct solve *solve, GError **error)
{
    const struct solve_options *options = &solve->options;
    solve->lambda = g_new0(double, solve->x->n_rows);
    solve->lambda_is_ratio = !isnan(options->lambda_ratio);
    if (options->rule >= 0)
        return true;
    if (options->lambdas != NULL)
        return read_lambdas(solve, error);
    for (size_t v = 0; v < solve->x->n_rows; v++)
        solve->lambda[v] = solve->lambda_is_ratio ? options->lambda_ratio : options->lambda;
    return true;
}

// The rules that need nothing but the data.
static bool plan_rule(struct solve *solve, GError **error)
{
    static const enum lambda_kind kinds[] = {LAMBDA_AIC, LAMBDA_BIC, LAMBDA_LUT, LAMBDA_MAD,
                                             LAMBDA_UT};
    if (solve->options.rule < 0)
        return true;
    solve->rule = lambda_rule_new(solve->problem, kinds[solve->options.rule], 0.0, error);
    return solve->rule != NULL;
}

static bool plan_start(struct solve *solve, enum solver_start *start, GError **error)
{
    static const struct {
        const char *name;
        enum solver_start start;
    } starts[] = {{"const", START_CONST}, {"pinv", START_PINV}, {"zero", START_ZERO}};
    const char *text = solve->options.start;
    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++)
        if (g_str_equal(starts[i].name, text)) {
            *start = starts[i].start;
            return true;
        }
    *start = START_GIVEN;
    solve->start = array_read_series(text, &solve->host->io, error);
    if (solve->start == NULL)
        return false;
    size_t n_rows = solve->start->n_rows, n_columns = solve->start->n_columns;
    if (n_rows != solve->x->n_rows || n_columns != solve->op->n_in) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected %zu x %zu values, found %zu x %zu", text, solve->x->n_rows,
                    solve->op->n_in, n_rows, n_columns);
        return false;
    }
    for (size_t i = 0; i < n_rows * n_columns; i++)
        if (!isfinite(solve->start->values[i])) {
            g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                        "%s: row %zu, column %zu: expected a finite number", text,
                        i / n_columns + 1, i % n_columns + 1);
            return false;
        }
    return true;
}

static bool plan_solver(struct solve *solve, GError **error)
{
    struct solver_options options = solve->options.solving;
    if (!plan_start(solve, &options.start, error))
        return false;
    if (solve->options.trace != NULL) {
        solve->trace = trace_new(solve->problem, operator_rows(solve->x), solve->lambda,
                                 solve->lambda_is_ratio);
        options.observer = trace_observer(solve->trace);
    }
    solve->solver =
        methods_find(solve->kind, solve->options.method)->create(solve->problem, &options, error);
    return solve->solver != NULL;
}

static bool plan_path(struct solve *solve, GError **error)
{
    double least = solve->options.lambda_ratio;
    solve->n_path = solve->options.path;
    if (least > 1.0) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "--path: expected a least ratio up to 1");
        return false;
    }
    solve->path = solve_path_new(solve->problem, solve->n_path, least, solve->x->n_rows, error);
    return solve->path != NULL;
}

bool solve_plan(struct solve *solve, GError **error)
{
    const struct io_context *io = &solve->host->io;
    solve->x = array_read_series(solve->options.data, io, error);
    if (solve->x == NULL || !plan_lambda(solve, error))
        return false;
    solve->op =
        operator_new(&solve->options.op, solve->options.data, solve->x->n_columns, io, error);
    if (solve->op == NULL)
        return false;
    solve->problem = solve->kind == PROBLEM_TV ? problem_new_tv(solve->op)
                     : solve->options.positive ? problem_new_positive_lasso(solve->op)
                                               : problem_new_lasso(solve->op);
    solve->n_path = 1;
    if (!plan_rule(solve, error) ||
        !(solve->options.path != SIZE_MAX ? plan_path(solve, error) : plan_solver(solve, error)))
        return false;
    size_t n = solve->x->n_rows * solve->n_path;
    solve->results = g_new0(struct series_result, n);
    solve->cpu_seconds = g_new0(double, solve->x->n_rows / BLOCK_SERIES + 1);
    solve->u =
        io_context_alloc(io, solve->options.data, n, solve->op->n_in * sizeof(double), error);
    return solve->u != NULL;
}

static void choose_lambda(const struct solve *solve, const struct block *x, size_t first,
                          struct workspace *ws)
{
    if (solve->rule == NULL)
        return;
    struct lambda_choice choices[BLOCK_SERIES];
    lambda_rule_apply(solve->rule, x, NULL, choices, ws);
    for (size_t v = 0; v < x->n_series; v++)
        solve->lambda[first + v] = choices[v].lambda;
}

static void solve_at_one(const struct solve *solve, const struct block *x, size_t first,
                         struct workspace *ws)
{
    struct block u = {solve->op->n_in, x->n_series, solve->op->n_in,
                      solve->u + first * solve->op->n_in};
    struct block start;
    struct solve_input input = {.x = x,
                                .lambda = solve->lambda + first,
                                .lambda_is_ratio = solve->lambda_is_ratio,
                                .first_series = first};
    if (solve->start != NULL) {
        struct block all = operator_rows(solve->start);
        start = block_slice(&all, first, x->n_series);
        input.start = &start;
    }
    choose_lambda(solve, x, first, ws);
    if (solve->trace != NULL)
        trace_begin_block(solve->trace, first, ws);
    solver_run(solve->solver, &input, &u, solve->results + first, ws);
}

static void solve_block(void *data, size_t index, struct workspace *ws)
{
    const struct solve *solve = data;
    size_t first = index * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, solve->x->n_rows - first);
    struct block all = operator_rows(solve->x);
    struct block x = block_slice(&all, first, count);
    double begin_s = cpu_clock_s();
    if (solve->path == NULL)
        solve_at_one(solve, &x, first, ws);
    for (size_t v = first; v < first + count && solve->path != NULL; v++) {
        size_t at = v * solve->n_path;
        solve_path_series(solve->path, v, block_series(&all, v), solve->options.solving.tol,
                          solve->u + at * solve->op->n_in, solve->results + at, ws);
    }
    solve->cpu_seconds[index] = cpu_clock_s() - begin_s;
}

bool solve_execute(struct solve *solve, GError **error)
{
    size_t n = solve->x->n_rows;
    size_t n_blocks = (n + BLOCK_SERIES - 1) / BLOCK_SERIES;
    gint64 begin_us = g_get_monotonic_time();
    if (!parallel_for(solve->host->team, n_blocks, solve_block, solve)) {
        host_stopped(solve->host, error);
        return false;
    }
    solve->solve_seconds = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    for (size_t i = 0; i < n_blocks; i++)
        solve->solve_cpu_seconds += solve->cpu_seconds[i];
    solve->outcome = outcome_of(solve->results, n * solve->n_path);
    return true;
}
