// SPDX-License-Identifier: BSD-3-Clause
// What a layer costs, forward and backward, beside an iteration of the solver that it unrolls.
//
//     build/bench/bench_networks [SERIES [FRAMES]]
//
// Blocks convolved with a response, in noise; lambda is 0.1 lambda_max; 20 layers. All are timed in
// turn, round after round, in CPU time of one thread; the median round is printed, with the
// operations that the filters of a layer of K taps cannot do without and the numbers that it has to
// read and write once (states, residuals, x). The floor is what the kernels take alone: the rate of
// A and A', and one pass of the prox.
#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/cpu_clock.h"
#include "solvers/median.h"
#include "solvers/prox_tv.h"
#include "unrolled/network.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_LAYERS = 20, N_ROUNDS = 7 };

struct data {
    struct problem *problem;
    struct block x;
    struct block start;
    double *lambda;
    struct workspace *ws;
};

static struct block new_block(size_t n_time, size_t n_series)
{
    return (struct block){n_time, n_series, n_time, g_new0(double, n_time *n_series)};
}

static void fill_series(const struct data *data, size_t v, GRand *rand)
{
    const linop *op = data->problem->op;
    double *u = block_series(&data->start, v);
    double *x = block_series(&data->x, v);
    double level = 0.0;
    for (size_t i = 0; i < op->n_in; i++) {
        if (g_rand_double(rand) < 0.06)
            level = g_rand_double_range(rand, -1.0, 1.0);
        u[i] = level;
    }
    linop_apply_series(op, u, x, data->ws);
    for (size_t t = 0; t < op->n_out; t++)
        x[t] += g_rand_double_range(rand, -0.5, 0.5);
    data->lambda[v] = 0.1 * problem_lambda_max(data->problem, x, data->ws);
    level = problem_trivial_level(data->problem, x);
    for (size_t i = 0; i < op->n_in; i++)
        u[i] = level;
}

// Microseconds a series and layer of one pass over all series.
typedef double timed(const struct data *data, const void *what);

static double forward(const struct data *data, const void *what, bool safeguard)
{
    const struct network *network = what;
    struct block u = new_block(data->start.n_time, BLOCK_SERIES);
    double begin = cpu_clock_s();
    for (size_t first = 0; first + BLOCK_SERIES <= data->x.n_series; first += BLOCK_SERIES) {
        struct block x = block_slice(&data->x, first, BLOCK_SERIES);
        struct block start = block_slice(&data->start, first, BLOCK_SERIES);
        struct network_input input = {.x = &x, .lambda = data->lambda + first, .start = &start};
        struct network_pass pass = {.depth = N_LAYERS, .safeguard = safeguard};
        network_forward(network, &input, &pass, &u, data->ws);
    }
    double seconds = cpu_clock_s() - begin;
    g_free(u.data);
    return 1e6 * seconds / (double) (data->x.n_series * N_LAYERS);
}

static double forward_guarded(const struct data *data, const void *what)
{
    return forward(data, what, true);
}

static double forward_bare(const struct data *data, const void *what)
{
    return forward(data, what, false);
}

static double forward_and_backward(const struct data *data, const void *what)
{
    const struct network *network = what;
    g_autofree double *gradient = g_new0(double, network->offsets[N_LAYERS]);
    double begin = cpu_clock_s();
    for (size_t first = 0; first + BLOCK_SERIES <= data->x.n_series; first += BLOCK_SERIES) {
        struct block x = block_slice(&data->x, first, BLOCK_SERIES);
        struct block start = block_slice(&data->start, first, BLOCK_SERIES);
        struct network_input input = {.x = &x, .lambda = data->lambda + first, .start = &start};
        struct network_pass pass = {.depth = N_LAYERS, .safeguard = true};
        struct network_loss loss = {.targets = NULL};
        network_loss_gradient(network, &input, &pass, &loss, gradient, NULL, data->ws);
    }
    return 1e6 * (cpu_clock_s() - begin) / (double) (data->x.n_series * N_LAYERS);
}

