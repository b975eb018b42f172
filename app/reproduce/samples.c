// SPDX-License-Identifier: BSD-3-Clause
#include "app/reproduce/samples.h"

#include "solvers/pseudo_inverse.h"
#include "solvers/random.h"

#include <math.h>
#include <string.h>

// What is drawn, each from a stream of its own.
enum purpose { DRAW_DICTIONARY = 100, DRAW_CODES, DRAW_DATA };

void samples_free(struct samples *samples)
{
    if (samples == NULL)
        return;
    g_free(samples->x.data);
    g_free(samples->start.data);
    g_free(samples->lambda);
    g_free(samples->minima);
    g_free(samples);
}

static double largest_lambda_max(const struct samples *samples, struct workspace *ws)
{
    double largest = 0.0;
    for (size_t v = 0; v < samples->x.n_series; v++)
        largest =
            fmax(largest, problem_lambda_max(samples->problem, block_series(&samples->x, v), ws));
    return largest;
}

// largest: lambda_max of the run; 0: that of the sample counts.
static void prepare_sample(struct samples *samples, const struct samples_options *options,
                           double largest, size_t v, struct workspace *ws)
{
    double *x = block_series(&samples->x, v);
    double lambda_max = largest > 0.0 ? largest : problem_lambda_max(samples->problem, x, ws);
    double scale = options->scale && lambda_max > 0.0 ? lambda_max : 1.0;
    for (size_t t = 0; t < samples->x.n_time; t++)
        x[t] /= scale;
    samples->lambda[v] = options->ratio * lambda_max / scale;
    double level = options->start == START_CONST ? problem_trivial_level(samples->problem, x) : 0.0;
    for (size_t i = 0; i < samples->start.n_time; i++)
        block_series(&samples->start, v)[i] = level;
}

struct solving {
    const struct solver *solver;
    const struct samples *samples;
    struct series_result *results;
    double *u;
};

static void solve_block(void *data, size_t index, struct workspace *ws)
{
    const struct solving *solving = data;
    const struct samples *samples = solving->samples;
    size_t n_in = samples->start.n_time;
    size_t first = index * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, samples->x.n_series - first);
    struct block x = block_slice(&samples->x, first, count);
    struct block start = block_slice(&samples->start, first, count);
    struct block u = {n_in, count, n_in, solving->u + first * n_in};
    struct solve_input input = {
        .x = &x, .lambda = samples->lambda + first, .start = &start, .first_series = first};
    solver_run(solving->solver, &input, &u, solving->results + first, ws);
}

static bool solve_all(struct reproduction *r, struct solving *solving, GError **error)
{
    size_t n = solving->samples->x.n_series;
    if (parallel_for(r->host->team, (n + BLOCK_SERIES - 1) / BLOCK_SERIES, solve_block, solving))
        return true;
    host_stopped(r->host, error);
    return false;
}

static bool find_minima(struct reproduction *r, struct samples *samples, GError **error)
{
    size_t n = samples->x.n_series;
    struct solver_options options = solver_options_default();
    options.tol = 1e-12;
    g_autoptr(owned_solver) solver = solver_new_exact(samples->problem, &options, error);
    if (solver == NULL)
        return false;
    g_autofree struct series_result *results = g_new(struct series_result, n);
    g_autofree double *u = g_new(double, n * samples->start.n_time);
    struct solving solving = {solver, samples, results, u};
    if (!solve_all(r, &solving, error))
        return false;
    for (size_t v = 0; v < n; v++) {
        if (!(results[v].relative_gap <= 1e-12)) {
            g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                        "%s: sample %zu: expected a minimum certified to 1e-12, found a gap of %g",
                        r->experiment->id, v + 1, results[v].relative_gap);
            return false;
        }
        samples->worst_gap = fmax(samples->worst_gap, results[v].relative_gap);
        samples->minima[v] = results[v].objective;
        samples->minimum += results[v].objective / (double) n;
    }
    return true;
}

struct samples *samples_new(struct reproduction *r, const struct problem *problem, struct block x,
                            const struct samples_options *options, GError **error)
{
    size_t n = x.n_series, n_in = problem->op->n_in;
    g_autoptr(owned_samples) samples = g_new0(struct samples, 1);
    g_autoptr(owned_workspace) ws = workspace_new();
    samples->problem = problem;
    samples->x = x;
    samples->start = (struct block){n_in, n, n_in, g_new(double, n *n_in)};
    samples->lambda = g_new(double, n);
    samples->minima = g_new(double, n);
    double largest = options->run_scope ? largest_lambda_max(samples, ws) : 0.0;
    for (size_t v = 0; v < n; v++)
        prepare_sample(samples, options, largest, v, ws);
    if (options->start == START_PINV) {
        g_autoptr(linop) inverse = linop_new_pseudo_inverse(problem->op);
        linop_apply(inverse, &samples->x, &samples->start, ws);
    }
    samples->train = (struct train_samples){
        .x = &samples->x, .lambda = samples->lambda, .start = &samples->start};
    return find_minima(r, samples, error) ? g_steal_pointer(&samples) : NULL;
}

