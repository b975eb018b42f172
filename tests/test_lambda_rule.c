// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "deconv/lambda_rule.h"
#include "deconv/noise.h"
#include "solvers/solver.h"

#include <string.h>

enum { N = 120, N_SERIES = 4 };

// Blocks of activity seen through a response, in noise.
struct scene {
    linop *op;
    struct problem *problem;
    struct workspace *ws;
    double x[N_SERIES * N];
    struct block block;
};

static void scene_init(struct scene *s, enum hrf_conv_kind kind)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(11);
    g_autoptr(owned_hrf) hrf = hrf_new("spm", 1.5, NULL);
    s->op = hrf_conv_new(hrf->h, hrf->n, N, kind, HRF_CONV_AUTO, NULL);
    s->problem = problem_new_tv(s->op);
    s->ws = workspace_new();
    s->block = (struct block){N, N_SERIES, N, s->x};
    for (size_t v = 0; v < N_SERIES; v++) {
        double u[N], noise[N];
        for (size_t t = 0; t < N; t++)
            u[t] = (t / (11 + 4 * v)) % 2 == 0 ? 0.0 : 2.0;
        fill_normal(rand, noise, N);
        linop_apply_series(s->op, u, s->x + v * N, s->ws);
        for (size_t t = 0; t < N; t++)
            s->x[v * N + t] += 0.5 * noise[t];
    }
}

static void scene_clear(struct scene *s)
{
    workspace_free(s->ws);
    problem_free(s->problem);
    linop_free(s->op);
}

static struct lambda_rule *rule_of(const struct scene *s, enum lambda_kind kind, double value)
{
    g_autoptr(GError) error = NULL;
    struct lambda_rule *rule = lambda_rule_new(s->problem, kind, value, &error);
    assert_null(error);
    return rule;
}

// The residual's sum of squares and the jumps of the minimiser, by another method than the rules'.
static double solve(const struct scene *s, size_t v, double lambda, size_t *n_jumps)
{
    struct solver_options options = solver_options_default();
    options.tol = 1e-13;
    g_autoptr(owned_solver) solver = solver_new_fista(s->problem, &options, NULL);
    struct block x = block_slice(&s->block, v, 1);
    g_autofree double *samples = g_new(double, s->op->n_in);
    struct block u = block_of_series(samples, s->op->n_in);
    struct solve_input input = {.x = &x, .lambda = &lambda};
    struct series_result result;
    solver_run(solver, &input, &u, &result, s->ws);
    *n_jumps = 0;
    for (size_t i = 1; i < s->op->n_in; i++)
        *n_jumps += fabs(samples[i] - samples[i - 1]) > 1e-7;
    double r[N], rss = 0.0;
    linop_apply_series(s->op, samples, r, s->ws);
    for (size_t t = 0; t < N; t++)
        rss += (x.data[t] - r[t]) * (x.data[t] - r[t]);
    return rss;
}

static void simple_rules_are_their_formulas(void **state)
{
    (void) state;
    struct scene s;
    scene_init(&s, HRF_CONV_CAUSAL);
    static const double map[N_SERIES] = {1.0, 2.0, 1e9, 0.5};
    for (size_t kind = 0; kind < LAMBDA_N_KINDS; kind++) {
        struct lambda_choice choices[N_SERIES];
        g_autoptr(owned_lambda_rule) rule = rule_of(&s, (enum lambda_kind) kind, 0.3);
        lambda_rule_apply(rule, &s.block, kind == LAMBDA_MAP ? map : NULL, choices, s.ws);
        for (size_t v = 0; v < N_SERIES; v++) {
            double sigma = noise_sigma(s.x + v * N, N, s.ws);
            double lambda_max = problem_lambda_max(s.problem, s.x + v * N, s.ws);
            assert_close(choices[v].lambda_max, lambda_max, 0.0);
            assert_close(choices[v].ratio, choices[v].lambda / lambda_max, 1e-15);
            bool noisy = kind == LAMBDA_UT || kind == LAMBDA_LUT || kind == LAMBDA_MAD;
            assert_true(noisy ? choices[v].sigma == sigma : isnan(choices[v].sigma));
            double log_n = log((double) N);
            if (kind == LAMBDA_FIXED)
                assert_close(choices[v].lambda, 0.3, 0.0);
            if (kind == LAMBDA_MAP)
                assert_close(choices[v].lambda, map[v], 0.0);
            if (kind == LAMBDA_RATIO)
                assert_close(choices[v].lambda, 0.3 * lambda_max, 1e-15 * lambda_max);
            if (kind == LAMBDA_UT)
                assert_close(choices[v].lambda, sigma * sqrt(2.0 * log_n), 1e-14);
            if (kind == LAMBDA_LUT)
                assert_close(choices[v].lambda, sigma * sqrt(2.0 * log_n - log(1.0 + 4.0 * log_n)),
                             1e-14);
        }
    }
    scene_clear(&s);
}

