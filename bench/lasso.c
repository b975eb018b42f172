// SPDX-License-Identifier: BSD-3-Clause
// Time that methods for the Lasso need a target, certificate included, to a certified relative gap.
// usage: lasso D.f64 X.f64 N M [RATIO [THREADS [METHOD ...]]]
//        lasso leadfield N M [RATIO [THREADS [METHOD ...]]]
// D: N x M and X: targets x N, raw float64 by rows, no header. `leadfield` makes its own: columns
// of norm 1 in chains of 50 that correlate by 0.95, and 256 targets, the time course of 8 of them
// with noise. The exact method solves all targets, the others the first 64.

#include "bench/measure.h"
#include "solvers/parallel.h"
#include "solvers/solver.h"

#include <cblas.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct method {
    const char *name;
    solver_constructor *make;
    bool is_exact;
} methods[] = {
    {"exact", solver_new_exact, true},
    {"bt-ista", solver_new_bt_ista, false},
    {"cd", solver_new_cd, false},
    {"fista", solver_new_fista, false},
    {"greedy-cd", solver_new_greedy_cd, false},
    {"ista", solver_new_pgd, false},
    {"lars", solver_new_lars, false},
    {"oista", solver_new_oista, false},
};

enum { N_INEXACT = 64, LEADFIELD_TARGETS = 256, CHAIN = 50, N_SOURCES = 8 };

struct data {
    size_t n, m, n_targets;
    double *matrix; // owned; n x m, column-major
    double *x;      // owned; n_targets series
};

// The blocks of one run.
struct job {
    const struct solver *solver;
    const struct data *data;
    size_t n_targets;
    double *lambda;
    struct series_result *results;
};

static struct data read_data(const char *d_path, const char *x_path, size_t n, size_t m)
{
    size_t n_values;
    g_autofree double *rows = read_doubles(d_path, &n_values);
    if (n * m == 0 || n_values != n * m) {
        fprintf(stderr, "%s: expected %zu x %zu numbers, found %zu\n", d_path, n, m, n_values);
        exit(EXIT_FAILURE);
    }
    struct data data = {.n = n, .m = m, .matrix = g_new(double, n *m)};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
            data.matrix[j * n + i] = rows[i * m + j];
    data.x = read_doubles(x_path, &n_values);
    data.n_targets = n_values / n;
    return data;
}

static double normal(GRand *rand)
{
    double radius = sqrt(-2.0 * log(1.0 - g_rand_double(rand)));
    return radius * cos(2.0 * G_PI * g_rand_double(rand));
}

static struct data simulate_leadfield(size_t n, size_t m)
{
    const double correlation = 0.95, fresh = sqrt(1.0 - correlation * correlation);
    GRand *rand = g_rand_new_with_seed(1);
    struct data data = {.n = n, .m = m, .n_targets = LEADFIELD_TARGETS};
    data.matrix = g_new(double, n *m);
    data.x = g_new0(double, n *LEADFIELD_TARGETS);
    for (size_t j = 0; j < m; j++)
        for (size_t i = 0; i < n; i++) {
            double *entry = &data.matrix[j * n + i];
            *entry = normal(rand);
            if (j % CHAIN > 0)
                *entry = correlation * entry[-(ptrdiff_t) n] + fresh * *entry;
        }
    for (size_t j = 0; j < m; j++)
        cblas_dscal((int) n, 1.0 / cblas_dnrm2((int) n, data.matrix + j * n, 1),
                    data.matrix + j * n, 1);
    for (size_t k = 0; k < N_SOURCES; k++) {
        size_t j = (size_t) g_rand_int_range(rand, 0, (gint32) m);
        double phase = g_rand_double_range(rand, 0.0, 2.0 * G_PI);
        for (size_t v = 0; v < data.n_targets; v++)
            cblas_daxpy((int) n, cos(phase + 0.05 * (double) (v * (k + 1))), data.matrix + j * n, 1,
                        data.x + v * n, 1);
    }
    for (size_t i = 0; i < n * data.n_targets; i++)
        data.x[i] += 0.05 * normal(rand);
    g_rand_free(rand);
    return data;
}

