// SPDX-License-Identifier: BSD-3-Clause
// Learned and iterative solvers of TV on a small wide design, by number of layers, from the best
// constant. Cherkaoui, Sulam and Moreau, 2020, figure 3.
#include "app/reproduce/samples.h"
#include "app/simulate.h"

#include <math.h>

enum { N_UNKNOWN = 8, N_OBSERVED = 5, SEED_OF_THE_PAPER = 427 };

static const double ratios[] = {0.1, 0.8};
static const char *const metrics[] = {"suboptimality at 0.1", "suboptimality at 0.8"};

static const struct panel panels[] = {
    {"{/Symbol l} = 0.1 {/Symbol l}_{max}", "suboptimality at 0.1", "layers, iterations", "P - P*",
     false, true, 1e-14, false},
    {"{/Symbol l} = 0.8 {/Symbol l}_{max}", "suboptimality at 0.8", "layers, iterations", "P - P*",
     false, true, 1e-14, false},
    {0}};

static const struct {
    const char *name;
    solver_constructor *create;
} solvers[] = {{"synthesis FISTA", solver_new_synthesis_fista},
               {"PGD", solver_new_pgd},
               {"accelerated PGD", solver_new_apgd}};

static const struct {
    const char *label;
    const char *network;
    const char *variant;
} networks[] = {{"synthesis LISTA", "synthesis-lista", "dense"},
                {"LPGD-LISTA, 20 inner", "lpgd-lista", "fixed"},
                {"LPGD-Taut dense", "lpgd-taut", "dense-threshold"},
                {"LPGD-Taut step", "lpgd-taut", "step"},
                {"LPGD-Taut step-momentum", "lpgd-taut", "step-momentum"}};

static const size_t depths_quick[] = {1, 2, 3, 5, 7, 11};
static const size_t depths_full[] = {1, 2, 3, 5, 7, 11, 17, 26, 40};

struct sets {
    linop *op;
    struct problem *problem;
    struct samples *train;
    struct samples *test;
};

static void sets_clear(struct sets *sets)
{
    samples_free(sets->train);
    samples_free(sets->test);
    problem_free(sets->problem);
    linop_free(sets->op);
}
typedef struct sets owned_sets;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_sets, sets_clear)

static struct block copy_rows(const struct simulation *drawn, size_t first, size_t count)
{
    size_t n = drawn->n_observed;
    return (struct block){n, count, n, g_memdup2(drawn->x + first * n, count * n * sizeof(double))};
}

// The test samples are drawn first, as in the authors' code.
static bool draw(struct reproduction *r, double ratio, struct sets *sets, GError **error)
{
    size_t n_train = r->full ? 1000 : 200, n_test = 1000;
    struct simulate_tv law = simulate_tv_default();
    law.law = SIMULATE_TV_DENSE;
    law.n_series = n_test + n_train;
    law.n_observed = N_OBSERVED;
    law.n_unknown = N_UNKNOWN;
    law.sparsity = 0.2;
    law.snr_db = 0.0;
    law.seed = SEED_OF_THE_PAPER + r->seed;
    g_autoptr(owned_simulation) drawn = simulate_tv(&law, error);
    if (drawn == NULL)
        return false;
    sets->op = samples_operator(drawn->op, N_OBSERVED, N_UNKNOWN);
    sets->problem = problem_new_tv(sets->op);
    struct samples_options options = {.ratio = ratio, .start = START_CONST, .scale = true};
    sets->test = samples_new(r, sets->problem, copy_rows(drawn, 0, n_test), &options, error);
    if (sets->test == NULL)
        return false;
    sets->train = samples_new(r, sets->problem, copy_rows(drawn, n_test, n_train), &options, error);
    return sets->train != NULL;
}

