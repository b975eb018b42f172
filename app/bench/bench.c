// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/bench.h"

#include "solvers/cpu_clock.h"
#include "solvers/median.h"

#include <math.h>

const double bench_targets[BENCH_N_TARGETS] = {1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10};

static void open_row(struct bench_row *row, const struct problem *problem, const char *name,
                     const struct bench_options *options)
{
    row->method = methods_find(problem->kind, name);
    g_assert(row->method != NULL);
    for (size_t k = 0; k < BENCH_N_TARGETS; k++)
        row->timings[k].us = g_array_new(FALSE, FALSE, sizeof(double));
    struct solver_options how = solver_options_default();
    how.tol = bench_targets[BENCH_N_TARGETS - 1];
    how.max_iter = options->max_iter;
    g_autoptr(GError) error = NULL;
    double begin = cpu_clock_s();
    row->solver = row->method->create(problem, &how, &error);
    row->prepare_s = cpu_clock_s() - begin;
    if (row->solver == NULL)
        row->refusal = g_strdup(error->message);
}

struct bench *bench_new(const struct problem *problem, const double *x, size_t n_series,
                        const char *const *names, const struct bench_options *options)
{
    struct bench *bench = g_new0(struct bench, 1);
    bench->options = *options;
    bench->problem = problem;
    bench->x = x;
    bench->n_series = n_series;
    bench->n_rows = g_strv_length((char **) names);
    bench->rows = g_new0(struct bench_row, bench->n_rows);
    for (size_t i = 0; i < bench->n_rows; i++)
        open_row(&bench->rows[i], problem, names[i], options);
    return bench;
}

void bench_add(struct bench *bench, const struct method *method, struct solver *solver)
{
    bench->rows = g_renew(struct bench_row, bench->rows, bench->n_rows + 1);
    struct bench_row *row = &bench->rows[bench->n_rows++];
    *row = (struct bench_row){.method = method, .solver = solver, .lent = true};
    for (size_t k = 0; k < BENCH_N_TARGETS; k++)
        row->timings[k].us = g_array_new(FALSE, FALSE, sizeof(double));
}

void bench_free(struct bench *bench)
{
    if (bench == NULL)
        return;
    for (size_t i = 0; i < bench->n_rows; i++) {
        for (size_t k = 0; k < BENCH_N_TARGETS; k++)
            g_array_unref(bench->rows[i].timings[k].us);
        if (!bench->rows[i].lent)
            solver_free(bench->rows[i].solver);
        g_free(bench->rows[i].refusal);
    }
    g_free(bench->rows);
    g_free(bench);
}

/** The series of a round, and room for what comes of them. */
struct tile {
    struct block x;
    struct block u;
    double *lambda;
    struct series_result *results;
};

static struct tile cut_tile(const struct bench *bench, size_t first, size_t count,
                            struct workspace *ws)
{
    size_t n_out = bench->problem->op->n_out;
    size_t n_in = bench->problem->op->n_in;
    struct tile tile = {
        .x = {n_out, count, n_out, WORKSPACE_ALLOC(ws, double, n_out *count)},
        .u = {n_in, count, n_in, WORKSPACE_ALLOC(ws, double, n_in *count)},
        .lambda = WORKSPACE_ALLOC(ws, double, count),
        .results = WORKSPACE_ALLOC(ws, struct series_result, count),
    };
    for (size_t i = 0; i < n_out * count; i++)
        tile.x.data[i] = bench->x[first * n_out + i];
    for (size_t v = 0; v < count; v++)
        tile.lambda[v] = bench->options.lambda_ratio;
    return tile;
}

