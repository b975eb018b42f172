// SPDX-License-Identifier: BSD-3-Clause
// Learned steps of SLISTA, layer by layer, beside 1 / L_S and 2 / L_S on the supports that the
// layers see. Ablin, Moreau, Massias and Gramfort, 2019, figure 4.
#include "app/reproduce/samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_OUT = 10, N_IN = 20, N_LAYERS = 20 };

static const struct panel panels[] = {
    {"Learned steps", "step", "layer", "step L", false, false, 0.0, false},
    {"Test suboptimality", "suboptimality", "layers", "F - F*", false, true, 1e-17, false},
    {0}};

static int compare(const void *a, const void *b)
{
    double x = *(const double *) a;
    double y = *(const double *) b;
    return (x > y) - (x < y);
}

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

// The median over samples of L / L_S at the input of a layer.
static double median_ratio(const struct samples *samples, const struct network *network,
                           size_t layer, size_t n_series)
{
    const linop *op = samples->problem->op;
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *ratios = g_new(double, n_series);
    g_autofree double *z = g_new(double, op->n_in);
    size_t n = 0;
    for (size_t v = 0; v < n_series; v++) {
        struct block x = block_slice(&samples->x, v, 1);
        struct block start = block_slice(&samples->start, v, 1);
        struct block out = block_of_series(z, op->n_in);
        struct network_input input = {.x = &x, .lambda = samples->lambda + v, .start = &start};
        struct network_pass pass = {.depth = layer, .safeguard = true};
        network_forward(network, &input, &pass, &out, ws);
        ratios[n] = support_ratio(op, z);
        n += !isnan(ratios[n]);
    }
    qsort(ratios, n, sizeof *ratios, compare);
    return n == 0 ? NAN : ratios[n / 2];
}

static void check_steps(struct reproduction *r, const struct samples *samples,
                        const struct network *network)
{
    const linop *op = samples->problem->op;
    double lowest = INFINITY, highest = 0.0;
    for (size_t layer = 1; layer < N_LAYERS; layer++) {
        double step = network->parameters[network->offsets[layer]] * op->norm2;
        double ratio =
            median_ratio(samples, network, layer, MIN(samples->x.n_series, (size_t) 300));
        reproduction_result(r, "learned step", (double) layer + 1, r->seed, "step", step);
        reproduction_result(r, "L / L_S, median", (double) layer + 1, r->seed, "step", ratio);
        reproduction_result(r, "2 L / L_S, median", (double) layer + 1, r->seed, "step",
                            2.0 * ratio);
        if (layer < N_LAYERS / 2)
            continue;
        lowest = fmin(lowest, step / ratio);
        highest += step / ratio / 10.0; // the layers of the last half
    }
    reproduction_check(r, "steps of the last half exceed 1 / L", lowest > 0.3, lowest, 0.3);
    reproduction_check(r, "and are in the mean above 1 / L_S of the median support", highest > 1.0,
                       highest, 1.0);
}

static bool run(struct reproduction *r, GError **error)
{
    size_t n_series = r->full ? 1000 : 500;
    size_t depths[N_LAYERS];
    for (size_t i = 0; i < N_LAYERS; i++)
        depths[i] = i + 1;
    g_autofree double *matrix = samples_draw_dictionary(r->seed, N_OUT, N_IN);
    g_autoptr(linop) op = linop_new_dense(matrix, N_OUT, N_IN);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    struct samples_options options = {.ratio = 0.2, .start = START_ZERO, .scale = true};
    struct block x = samples_draw_lasso(r->seed, op, n_series, false);
    g_autoptr(owned_samples) train = samples_new(r, problem, x, &options, error);
    x = samples_draw_lasso(r->seed + 1, op, n_series, false);
    g_autoptr(owned_samples) test =
        train == NULL ? NULL : samples_new(r, problem, x, &options, error);
    if (test == NULL)
        return false;
    struct network_size size = {.depth = N_LAYERS};
    g_autoptr(owned_network) network = network_new("slista", NULL, problem, size, error);
    struct train_options how = train_options_default(r->app->team);
    struct train_stage stages[N_LAYERS];
    how.max_iter = r->full ? 2000 : 400;
    train_network(network, &train->train, NULL, &how, stages);
    check_steps(r, test, network);
    struct curve curve = {"SLISTA", "suboptimality", depths, N_LAYERS};
    samples_network_curve(r, test, network, true, &curve);
    curve.method = "ISTA";
    if (!samples_solver_curve(r, test, solver_new_pgd, &curve, error))
        return false;
    curve.method = "FISTA";
    if (!samples_solver_curve(r, test, solver_new_apgd, &curve, error))
        return false;
    double learned = reproduction_mean(r, "SLISTA", N_LAYERS, "suboptimality");
    double ista = reproduction_mean(r, "ISTA", N_LAYERS, "suboptimality");
    reproduction_check(r, "SLISTA is below ISTA at the last layer", learned < ista, learned, ista);
    reproduction_check(r, "test suboptimality is at most the published 9.1e-4", learned <= 9.1e-4,
                       learned, 9.1e-4);
    reproduction_set(r, "dictionary", "%d x %d, coding law", N_OUT, N_IN);
    reproduction_set(r, "lambda", "0.2 lambda_max");
    reproduction_set(r, "samples", "%zu to train, %zu to test", n_series, n_series);
    reproduction_note(r,
                      "%zu samples to train and %zu to test, lambda = 0.2 lambda_max, trained "
                      "stage by stage; supports of the test samples.",
                      n_series, n_series);
    return true;
}

const struct experiment reproduce_steps = {"steps", "Learned steps follow 1 / L_S", panels, run};
