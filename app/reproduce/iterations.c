// SPDX-License-Identifier: BSD-3-Clause
// Iterations and time to F* + 1e-8 of the classical solvers of the Lasso, over seeds and lambda.
// Ablin, Moreau, Massias and Gramfort, 2019, appendix.
#include "app/reproduce/samples.h"

#include "solvers/cpu_clock.h"

#include <math.h>
#include <stdlib.h>

static const double ratios[] = {0.1, 0.4, 0.8};

static const struct panel panels[] = {
    {"Iterations to F* + 1e-8", "iterations", "lambda / lambda_{max}", "iterations", 0.0, false,
     true, false},
    {"CPU time", "microseconds", "lambda / lambda_{max}", "microseconds", 0.0, false, true, false},
    {0}};

static const struct {
    const char *name;
    solver_constructor *create;
} methods[] = {{"ISTA", solver_new_pgd},
               {"FISTA", solver_new_apgd},
               {"OISTA", solver_new_oista},
               {"coordinate descent", solver_new_cd},
               {"exact active set", solver_new_exact}};

// Watches for the first iterate within 1e-8 of the minimum.
struct watch {
    const struct samples *samples;
    size_t found;
    struct workspace *ws;
};

static void look(void *data, size_t series, size_t iteration, const double *u)
{
    struct watch *watch = data;
    const struct samples *samples = watch->samples;
    if (watch->found != G_MAXSIZE)
        return;
    double objective = problem_objective(samples->problem, block_series(&samples->x, series), u,
                                         samples->lambda[series], watch->ws);
    if (objective <= samples->minima[series] + 1e-8)
        watch->found = iteration;
}

static void solve(const struct samples *samples, const struct solver *solver, struct workspace *ws)
{
    size_t n_in = samples->start.n_time;
    g_autofree double *u = g_new(double, n_in);
    struct block out = block_of_series(u, n_in);
    struct series_result result;
    struct solve_input input = {
        .x = &samples->x, .lambda = samples->lambda, .start = &samples->start};
    solver_run(solver, &input, &out, &result, ws);
}

// Iterations by watching, time by solving again unwatched with that many.
static bool measure(struct reproduction *r, const struct samples *samples, size_t m, double ratio,
                    uint64_t seed, GError **error)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    struct watch watch = {samples, G_MAXSIZE, ws};
    struct solver_observer observer = {look, &watch};
    struct solver_options options = solver_options_default();
    bool exact = methods[m].create == solver_new_exact;
    options.tol = 1e-11;
    options.start = START_GIVEN;
    options.observer = exact ? NULL : &observer;
    g_autoptr(owned_solver) watched = methods[m].create(samples->problem, &options, error);
    if (watched == NULL)
        return false;
    g_autoptr(owned_workspace) own = workspace_new();
    solve(samples, watched, own);
    options.observer = NULL;
    options.tol = exact ? options.tol : 0.0;
    options.max_iter = exact ? options.max_iter : MAX(watch.found, (size_t) 1);
    g_autoptr(owned_solver) timed = methods[m].create(samples->problem, &options, error);
    if (timed == NULL)
        return false;
    double begin = cpu_clock_s();
    solve(samples, timed, own);
    reproduction_result(r, methods[m].name, ratio, seed, "microseconds",
                        1e6 * (cpu_clock_s() - begin));
    if (!exact)
        reproduction_result(r, methods[m].name, ratio, seed, "iterations", (double) watch.found);
    return true;
}

static bool run_seed(struct reproduction *r, uint64_t seed, size_t n_out, size_t n_in,
                     GError **error)
{
    g_autofree double *matrix = samples_draw_dictionary(seed, n_out, n_in);
    g_autoptr(linop) op = linop_new_dense(matrix, n_out, n_in);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    for (size_t k = 0; k < G_N_ELEMENTS(ratios); k++) {
        struct samples_options options = {.ratio = ratios[k], .start = START_ZERO, .scale = true};
        struct block x = samples_draw_lasso(seed, op, 1, false);
        g_autoptr(owned_samples) samples = samples_new(r, problem, x, &options, error);
        if (samples == NULL)
            return false;
        for (size_t m = 0; m < G_N_ELEMENTS(methods); m++)
            if (!measure(r, samples, m, ratios[k], seed, error))
                return false;
    }
    return true;
}

static bool run(struct reproduction *r, GError **error)
{
    enum { N_SEEDS = 10 };
    size_t n_out = r->full ? 100 : 20, n_in = 2 * n_out;
    reproduction_set(r, "dictionary", "%zu x %zu, coding law", n_out, n_in);
    reproduction_set(r, "seeds", "%d", N_SEEDS);
    for (uint64_t seed = 0; seed < N_SEEDS; seed++) {
        if (!run_seed(r, r->seed + seed, n_out, n_in, error) || host_stopped(r->host, error))
            return false;
        host_progress(r->host, (double) (seed + 1) / N_SEEDS);
    }
    double ista = reproduction_mean(r, "ISTA", 0.8, "iterations");
    double fista = reproduction_mean(r, "FISTA", 0.8, "iterations");
    double oista = reproduction_mean(r, "OISTA", 0.8, "iterations");
    reproduction_check(r, "at 0.8 OISTA needs fewer iterations than FISTA", oista < fista, oista,
                       fista);
    reproduction_check(r, "at 0.8 FISTA needs fewer iterations than ISTA", fista < ista, fista,
                       ista);
    double exact = reproduction_mean(r, "exact active set", 0.1, "microseconds");
    double others = reproduction_mean(r, "FISTA", 0.1, "microseconds");
    reproduction_check(r, "at 0.1 the exact active set is faster than FISTA", exact < others, exact,
                       others);
    reproduction_note(r, "Means over %d seeds of %zu x %zu; time on one thread.", N_SEEDS, n_out,
                      n_in);
    return true;
}

const struct experiment reproduce_iterations = {.id = "iterations",
                                                .title = "Iterations and time of classical solvers",
                                                .panels = panels,
                                                .run = run};
