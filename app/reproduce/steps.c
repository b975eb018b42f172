// SPDX-License-Identifier: BSD-3-Clause
// Learned steps of SLISTA, layer by layer, beside 1 / L_S and 2 / L_S on the supports that the
// layers see. Ablin, Moreau, Massias and Gramfort, 2019, figure 4.
#include "app/reproduce/learning.h"

#include "solvers/sort.h"

#include <math.h>
#include <string.h>

#define PUBLISHED "SLISTA, published training"
#define OURS      "SLISTA, our training"

enum { N_OUT = 10, N_IN = 20, N_LAYERS = 20 };

static const struct panel panels[] = {
    {"Steps, published training", "published", "layer", "step L", 0.0, false, false, false},
    {"Steps, our training", "ours", "layer", "step L", 0.0, false, true, false},
    {"Test suboptimality", "suboptimality", "layers", "F - F*", 1e-17, false, true, false},
    {0}};

// L / L_S of the support of a point; NAN where it is empty.
static double support_ratio(const linop *op, const double *z)
{
    g_autofree double *part = g_new(double, op->n_out * op->n_in);
    size_t n = 0;
    for (size_t j = 0; j < op->n_in; j++)
        if (z[j] != 0.0)
            memcpy(part + op->n_out * n++, op->matrix + j * op->n_out, op->n_out * sizeof(double));
    if (n == 0)
        return NAN;
    g_autoptr(linop) sub = linop_new_dense(part, op->n_out, n);
    return op->norm2 / sub->norm2;
}

// The quartiles over samples of L / L_S at the input of a layer.
static void quartiles(const struct samples *samples, const struct network *network, size_t layer,
                      bool safeguard, double quartile[3])
{
    const linop *op = samples->problem->op;
    size_t n_series = MIN(samples->x.n_series, (size_t) 300);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *ratios = g_new(double, n_series);
    g_autofree double *z = g_new(double, op->n_in);
    size_t n = 0;
    for (size_t v = 0; v < n_series; v++) {
        struct block x = block_slice(&samples->x, v, 1);
        struct block start = block_slice(&samples->start, v, 1);
        struct block out = block_of_series(z, op->n_in);
        struct network_input input = {.x = &x, .lambda = samples->lambda + v, .start = &start};
        struct network_pass pass = {.depth = layer, .safeguard = safeguard};
        network_forward(network, &input, &pass, &out, ws);
        ratios[n] = support_ratio(op, z);
        n += !isnan(ratios[n]);
    }
    sort_doubles(ratios, n);
    for (size_t q = 0; q < 3; q++)
        quartile[q] = n == 0 ? NAN : ratios[(q + 1) * (n - 1) / 4];
}

// Steps of the layers behind the first, which starts from an empty support.
static void add_steps(struct reproduction *r, const struct samples *samples,
                      const struct network *network, const char *label, const char *metric,
                      bool safeguard)
{
    static const char *const names[] = {"L / L_S, lower quartile", "L / L_S, median",
                                        "L / L_S, upper quartile"};
    for (size_t layer = 0; layer < N_LAYERS; layer++) {
        double step = network->parameters[network->offsets[layer]] * samples->problem->op->norm2;
        double at = (double) layer + 1.0, quartile[3];
        reproduction_result(r, label, at, r->seed, metric, step);
        if (layer == 0)
            continue;
        quartiles(samples, network, layer, safeguard, quartile);
        for (size_t q = 0; q < 3; q++)
            reproduction_result(r, names[q], at, r->seed, metric, quartile[q]);
        reproduction_result(r, "2 L / L_S, median", at, r->seed, metric, 2.0 * quartile[1]);
    }
}

// The paper's claim, on the network trained as the paper trains.
static void check_published(struct reproduction *r)
{
    double above = INFINITY, below = 0.0;
    for (size_t layer = N_LAYERS / 2 + 1; layer <= N_LAYERS; layer++) {
        double step = reproduction_mean(r, PUBLISHED, (double) layer, "published");
        double median = reproduction_mean(r, "L / L_S, median", (double) layer, "published");
        above = fmin(above, step / median);
        below = fmax(below, step / (2.0 * median));
    }
    double first = reproduction_mean(r, PUBLISHED, 1.0, "published");
    reproduction_check(r, "published training: the first step is near 1 / L, within 20 %",
                       fabs(first - 1.0) <= 0.2, first, 1.0);
    reproduction_check(r, "published training: steps of the last half exceed the median 1 / L_S",
                       above > 1.0, above, 1.0);
    reproduction_check(r, "and stay below about 2 / L_S (10 %)", below < 1.1, below, 1.1);
}

