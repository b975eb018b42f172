// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "tests/convolution.h"

#include "solvers/kernels.h"
#include "solvers/prox_tv.h"
#include "solvers/segment_active_set.h"
#include "solvers/solver.h"

#include <string.h>

#ifdef __OPTIMIZE__
enum { N_RANDOM = 4000, N_SWEEP = 12 };
#else
enum { N_RANDOM = 400, N_SWEEP = 2 };
#endif

// A problem with its exact solver.
struct setting {
    linop *op;
    struct problem *problem;
    struct solver *solver;
    struct workspace *ws;
};

static struct setting setting_new(const double *h, size_t n_h, size_t n_in, bool full)
{
    struct setting setting = {.op = test_convolution_new(h, n_h, n_in, full)};
    setting.problem = problem_new_tv(setting.op);
    struct solver_options options = solver_options_default();
    setting.solver = solver_new_exact(setting.problem, &options, NULL);
    setting.ws = workspace_new();
    assert_non_null(setting.solver);
    return setting;
}

static void setting_free(struct setting *setting)
{
    solver_free(setting->solver);
    problem_free(setting->problem);
    linop_free(setting->op);
    workspace_free(setting->ws);
}

// One series; ratio: lambda is a fraction of lambda_max.
static struct series_result solve(const struct setting *setting, const double *x, double lambda,
                                  bool ratio, double *u)
{
    struct block in = block_of_series((double *) x, setting->op->n_out);
    struct block out = block_of_series(u, setting->op->n_in);
    struct solve_input input = {.x = &in, .lambda = &lambda, .lambda_is_ratio = ratio};
    struct series_result result;
    solver_run(setting->solver, &input, &out, &result, setting->ws);
    return result;
}

// Beyond this difference of neighbours, a reference has a jump.
static void check_same_jumps(const double *u, const double *reference, size_t n)
{
    for (size_t i = 1; i < n; i++)
        assert_int_equal(u[i] != u[i - 1], fabs(reference[i] - reference[i - 1]) > 1e-9);
}

static void check_minimiser(const struct setting *setting, const double *x, double ratio,
                            const double *reference, double lambda_max, double objective)
{
    size_t n = setting->op->n_in;
    g_autofree double *u = g_new0(double, n);
    struct series_result result = solve(setting, x, ratio, true, u);
    assert_int_equal(result.status, SERIES_SOLVED);
    assert_close(result.lambda_max, lambda_max, 1e-12 * lambda_max);
    assert_close(result.lambda, ratio * lambda_max, 1e-12 * lambda_max);
    assert_close(result.objective, objective, 1e-12 * objective);
    assert_close(max_abs_difference(u, reference, n), 0.0, 1e-9);
    check_same_jumps(u, reference, n);
}

static void full_convolution_matches_fista_and_lars(void **state)
{
    (void) state;
    static const char *const fractions[] = {"0.01", "0.1", "0.9", "1.0"};
    g_autoptr(owned_golden) h = golden_array("tv", "hrf221x250_h");
    g_autoptr(owned_golden) x = golden_array("tv", "hrf221x250_x");
    g_autoptr(owned_golden) lambda_max = golden_array("tv", "hrf221x250_lambdamax");
    struct setting setting = setting_new(h->data, h->cols, 221, true);
    for (size_t f = 0; f < G_N_ELEMENTS(fractions); f++) {
        g_autofree char *u_name = g_strdup_printf("hrf221x250_frac%s_u", fractions[f]);
        g_autofree char *objective_name = g_strdup_printf("hrf221x250_frac%s_F", fractions[f]);
        g_autoptr(owned_golden) u = golden_array("tv", u_name);
        g_autoptr(owned_golden) objective = golden_array("tv", objective_name);
        for (size_t v = 0; v < x->rows; v++)
            check_minimiser(&setting, golden_row(x, v), g_ascii_strtod(fractions[f], NULL),
                            golden_row(u, v), lambda_max->data[v], objective->data[v]);
    }
    setting_free(&setting);
}

