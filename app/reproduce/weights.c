// SPDX-License-Identifier: BSD-3-Clause
// Weights of coupled LISTA in deep layers: a layer that keeps every solution fixed has W
// proportional to D, so that the step is all that is left to learn. Ablin, Moreau, Massias and
// Gramfort, 2019, theorem 4.4, lemma 4.3 and figure 3.
#include "app/reproduce/learning.h"
#include "solvers/random.h"

#include <math.h>
#include <string.h>

enum { N_OUT = 10, N_IN = 20, MOST_LAYERS = 40 };

#define RATIO 0.1

static const struct panel panels[] = {{"Distance to the dictionary", "distance", "layer",
                                       "||W - {/Symbol b} D||_F / ||{/Symbol b} D||_F", 0.0, false,
                                       true, false},
                                      {"Cosine with the dictionary", "cosine", "layer",
                                       "mean over columns", 0.0, false, false, false},
                                      {0}};

// Columns of W against those of D, each scaled by its threshold.
static void compare(const linop *op, const double *parameters, double *distance, double *cosine)
{
    const double *threshold = parameters + N_IN * N_OUT;
    double apart = 0.0, size = 0.0;
    *cosine = 0.0;
    for (size_t j = 0; j < N_IN; j++) {
        const double *w = parameters + j * N_OUT, *d = op->matrix + j * N_OUT;
        double dot = 0.0, w2 = 0.0, d2 = 0.0;
        for (size_t i = 0; i < N_OUT; i++) {
            double target = threshold[j] * d[i];
            apart += (w[i] - target) * (w[i] - target);
            size += target * target;
            dot += w[i] * d[i], w2 += w[i] * w[i], d2 += d[i] * d[i];
        }
        *cosine += w2 > 0.0 ? dot / sqrt(w2 * d2) / N_IN : 0.0;
    }
    *distance = size > 0.0 ? sqrt(apart / size) : 1.0;
}

// Lemma 4.3: how far one layer moves certified solutions, its weights off by a share of noise.
static double largest_move(const struct samples *samples, double share, uint64_t seed,
                           GError **error)
{
    struct network_size size = {.depth = 1};
    g_autoptr(owned_network) layer =
        network_new("lista-coupled", NULL, samples->problem, size, error);
    struct solver_options options = solver_options_default();
    options.tol = 1e-14;
    g_autoptr(owned_solver) solver = solver_new_exact(samples->problem, &options, error);
    if (layer == NULL || solver == NULL)
        return NAN;
    double noise[N_OUT * N_IN], z[N_IN], moved[N_IN], worst = 0.0;
    struct random_stream stream = random_stream_of(seed, 7, 0);
    random_normal(&stream, noise, N_OUT * N_IN);
    for (size_t i = 0; i < N_OUT * N_IN; i++)
        layer->parameters[i] *= 1.0 + share * noise[i];
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t v = 0; v < samples->x.n_series; v++) {
        struct block x = block_slice(&samples->x, v, 1);
        struct block from = block_of_series(z, N_IN), to = block_of_series(moved, N_IN);
        struct series_result result;
        struct solve_input solve = {.x = &x, .lambda = samples->lambda + v};
        solver_run(solver, &solve, &from, &result, ws);
        struct network_input input = {.x = &x, .lambda = samples->lambda + v, .start = &from};
        network_forward(layer, &input, &(struct network_pass){.depth = 1}, &to, ws);
        for (size_t j = 0; j < N_IN; j++)
            worst = fmax(worst, fabs(moved[j] - z[j]));
    }
    return worst;
}

static bool check_lemma(struct reproduction *r, const struct samples *samples, GError **error)
{
    double fixed = largest_move(samples, 0.0, r->seed, error);
    if (isnan(fixed))
        return false;
    double perturbed = largest_move(samples, 0.01, r->seed, error);
    reproduction_check(r, "W = D, alpha = beta: certified solutions are fixed points to 1e-10",
                       fixed <= 1e-10, fixed, 1e-10);
    reproduction_check(r, "weights off by 1 % move them", perturbed > 1e-4, perturbed, 1e-4);
    return true;
}

static double mean_of(const struct reproduction *r, const char *metric, size_t first, size_t end)
{
    double sum = 0.0;
    for (size_t layer = first; layer < end; layer++)
        sum += reproduction_mean(r, "coupled LISTA", (double) layer, metric);
    return sum / (double) (end - first);
}

static void check(struct reproduction *r, size_t depth)
{
    size_t part = depth / 4;
    double first = mean_of(r, "distance", 1, 1 + part);
    double last = mean_of(r, "distance", depth + 1 - part, depth + 1);
    double cosine = mean_of(r, "cosine", depth + 1 - part, depth + 1);
    reproduction_check(r, "deep layers are closer to the dictionary than the first", last < first,
                       last, first);
    reproduction_target(r, "and by a factor of 10", last < 0.1 * first, last, 0.1 * first);
    reproduction_target(r, "the cosine of the last layers is above 0.99", cosine > 0.99, cosine,
                        0.99);
}

static bool run(struct reproduction *r, GError **error)
{
    size_t n = r->full ? 1000 : 200, depth = r->full ? MOST_LAYERS : 20;
    g_autofree double *matrix = samples_draw_dictionary(r->seed, N_OUT, N_IN);
    g_autoptr(linop) op = linop_new_dense(matrix, N_OUT, N_IN);
    g_autoptr(owned_problem) problem = problem_new_lasso(op);
    struct samples_options options = {.ratio = RATIO, .start = START_ZERO, .scale = true};
    struct block x = samples_draw_lasso(r->seed, op, n, false);
    g_autoptr(owned_samples) train = samples_new(r, problem, x, &options, error);
    if (train == NULL)
        return false;
    struct lesson lesson = {.label = "coupled LISTA",
                            .network = "lista-coupled",
                            .published = true,
                            .max_iter = r->full ? 10000 : 2000};
    g_autoptr(owned_network) network = learning_train(r, train, &lesson, depth, NULL, error);
    if (network == NULL)
        return false;
    for (size_t layer = 0; layer < depth; layer++) {
        double distance, cosine;
        compare(op, network_layer(network, layer), &distance, &cosine);
        double at = (double) layer + 1.0;
        reproduction_result(r, lesson.label, at, r->seed, "distance", distance);
        reproduction_result(r, lesson.label, at, r->seed, "cosine", cosine);
    }
    check(r, depth);
    reproduction_set(r, "dictionary", "%d x %d, coding law", N_OUT, N_IN);
    reproduction_set(r, "lambda", "%g lambda_max", RATIO);
    reproduction_note(r,
                      "%zu samples, %zu layers trained one after the other by gradient descent, "
                      "lambda = %g lambda_max; beta: the threshold of each column.",
                      n, depth, RATIO);
    return check_lemma(r, train, error);
}

const struct experiment reproduce_weights = {
    .id = "weights", .title = "Weights of deep layers align with D", .panels = panels, .run = run};