// What matters in the end: the objective on samples that no network has seen.
static void check_losses(struct reproduction *r)
{
    double published = reproduction_mean(r, PUBLISHED, N_LAYERS, "suboptimality");
    double ours = reproduction_mean(r, OURS, N_LAYERS, "suboptimality");
    double ista = reproduction_mean(r, "ISTA", N_LAYERS, "suboptimality");
    double fista = reproduction_mean(r, "FISTA", N_LAYERS, "suboptimality");
    reproduction_check(r, "published training ends below ISTA", published < ista, published, ista);
    reproduction_check(r, "our training ends at most at the published 9.1e-4", ours <= 9.1e-4, ours,
                       9.1e-4);
    reproduction_target(r, "our training ends below FISTA", ours < fista, ours, fista);
}

struct sets {
    struct samples *train;
    struct samples *test;
};

static void sets_clear(struct sets *sets)
{
    samples_free(sets->train);
    samples_free(sets->test);
}
typedef struct sets owned_sets;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_sets, sets_clear)

static bool draw(struct reproduction *r, const struct problem *problem, struct sets *sets,
                 GError **error)
{
    size_t n_series = r->full ? 1000 : 500;
    struct samples_options options = {.ratio = 0.2, .start = START_ZERO, .scale = true};
    struct block x = samples_draw_lasso(r->seed, problem->op, n_series, false);
    sets->train = samples_new(r, problem, x, &options, error);
    if (sets->train == NULL)
        return false;
    x = samples_draw_lasso(r->seed + 1, problem->op, n_series, false);
    sets->test = samples_new(r, problem, x, &options, error);
    reproduction_set(r, "samples", "%zu to train, %zu to test", n_series, n_series);
    return sets->test != NULL;
}

static bool learn(struct reproduction *r, const struct sets *sets, struct curve *curve,
                  GError **error)
{
    const struct lesson published = {.label = PUBLISHED,
                                     .network = "slista",
                                     .published = true,
                                     .oneshot = true,
                                     .max_iter = r->full ? 1000 : 100};
    const struct lesson ours = {
        .label = OURS, .network = "slista", .max_iter = r->full ? 2000 : 400};
    const struct lesson *lessons[] = {&published, &ours};
    for (size_t i = 0; i < G_N_ELEMENTS(lessons); i++) {
        g_autoptr(owned_network) network =
            learning_train(r, sets->train, lessons[i], N_LAYERS, NULL, error);
        if (network == NULL)
            return false;
        bool safeguard = !lessons[i]->published;
        add_steps(r, sets->test, network, lessons[i]->label, safeguard ? "ours" : "published",
                  safeguard);
        curve->method = lessons[i]->label;
        samples_network_curve(r, sets->test, network, safeguard, curve);
    }
    return true;
}

static bool run(struct reproduction *r, GError **error)
{
    size_t depths[N_LAYERS];
    for (size_t i = 0; i < N_LAYERS; i++)
        depths[i] = i + 1;
    g_autofree double *matrix = samples_draw_dictionary(r->seed, N_OUT, N_IN);
    g_autoptr(linop) op = linop_new_dense(matrix, N_OUT, N_IN);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    g_auto(owned_sets) sets = {0};
    reproduction_set(r, "dictionary", "%d x %d, coding law", N_OUT, N_IN);
    reproduction_set(r, "lambda", "0.2 lambda_max");
    struct curve curve = {"ISTA", "suboptimality", depths, N_LAYERS};
    if (!draw(r, problem, &sets, error) || !learn(r, &sets, &curve, error))
        return false;
    curve.method = "ISTA";
    if (!samples_solver_curve(r, sets.test, solver_new_pgd, &curve, error))
        return false;
    curve.method = "FISTA";
    if (!samples_solver_curve(r, sets.test, solver_new_apgd, &curve, error))
        return false;
    check_published(r);
    check_losses(r);
    reproduction_note(r, "%zu samples to train and as many to test, lambda = 0.2 lambda_max.",
                      sets.test->x.n_series);
    reproduction_note(r, "Published training: all layers at once by gradient descent, no "
                         "safeguard. Ours: layer by layer, with line search and safeguard.");
    reproduction_note(r, "L_S: of the support at the layer's input. Loss-optimal steps alternate "
                         "between short and very long ones; the 1 / L_S picture is that of "
                         "gradient descent from 1 / L.");
    return true;
}

const struct experiment reproduce_steps = {
    .id = "steps", .title = "Learned steps follow 1 / L_S", .panels = panels, .run = run};