static void solve_block(void *argument, size_t index, struct workspace *ws)
{
    struct job *job = argument;
    const struct data *data = job->data;
    size_t first = index * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, job->n_targets - first);
    size_t mark = workspace_mark(ws);
    struct block x = {data->n, count, data->n, data->x + first * data->n};
    struct block z = {data->m, count, data->m, NULL};
    z.data = WORKSPACE_ALLOC(ws, double, data->m *count);
    struct solve_input input = {.x = &x, .lambda = job->lambda + first, .lambda_is_ratio = true};
    solver_run(job->solver, &input, &z, job->results + first, ws);
    workspace_release(ws, mark);
}

static void report(const struct method *method, double tol, const struct job *job, double cpu,
                   double wall)
{
    double worst = 0.0, n = (double) job->n_targets;
    size_t n_nonzero = 0;
    for (size_t v = 0; v < job->n_targets; v++) {
        worst = fmax(worst, job->results[v].relative_gap);
        n_nonzero += job->results[v].n_jumps;
    }
    printf("%-10s %6.0e %8zu %12.1f %12.1f %9.1e %9.1f\n", method->name, tol, job->n_targets,
           1e6 * cpu / n, 1e6 * wall / n, worst, (double) n_nonzero / n);
    fflush(stdout);
}

// Twice: the first time, workspaces grow.
static void run(const struct method *method, const struct problem *problem, const struct data *data,
                double ratio, double tol, struct parallel *team)
{
    struct solver_options options = solver_options_default();
    options.tol = tol;
    GError *error = NULL;
    struct solver *solver = method->make(problem, &options, &error);
    if (solver == NULL) {
        printf("%-10s %s\n", method->name, error->message);
        g_error_free(error);
        return;
    }
    struct job job = {solver, data, data->n_targets, NULL, NULL};
    if (!method->is_exact)
        job.n_targets = MIN(job.n_targets, (size_t) N_INEXACT);
    job.lambda = g_new(double, job.n_targets);
    job.results = g_new0(struct series_result, job.n_targets);
    for (size_t v = 0; v < job.n_targets; v++)
        job.lambda[v] = ratio;
    double cpu = 0.0, wall = 0.0;
    for (int round = 0; round < 2; round++) {
        cpu = parallel_cpu_seconds(team);
        wall = wall_clock_s();
        parallel_for(team, (job.n_targets + BLOCK_SERIES - 1) / BLOCK_SERIES, solve_block, &job);
        cpu = parallel_cpu_seconds(team) - cpu;
        wall = wall_clock_s() - wall;
    }
    report(method, tol, &job, cpu, wall);
    g_free(job.lambda);
    g_free(job.results);
    solver_free(solver);
}

static void run_all(const struct data *data, int n_options, char **options)
{
    double ratio = n_options > 0 ? g_ascii_strtod(options[0], NULL) : 0.1;
    size_t n_threads = n_options > 1 ? g_ascii_strtoull(options[1], NULL, 10) : 1;
    linop *op = linop_new_dense(data->matrix, data->n, data->m);
    struct problem *problem = problem_new_lasso(op);
    struct parallel *team = parallel_new(MAX(n_threads, 1), NULL);
    printf("%-10s %6s %8s %12s %12s %9s %9s\n", "method", "gap", "targets", "CPU us", "wall us",
           "worst gap", "non-zero");
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        bool chosen = n_options <= 2;
        for (int i = 2; i < n_options; i++)
            chosen |= strcmp(options[i], methods[m].name) == 0;
        if (chosen && !methods[m].is_exact)
            run(&methods[m], problem, data, ratio, 1e-3, team);
        if (chosen)
            run(&methods[m], problem, data, ratio, 1e-6, team);
    }
    parallel_free(team);
    problem_free(problem);
    linop_free(op);
}

int main(int argc, char **argv)
{
    bool simulated = argc > 3 && strcmp(argv[1], "leadfield") == 0;
    int first_size = simulated ? 2 : 3;
    if (argc < first_size + 2) {
        fprintf(stderr, "usage: lasso D.f64 X.f64 N M [RATIO [THREADS [METHOD ...]]]\n"
                        "       lasso leadfield N M [RATIO [THREADS [METHOD ...]]]\n");
        return EXIT_FAILURE;
    }
    size_t n = g_ascii_strtoull(argv[first_size], NULL, 10);
    size_t m = g_ascii_strtoull(argv[first_size + 1], NULL, 10);
    struct data data = simulated ? simulate_leadfield(n, m) : read_data(argv[1], argv[2], n, m);
    run_all(&data, argc - first_size - 2, argv + first_size + 2);
    g_free(data.matrix);
    g_free(data.x);
    return EXIT_SUCCESS;
}