static void time_tile(struct bench_row *row, size_t target, struct tile *tile, struct workspace *ws)
{
    struct bench_timing *timing = &row->timings[target];
    struct solve_input input = {.x = &tile->x, .lambda = tile->lambda, .lambda_is_ratio = true};
    row->solver->options.tol = bench_targets[target];
    double begin = cpu_clock_s();
    solver_run(row->solver, &input, &tile->u, tile->results, ws);
    double seconds = cpu_clock_s() - begin;
    for (size_t v = 0; v < tile->x.n_series; v++) {
        timing->worst_gap = fmax(timing->worst_gap, tile->results[v].relative_gap);
        timing->n_iterations += tile->results[v].iterations;
        timing->missed |= tile->results[v].status == SERIES_INACCURATE;
    }
    timing->n_series += tile->x.n_series;
    timing->cpu_s += seconds;
    double us = 1e6 * seconds / (double) tile->x.n_series;
    g_array_append_val(timing->us, us);
}

// A method that runs to its own end is timed on the last target alone. One that missed a target is
// not sent to farther ones, and one that spent its budget has been timed enough.
static bool is_wanted(const struct bench_row *row, size_t target, double budget_s)
{
    if (row->solver == NULL)
        return false;
    if (row->method->runs_to_its_end)
        return target == BENCH_N_TARGETS - 1;
    for (size_t k = 0; k <= target; k++)
        if (row->timings[k].missed)
            return false;
    return row->timings[target].cpu_s < budget_s;
}

static void warm_up(struct bench *bench, struct tile *tile, struct workspace *ws)
{
    struct block x = block_slice(&tile->x, 0, 1);
    struct block u = block_slice(&tile->u, 0, 1);
    struct solve_input input = {.x = &x, .lambda = tile->lambda, .lambda_is_ratio = true};
    for (size_t i = 0; i < bench->n_rows; i++) {
        if (bench->rows[i].solver == NULL)
            continue;
        bench->rows[i].solver->options.tol = bench_targets[0];
        solver_run(bench->rows[i].solver, &input, &u, tile->results, ws);
    }
}

bool bench_run(struct bench *bench, bool (*go_on)(void *data, double fraction), void *data)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    size_t n_rounds = MIN(bench->options.n_rounds, bench->n_series);
    size_t n_steps = n_rounds * BENCH_N_TARGETS * bench->n_rows;
    size_t step = 0;
    for (size_t r = 0; r < n_rounds; r++) {
        size_t mark = workspace_mark(ws);
        size_t first = r * bench->n_series / n_rounds;
        size_t count = (r + 1) * bench->n_series / n_rounds - first;
        struct tile tile = cut_tile(bench, first, count, ws);
        if (r == 0)
            warm_up(bench, &tile, ws);
        for (size_t k = 0; k < BENCH_N_TARGETS; k++) {
            for (size_t i = 0; i < bench->n_rows; i++) {
                if (!go_on(data, (double) step++ / (double) n_steps))
                    return false;
                if (is_wanted(&bench->rows[i], k, bench->options.budget_s))
                    time_tile(&bench->rows[i], k, &tile, ws);
            }
        }
        workspace_release(ws, mark);
    }
    return true;
}

static const struct bench_timing *timing_of(const struct bench_row *row, size_t target)
{
    return &row->timings[row->method->runs_to_its_end ? BENCH_N_TARGETS - 1 : target];
}

static bool has_time(const struct bench_row *row, size_t target)
{
    const struct bench_timing *timing = timing_of(row, target);
    return timing->us->len > 0 && timing->worst_gap <= bench_targets[target];
}

double bench_us(const struct bench_row *row, size_t target)
{
    if (!has_time(row, target))
        return NAN;
    const GArray *us = timing_of(row, target)->us;
    g_autofree double *sorted = g_memdup2(us->data, us->len * sizeof(double));
    return median(sorted, us->len);
}

double bench_ratio(const struct bench_row *row, const struct bench_row *reference, size_t target)
{
    if (!has_time(row, target) || !has_time(reference, target))
        return NAN;
    const GArray *us = timing_of(row, target)->us;
    const GArray *other = timing_of(reference, target)->us;
    size_t n = MIN(us->len, other->len);
    g_autofree double *ratios = g_new(double, n);
    for (size_t r = 0; r < n; r++)
        ratios[r] = g_array_index(us, double, r) / g_array_index(other, double, r);
    return median(ratios, n);
}