// Iterations of a solver, or as many layers' worth of one that solves to the end.
static double iterate(const struct data *data, const void *what)
{
    const struct solver *solver = what;
    struct block u = new_block(data->start.n_time, BLOCK_SERIES);
    struct series_result results[BLOCK_SERIES];
    double begin = cpu_clock_s();
    for (size_t first = 0; first + BLOCK_SERIES <= data->x.n_series; first += BLOCK_SERIES) {
        struct block x = block_slice(&data->x, first, BLOCK_SERIES);
        struct block start = block_slice(&data->start, first, BLOCK_SERIES);
        struct solve_input input = {.x = &x, .lambda = data->lambda + first, .start = &start};
        solver->solve(solver, &input, &u, results, data->ws);
    }
    double seconds = cpu_clock_s() - begin;
    g_free(u.data);
    return 1e6 * seconds / (double) (data->x.n_series * N_LAYERS);
}

// A and A' of the problem, and nothing else.
static double filter(const struct data *data, const void *what)
{
    const linop *op = what;
    struct block u = new_block(op->n_in, BLOCK_SERIES);
    struct block r = new_block(op->n_out, BLOCK_SERIES);
    double begin = cpu_clock_s();
    for (size_t layer = 0; layer < N_LAYERS; layer++) {
        for (size_t first = 0; first + BLOCK_SERIES <= data->x.n_series; first += BLOCK_SERIES) {
            struct block start = block_slice(&data->start, first, BLOCK_SERIES);
            linop_apply(op, &start, &r, data->ws);
            linop_adjoint(op, &r, &u, data->ws);
        }
    }
    double seconds = cpu_clock_s() - begin;
    g_free(u.data);
    g_free(r.data);
    return 1e6 * seconds / (double) (data->x.n_series * N_LAYERS);
}

// The prox of a step from the start, and nothing else.
static double prox(const struct data *data, const void *what)
{
    const linop *op = what;
    struct block a = new_block(op->n_in, data->x.n_series);
    g_autofree double *u = g_new(double, op->n_in);
    linop_adjoint(op, &data->x, &a, data->ws);
    double begin = cpu_clock_s();
    for (size_t layer = 0; layer < N_LAYERS; layer++)
        for (size_t v = 0; v < a.n_series; v++)
            prox_tv(block_series(&a, v), a.n_time, data->lambda[v], u, NULL, data->ws);
    double seconds = cpu_clock_s() - begin;
    g_free(a.data);
    return 1e6 * seconds / (double) (data->x.n_series * N_LAYERS);
}

struct contestant {
    char name[64];
    timed *run;
    const void *what;
    double flops; // a series and layer; 0: not counted
    double bytes; //
    double rounds[N_ROUNDS];
};

static void race(const struct data *data, struct contestant *contestants, size_t n)
{
    for (size_t round = 0; round < N_ROUNDS; round++)
        for (size_t i = 0; i < n; i++)
            contestants[i].rounds[round] = contestants[i].run(data, contestants[i].what);
    double unit = median(contestants[0].rounds, N_ROUNDS);
    printf("%-44s %10s %6s %8s %8s %6s %6s\n", "a series and layer", "us", "", "kflop", "Gflop/s",
           "KB", "GB/s");
    for (size_t i = 0; i < n; i++) {
        const struct contestant *it = &contestants[i];
        double us = median(contestants[i].rounds, N_ROUNDS);
        printf("%-44s %10.2f %5.2fx", it->name, us, us / unit);
        if (it->flops > 0.0)
            printf(" %8.1f %8.1f %6.1f %6.1f", 1e-3 * it->flops, 1e-3 * it->flops / us,
                   1e-3 * it->bytes, 1e-3 * it->bytes / us);
        printf("\n");
    }
}

static struct contestant *add(struct contestant *contestants, size_t *n, const char *name,
                              timed *run, const void *what)
{
    struct contestant *added = &contestants[(*n)++];
    *added = (struct contestant){.run = run, .what = what};
    g_strlcpy(added->name, name, sizeof added->name);
    return added;
}