// sqrt(2 ln 250), and not the mistaken 3.20 of a doubly divided deviation and a decimal logarithm.
static void the_universal_threshold_is_natural(void **state)
{
    (void) state;
    enum { LENGTH = 250 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    g_autoptr(linop) op = linop_new_identity(LENGTH);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_lambda_rule) rule = lambda_rule_new(problem, LAMBDA_UT, 0.0, NULL);
    double x[LENGTH];
    struct lambda_choice choice;
    struct block block = block_of_series(x, LENGTH);
    fill_normal(rand, x, LENGTH);
    lambda_rule_apply(rule, &block, NULL, &choice, ws);
    assert_close(choice.lambda / choice.sigma, 3.3231, 1e-4);
}

static void mad_leaves_the_noise_in_the_residual(void **state)
{
    (void) state;
    for (int kind = HRF_CONV_CAUSAL; kind <= HRF_CONV_FULL; kind++) {
        struct scene s;
        scene_init(&s, (enum hrf_conv_kind) kind);
        struct lambda_choice choices[N_SERIES];
        g_autoptr(owned_lambda_rule) rule = rule_of(&s, LAMBDA_MAD, 0.0);
        lambda_rule_apply(rule, &s.block, NULL, choices, s.ws);
        for (size_t v = 0; v < N_SERIES; v++) {
            size_t n_jumps = 0;
            double rms = sqrt(solve(&s, v, choices[v].lambda, &n_jumps) / N);
            assert_true(choices[v].ratio > 0.0 && choices[v].ratio < 1.0);
            assert_close(rms / choices[v].sigma, 1.0, 1e-5);
        }
        scene_clear(&s);
    }
}

static void mad_takes_the_constant_where_it_leaves_less_than_the_noise(void **state)
{
    (void) state;
    struct scene s;
    scene_init(&s, HRF_CONV_CAUSAL);
    // Differences of white noise: the finest details have more than their share.
    g_autoptr(GRand) rand = g_rand_new_with_seed(6);
    fill_normal(rand, s.x, N_SERIES * N);
    for (size_t t = N_SERIES * N - 1; t > 0; t--)
        s.x[t] -= s.x[t - 1];
    struct lambda_choice choices[N_SERIES];
    g_autoptr(owned_lambda_rule) rule = rule_of(&s, LAMBDA_MAD, 0.0);
    lambda_rule_apply(rule, &s.block, NULL, choices, s.ws);
    for (size_t v = 0; v < N_SERIES; v++) {
        size_t n_jumps = 0;
        double rms = sqrt(solve(&s, v, choices[v].lambda_max, &n_jumps) / N);
        assert_int_equal(n_jumps, 0);
        assert_true(choices[v].sigma > rms);
        assert_close(choices[v].ratio, 1.0, 1e-14);
    }
    scene_clear(&s);
}

static double criterion(enum lambda_kind kind, double rss, size_t n_jumps)
{
    double k = (double) (n_jumps + 1);
    return N * log(rss / N) + k * (kind == LAMBDA_AIC ? 2.0 : log((double) N));
}

