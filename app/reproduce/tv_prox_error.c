// SPDX-License-Identifier: BSD-3-Clause
// What an unrolled prox costs in accuracy: the inner networks of LPGD-LISTA against the exact prox
// of TV, layer by layer. Cherkaoui, Sulam and Moreau, 2020, figure 4.
#include "app/reproduce/learning.h"
#include "app/simulate/simulate.h"
#include "solvers/prox_tv.h"

#include <math.h>
#include <string.h>

enum { N_UNKNOWN = 8, N_OBSERVED = 5, N_TEST = 500 };

static const double ratios[] = {0.1, 0.8};
static const size_t inner[] = {20, 50};
static const size_t depths[] = {1, 2, 3, 5};
static const char *const metrics[] = {"prox error at 0.1", "prox error at 0.8"};

static const struct panel panels[] = {
    {"{/Symbol l} = 0.1 {/Symbol l}_{max}", "prox error at 0.1", "outer layer",
     "prox objective - its minimum", 1e-17, false, true, false},
    {"{/Symbol l} = 0.8 {/Symbol l}_{max}", "prox error at 0.8", "outer layer",
     "prox objective - its minimum", 1e-17, false, true, false},
    {0}};

// 1/2 ||u - a||^2 + mu ||nabla u||_1.
static double prox_objective(const double *u, const double *a, double mu)
{
    double square = 0.0, variation = 0.0;
    for (size_t i = 0; i < N_UNKNOWN; i++) {
        square += (u[i] - a[i]) * (u[i] - a[i]);
        variation += i > 0 ? fabs(u[i] - u[i - 1]) : 0.0;
    }
    return 0.5 * square + mu * variation;
}

// a = Wu u + Wx x, of the layer's parameters; they begin with Wu and Wx, row-major, then mu.
static double prox_argument(const double *parameters, const double *u, const double *x, double *a)
{
    const double *wx = parameters + N_UNKNOWN * N_UNKNOWN;
    for (size_t i = 0; i < N_UNKNOWN; i++) {
        a[i] = 0.0;
        for (size_t j = 0; j < N_UNKNOWN; j++)
            a[i] += parameters[i * N_UNKNOWN + j] * u[j];
        for (size_t j = 0; j < N_OBSERVED; j++)
            a[i] += wx[i * N_OBSERVED + j] * x[j];
    }
    return wx[N_UNKNOWN * N_OBSERVED];
}

static double layer_error(const struct samples *samples, const struct network *network,
                          size_t depth, size_t v, struct workspace *ws)
{
    double before[N_UNKNOWN], after[N_UNKNOWN], a[N_UNKNOWN], exact[N_UNKNOWN];
    struct block x = block_slice(&samples->x, v, 1);
    struct block start = block_slice(&samples->start, v, 1);
    struct network_input input = {.x = &x, .lambda = samples->lambda + v, .start = &start};
    struct block u = block_of_series(before, N_UNKNOWN);
    network_forward(network, &input, &(struct network_pass){.depth = depth - 1}, &u, ws);
    u.data = after;
    network_forward(network, &input, &(struct network_pass){.depth = depth}, &u, ws);
    double mu =
        samples->lambda[v] * prox_argument(network_layer(network, depth - 1), before, x.data, a);
    prox_tv(a, N_UNKNOWN, mu, exact, NULL, ws);
    return prox_objective(after, a, mu) - prox_objective(exact, a, mu);
}

// The stages of a nested training are networks of their own; here all are the last one.
static void add_errors(struct reproduction *r, const struct samples *samples,
                       struct network *network, const char *label, size_t k)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    network_clear_stages(network);
    for (size_t i = 0; i < G_N_ELEMENTS(depths); i++) {
        double sum = 0.0;
        for (size_t v = 0; v < samples->x.n_series; v++)
            sum += layer_error(samples, network, depths[i], v, ws);
        reproduction_result(r, label, (double) depths[i], r->seed, metrics[k],
                            sum / (double) samples->x.n_series);
    }
}

static void check(struct reproduction *r, size_t k, const char *trained, const char *untrained)
{
    double first = reproduction_mean(r, trained, 1.0, metrics[k]);
    double plain = reproduction_mean(r, untrained, 1.0, metrics[k]), least = INFINITY;
    for (size_t i = 0; i < G_N_ELEMENTS(depths); i++)
        least = fmin(least, reproduction_mean(r, trained, (double) depths[i], metrics[k]));
    g_autofree char *first_name = g_strdup_printf(
        "at %g, layer 1: %s has a smaller error than untrained", ratios[k], trained);
    reproduction_target(r, first_name, first < plain, first, plain);
    g_autofree char *floor_name = g_strdup_printf(
        "at %g, %s never reaches the prox: its error stays above 1e-10", ratios[k], trained);
    reproduction_check(r, floor_name, least > 1e-10, least, 1e-10);
}