// What a layer has to do: filters of so many taps forward, and more on the way back.
static void count(struct contestant *contestant, const linop *op, size_t n_taps, bool back)
{
    double numbers = 2.0 * (double) op->n_in + 3.0 * (double) op->n_out; // in, out; residuals, x
    contestant->flops = 2.0 * (double) n_taps * (double) op->n_in;
    contestant->bytes = sizeof(double) * numbers * (back ? 2.0 : 1.0);
}

static void add_networks(struct contestant *contestants, size_t *n, const linop *op,
                         struct network *const *networks, size_t n_networks)
{
    size_t k = op->filter->n;
    for (size_t i = 0; i < n_networks; i++) {
        const char *variant = networks[i]->kind->variant;
        bool filters = g_str_equal(variant, "conv");
        // A and A', and A' A on the way back; or the two filters and A for the objective, and on
        // the way back a filter and the derivatives in the taps of both
        size_t forward_taps = filters ? 2 * k - 1 + k + k : 2 * k;
        size_t back_taps = filters ? 2 * (2 * k - 1) + k : 2 * k;
        g_autofree char *name = g_strdup_printf("lpgd-taut %s", variant);
        g_autofree char *bare = g_strdup_printf("%s, without safeguard", name);
        g_autofree char *back = g_strdup_printf("%s, with its gradient", name);
        count(add(contestants, n, name, forward_guarded, networks[i]), op, forward_taps, false);
        count(add(contestants, n, bare, forward_bare, networks[i]), op, forward_taps, false);
        count(add(contestants, n, back, forward_and_backward, networks[i]), op,
              forward_taps + back_taps, true);
    }
}

int main(int argc, char **argv)
{
    size_t n_series = argc > 1 ? strtoul(argv[1], NULL, 10) : 512;
    size_t n_time = argc > 2 ? strtoul(argv[2], NULL, 10) : 250;
    g_autoptr(owned_hrf) hrf = hrf_new("pyta", 0.735, NULL);
    g_autoptr(linop) op = hrf_conv_new(hrf->h, hrf->n, n_time, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    struct data data = {.problem = problem,
                        .x = new_block(op->n_out, n_series),
                        .start = new_block(op->n_in, n_series),
                        .lambda = g_new(double, n_series),
                        .ws = workspace_new()};
    GRand *rand = g_rand_new_with_seed(1);
    for (size_t v = 0; v < n_series; v++)
        fill_series(&data, v, rand);

    struct solver_options options = solver_options_default();
    options.tol = 0.0;
    options.max_iter = N_LAYERS;
    options.start = START_GIVEN;
    g_autoptr(owned_solver) pgd = solver_new_pgd(problem, &options, NULL);
    g_autoptr(owned_solver) exact = solver_new_exact(problem, &options, NULL);
    static const char *const variants[] = {"step", "step-momentum", "conv"};
    struct contestant contestants[4 + 3 * G_N_ELEMENTS(variants)];
    struct network *networks[G_N_ELEMENTS(variants)];
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(variants); i++)
        networks[i] = network_new("lpgd-taut", variants[i], problem,
                                  (struct network_size){.depth = N_LAYERS}, NULL);
    count(add(contestants, &n, "pgd, an iteration", iterate, pgd), op, 2 * hrf->n, false);
    add_networks(contestants, &n, op, networks, G_N_ELEMENTS(variants));
    count(add(contestants, &n, "A and A', alone", filter, op), op, 2 * hrf->n, false);
    add(contestants, &n, "prox, alone", prox, op);
    add(contestants, &n, "exact solution, a twentieth of it", iterate, exact);
    printf("%zu series of %zu frames, %zu unknowns, %zu taps\n", n_series, n_time, op->n_in,
           hrf->n);
    race(&data, contestants, n);

    for (size_t i = 0; i < G_N_ELEMENTS(variants); i++)
        network_free(networks[i]);
    g_rand_free(rand);
    workspace_free(data.ws);
    g_free(data.x.data);
    g_free(data.start.data);
    g_free(data.lambda);
    return 0;
}