static void check_objectives(const struct setting *setting, const char *series, const char *minima)
{
    g_autoptr(owned_golden) x = golden_npy(series);
    g_autoptr(owned_golden) minimum = golden_npy(minima);
    g_autofree double *u = g_new0(double, setting->op->n_in);
    for (size_t v = 0; v < x->rows; v++) {
        struct series_result result = solve(setting, golden_row(x, v), 0.1, false, u);
        assert_close(result.lambda_max, 1.0, 1e-12);
        assert_close(result.objective, minimum->data[v], 1e-12 * minimum->data[v]);
        assert_close(result.relative_gap, 0.0, 1e-12);
    }
}

static void published_deconvolution_data_reach_their_minima(void **state)
{
    (void) state;
    g_autoptr(owned_golden) h = golden_npy("golden/hrf_64_64/h.npy");
    struct setting setting = setting_new(h->data, h->cols, 221, true);
    check_objectives(&setting, "golden/hrf_64_64/X_train.npy", "golden/hrf_64_64/F_star_train.npy");
    check_objectives(&setting, "golden/hrf_64_64/X_test.npy", "golden/hrf_64_64/F_star_test.npy");
    setting_free(&setting);
}

static void the_uk_biobank_protocol_matches(void **state)
{
    (void) state;
    static const char scalars[] = "golden_hrf/ukb_protocol_scalars.csv";
    g_autoptr(owned_golden) hrf = golden_csv("golden_hrf/ukb_protocol_hrf_tr0.735_n30.csv");
    g_autoptr(owned_golden) y = golden_csv("golden_hrf/ukb_protocol_y.csv");
    g_autoptr(owned_golden) u = golden_csv("golden_hrf/ukb_protocol_u_star_lam0.1.csv");
    g_autofree double *h = golden_column(hrf, 1);
    struct setting setting = setting_new(h, hrf->rows, u->rows, true);
    for (size_t v = 0; v < 2; v++) {
        g_autofree double *x = golden_column(y, v + 1);
        g_autofree double *reference = golden_column(u, v + 1);
        g_autofree char *lambda_max = g_strdup_printf("lambda_max_y%zu", v);
        g_autofree char *objective = g_strdup_printf("objective_u_star_y%zu_lam0.1", v);
        check_minimiser(&setting, x, 0.1, reference, golden_scalar(scalars, lambda_max),
                        golden_scalar(scalars, objective));
    }
    setting_free(&setting);
}

static void the_causal_convolution_matches(void **state)
{
    (void) state;
    static const char scalars[] = "golden_hrf/causal_spm_tr2_scalars.csv";
    static const double ratios[] = {0.1, 0.3};
    g_autoptr(owned_golden) hrf = golden_csv("golden_hrf/causal_spm_tr2_h.csv");
    g_autoptr(owned_golden) y = golden_csv("golden_hrf/causal_spm_tr2_y.csv");
    g_autoptr(owned_golden) u = golden_csv("golden_hrf/causal_spm_tr2_u_star.csv");
    g_autofree double *h = golden_column(hrf, 1);
    struct setting setting = setting_new(h, hrf->rows, u->rows, false);
    for (size_t v = 0; v < 2; v++) {
        g_autofree double *x = golden_column(y, v + 1);
        g_autofree char *lambda_max = g_strdup_printf("lambda_max_y%zu", v);
        for (size_t r = 0; r < 2; r++) {
            g_autofree double *reference = golden_column(u, 1 + 2 * v + r);
            g_autofree char *objective = g_strdup_printf("objective_u%zu_lam%.1f", v, ratios[r]);
            check_minimiser(&setting, x, ratios[r], reference, golden_scalar(scalars, lambda_max),
                            golden_scalar(scalars, objective));
        }
    }
    setting_free(&setting);
}

// Responses of many kinds.
enum response {
    DOUBLE_GAMMA,
    BOX,
    EXPONENTIAL,
    RANDOM,
    ZERO_MEAN,
    ZERO_FIRST,
    OSCILLATION,
    NEARLY_IDENTITY,
    DELAYED,
    NEGATIVE,
    N_RESPONSES
};