// On 60 points from lambda_max down to 0.01 of it, none has a smaller criterion.
static void criteria_are_least_where_they_say(void **state)
{
    (void) state;
    static const enum lambda_kind kinds[] = {LAMBDA_AIC, LAMBDA_BIC};
    struct scene s;
    scene_init(&s, HRF_CONV_CAUSAL);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct lambda_choice choices[N_SERIES];
        g_autoptr(owned_lambda_rule) rule = rule_of(&s, kinds[i], 0.0);
        lambda_rule_apply(rule, &s.block, NULL, choices, s.ws);
        for (size_t v = 0; v < 2; v++) {
            assert_true(choices[v].ratio >= 0.01 && choices[v].ratio < 1.0);
            size_t n_jumps = 0;
            // Just above the chosen lambda, where no jump is about to join.
            double rss = solve(&s, v, choices[v].lambda * (1.0 + 1e-6), &n_jumps);
            double least = criterion(kinds[i], rss, n_jumps);
            for (size_t j = 0; j < 60; j++) {
                double ratio = pow(0.01, (double) j / 59.0);
                rss = solve(&s, v, ratio * choices[v].lambda_max, &n_jumps);
                assert_true(criterion(kinds[i], rss, n_jumps) >= least - 1e-3);
            }
        }
    }
    scene_clear(&s);
}

// Of many series, so that a slightly wrong price of a jump chooses another bend in some.
static void no_series_has_a_better_bend(void **state)
{
    (void) state;
    enum { MANY = 40, N_RATIOS = 150 };
    static const enum lambda_kind kinds[] = {LAMBDA_AIC, LAMBDA_BIC};
    g_autoptr(GRand) rand = g_rand_new_with_seed(12);
    struct scene s;
    scene_init(&s, HRF_CONV_CAUSAL);
    struct solver_options options = solver_options_default();
    g_autoptr(owned_solver) exact = solver_new_exact(s.problem, &options, NULL);
    for (size_t trial = 0; trial < MANY; trial++) {
        double noise[N], x[N], u[N], r[N], least[2] = {INFINITY, INFINITY};
        struct block series = block_of_series(x, N), solution = block_of_series(u, N);
        fill_normal(rand, noise, N);
        for (size_t t = 0; t < N; t++)
            x[t] = s.x[t] + 0.5 * noise[t];
        struct lambda_choice choice[2];
        for (size_t i = 0; i < 2; i++) {
            g_autoptr(owned_lambda_rule) rule = rule_of(&s, kinds[i], 0.0);
            lambda_rule_apply(rule, &series, NULL, &choice[i], s.ws);
        }
        double chosen[2];
        for (size_t j = 0; j < N_RATIOS + 2; j++) {
            double lambda = j < 2 ? choice[j].lambda * (1.0 + 1e-9)
                                  : choice[0].lambda_max *
                                        pow(0.01, (double) (j - 2) / (double) (N_RATIOS - 1));
            struct solve_input input = {.x = &series, .lambda = &lambda};
            struct series_result result;
            solver_run(exact, &input, &solution, &result, s.ws);
            linop_apply_series(s.op, u, r, s.ws);
            double rss = 0.0;
            for (size_t t = 0; t < N; t++)
                rss += (x[t] - r[t]) * (x[t] - r[t]);
            for (size_t i = 0; i < 2; i++) {
                double found = criterion(kinds[i], rss, result.n_jumps);
                least[i] = fmin(least[i], found);
                if (j == i)
                    chosen[i] = found;
            }
        }
        for (size_t i = 0; i < 2; i++)
            assert_true(chosen[i] <= least[i] + 1e-5);
    }
    scene_clear(&s);
}

// Without noise every jump that joins is worth its price, and a parabola has no noise at all: the
// walks end where they must.
static void walks_end_at_their_floors(void **state)
{
    (void) state;
    static const struct {
        enum lambda_kind kind;
        double floor;
    } expected[] = {{LAMBDA_AIC, 0.01}, {LAMBDA_BIC, 0.01}, {LAMBDA_MAD, 1e-6}};
    struct scene s;
    scene_init(&s, HRF_CONV_CAUSAL);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        double u[N];
        for (size_t t = 0; t < N; t++) {
            u[t] = (double) (t / 20 * (t / 20) % 7);
            s.x[t] = (double) (t * t);
        }
        if (expected[i].kind != LAMBDA_MAD)
            linop_apply_series(s.op, u, s.x, s.ws);
        struct lambda_choice choices[N_SERIES];
        g_autoptr(owned_lambda_rule) rule = rule_of(&s, expected[i].kind, 0.0);
        lambda_rule_apply(rule, &s.block, NULL, choices, s.ws);
        assert_close(choices[0].ratio, expected[i].floor, 1e-12 * expected[i].floor);
    }
    scene_clear(&s);
}