// The objectives of all iterates; a series that ends early keeps its last.
struct record {
    const struct samples *samples;
    size_t n_iterations;
    double *objectives; // series after series, n_iterations + 1 each
    size_t *n_seen;     // of each series
};

static void note_iterate(void *data, size_t series, size_t iteration, const double *u)
{
    struct record *record = data;
    const struct samples *samples = record->samples;
    if (iteration > record->n_iterations)
        return;
    g_autoptr(owned_workspace) ws = workspace_new();
    double *objectives = record->objectives + series * (record->n_iterations + 1);
    objectives[iteration] = problem_objective(samples->problem, block_series(&samples->x, series),
                                              u, samples->lambda[series], ws);
    record->n_seen[series] = iteration + 1;
}

static void add_curve(struct reproduction *r, const struct record *record,
                      const struct curve *curve)
{
    size_t n = record->samples->x.n_series;
    for (size_t k = 0; k < curve->n_steps; k++) {
        double sum = 0.0;
        for (size_t v = 0; v < n; v++) {
            size_t step = MIN(curve->steps[k], record->n_seen[v] - 1);
            sum += record->objectives[v * (record->n_iterations + 1) + step];
        }
        reproduction_result(r, curve->method, (double) curve->steps[k], r->seed, curve->metric,
                            sum / (double) n - record->samples->minimum);
    }
}

bool samples_solver_curve(struct reproduction *r, const struct samples *samples,
                          solver_constructor *create, const struct curve *curve, GError **error)
{
    size_t n = samples->x.n_series;
    size_t n_iterations = curve->steps[curve->n_steps - 1];
    g_autofree double *objectives = g_new(double, n *(n_iterations + 1));
    g_autofree size_t *n_seen = g_new0(size_t, n);
    struct record record = {samples, n_iterations, objectives, n_seen};
    struct solver_observer observer = {note_iterate, &record};
    struct solver_options options = solver_options_default();
    options.tol = 0.0;
    options.max_iter = n_iterations;
    options.start = START_GIVEN;
    options.observer = &observer;
    g_autoptr(owned_solver) solver = create(samples->problem, &options, error);
    if (solver == NULL)
        return false;
    g_autofree struct series_result *results = g_new(struct series_result, n);
    g_autofree double *u = g_new(double, n * samples->start.n_time);
    struct solving solving = {solver, samples, results, u};
    if (!solve_all(r, &solving, error))
        return false;
    add_curve(r, &record, curve);
    return true;
}

void samples_network_curve(struct reproduction *r, const struct samples *samples,
                           const struct network *network, bool safeguard, const struct curve *curve)
{
    for (size_t k = 0; k < curve->n_steps; k++) {
        double loss =
            train_loss(network, curve->steps[k], safeguard, &samples->train, r->host->team);
        reproduction_result(r, curve->method, (double) curve->steps[k], r->seed, curve->metric,
                            loss - samples->minimum);
    }
}

double *samples_draw_dictionary(uint64_t seed, size_t n_out, size_t n_in)
{
    double *matrix = g_new(double, n_out *n_in);
    for (size_t j = 0; j < n_in; j++) {
        struct random_stream stream = random_stream_of(seed, DRAW_DICTIONARY, j);
        double *column = matrix + j * n_out;
        random_normal(&stream, column, n_out);
        double norm = 0.0;
        for (size_t i = 0; i < n_out; i++)
            norm += column[i] * column[i];
        for (size_t i = 0; i < n_out; i++)
            column[i] /= sqrt(norm);
    }
    return matrix;
}

struct block samples_draw_lasso(uint64_t seed, const linop *op, size_t n_series, bool slide)
{
    struct block x = {op->n_out, n_series, op->n_out, g_new(double, op->n_out *n_series)};
    g_autoptr(owned_workspace) ws = workspace_new();
    double *z = WORKSPACE_ALLOC(ws, double, op->n_in);
    for (size_t v = 0; v < n_series; v++) {
        struct random_stream stream = random_stream_of(seed, slide ? DRAW_DATA : DRAW_CODES, v);
        if (slide) {
            random_normal(&stream, block_series(&x, v), op->n_out);
            continue;
        }
        random_normal(&stream, z, op->n_in);
        linop_apply_series(op, z, block_series(&x, v), ws);
    }
    return x;
}

linop *samples_operator(const double *rows, size_t n_out, size_t n_in)
{
    g_autofree double *columns = g_new(double, n_out *n_in);
    for (size_t i = 0; i < n_out; i++)
        for (size_t j = 0; j < n_in; j++)
            columns[j * n_out + i] = rows[i * n_in + j];
    return linop_new_dense(columns, n_out, n_in);
}