static bool learn(struct reproduction *r, const struct sets *sets, size_t which,
                  struct curve *curve, GError **error)
{
    size_t depth = curve->steps[curve->n_steps - 1];
    struct network_size size = {.depth = depth};
    g_autoptr(owned_network) network =
        network_new(networks[which].network, networks[which].variant, sets->problem, size, error);
    if (network == NULL)
        return false;
    struct train_options how = train_options_default(r->app->team);
    g_autofree struct train_stage *stages = g_new0(struct train_stage, depth);
    how.max_iter = (r->full ? 300 : 100) * depth;
    train_network(network, &sets->train->train, NULL, &how, stages);
    curve->method = networks[which].label;
    samples_network_curve(r, sets->test, network, true, curve);
    return !app_stopped(r->app, error);
}

static double at(const struct reproduction *r, const char *method, size_t depth, size_t k)
{
    return reproduction_mean(r, method, (double) depth, metrics[k]);
}

static void check(struct reproduction *r, size_t k, const size_t *depths, size_t n_depths)
{
    double worst = 0.0, analysis = 0.0, inner = 0.0;
    for (size_t i = 0; i < n_depths; i++) {
        double best = fmin(
            fmin(at(r, "LPGD-Taut dense", depths[i], k), at(r, "LPGD-Taut step", depths[i], k)),
            at(r, "LPGD-Taut step-momentum", depths[i], k));
        worst = fmax(worst, best / at(r, "accelerated PGD", depths[i], k));
        analysis = fmax(analysis, best / at(r, "synthesis LISTA", depths[i], k));
        if (i > 0)
            inner = fmax(inner, at(r, "LPGD-LISTA, 20 inner", depths[i], k) /
                                    at(r, "LPGD-LISTA, 20 inner", depths[i - 1], k));
    }
    g_autofree char *first = g_strdup_printf(
        "at %g the best LPGD-Taut is below accelerated PGD at every depth", ratios[k]);
    reproduction_check(r, first, worst < 1.0, worst, 1.0);
    g_autofree char *second = g_strdup_printf(
        "at %g the best LPGD-Taut is below synthesis LISTA at every depth", ratios[k]);
    reproduction_check(r, second, analysis < 1.0, analysis, 1.0);
    // Test samples: training guarantees it on its own.
    g_autofree char *third =
        g_strdup_printf("at %g LPGD-LISTA is not worse with depth, to 10 %%", ratios[k]);
    reproduction_check(r, third, inner < 1.1, inner, 1.1);
}

static bool run_ratio(struct reproduction *r, size_t k, GError **error)
{
    const size_t *depths = r->full ? depths_full : depths_quick;
    size_t n_depths = r->full ? G_N_ELEMENTS(depths_full) : G_N_ELEMENTS(depths_quick);
    struct curve curve = {NULL, metrics[k], depths, n_depths};
    g_auto(owned_sets) sets = {0};
    if (!draw(r, ratios[k], &sets, error))
        return false;
    for (size_t m = 0; m < G_N_ELEMENTS(solvers); m++) {
        curve.method = solvers[m].name;
        if (!samples_solver_curve(r, sets.test, solvers[m].create, &curve, error))
            return false;
    }
    for (size_t m = 0; m < G_N_ELEMENTS(networks); m++) {
        if (!learn(r, &sets, m, &curve, error))
            return false;
        log_progress(r->app->log, ((double) k + (double) (m + 1) / G_N_ELEMENTS(networks)) / 2.0);
    }
    check(r, k, depths, n_depths);
    return true;
}

static bool run(struct reproduction *r, GError **error)
{
    reproduction_set(r, "design", "%d x %d Gaussian, columns of norm 1", N_OBSERVED, N_UNKNOWN);
    reproduction_set(r, "samples", "%d to train, 1000 to test", r->full ? 1000 : 200);
    reproduction_note(r,
                      "m = %d, k = %d; %d samples to train, 1000 to test; from the best "
                      "constant; networks trained stage by stage, with safeguard.",
                      N_OBSERVED, N_UNKNOWN, r->full ? 1000 : 200);
    return run_ratio(r, 0, error) && run_ratio(r, 1, error);
}

const struct experiment reproduce_tv_simulation = {
    "tv-simulation", "Learned and iterative solvers of TV", panels, run};
