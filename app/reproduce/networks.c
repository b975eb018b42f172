// SPDX-License-Identifier: BSD-3-Clause
// Networks for the Lasso by number of layers, on simulated samples and on images of digits, at a
// small and at a large lambda. Ablin, Moreau, Massias and Gramfort, 2019, figures 5 and 6.
#include "app/reproduce/learning.h"
#include "app/simulate/digits.h"

#include <math.h>
#include <string.h>

enum { N_OUT = DIGITS_PIXELS, N_IN = 256 };

static const char *const metrics[2][2] = {{"simulated at 0.1", "simulated at 0.8"},
                                          {"digits at 0.1", "digits at 0.8"}};
static const double ratios[] = {0.1, 0.8};

#define PANEL(data, ratio)                                                                         \
    {                                                                                              \
        data ", {/Symbol l} = " ratio " {/Symbol l}_{max}", data " at " ratio,                     \
            "layers, iterations", "F - F*", 1e-13, true, true, false                               \
    }

static const struct panel panels[] = {PANEL("simulated", "0.1"),
                                      PANEL("simulated", "0.8"),
                                      PANEL("digits", "0.1"),
                                      PANEL("digits", "0.8"),
                                      {0}};

static const struct lesson lessons[] = {
    {.label = "SLISTA", .network = "slista", .oneshot = true},
    {.label = "ALISTA", .network = "alista", .oneshot = true},
    {.label = "coupled LISTA", .network = "lista-coupled", .oneshot = true}};

static const size_t depths_quick[] = {1, 5, 10, 20};
static const size_t depths_full[] = {1, 2, 3, 5, 7, 10, 15, 20, 25, 30};

// Samples and the dictionary of one kind of data.
struct source {
    linop *op;
    struct block train;
    struct block test;
};

static void source_clear(struct source *source)
{
    linop_free(source->op);
    g_free(source->train.data);
    g_free(source->test.data);
}
typedef struct source owned_source;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_source, source_clear)

static void simulate(const struct reproduction *r, size_t n, struct source *source)
{
    g_autofree double *matrix = samples_draw_dictionary(r->seed, N_OUT, N_IN);
    source->op = linop_new_dense(matrix, N_OUT, N_IN);
    source->train = samples_draw_lasso(r->seed, source->op, n, false);
    source->test = samples_draw_lasso(r->seed + 1, source->op, n, false);
}

// The first images are the dictionary, the next train, the next test.
static bool prepare_digits(struct reproduction *r, size_t n, struct source *source, GError **error)
{
    const char *what;
    g_autofree double *images = digits_draw(r->data[0], r->seed, &r->host->io, &what, error);
    if (images == NULL)
        return false;
    reproduction_set(r, "digits", "%s", what);
    reproduction_note(r, "Digits: %s; 256 of them are the dictionary.", what);
    size_t count = MIN(n, (size_t) (DIGITS_N - N_IN) / 2), size = count * N_OUT * sizeof(double);
    const double *rest = images + (size_t) N_IN * N_OUT;
    source->op = linop_new_dense(images, N_OUT, N_IN);
    source->train = (struct block){N_OUT, count, N_OUT, g_memdup2(rest, size)};
    source->test = (struct block){N_OUT, count, N_OUT, g_memdup2(rest + count * N_OUT, size)};
    return true;
}

static double at(const struct reproduction *r, const char *label, size_t depth, const char *metric)
{
    return reproduction_mean(r, label, (double) depth, metric);
}

