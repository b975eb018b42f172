// SPDX-License-Identifier: BSD-3-Clause
// How many samples a network needs: the objective on samples to test, against the number of samples
// to train, for networks of one number a layer and of full matrices. Ablin, Moreau, Massias and
// Gramfort, 2019, appendix.
#include "app/reproduce/learning.h"

#include <math.h>

enum { N_OUT = 5, N_IN = 10, N_LAYERS = 10 };

static const struct panel panels[] = {{"Test suboptimality after 10 layers", "suboptimality",
                                       "samples to train", "F - F*", 1e-16, true, true, false},
                                      {0}};

static const struct lesson lessons[] = {{.label = "SLISTA", .network = "slista"},
                                        {.label = "ALISTA", .network = "alista"},
                                        {.label = "coupled LISTA", .network = "lista-coupled"},
                                        {.label = "LISTA", .network = "lista"}};

static struct samples *draw(struct reproduction *r, const struct problem *problem, size_t n,
                            uint64_t seed, GError **error)
{
    struct samples_options options = {.ratio = 0.3, .start = START_ZERO, .scale = true};
    struct block x = samples_draw_lasso(seed, problem->op, n, false);
    return samples_new(r, problem, x, &options, error);
}

static bool run_size(struct reproduction *r, const struct samples *test, size_t n, GError **error)
{
    g_autoptr(owned_samples) train = draw(r, test->problem, n, r->seed, error);
    if (train == NULL)
        return false;
    for (size_t m = 0; m < G_N_ELEMENTS(lessons); m++) {
        struct lesson lesson = lessons[m];
        lesson.max_iter = r->full ? 5000 : 500;
        g_autoptr(owned_network) network = learning_train(r, train, &lesson, N_LAYERS, NULL, error);
        if (network == NULL)
            return false;
        double loss = train_loss(network, N_LAYERS, true, &test->train, r->host->team);
        reproduction_result(r, lesson.label, (double) n, r->seed, "suboptimality",
                            loss - test->minimum);
    }
    return true;
}

static double at(const struct reproduction *r, const char *label, size_t n)
{
    return reproduction_mean(r, label, (double) n, "suboptimality");
}

static void check(struct reproduction *r, size_t most, double untrained)
{
    double slista = at(r, "SLISTA", 100) / at(r, "SLISTA", most);
    double lista = at(r, "LISTA", 10) / at(r, "LISTA", most), worst = 0.0;
    for (size_t m = 0; m < G_N_ELEMENTS(lessons); m++)
        worst = fmax(worst, at(r, lessons[m].label, most) / untrained);
    reproduction_check(r, "with most samples no network is above the untrained one", worst <= 1.0,
                       worst, 1.0);
    reproduction_check(r, "LISTA needs its samples: with 10 it is at least twice as far",
                       lista > 2.0, lista, 2.0);
    reproduction_check(r, "SLISTA at 100 samples is within a factor 2 of its best", slista <= 2.0,
                       slista, 2.0);
    reproduction_target(r, "SLISTA at 100 samples is within 5 % of its best", slista <= 1.05,
                        slista, 1.05);
}

static bool run(struct reproduction *r, GError **error)
{
    static const size_t sizes[] = {10, 30, 100, 300, 1000, 3000, 10000};
    size_t n_sizes = r->full ? G_N_ELEMENTS(sizes) : 5;
    g_autofree double *matrix = samples_draw_dictionary(r->seed, N_OUT, N_IN);
    g_autoptr(linop) op = linop_new_dense(matrix, N_OUT, N_IN);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    g_autoptr(owned_samples) test = draw(r, problem, r->full ? 20000 : 2000, r->seed + 1, error);
    struct network_size size = {.depth = N_LAYERS};
    g_autoptr(owned_network) plain = network_new("slista", NULL, problem, size, error);
    if (test == NULL || plain == NULL)
        return false;
    double untrained =
        train_loss(plain, N_LAYERS, true, &test->train, r->host->team) - test->minimum;
    for (size_t i = 0; i < n_sizes; i++) {
        if (!run_size(r, test, sizes[i], error))
            return false;
        reproduction_result(r, "ISTA", (double) sizes[i], r->seed, "suboptimality", untrained);
        host_progress(r->host, (double) (i + 1) / (double) n_sizes);
    }
    check(r, sizes[n_sizes - 1], untrained);
    reproduction_set(r, "dictionary", "%d x %d, coding law", N_OUT, N_IN);
    reproduction_set(r, "lambda", "0.3 lambda_max");
    reproduction_note(r,
                      "%zu samples to test, lambda = 0.3 lambda_max, networks of %d layers with "
                      "safeguard.",
                      test->x.n_series, N_LAYERS);
    return true;
}

const struct experiment reproduce_learning_curves = {
    .id = "learning-curves", .title = "Samples that a network needs", .panels = panels, .run = run};
