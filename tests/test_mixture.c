// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "deconv/mixture.h"
#include "solvers/random.h"
#include "solvers/solver.h"

#include <math.h>
#include <string.h>

enum { N_TIME = 100, N_SERIES = 4, N_Z = 2 * N_TIME - 1 };

static const struct mixture_parts both = {.blocks = true}, spike = {.blocks = false},
                                  positive = {.positive = true};

struct scene {
    linop *op;                    // owned
    struct problem *tv;           // owned
    struct mixture *mixture;      // owned
    struct workspace *ws;         // owned
    double x[N_TIME * N_SERIES];  //
    double px[N_TIME * N_SERIES]; // less its part along S
    double z[N_Z * N_SERIES];     //
};

// A block and two spikes in noise.
static struct scene *scene_new(const struct mixture_parts *parts, double tr_s, double noise)
{
    struct scene *s = g_new0(struct scene, 1);
    g_autoptr(owned_hrf) hrf = hrf_new("spm", tr_s, NULL);
    s->op = hrf_conv_new(hrf->h, hrf->n, N_TIME, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    s->tv = problem_new_tv(s->op);
    s->mixture = mixture_new(s->tv, parts);
    s->ws = workspace_new();
    struct random_stream stream = random_stream_of(4, 1, 1);
    for (size_t v = 0; v < N_SERIES; v++) {
        double u[N_TIME] = {0.0}, e[N_TIME], *x = s->x + v * N_TIME;
        for (size_t t = 20 + v; t < 50; t++)
            u[t] = 1.0;
        u[70] = u[85] = 8.0;
        linop_apply_series(s->op, u, x, s->ws);
        random_normal(&stream, e, N_TIME);
        for (size_t t = 0; t < N_TIME; t++)
            x[t] += noise * e[t];
        problem_project(s->tv, x, s->px + v * N_TIME);
    }
    return s;
}

static void scene_free(struct scene *s)
{
    mixture_free(s->mixture);
    problem_free(s->tv);
    linop_free(s->op);
    workspace_free(s->ws);
    g_free(s);
}

static void solve(struct scene *s, double ratio, struct series_result *results)
{
    struct solver_options options = solver_options_default();
    struct solver *solver = solver_new_exact(mixture_problem(s->mixture), &options, NULL);
    assert_non_null(solver);
    const double lambda[N_SERIES] = {ratio, ratio, ratio, ratio};
    size_t n_z = mixture_problem(s->mixture)->op->n_in;
    struct block px = {N_TIME, N_SERIES, N_TIME, s->px}, z = {n_z, N_SERIES, N_Z, s->z};
    struct solve_input input = {.x = &px, .lambda = lambda, .lambda_is_ratio = true};
    solver_run(solver, &input, &z, results, s->ws);
    solver_free(solver);
}

// c = A' (x - A u): within +-lambda kappa where there is no spike and equal to it where there is
// one; its sums from the end within +-lambda and equal to it at jumps; all of it sums to 0.
static void check_optimal(const struct scene *s, size_t v, double lambda)
{
    double u[N_TIME], spikes[N_TIME], r[N_TIME], c[N_TIME], sum = 0.0;
    double bound = lambda * mixture_kappa(s->mixture), tolerance = 1e-8 * lambda;
    mixture_expand(s->mixture, s->x + v * N_TIME, s->z + v * N_Z, u, spikes);
    linop_apply_series(s->op, u, r, s->ws);
    for (size_t t = 0; t < N_TIME; t++)
        r[t] = s->x[v * N_TIME + t] - r[t];
    linop_adjoint_series(s->op, r, c, s->ws);
    for (size_t t = N_TIME; t-- > 0;) {
        sum += c[t];
        double jump = t == 0 ? 0.0 : (u[t] - spikes[t]) - (u[t - 1] - spikes[t - 1]);
        assert_true(fabs(c[t]) <= bound + tolerance && fabs(sum) <= lambda + tolerance);
        if (spikes[t] != 0.0)
            assert_close(c[t], spikes[t] > 0.0 ? bound : -bound, tolerance);
        if (fabs(jump) > 1e-9)
            assert_close(sum, jump > 0.0 ? lambda : -lambda, tolerance);
    }
    assert_close(sum, 0.0, tolerance);
}

static void solutions_are_optimal_in_blocks_and_spikes(G_GNUC_UNUSED void **state)
{
    const double trs[] = {0.735, 2.0}, ratios[] = {0.05, 0.2};
    for (size_t k = 0; k < 2; k++) {
        struct scene *s = scene_new(&both, trs[k], 0.3);
        for (size_t i = 0; i < 2; i++) {
            struct series_result results[N_SERIES];
            solve(s, ratios[i], results);
            for (size_t v = 0; v < N_SERIES; v++) {
                check_optimal(s, v, results[v].lambda);
                assert_true(results[v].relative_gap <= 1e-9);
            }
        }
        scene_free(s);
    }
}

// The same without jumps: the level alone makes the sum vanish, and no part of it is bounded.
static void check_spikes(const struct scene *s, size_t v, double lambda, bool is_positive)
{
    double u[N_TIME], spikes[N_TIME], r[N_TIME], c[N_TIME], sum = 0.0, tolerance = 1e-9 * lambda;
    mixture_expand(s->mixture, s->x + v * N_TIME, s->z + v * N_Z, u, spikes);
    linop_apply_series(s->op, u, r, s->ws);
    for (size_t t = 0; t < N_TIME; t++)
        r[t] = s->x[v * N_TIME + t] - r[t];
    linop_adjoint_series(s->op, r, c, s->ws);
    for (size_t t = 0; t < N_TIME; t++) {
        sum += c[t];
        assert_close(u[t] - spikes[t], u[0] - spikes[0], 1e-12);
        assert_true(c[t] <= lambda + tolerance && (is_positive || c[t] >= -lambda - tolerance));
        assert_true(!is_positive || spikes[t] >= 0.0);
        if (spikes[t] != 0.0)
            assert_close(c[t], spikes[t] > 0.0 ? lambda : -lambda, tolerance);
    }
    assert_close(sum, 0.0, tolerance);
}

static void spikes_stand_on_the_best_level(G_GNUC_UNUSED void **state)
{
    const struct mixture_parts *parts[] = {&spike, &positive};
    for (size_t k = 0; k < 2; k++) {
        struct scene *s = scene_new(parts[k], 2.0, 0.3);
        struct series_result results[N_SERIES];
        solve(s, 0.1, results);
        assert_close(mixture_kappa(s->mixture), 1.0, 0.0);
        for (size_t v = 0; v < N_SERIES; v++) {
            check_spikes(s, v, results[v].lambda, parts[k]->positive);
            assert_true(results[v].relative_gap <= 1e-11);
        }
        scene_free(s);
    }
}

// Without noise a block is blocks, and spikes are spikes.
static void each_part_holds_its_own(G_GNUC_UNUSED void **state)
{
    struct scene *s = scene_new(&both, 2.0, 0.0);
    struct series_result results[N_SERIES];
    solve(s, 0.01, results);
    for (size_t v = 0; v < N_SERIES; v++) {
        double u[N_TIME], spikes[N_TIME];
        mixture_expand(s->mixture, s->x + v * N_TIME, s->z + v * N_Z, u, spikes);
        for (size_t t = 30; t < 45; t++) {
            assert_close(spikes[t], 0.0, 0.0);
            assert_close(u[t], 1.0, 0.1);
        }
        assert_true(spikes[70] > 5.0 && spikes[85] > 5.0);
    }
    scene_free(s);
}

// A spike of size 1 costs as two jumps at kappa 2: below, spikes pay.
static void spikes_cost_less_than_two_jumps(G_GNUC_UNUSED void **state)
{
    const double trs[] = {0.735, 2.0};
    double last = 0.0;
    for (size_t k = 0; k < 2; k++) {
        struct scene *s = scene_new(&both, trs[k], 0.3);
        double kappa = mixture_kappa(s->mixture);
        assert_true(kappa > last && kappa < 2.0);
        last = kappa;
        scene_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solutions_are_optimal_in_blocks_and_spikes),
        cmocka_unit_test(spikes_stand_on_the_best_level),
        cmocka_unit_test(each_part_holds_its_own),
        cmocka_unit_test(spikes_cost_less_than_two_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