static void check(struct reproduction *r, const struct curve *curve, bool strong)
{
    double ista = 0.0, fista = 0.0, others = 0.0;
    for (size_t i = 0; i < curve->n_steps; i++) {
        size_t depth = curve->steps[i];
        double slista = at(r, "SLISTA", depth, curve->metric);
        ista = fmax(ista, slista / at(r, "ISTA", depth, curve->metric));
        if (depth <= 20)
            fista = fmax(fista, slista / at(r, "FISTA", depth, curve->metric));
        others = fmax(others, slista / at(r, "ALISTA", depth, curve->metric));
    }
    g_autofree char *first =
        g_strdup_printf("%s: SLISTA is below ISTA at every depth", curve->metric);
    reproduction_check(r, first, ista < 1.0, ista, 1.0);
    if (!strong)
        return;
    g_autofree char *second =
        g_strdup_printf("%s: SLISTA is below FISTA up to 20 layers", curve->metric);
    reproduction_check(r, second, fista < 1.0, fista, 1.0);
    g_autofree char *third = g_strdup_printf("%s: SLISTA is below ALISTA", curve->metric);
    reproduction_check(r, third, others < 1.0, others, 1.0);
}

static bool learn(struct reproduction *r, const struct samples *train, const struct samples *test,
                  struct curve *curve, GError **error)
{
    for (size_t m = 0; m < G_N_ELEMENTS(lessons); m++) {
        for (size_t i = 0; i < curve->n_steps; i++) {
            bool matrices = strcmp(lessons[m].network, "lista-coupled") == 0;
            // Matrices of every layer at once: too slow to be quick.
            if (matrices && !r->full && curve->steps[i] > 5)
                continue;
            struct lesson lesson = lessons[m];
            lesson.max_iter = r->full ? 3000 : 40;
            struct curve one = {NULL, curve->metric, curve->steps + i, 1};
            if (!learning_curve(r, train, test, &lesson, &one, error))
                return false;
        }
    }
    return true;
}

static bool run_ratio(struct reproduction *r, const struct source *source, size_t data, size_t k,
                      GError **error)
{
    g_autoptr(owned_problem) problem = problem_new_lasso(source->op);
    struct samples_options options = {.ratio = ratios[k], .start = START_ZERO, .scale = true};
    struct block x = source->train;
    x.data = g_memdup2(x.data, x.n_time * x.n_series * sizeof(double));
    g_autoptr(owned_samples) train = samples_new(r, problem, x, &options, error);
    x = source->test;
    x.data = g_memdup2(x.data, x.n_time * x.n_series * sizeof(double));
    g_autoptr(owned_samples) test = samples_new(r, problem, x, &options, error);
    if (train == NULL || test == NULL)
        return false;
    struct curve curve = {"ISTA", metrics[data][k], r->full ? depths_full : depths_quick,
                          r->full ? G_N_ELEMENTS(depths_full) : G_N_ELEMENTS(depths_quick)};
    if (!samples_solver_curve(r, test, solver_new_pgd, &curve, error))
        return false;
    curve.method = "FISTA";
    if (!samples_solver_curve(r, test, solver_new_apgd, &curve, error) ||
        !learn(r, train, test, &curve, error))
        return false;
    check(r, &curve, ratios[k] > 0.5);
    host_progress(r->host, ((double) (2 * data + k) + 1.0) / 4.0);
    return true;
}

static bool run(struct reproduction *r, GError **error)
{
    size_t n = r->full ? 10000 : 100;
    reproduction_set(r, "samples", "%zu to train, %zu to test", n, n);
    reproduction_note(r,
                      "%d x %d; %zu samples to train and to test (or what there is), a network "
                      "for each depth, %d gradients each.",
                      N_OUT, N_IN, n, r->full ? 3000 : 40);
    for (size_t data = 0; data < 2; data++) {
        g_auto(owned_source) source = {0};
        if (data == 0)
            simulate(r, n, &source);
        else if (!prepare_digits(r, n, &source, error))
            return false;
        for (size_t k = 0; k < G_N_ELEMENTS(ratios); k++)
            if (!run_ratio(r, &source, data, k, error))
                return false;
    }
    return true;
}

const struct experiment reproduce_networks = {.id = "networks",
                                              .title = "Learned and iterative solvers of the Lasso",
                                              .panels = panels,
                                              .run = run,
                                              .data = "DIGITS.csv",
                                              .n_data = 1};