// Optimality of the exact prox: the cumulative sum of a - u stays in the tube of radius mu and
// ends at 0, touching its wall at every jump. Returns the largest violation.
static double exact_violation(uint64_t seed)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    struct block a = {N_UNKNOWN, N_TEST, N_UNKNOWN, NULL};
    g_autoptr(linop) identity = linop_new_identity(N_UNKNOWN);
    a = samples_draw_lasso(seed, identity, N_TEST, true);
    double worst = 0.0, mu = 0.3;
    for (size_t v = 0; v < N_TEST; v++) {
        const double *y = block_series(&a, v);
        double u[N_UNKNOWN], sum = 0.0;
        prox_tv(y, N_UNKNOWN, mu, u, NULL, ws);
        for (size_t i = 0; i < N_UNKNOWN; i++) {
            sum += y[i] - u[i];
            double jump = i + 1 < N_UNKNOWN ? u[i + 1] - u[i] : 0.0;
            double wall = jump > 0.0 ? -mu : mu;
            worst = fmax(worst, fabs(sum) - mu);
            if (i + 1 == N_UNKNOWN)
                worst = fmax(worst, fabs(sum));
            else if (jump != 0.0)
                worst = fmax(worst, fabs(sum - wall));
        }
    }
    g_free(a.data);
    return worst;
}

static bool run_ratio(struct reproduction *r, const struct simulation *drawn, size_t n_train,
                      size_t k, GError **error)
{
    g_autoptr(linop) op = samples_operator(drawn->op, N_OBSERVED, N_UNKNOWN);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    struct samples_options options = {.ratio = ratios[k], .start = START_PINV, .scale = true};
    size_t n = N_OBSERVED;
    struct block x = {n, N_TEST, n, g_memdup2(drawn->x, N_TEST * n * sizeof(double))};
    g_autoptr(owned_samples) test = samples_new(r, problem, x, &options, error);
    x = (struct block){n, n_train, n,
                       g_memdup2(drawn->x + N_TEST * n, n_train * n * sizeof(double))};
    g_autoptr(owned_samples) train = samples_new(r, problem, x, &options, error);
    if (test == NULL || train == NULL)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(inner); i++) {
        g_autofree char *trained = g_strdup_printf("%zu inner layers, trained", inner[i]);
        g_autofree char *untrained = g_strdup_printf("%zu inner layers, untrained", inner[i]);
        struct lesson lesson = {.label = trained,
                                .network = "lpgd-lista",
                                .variant = "per-layer",
                                .n_inner = inner[i],
                                .published = true,
                                .max_iter = (r->full ? 300 : 40) * 5};
        struct network_size size = {.depth = 5, .n_inner = inner[i]};
        g_autoptr(owned_network) plain =
            network_new(lesson.network, lesson.variant, problem, size, error);
        g_autoptr(owned_network) network = learning_train(r, train, &lesson, 5, NULL, error);
        if (plain == NULL || network == NULL)
            return false;
        add_errors(r, test, plain, untrained, k);
        add_errors(r, test, network, trained, k);
        check(r, k, trained, untrained);
        host_progress(r->host, ((double) k + 0.5 * (double) (i + 1)) / 2.0);
    }
    return true;
}

static bool run(struct reproduction *r, GError **error)
{
    size_t n_train = r->full ? 1000 : 200;
    struct simulate_tv law = simulate_tv_default();
    law.law = SIMULATE_TV_DENSE;
    law.n_series = N_TEST + n_train;
    law.n_observed = N_OBSERVED;
    law.n_unknown = N_UNKNOWN;
    law.sparsity = 0.2;
    law.snr_db = 0.0;
    law.seed = 427 + r->seed;
    g_autoptr(owned_simulation) drawn = simulate_tv(&law, error);
    if (drawn == NULL)
        return false;
    reproduction_set(r, "design", "%d x %d Gaussian, columns of norm 1", N_OBSERVED, N_UNKNOWN);
    for (size_t k = 0; k < G_N_ELEMENTS(ratios); k++)
        if (!run_ratio(r, drawn, n_train, k, error))
            return false;
    double violation = exact_violation(r->seed);
    reproduction_check(r, "the taut string meets the optimality conditions of the prox",
                       violation <= 1e-14, violation, 1e-14);
    reproduction_note(r,
                      "LPGD-LISTA of 5 outer layers, %zu samples to train by gradient descent, %d "
                      "to test, from the pseudo-inverse.",
                      n_train, N_TEST);
    reproduction_note(r,
                      "The taut string has no such error: its optimality conditions hold to "
                      "%.1g.",
                      violation);
    return true;
}

const struct experiment reproduce_tv_prox_error = {
    .id = "tv-prox-error", .title = "The error of an unrolled prox", .panels = panels, .run = run};
