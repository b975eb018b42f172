// SPDX-License-Identifier: BSD-3-Clause
// Iterations and CPU time that methods for TV need to a certified relative gap, on series of raw
// float64 (n_series x T, no header) convolved with a response.
// usage: tv SERIES.f64 HRF.f64 T [N_SERIES [RATIO [METHOD ...]]]
// The published numbers: 40 series, ratio 0.1, signed blocks with noise at 0 to 10 dB.

#include "bench/measure.h"
#include "deconv/hrf_conv.h"
#include "solvers/cpu_clock.h"
#include "solvers/solver.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct method {
    const char *name;
    solver_constructor *make;
} methods[] = {
    {"apgd", solver_new_apgd},
    {"condat-vu", solver_new_condat_vu},
    {"fista", solver_new_fista},
    {"homotopy", solver_new_lars},
    {"pgd", solver_new_pgd},
    {"synthesis-cd", solver_new_cd},
    {"synthesis-fista", solver_new_synthesis_fista},
    {"synthesis-ista", solver_new_synthesis_ista},
};

struct data {
    double *x; // owned; n_series x n_time
    size_t n_series;
    size_t n_time;
    double ratio;
};

static void run(const struct method *method, const struct problem *problem, const struct data *data,
                double tol, struct workspace *ws)
{
    struct solver_options options = solver_options_default();
    options.tol = tol;
    options.max_iter = 30000;
    struct solver *solver = method->make(problem, &options, NULL);
    double *u = g_new(double, problem->op->n_in);
    double iterations = 0.0;
    size_t most = 0;
    size_t n_solved = 0;
    double seconds = 0.0;
    for (size_t v = 0; v < data->n_series; v++) {
        struct block x = block_of_series(data->x + v * data->n_time, data->n_time);
        struct block out = block_of_series(u, problem->op->n_in);
        struct solve_input input = {.x = &x, .lambda = &data->ratio, .lambda_is_ratio = true};
        struct series_result result;
        double begin = cpu_clock_s();
        solver_run(solver, &input, &out, &result, ws);
        seconds += cpu_clock_s() - begin;
        iterations += (double) result.iterations;
        most = MAX(most, result.iterations);
        n_solved += result.status == SERIES_SOLVED;
    }
    double n = (double) data->n_series;
    printf("%-15s %7.0e %10.1f %8zu %10.1f %10.2f %8.1f%%\n", method->name, tol, iterations / n,
           most, 1e6 * seconds / n, 1e6 * seconds / iterations, 100.0 * (double) n_solved / n);
    fflush(stdout);
    g_free(u);
    solver_free(solver);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: tv SERIES.f64 HRF.f64 T [N_SERIES [RATIO [METHOD ...]]]\n");
        return EXIT_FAILURE;
    }
    static const double tols[] = {1e-3, 1e-6, 1e-10};
    size_t n_values = 0;
    size_t n_h = 0;
    struct data data = {.x = read_doubles(argv[1], &n_values),
                        .n_time = g_ascii_strtoull(argv[3], NULL, 10)};
    size_t wanted = argc > 4 ? g_ascii_strtoull(argv[4], NULL, 10) : 40;
    data.n_series = MIN(wanted, n_values / data.n_time);
    data.ratio = argc > 5 ? g_ascii_strtod(argv[5], NULL) : 0.1;
    g_autofree double *h = read_doubles(argv[2], &n_h);
    g_autoptr(GError) error = NULL;
    linop *op = hrf_conv_new(h, n_h, data.n_time, HRF_CONV_CAUSAL, HRF_CONV_AUTO, &error);
    if (op == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    struct problem *problem = problem_new_tv(op);
    struct workspace *ws = workspace_new();
    printf("%-15s %7s %10s %8s %10s %10s %9s\n", "method", "gap", "iterations", "most", "us/series",
           "us/iter", "solved");
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        bool chosen = argc <= 6;
        for (int i = 6; i < argc; i++)
            chosen |= strcmp(argv[i], methods[m].name) == 0;
        for (size_t i = 0; i < G_N_ELEMENTS(tols) && chosen; i++)
            run(&methods[m], problem, &data, tols[i], ws);
    }
    workspace_free(ws);
    problem_free(problem);
    linop_free(op);
    g_free(data.x);
    return EXIT_SUCCESS;
}