static double response_sample(enum response kind, size_t k, size_t n, GRand *rand)
{
    double t = 20.0 * ((double) k + 0.5) / (double) n;
    size_t delay = n / 2;
    switch (kind) {
    case BOX:
        return 1.0;
    case EXPONENTIAL:
        return exp(-0.2 * (double) k);
    case RANDOM:
        return g_rand_double(rand) - 0.5;
    case ZERO_FIRST:
        return k == 0 ? 0.0 : 0.1 + g_rand_double(rand);
    case OSCILLATION:
        return cos(1.1 * (double) k) * exp(-0.125 * (double) k);
    case NEARLY_IDENTITY:
        return k == 0 ? 1.0 : 1e-3;
    case DELAYED:
        return k < delay ? 0.0 : exp(-0.3 * (double) (k - delay));
    case NEGATIVE:
        return -exp(-0.2 * (double) k);
    default: // the double gamma, with peaks at 5 and 15 of 20
        return exp(5.0 * log(t) - t - lgamma(6.0)) - exp(15.0 * log(t) - t - lgamma(16.0)) / 6.0;
    }
}

static double *response_new(enum response kind, size_t n, GRand *rand)
{
    double *h = g_new(double, n);
    double mean = 0.0;
    for (size_t k = 0; k < n; k++) {
        h[k] = response_sample(kind, k, n, rand);
        mean += h[k] / (double) n;
    }
    for (size_t k = 0; k < n && kind == ZERO_MEAN; k++)
        h[k] -= mean;
    return h;
}

// Noise, a ramp, noisy blocks, a sine, one spike.
enum { N_SIGNALS = 5 };

static double *signal_new(size_t kind, size_t n, GRand *rand)
{
    double *x = g_new(double, n);
    fill_normal(rand, x, n);
    for (size_t t = 0; t < n; t++) {
        if (kind == 1)
            x[t] = (double) t;
        else if (kind == 2)
            x[t] = (double) (t / 17 % 2) + 0.1 * x[t];
        else if (kind == 3)
            x[t] = sin(0.1 * (double) t);
        else if (kind == 4)
            x[t] = t == n / 3 ? 1.0 : 0.0;
    }
    return x;
}

// v_a = <A 1_{t >= a}, x - A u>, by its definition.
static double *dual_string(const struct setting *setting, const double *x, const double *u)
{
    size_t n = setting->op->n_in;
    g_autofree double *r = g_new(double, setting->op->n_out);
    linop_apply_series(setting->op, u, r, setting->ws);
    for (size_t t = 0; t < setting->op->n_out; t++)
        r[t] = x[t] - r[t];
    double *v = g_new(double, n);
    linop_adjoint_series(setting->op, r, v, setting->ws);
    for (size_t i = n - 1; i > 0; i--)
        v[i - 1] += v[i];
    return v;
}

static void the_string_stays_in_its_tube_and_touches_it_at_jumps(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(1);
    for (int round = 0; round < 200; round++) {
        size_t n = 2 + (size_t) g_rand_int_range(rand, 0, 120);
        g_autofree double *h = response_new(DOUBLE_GAMMA, 15, rand);
        struct setting setting = setting_new(h, 15, n, round % 2 == 0);
        g_autofree double *x = signal_new((size_t) round % N_SIGNALS, setting.op->n_out, rand);
        g_autofree double *u = g_new0(double, n);
        struct series_result result = solve(&setting, x, 0.05, true, u);
        g_autofree double *v = dual_string(&setting, x, u);
        assert_close(v[0], 0.0, 1e-9 * result.lambda);
        for (size_t i = 1; i < n; i++) {
            double jump = u[i] - u[i - 1];
            assert_true(fabs(v[i]) <= result.lambda * (1.0 + 1e-9));
            if (jump != 0.0)
                assert_close(v[i], copysign(result.lambda, jump), 1e-9 * result.lambda);
        }
        setting_free(&setting);
    }
    g_rand_free(rand);
}

// Solves the n x n symmetric positive definite system in place by elimination.
static void solve_dense(double *matrix, double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            double factor = matrix[j * n + i] / matrix[i * n + i];
            for (size_t k = i; k < n; k++)
                matrix[j * n + k] -= factor * matrix[i * n + k];
            b[j] -= factor * b[i];
        }
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            b[i] -= matrix[i * n + j] * b[j];
        b[i] /= matrix[i * n + i];
    }
}

