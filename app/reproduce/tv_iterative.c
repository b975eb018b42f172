// SPDX-License-Identifier: BSD-3-Clause
// The classical solvers of TV on one Gaussian design with as many unknowns as observations, where
// all of them apply. Cherkaoui, Sulam and Moreau, 2020, appendix.
#include "app/reproduce/samples.h"
#include "app/simulate/simulate.h"

#include <math.h>

enum { N_UNKNOWN = 40, N_STEPS = 31 };

static const struct panel panels[] = {
    {"Suboptimality", "suboptimality", "iterations", "P - P*", 1e-15, true, true, false}, {0}};

static const struct {
    const char *name;
    solver_constructor *create;
    bool monotone;
} methods[] = {{"synthesis ISTA", solver_new_synthesis_ista, true},
               {"synthesis FISTA, restarts", solver_new_synthesis_fista, false},
               {"PGD", solver_new_pgd, true},
               {"accelerated PGD", solver_new_apgd, false},
               {"accelerated PGD, restarts", solver_new_fista, false},
               {"dual PGD", solver_new_dual_pgd, false},
               {"dual accelerated PGD", solver_new_dual_apgd, false},
               {"Condat-Vu", solver_new_condat_vu, false}};

// 1 to 1000, evenly in logarithm, without repetitions.
static size_t fill_steps(size_t *steps)
{
    size_t n = 0;
    for (int i = 0; i < N_STEPS; i++) {
        size_t step = (size_t) lround(pow(10.0, 3.0 * i / (N_STEPS - 1)));
        if (n == 0 || step > steps[n - 1])
            steps[n++] = step;
    }
    return n;
}

static void check_curve(struct reproduction *r, size_t m, const size_t *steps, size_t n)
{
    double before = INFINITY, rise = 0.0, least = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double value = reproduction_mean(r, methods[m].name, (double) steps[i], "suboptimality");
        rise = fmax(rise, value - before);
        least = fmin(least, value);
        before = value;
    }
    g_autofree char *below =
        g_strdup_printf("%s never goes below the certified minimum", methods[m].name);
    reproduction_check(r, below, least >= -1e-12, least, -1e-12);
    if (!methods[m].monotone)
        return;
    g_autofree char *name = g_strdup_printf("%s never rises", methods[m].name);
    reproduction_check(r, name, rise <= 1e-12, rise, 1e-12);
}

// The fewest iterations of those shown after which a method is within 1e-6.
static double steps_to_millionth(const struct reproduction *r, const char *method,
                                 const size_t *steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (reproduction_mean(r, method, (double) steps[i], "suboptimality") <= 1e-6)
            return (double) steps[i];
    return INFINITY;
}

static bool run(struct reproduction *r, GError **error)
{
    size_t steps[N_STEPS], n_steps = fill_steps(steps);
    struct simulate_tv law = simulate_tv_default();
    law.law = SIMULATE_TV_DENSE;
    law.n_series = r->full ? 1000 : 200;
    law.n_observed = law.n_unknown = N_UNKNOWN;
    law.sparsity = 0.1;
    law.snr_db = 0.0;
    law.seed = r->seed;
    g_autoptr(owned_simulation) drawn = simulate_tv(&law, error);
    if (drawn == NULL)
        return false;
    g_autoptr(linop) op = samples_operator(drawn->op, N_UNKNOWN, N_UNKNOWN);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    struct samples_options options = {.ratio = 0.5, .start = START_CONST, .scale = true};
    struct block x = {N_UNKNOWN, drawn->n_series, N_UNKNOWN, g_steal_pointer(&drawn->x)};
    g_autoptr(owned_samples) samples = samples_new(r, problem, x, &options, error);
    if (samples == NULL)
        return false;
    const size_t n_methods = G_N_ELEMENTS(methods);
    for (size_t m = 0; m < n_methods; m++) {
        struct curve curve = {methods[m].name, "suboptimality", steps, n_steps};
        if (!samples_solver_curve(r, samples, methods[m].create, &curve, error))
            return false;
        check_curve(r, m, steps, n_steps);
        host_progress(r->host, (double) (m + 1) / (double) n_methods);
    }
    double analysis = steps_to_millionth(r, "accelerated PGD, restarts", steps, n_steps);
    double synthesis = steps_to_millionth(r, "synthesis FISTA, restarts", steps, n_steps);
    reproduction_check(r, "to 1e-6 accelerated PGD needs fewer iterations than synthesis FISTA",
                       analysis < synthesis, analysis, synthesis);
    reproduction_set(r, "design", "%d x %d Gaussian, columns of norm 1", N_UNKNOWN, N_UNKNOWN);
    reproduction_set(r, "lambda", "0.5 lambda_max");
    reproduction_set(r, "samples", "%zu", law.n_series);
    reproduction_note(r,
                      "%zu samples, k = m = %d, lambda = 0.5 lambda_max, from the best constant "
                      "(dual methods from v = 0); P* by the exact active set.",
                      law.n_series, N_UNKNOWN);
    return true;
}

const struct experiment reproduce_tv_iterative = {
    .id = "tv-iterative", .title = "Iterative solvers of TV", .panels = panels, .run = run};
