// SPDX-License-Identifier: BSD-3-Clause
#include "app/solve.h"

#include "app/operator.h"

#include <math.h>
#include <time.h>

void solve_clear(struct solve *solve)
{
    char *texts[] = {solve->options.data,         solve->options.matrix,  solve->options.lambda,
                     solve->options.lambda_ratio, solve->options.lambdas, solve->options.method,
                     solve->options.start,        solve->options.trace,   solve->options.output,
                     solve->options.response};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    array_free(solve->x);
    g_free(solve->lambda);
    array_free(solve->start);
    solver_free(solve->solver);
    trace_free(solve->trace);
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

static linop *make_operator(const struct solve *solve, GError **error)
{
    const struct settings *settings = solve->settings;
    struct operator_choice choice = {.data = solve->options.data,
                                     .matrix = solve->options.matrix,
                                     .response = settings->text[SETTING_HRF],
                                     .full = settings_is(settings, SETTING_CONV, "full")};
    if (settings->text[SETTING_TR] != NULL)
        choice.tr_s = settings_number(settings, SETTING_TR);
    return operator_new(&choice, solve->x->n_columns, &solve->app->io, error);
}

// The number that an option is, at least 0. False with an error.
static bool read_option(const char *option, const char *text, double *value, GError **error)
{
    char *end;
    *value = g_ascii_strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(*value) && *value >= 0.0)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "%s: expected a number from 0 on, found \"%s\"",
                option, text);
    return false;
}

static bool read_lambdas(struct solve *solve, GError **error)
{
    const char *path = solve->options.lambdas;
    g_autoptr(owned_array) lambdas = array_read(path, &solve->app->io, error);
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
    solve->lambda = g_new(double, solve->x->n_rows);
    solve->lambda_is_ratio = options->lambda_ratio != NULL;
    if (options->lambdas != NULL)
        return read_lambdas(solve, error);
    double value;
    if (!read_option(solve->lambda_is_ratio ? "--lambda-ratio" : "--lambda",
                     solve->lambda_is_ratio ? options->lambda_ratio : options->lambda, &value,
                     error))
        return false;
    for (size_t v = 0; v < solve->x->n_rows; v++)
        solve->lambda[v] = value;
    return true;
}

static bool plan_start(struct solve *solve, enum solver_start *start, GError **error)
{
    static const struct {
        const char *name;
        enum solver_start start;
    } starts[] = {{"const", START_CONST}, {"pinv", START_PINV}, {"zero", START_ZERO}};
    const char *text = solve->options.start == NULL ? "const" : solve->options.start;
    for (size_t i = 0; i < G_N_ELEMENTS(starts); i++)
        if (g_str_equal(starts[i].name, text)) {
            *start = starts[i].start;
            return true;
        }
    *start = START_GIVEN;
    solve->start = array_read(text, &solve->app->io, error);
    if (solve->start == NULL)
        return false;
    if (solve->start->n_rows == solve->x->n_rows && solve->start->n_columns == solve->op->n_in)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected %zu x %zu values, found %zu x %zu",
                text, solve->x->n_rows, solve->op->n_in, solve->start->n_rows,
                solve->start->n_columns);
    return false;
}

static bool plan_solver(struct solve *solve, GError **error)
{
    struct solver_options options = solver_options_default();
    options.tol = settings_number(solve->settings, SETTING_TOL);
    options.max_iter = settings_count(solve->settings, SETTING_MAX_ITER);
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

bool solve_plan(struct solve *solve, GError **error)
{
    solve->x = array_read(solve->options.data, &solve->app->io, error);
    if (solve->x == NULL || !plan_lambda(solve, error))
        return false;
    solve->op = make_operator(solve, error);
    if (solve->op == NULL)
        return false;
    solve->problem =
        solve->kind == PROBLEM_TV ? problem_new_tv(solve->op) : problem_new_lasso(solve->op);
    if (!plan_solver(solve, error))
        return false;
    size_t n = solve->x->n_rows;
    solve->u = g_try_new(double, n * solve->op->n_in);
    solve->results = g_new0(struct series_result, n);
    solve->cpu_seconds = g_new0(double, n / BLOCK_SERIES + 1);
    if (solve->u == NULL && n > 0)
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", solve->options.data);
    return solve->u != NULL || n == 0;
}

static double thread_cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

static void solve_block(void *data, size_t index, struct workspace *ws)
{
    const struct solve *solve = data;
    size_t first = index * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, solve->x->n_rows - first);
    struct block all = operator_rows(solve->x);
    struct block x = block_slice(&all, first, count);
    struct block u = {solve->op->n_in, count, solve->op->n_in, solve->u + first * solve->op->n_in};
    struct block start;
    struct solve_input input = {.x = &x,
                                .lambda = solve->lambda + first,
                                .lambda_is_ratio = solve->lambda_is_ratio,
                                .first_series = first};
    if (solve->start != NULL) {
        all = operator_rows(solve->start);
        start = block_slice(&all, first, count);
        input.start = &start;
    }
    if (solve->trace != NULL)
        trace_begin_block(solve->trace, first, ws);
    double begin_s = thread_cpu_seconds();
    solver_run(solve->solver, &input, &u, solve->results + first, ws);
    solve->cpu_seconds[index] = thread_cpu_seconds() - begin_s;
}

bool solve_execute(struct solve *solve, GError **error)
{
    size_t n = solve->x->n_rows;
    size_t n_blocks = (n + BLOCK_SERIES - 1) / BLOCK_SERIES;
    gint64 begin_us = g_get_monotonic_time();
    if (!parallel_for(solve->app->team, n_blocks, solve_block, solve)) {
        app_stopped(solve->app, error);
        return false;
    }
    solve->solve_seconds = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    for (size_t i = 0; i < n_blocks; i++)
        solve->solve_cpu_seconds += solve->cpu_seconds[i];
    solve->outcome = outcome_of(solve->results, n);
    return true;
}