// The values of the segments of u by the dense normal equations (A S)'(A S) V = S'A'x - penalty.
static double *refit(const struct setting *setting, const double *x, const double *u, double lambda)
{
    const linop *op = setting->op;
    size_t n = op->n_in, n_segments = 1;
    for (size_t i = 1; i < n; i++)
        n_segments += u[i] != u[i - 1];
    g_autofree double *columns = g_new0(double, n_segments * op->n_out);
    g_autofree double *matrix = g_new0(double, n_segments *n_segments);
    double *values = g_new0(double, n_segments);
    g_autofree double *indicator = g_new0(double, n);
    for (size_t q = 0, begin = 0; q < n_segments; q++) {
        size_t end = begin + 1;
        while (end < n && u[end] == u[begin])
            end++;
        memset(indicator, 0, n * sizeof *indicator);
        for (size_t t = begin; t < end; t++)
            indicator[t] = 1.0;
        double *column = columns + q * op->n_out;
        linop_apply_series(op, indicator, column, setting->ws);
        for (size_t t = 0; t < op->n_out; t++)
            values[q] += column[t] * x[t];
        values[q] -= begin > 0 ? lambda * copysign(1.0, u[begin] - u[begin - 1]) : 0.0;
        values[q] += end < n ? lambda * copysign(1.0, u[end] - u[end - 1]) : 0.0;
        begin = end;
    }
    for (size_t i = 0; i < n_segments; i++)
        for (size_t j = 0; j < n_segments; j++)
            for (size_t t = 0; t < op->n_out; t++)
                matrix[i * n_segments + j] +=
                    columns[i * op->n_out + t] * columns[j * op->n_out + t];
    solve_dense(matrix, values, n_segments);
    return values;
}

static void values_are_those_of_the_dense_normal_equations(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(2);
    for (int round = 0; round < 40; round++) {
        enum response kind = (enum response)(round / 2 % N_RESPONSES);
        g_autofree double *h = response_new(kind, 12, rand);
        struct setting setting = setting_new(h, 12, 90, round % 2 == 0);
        g_autofree double *x = signal_new(0, setting.op->n_out, rand);
        double u[90];
        struct series_result result = solve(&setting, x, 0.1, true, u);
        g_autofree double *values = refit(&setting, x, u, result.lambda);
        size_t q = 0;
        for (size_t t = 0; t < 90; t++) {
            q += t > 0 && u[t] != u[t - 1];
            assert_close(u[t], values[q], 1e-8 * (1.0 + fabs(u[t])));
        }
        setting_free(&setting);
    }
    g_rand_free(rand);
}

// Proximal gradient, long enough.
static void minimise_slowly(const struct setting *setting, const double *x, double lambda,
                            size_t n_iterations, double *u)
{
    size_t n = setting->op->n_in;
    double step = 1.0 / setting->op->norm2;
    for (size_t t = 0; t < n; t++)
        u[t] = problem_trivial_level(setting->problem, x);
    g_autofree double *r = g_new(double, setting->op->n_out);
    g_autofree double *gradient = g_new(double, n);
    for (size_t i = 0; i < n_iterations; i++) {
        linop_apply_series(setting->op, u, r, setting->ws);
        for (size_t t = 0; t < setting->op->n_out; t++)
            r[t] -= x[t];
        linop_adjoint_series(setting->op, r, gradient, setting->ws);
        for (size_t t = 0; t < n; t++)
            u[t] -= step * gradient[t];
        prox_tv(u, n, step * lambda, u, NULL, setting->ws);
    }
}

static void proximal_gradient_ends_at_the_same_point(void **state)
{
    (void) state;
    static const enum response kinds[] = {EXPONENTIAL, OSCILLATION, NEARLY_IDENTITY, NEGATIVE};
    GRand *rand = g_rand_new_with_seed(3);
    for (int round = 0; round < 8; round++) {
        g_autofree double *h = response_new(kinds[round / 2], 6, rand);
        struct setting setting = setting_new(h, 6, 60, round % 2 == 0);
        g_autofree double *x = signal_new(2, setting.op->n_out, rand);
        double u[60] = {0.0}, reference[60] = {0.0};
        struct series_result result = solve(&setting, x, 0.02, true, u);
        minimise_slowly(&setting, x, result.lambda, 20000, reference);
        assert_close(max_abs_difference(u, reference, 60), 0.0, 1e-9);
        setting_free(&setting);
    }
    g_rand_free(rand);
}

