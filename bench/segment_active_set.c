// SPDX-License-Identifier: BSD-3-Clause
// CPU time of the exact solver of TV with a causal response, a series at a time on one thread, on
// series of raw float64 (n_series x T, no header): all of it (lambda_max and certificate
// included), the active set alone, and the certificate alone.
// usage: segment_active_set SERIES.f64 HRF.f64 T [RATIO [N_SERIES [KERNELS]]]

#include "solvers/segment_active_set.h"
#include "bench/measure.h"
#include "deconv/hrf_conv.h"
#include "solvers/cpu_clock.h"
#include "solvers/kernels.h"
#include "solvers/solver.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_ROUNDS = 5 };

struct data {
    double *x;                     // owned; n_series x n_time
    double *h;                     // owned
    double *u;                     // owned; n_series x n_time
    struct series_result *results; // owned
    size_t n_series;
    size_t n_time;
    size_t n_h;
    double ratio;
};

// A round of each part, in us a series.
static double run_solver(const struct solver *solver, struct data *data, struct workspace *ws)
{
    double begin = cpu_clock_s();
    g_autofree double *lambda = g_new(double, BLOCK_SERIES);
    for (size_t v = 0; v < BLOCK_SERIES; v++)
        lambda[v] = data->ratio;
    for (size_t first = 0; first < data->n_series; first += BLOCK_SERIES) {
        size_t count = MIN((size_t) BLOCK_SERIES, data->n_series - first);
        size_t begin_at = first * data->n_time;
        struct block x = {data->n_time, count, data->n_time, data->x + begin_at};
        struct block u = {data->n_time, count, data->n_time, data->u + begin_at};
        struct solve_input input = {.x = &x, .lambda = lambda, .lambda_is_ratio = true};
        solver_run(solver, &input, &u, data->results + first, ws);
    }
    return 1e6 * (cpu_clock_s() - begin) / (double) data->n_series;
}

struct work {
    size_t n_evaluations;
    size_t n_solves;
    size_t n_knots;
};

static double run_active_set(const struct segment_active_set *set, const struct data *data,
                             struct work *work, struct workspace *ws)
{
    *work = (struct work){0};
    double begin = cpu_clock_s();
    for (size_t v = 0; v < data->n_series; v++) {
        size_t at = v * data->n_time;
        struct segment_result found =
            segment_active_set_solve(set, data->x + at, data->ratio, true, data->u + at, ws);
        work->n_evaluations += found.n_evaluations;
        work->n_solves += found.n_solves;
        work->n_knots += found.n_knots;
    }
    return 1e6 * (cpu_clock_s() - begin) / (double) data->n_series;
}

static double run_certificate(const struct problem *problem, struct data *data,
                              struct workspace *ws)
{
    double begin = cpu_clock_s();
    for (size_t v = 0; v < data->n_series; v++) {
        size_t at = v * data->n_time;
        struct certificate found =
            problem_certify(problem, data->x + at, data->u + at, data->results[v].lambda, ws);
        data->results[v].relative_gap = found.relative_gap;
    }
    return 1e6 * (cpu_clock_s() - begin) / (double) data->n_series;
}

static int compare_gaps(const void *a, const void *b)
{
    double first = ((const struct series_result *) a)->relative_gap;
    double second = ((const struct series_result *) b)->relative_gap;
    return (first > second) - (first < second);
}

static void measure(struct data *data, const struct kernels *kernels, const struct problem *problem)
{
    struct workspace *ws = workspace_new();
    struct solver_options options = solver_options_default();
    struct solver *solver = solver_new_exact(problem, &options, NULL);
    struct segment_active_set *set =
        segment_active_set_new(problem->op->filter, data->n_time, kernels);
    double all = INFINITY, alone = INFINITY, certificate = INFINITY;
    struct work work;
    for (int round = 0; round < N_ROUNDS; round++) {
        alone = MIN(alone, run_active_set(set, data, &work, ws));
        all = MIN(all, run_solver(solver, data, ws));
        certificate = MIN(certificate, run_certificate(problem, data, ws));
    }
    qsort(data->results, data->n_series, sizeof *data->results, compare_gaps);
    double n = (double) data->n_series;
    printf("T %zu, K %zu, ratio %g, %s: %.2f us a series; active set %.2f, certificate %.2f; "
           "%.1f knots, %.1f strings, %.1f solves; gap %.1e, at most %.1e\n",
           data->n_time, data->n_h, data->ratio, kernels->name, all, alone, certificate,
           (double) work.n_knots / n, (double) work.n_evaluations / n, (double) work.n_solves / n,
           data->results[data->n_series / 2].relative_gap,
           data->results[data->n_series - 1].relative_gap);
    solver_free(solver);
    segment_active_set_free(set);
    workspace_free(ws);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: segment_active_set SERIES.f64 HRF.f64 T [RATIO [N [KERNELS]]]\n");
        return EXIT_FAILURE;
    }
    size_t n_values = 0;
    struct data data = {.n_time = g_ascii_strtoull(argv[3], NULL, 10),
                        .ratio = argc > 4 ? g_ascii_strtod(argv[4], NULL) : 0.1};
    data.x = read_doubles(argv[1], &n_values);
    data.h = read_doubles(argv[2], &data.n_h);
    data.n_series = n_values / data.n_time;
    if (argc > 5)
        data.n_series = MIN(data.n_series, g_ascii_strtoull(argv[5], NULL, 10));
    data.u = g_new(double, data.n_series *data.n_time);
    data.results = g_new0(struct series_result, data.n_series);
    const struct kernels *kernels = argc > 6 ? kernels_named(argv[6]) : kernels_best();
    g_autoptr(GError) error = NULL;
    linop *op = hrf_conv_new(data.h, data.n_h, data.n_time, HRF_CONV_CAUSAL, HRF_CONV_AUTO, &error);
    if (op == NULL || kernels == NULL || data.n_series == 0) {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "no such kernels, or no series");
        return EXIT_FAILURE;
    }
    struct problem *problem = problem_new_tv(op);
    measure(&data, kernels, problem);
    problem_free(problem);
    linop_free(op);
    g_free(data.x);
    g_free(data.h);
    g_free(data.u);
    g_free(data.results);
    return EXIT_SUCCESS;
}