static void a_run_shares_one_lambda(void **state)
{
    (void) state;
    struct scene s;
    scene_init(&s, HRF_CONV_CAUSAL);
    memset(s.x, 0, N * sizeof(double)); // does not vary
    s.x[N + 3] = NAN;
    struct lambda_choice choices[N_SERIES];
    g_autoptr(owned_lambda_rule) ratio = rule_of(&s, LAMBDA_RATIO, 0.1);
    lambda_rule_apply(ratio, &s.block, NULL, choices, s.ws);
    assert_close(choices[0].lambda, 0.0, 0.0);
    assert_close(choices[1].lambda, 0.0, 0.0);
    double largest = fmax(choices[2].lambda_max, choices[3].lambda_max);
    assert_close(lambda_rule_share(ratio, choices, N_SERIES), 0.1 * largest, 0.0);
    assert_close(choices[2].lambda, choices[3].lambda, 0.0);
    assert_close(choices[2].ratio, 0.1 * largest / choices[2].lambda_max, 1e-15);

    g_autoptr(owned_lambda_rule) ut = rule_of(&s, LAMBDA_UT, 0.0);
    lambda_rule_apply(ut, &s.block, NULL, choices, s.ws);
    double middle = 0.5 * (choices[2].lambda + choices[3].lambda);
    assert_close(lambda_rule_share(ut, choices, N_SERIES), middle, 1e-15);
    scene_clear(&s);
}

static void scaling_the_data_scales_lambda(void **state)
{
    (void) state;
    struct scene s;
    scene_init(&s, HRF_CONV_CAUSAL);
    static const enum lambda_kind kinds[] = {LAMBDA_AIC, LAMBDA_BIC,   LAMBDA_LUT,
                                             LAMBDA_MAD, LAMBDA_RATIO, LAMBDA_UT};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct lambda_choice before[N_SERIES], after[N_SERIES];
        g_autoptr(owned_lambda_rule) rule = rule_of(&s, kinds[i], 0.1);
        lambda_rule_apply(rule, &s.block, NULL, before, s.ws);
        for (size_t t = 0; t < N_SERIES * N; t++)
            s.x[t] *= 1024.0;
        lambda_rule_apply(rule, &s.block, NULL, after, s.ws);
        for (size_t v = 0; v < N_SERIES; v++)
            assert_close(after[v].lambda / before[v].lambda, 1024.0, 1e-6);
        for (size_t t = 0; t < N_SERIES * N; t++)
            s.x[t] /= 1024.0;
    }
    scene_clear(&s);
}

static void values_are_checked(void **state)
{
    (void) state;
    g_autoptr(linop) op = linop_new_identity(7);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    static const struct {
        enum lambda_kind kind;
        double value;
        enum deconv_error code;
        const char *message;
    } expected[] = {
        {LAMBDA_RATIO, 0.0, DECONV_ERROR_VALUE,
         "lambda: rule ratio: expected a value above 0, got 0"},
        {LAMBDA_FIXED, NAN, DECONV_ERROR_VALUE,
         "lambda: rule fixed: expected a value above 0, got nan"},
        {LAMBDA_UT, 1.0, DECONV_ERROR_DATA,
         "lambda: rule ut: expected at least 8 frames for the noise level, got 7"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(lambda_rule_new(problem, expected[i].kind, expected[i].value, &error));
        assert_true(g_error_matches(error, DECONV_ERROR, (gint) expected[i].code));
        assert_string_equal(error->message, expected[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_rules_are_their_formulas),
        cmocka_unit_test(the_universal_threshold_is_natural),
        cmocka_unit_test(mad_leaves_the_noise_in_the_residual),
        cmocka_unit_test(mad_takes_the_constant_where_it_leaves_less_than_the_noise),
        cmocka_unit_test(criteria_are_least_where_they_say),
        cmocka_unit_test(walks_end_at_their_floors),
        cmocka_unit_test(a_run_shares_one_lambda),
        cmocka_unit_test(no_series_has_a_better_bend),
        cmocka_unit_test(scaling_the_data_scales_lambda),
        cmocka_unit_test(values_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