// The largest relative gap that rounding explains: that of the string beside lambda, which is
// large for a series that no activity can explain, and with a small ratio the last digits of the
// values that a badly conditioned response makes of noise.
static double attainable_gap(const double *x, size_t n, double ratio, double lambda)
{
    double rounding = 1e-30 * (double) n;
    double energy = 0.0;
    for (size_t t = 0; t < n; t++)
        energy += x[t] * x[t];
    if (lambda * lambda <= rounding * energy)
        return INFINITY;
    return (ratio < 0.01 ? 1e-8 : 1e-10) + rounding * energy / (lambda * lambda);
}

// One response on signals of every kind.
static void check_response(enum response kind, size_t n, size_t n_h, bool full, GRand *rand)
{
    static const double ratios[] = {0.9, 0.3, 0.1, 0.03, 0.01, 0.003};
    g_autofree double *h = response_new(kind, n_h, rand);
    struct setting setting = setting_new(h, n_h, n, full);
    g_autofree double *u = g_new0(double, n);
    for (size_t i = 0; i < N_SIGNALS * G_N_ELEMENTS(ratios); i++) {
        double ratio = ratios[i / N_SIGNALS];
        g_autofree double *x = signal_new(i % N_SIGNALS, setting.op->n_out, rand);
        struct series_result result = solve(&setting, x, ratio, true, u);
        double bound = attainable_gap(x, setting.op->n_out, ratio, result.lambda);
        if (!(result.relative_gap <= bound))
            fail_msg("response %d, n %zu, n_h %zu, full %d, signal %zu, ratio %g: gap %g",
                     (int) kind, n, n_h, full, i % N_SIGNALS, ratio, result.relative_gap);
    }
    setting_free(&setting);
}

static void every_response_and_signal_is_solved(void **state)
{
    (void) state;
    static const size_t sizes[][2] = {{1, 1},  {1, 5},   {2, 2},   {2, 30},    {7, 20}, {20, 7},
                                      {64, 9}, {65, 33}, {100, 2}, {128, 128}, {33, 1}, {150, 24}};
    GRand *rand = g_rand_new_with_seed(4);
    for (size_t i = 0; i < N_SWEEP * N_RESPONSES; i++) {
        const size_t *size = sizes[i / N_RESPONSES % G_N_ELEMENTS(sizes)];
        for (int full = 0; full < 2; full++)
            check_response((enum response)(i % N_RESPONSES), size[0], size[1], full, rand);
    }
    g_rand_free(rand);
}

static void thousands_of_random_series_are_certified(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(5);
    g_autofree double *h = response_new(DOUBLE_GAMMA, 28, rand);
    struct setting causal = setting_new(h, 28, 250, false);
    struct setting full = setting_new(h, 28, 223, true);
    double u[250];
    for (size_t round = 0; round < N_RANDOM; round++) {
        g_autofree double *x = signal_new(round % 4 == 0 ? 2 : 0, 250, rand);
        double ratio = pow(10.0, -2.0 * g_rand_double(rand));
        struct series_result result = solve(round % 2 == 0 ? &causal : &full, x, ratio, true, u);
        assert_int_equal(result.status, SERIES_SOLVED);
        assert_close(result.relative_gap, 0.0, 1e-10);
    }
    setting_free(&causal);
    setting_free(&full);
    g_rand_free(rand);
}

static void scaling_the_series_scales_the_minimiser(void **state)
{
    (void) state;
    static const double scales[] = {1e8, 1e-12, -1.0, 1e100, 1e-100};
    GRand *rand = g_rand_new_with_seed(6);
    g_autofree double *h = response_new(DOUBLE_GAMMA, 20, rand);
    struct setting setting = setting_new(h, 20, 130, false);
    g_autofree double *x = signal_new(2, 130, rand);
    double u[130], scaled_x[130], scaled_u[130];
    struct series_result result = solve(&setting, x, 0.03, true, u);
    for (size_t i = 0; i < G_N_ELEMENTS(scales); i++) {
        for (size_t t = 0; t < 130; t++)
            scaled_x[t] = scales[i] * x[t];
        struct series_result scaled = solve(&setting, scaled_x, 0.03, true, scaled_u);
        assert_int_equal(scaled.n_jumps, result.n_jumps);
        assert_close(scaled.lambda / fabs(scales[i]), result.lambda, 1e-12 * result.lambda);
        for (size_t t = 0; t < 130; t++)
            assert_close(scaled_u[t] / scales[i], u[t], 1e-9);
    }
    setting_free(&setting);
    g_rand_free(rand);
}

static void at_lambda_max_and_above_u_is_the_best_constant(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(7);
    g_autofree double *h = response_new(DOUBLE_GAMMA, 20, rand);
    struct setting setting = setting_new(h, 20, 130, false);
    g_autofree double *x = signal_new(0, 130, rand);
    double u[130], level = problem_trivial_level(setting.problem, x);
    static const double ratios[] = {1.0, 1.1, 10.0, 1e6};
    for (size_t i = 0; i < G_N_ELEMENTS(ratios); i++) {
        struct series_result result = solve(&setting, x, ratios[i], true, u);
        assert_int_equal(result.n_jumps, 0);
        assert_int_equal(result.status, SERIES_SOLVED);
        assert_close(u[0], level, 1e-14);
        assert_close(result.lambda_max, problem_lambda_max(setting.problem, x, setting.ws),
                     1e-12 * result.lambda_max);
    }
    assert_true(solve(&setting, x, 0.999, true, u).n_jumps > 0);
    setting_free(&setting);
    g_rand_free(rand);
}

static void a_multiple_of_the_response_to_a_constant_gives_the_constant(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(8);
    for (int round = 0; round < 2 * N_RESPONSES; round++) {
        g_autofree double *h = response_new((enum response)(round / 2), 20, rand);
        struct setting setting = setting_new(h, 20, 130, round % 2 == 0);
        g_autofree double *x = g_new(double, setting.op->n_out);
        double u[130];
        for (size_t t = 0; t < setting.op->n_out; t++)
            x[t] = 3.7 * setting.problem->level[t];
        struct series_result result = solve(&setting, x, 0.1, true, u);
        assert_int_equal(result.n_jumps, 0);
        assert_close(u[0], 3.7, 1e-10);
        assert_close(result.relative_gap, 0.0, 1e-10);
        assert_true(result.iterations <= 1);
        setting_free(&setting);
    }
    g_rand_free(rand);
}

static void zero_gives_zero_and_a_constant_is_solved(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(9);
    g_autofree double *h = response_new(DOUBLE_GAMMA, 20, rand);
    struct setting setting = setting_new(h, 20, 130, false);
    double x[130] = {0.0}, u[130];
    struct series_result result = solve(&setting, x, 0.1, true, u);
    assert_int_equal(result.status, SERIES_CONSTANT);
    for (size_t t = 0; t < 130; t++)
        assert_true(u[t] == 0.0);
    for (size_t t = 0; t < 130; t++)
        x[t] = 5.0;
    result = solve(&setting, x, 0.1, true, u);
    assert_int_equal(result.status, SERIES_CONSTANT);
    assert_close(result.relative_gap, 0.0, 1e-10);
    setting_free(&setting);
    g_rand_free(rand);
}

static void without_a_response_the_activity_is_zero(void **state)
{
    (void) state;
    static const double silent[8] = {0.0};
    GRand *rand = g_rand_new_with_seed(10);
    for (size_t n_h = 1; n_h <= 8; n_h += 7) {
        struct setting setting = setting_new(silent, n_h, 30, false);
        g_autofree double *x = signal_new(0, 30, rand);
        double u[30];
        struct series_result result = solve(&setting, x, 0.1, true, u);
        assert_close(result.relative_gap, 0.0, 1e-12);
        for (size_t t = 0; t < 30; t++)
            assert_true(u[t] == 0.0);
        setting_free(&setting);
    }
    g_rand_free(rand);
}

static void one_sample_of_response_is_the_prox_of_tv(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(11);
    for (int round = 0; round < 50; round++) {
        size_t n = 1 + (size_t) g_rand_int_range(rand, 0, 200);
        double h = 0.5 + g_rand_double(rand), lambda = 0.01 + g_rand_double(rand);
        g_autofree double *x = signal_new((size_t) round % N_SIGNALS, n, rand);
        g_autofree double *u = g_new0(double, n);
        g_autofree double *expected = g_new(double, n);
        struct setting setting = setting_new(&h, 1, n, false);
        for (size_t t = 0; t < n; t++)
            expected[t] = x[t] / h;
        prox_tv(expected, n, lambda / (h * h), expected, NULL, setting.ws);
        assert_close(solve(&setting, x, lambda, false, u).relative_gap, 0.0, 1e-10);
        assert_close(max_abs_difference(u, expected, n), 0.0, 1e-12 * (1.0 + fabs(x[n - 1])));

        struct filter filter = {&h, 1, false};
        g_autoptr(owned_segment_active_set) set =
            segment_active_set_new(&filter, n, kernels_best());
        segment_active_set_solve(set, x, lambda, false, u, setting.ws);
        assert_close(max_abs_difference(u, expected, n), 0.0, 1e-11 * (1.0 + fabs(x[n - 1])));
        setting_free(&setting);
    }
    g_rand_free(rand);
}

static void least_squares_is_reached_in_the_objective(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(12);
    g_autofree double *h = response_new(EXPONENTIAL, 8, rand);
    struct setting setting = setting_new(h, 8, 60, false);
    g_autofree double *x = signal_new(0, 60, rand);
    double u[60];
    // The response begins with 1: some u reproduces the series.
    struct series_result result = solve(&setting, x, 0.0, true, u);
    assert_true(result.lambda == 0.0);
    assert_close(result.objective, 0.0, 1e-6);
    setting_free(&setting);
    g_rand_free(rand);
}

static void all_kernels_find_the_same_minimiser(void **state)
{
    (void) state;
    static const char *const names[] = {"plain", "avx2", "avx512"};
    GRand *rand = g_rand_new_with_seed(13);
    struct workspace *ws = workspace_new();
    for (int round = 0; round < 40; round++) {
        size_t n = 20 + (size_t) g_rand_int_range(rand, 0, 200);
        g_autofree double *h = response_new(DOUBLE_GAMMA, 25, rand);
        struct filter filter = {h, 25, round % 2 == 0};
        size_t n_out = filter.full ? n + 24 : n;
        g_autofree double *x = signal_new(round % 3 == 0 ? 0 : 2, n_out, rand);
        g_autofree double *reference = g_new0(double, n);
        g_autofree double *u = g_new0(double, n);
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            const struct kernels *kernels = kernels_named(names[i]);
            if (kernels == NULL)
                continue;
            g_autoptr(owned_segment_active_set) set = segment_active_set_new(&filter, n, kernels);
            segment_active_set_solve(set, x, 0.02, true, i == 0 ? reference : u, ws);
            if (i > 0)
                assert_close(max_abs_difference(u, reference, n), 0.0, 1e-9);
        }
    }
    workspace_free(ws);
    g_rand_free(rand);
}

static void the_workspace_grows_in_the_first_series_only(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(14);
    g_autofree double *h = response_new(DOUBLE_GAMMA, 28, rand);
    struct setting setting = setting_new(h, 28, 400, false);
    double u[400];
    size_t capacity = 0;
    for (int round = 0; round < 6; round++) {
        g_autofree double *x = signal_new(round == 0 ? 3 : (size_t) round % N_SIGNALS, 400, rand);
        solve(&setting, x, round == 0 ? 0.9 : 0.001, true, u);
        if (round == 1)
            capacity = workspace_capacity(setting.ws);
        if (round > 1)
            assert_int_equal(workspace_capacity(setting.ws), capacity);
    }
    setting_free(&setting);
    g_rand_free(rand);
}

// A response of alternating signs cannot be inverted: knots become dependent, up to rounding.
static void where_rounding_stops_the_active_set_fista_goes_on(void **state)
{
    (void) state;
    enum { N = 150, N_H = 25 };
    GRand *rand = g_rand_new_with_seed(15);
    g_autofree double *h = response_new(DOUBLE_GAMMA, N_H, rand);
    for (size_t k = 1; k < N_H; k += 2)
        h[k] = -h[k];
    struct setting setting = setting_new(h, N_H, N, false);
    g_autoptr(owned_segment_active_set) set =
        segment_active_set_new(setting.op->filter, N, kernels_best());
    size_t n_unfinished = 0, n_better = 0;
    for (int round = 0; round < 10; round++) {
        g_autofree double *x = signal_new(0, N, rand);
        double u[N];
        struct segment_result alone = segment_active_set_solve(set, x, 1e-5, true, u, setting.ws);
        double gap = problem_certify(setting.problem, x, u, alone.lambda, setting.ws).relative_gap;
        struct series_result result = solve(&setting, x, 1e-5, true, u);
        assert_true(result.relative_gap <= gap);
        assert_int_equal(result.status,
                         result.relative_gap <= 1e-6 ? SERIES_SOLVED : SERIES_INACCURATE);
        n_unfinished += !alone.finished;
        n_better += result.relative_gap < 0.9 * gap;
    }
    assert_true(n_unfinished > 5);
    assert_true(n_better > 2);
    setting_free(&setting);
    g_rand_free(rand);
}

struct told {
    size_t n;
    double first_level;
    double last;
};

static void hear(void *data, size_t series, size_t iteration, const double *u)
{
    struct told *told = data;
    assert_int_equal(series, 0);
    assert_true((iteration == 0) == (told->n == 0));
    if (told->n++ == 0)
        told->first_level = u[0];
    told->last = u[0];
}

static void observers_hear_of_the_best_constant_and_of_the_end(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(16);
    g_autofree double *h = response_new(DOUBLE_GAMMA, 20, rand);
    struct setting setting = setting_new(h, 20, 130, false);
    struct told told = {0};
    const struct solver_observer observer = {hear, &told};
    setting.solver->options.observer = &observer;
    g_autofree double *x = signal_new(0, 130, rand);
    double u[130];
    solve(&setting, x, 0.1, true, u);
    assert_int_equal(told.n, 2);
    assert_close(told.first_level, problem_trivial_level(setting.problem, x), 0.0);
    assert_close(told.last, u[0], 0.0);
    setting_free(&setting);
    g_rand_free(rand);
}

static void a_causal_response_of_thousands_of_samples_is_refused(void **state)
{
    (void) state;
    enum { N = 3000 };
    g_autofree double *h = g_new0(double, N);
    h[0] = h[N - 1] = 1.0;
    g_autoptr(linop) op = test_convolution_new(h, N, N, false);
    g_autoptr(owned_problem) problem = problem_new_tv(op);
    struct solver_options options = solver_options_default();
    g_autoptr(GError) error = NULL;
    assert_null(solver_new_exact(problem, &options, &error));
    assert_true(g_error_matches(error, SOLVERS_ERROR, SOLVERS_ERROR_NOT_APPLICABLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_convolution_matches_fista_and_lars),
        cmocka_unit_test(published_deconvolution_data_reach_their_minima),
        cmocka_unit_test(the_uk_biobank_protocol_matches),
        cmocka_unit_test(the_causal_convolution_matches),
        cmocka_unit_test(the_string_stays_in_its_tube_and_touches_it_at_jumps),
        cmocka_unit_test(values_are_those_of_the_dense_normal_equations),
        cmocka_unit_test(proximal_gradient_ends_at_the_same_point),
        cmocka_unit_test(every_response_and_signal_is_solved),
        cmocka_unit_test(thousands_of_random_series_are_certified),
        cmocka_unit_test(scaling_the_series_scales_the_minimiser),
        cmocka_unit_test(at_lambda_max_and_above_u_is_the_best_constant),
        cmocka_unit_test(a_multiple_of_the_response_to_a_constant_gives_the_constant),
        cmocka_unit_test(zero_gives_zero_and_a_constant_is_solved),
        cmocka_unit_test(without_a_response_the_activity_is_zero),
        cmocka_unit_test(one_sample_of_response_is_the_prox_of_tv),
        cmocka_unit_test(least_squares_is_reached_in_the_objective),
        cmocka_unit_test(all_kernels_find_the_same_minimiser),
        cmocka_unit_test(the_workspace_grows_in_the_first_series_only),
        cmocka_unit_test(where_rounding_stops_the_active_set_fista_goes_on),
        cmocka_unit_test(observers_hear_of_the_best_constant_and_of_the_end),
        cmocka_unit_test(a_causal_response_of_thousands_of_samples_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
