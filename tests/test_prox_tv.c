// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "solvers/prox_tv.h"

#include <float.h>

// Signals on which the string behaves in different ways; every one has a scale of about 1.
enum signal { NOISE, WALK, TIES, RAMP, RAMP_DOWN, PARABOLA, PLATEAUS, SPIKES, CONSTANT, N_SIGNALS };

static void fill_signal(enum signal kind, double *y, size_t n, GRand *rand)
{
    fill_normal(rand, y, n);
    for (size_t t = 0; t < n; t++) {
        double s = (double) t;
        switch (kind) {
        case WALK:
            y[t] += t == 0 ? 0.0 : y[t - 1];
            break;
        case TIES:
            y[t] = g_rand_int_range(rand, -2, 3);
            break;
        case RAMP:
            y[t] = 0.1 * s;
            break;
        case RAMP_DOWN:
            y[t] = -0.1 * s;
            break;
        case PARABOLA:
            y[t] = 4.0 * s * s / (double) (n * n);
            break;
        case PLATEAUS:
            y[t] = (double) (t / 17 % 3) + 0.01 * y[t];
            break;
        case SPIKES:
            y[t] = t % 13 == 0 ? 20.0 : 0.0;
            break;
        case CONSTANT:
            y[t] = 0.3;
            break;
        default:
            break;
        }
    }
}

static double max_abs(const double *a, size_t n)
{
    double worst = 0.0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i]));
    return worst;
}

// w = cumsum(y - u) stays in [-mu, mu], ends at zero and is on the wall at every jump of u.
static void check_certificate(const double *y, const double *u, size_t n, double mu)
{
    // Each u_t is rounded once, and w adds them up.
    double tol = 16.0 * DBL_EPSILON * (mu + max_abs(y, n) * (double) n);
    long double w = 0.0L;
    for (size_t t = 0; t + 1 < n; t++) {
        w += (long double) y[t] - u[t];
        assert_true(fabsl(w) <= mu + tol);
        if (fabs(u[t + 1] - u[t]) > tol)
            assert_close((double) w, u[t + 1] > u[t] ? -mu : mu, tol);
    }
    w += (long double) y[n - 1] - u[n - 1];
    assert_close((double) w, 0.0, tol);
}

// The segments cover the samples, and u on each is what the formula says.
static void check_segments(const struct tv_segments *segments, const double *y, const double *u,
                           size_t n, double mu)
{
    assert_true(segments->n >= 1 && segments->n <= n);
    assert_int_equal(segments->start[0], 0);
    assert_int_equal(segments->start[segments->n], n);
    assert_int_equal(segments->sign[0], 0);
    assert_int_equal(segments->sign[segments->n], 0);
    double tol = 1e-14 * (mu + max_abs(y, n));
    for (size_t q = 0; q < segments->n; q++) {
        assert_true(segments->start[q] < segments->start[q + 1]);
        long double sum = 0.0L;
        for (size_t t = segments->start[q]; t < segments->start[q + 1]; t++) {
            assert_true(u[t] == u[segments->start[q]]);
            sum += y[t];
        }
        sum += (long double) mu * (segments->sign[q + 1] - segments->sign[q]);
        double value = (double) (sum / (segments->start[q + 1] - segments->start[q]));
        assert_close(u[segments->start[q]], value, tol);
    }
}

static void golden_cases_are_matched(void **state)
{
    (void) state;
    size_t n_bytes = 0;
    g_autofree char *table = golden_file("golden/proxtv_cases.tsv", &n_bytes);
    struct workspace *ws = workspace_new();
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    int n_cases = 0;
    for (size_t i = 1; lines[i] != NULL && lines[i][0] != '\0'; i++, n_cases++) {
        g_auto(GStrv) fields = g_strsplit(lines[i], "\t", -1);
        double mu = g_ascii_strtod(fields[2], NULL);
        g_autoptr(owned_golden) y = golden_array("proxtv", fields[3]);
        g_autoptr(owned_golden) expected = golden_array("proxtv", fields[4]);
        double *u = WORKSPACE_ALLOC(ws, double, y->cols);
        prox_tv(y->data, y->cols, mu, u, NULL, ws);
        // The reference adds mu to the samples and takes it away again.
        double tol = 1e-12 * (1.0 + max_abs(expected->data, y->cols)) + DBL_EPSILON * mu;
        assert_close(max_abs_difference(u, expected->data, y->cols), 0.0, tol);
        workspace_release(ws, 0);
    }
    assert_int_equal(n_cases, 57);
    workspace_free(ws);
}

static void the_string_is_taut_on_every_signal(void **state)
{
    (void) state;
    static const size_t lengths[] = {1, 2, 3, 5, 50, 250, 3000, 100000};
    static const double mus[] = {1e-9, 0.01, 0.3, 1.0, 7.0, 100.0, 1e9};
    static const double scales[] = {1.0, 1e8, 1e-12};
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(1);
    for (int kind = 0; kind < N_SIGNALS; kind++)
        for (size_t i = 0; i < G_N_ELEMENTS(lengths) * G_N_ELEMENTS(mus); i++) {
            size_t n = lengths[i / G_N_ELEMENTS(mus)];
            double scale = scales[i % G_N_ELEMENTS(scales)];
            double mu = scale * mus[i % G_N_ELEMENTS(mus)];
            double *y = WORKSPACE_ALLOC(ws, double, n);
            double *u = WORKSPACE_ALLOC(ws, double, n);
            struct tv_segments segments = tv_segments_alloc(n, ws);
            fill_signal(kind, y, n, rand);
            for (size_t t = 0; t < n; t++)
                y[t] *= scale;
            prox_tv(y, n, mu, u, &segments, ws);
            check_certificate(y, u, n, mu);
            check_segments(&segments, y, u, n, mu);
            workspace_release(ws, 0);
        }
    g_rand_free(rand);
    workspace_free(ws);
}

static void the_two_methods_find_the_same_segments(void **state)
{
    (void) state;
    enum { N = 400 };
    double y[N];
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(2);
    for (int round = 0; round < 200; round++) {
        size_t n = (size_t) g_rand_int_range(rand, 1, N);
        double mu = exp(g_rand_double_range(rand, -4.0, 4.0));
        fill_signal(round % 2 == 0 ? NOISE : WALK, y, n, rand);
        struct tv_segments built = tv_segments_alloc(n, ws);
        struct tv_segments hulls = tv_segments_alloc(n, ws);
        prox_tv_segments(y, n, mu, INFINITY, &built, ws);
        prox_tv_segments(y, n, mu, 0.0, &hulls, ws);
        assert_int_equal(built.n, hulls.n);
        assert_memory_equal(built.start, hulls.start, (built.n + 1) * sizeof *built.start);
        assert_memory_equal(built.sign, hulls.sign, built.n + 1);
        workspace_release(ws, 0);
    }
    g_rand_free(rand);
    workspace_free(ws);
}

static void work_is_linear_on_adversarial_signals(void **state)
{
    (void) state;
    static const double mus[] = {0.1, 3.0, 50.0, 1000.0};
    enum { N = 20000 };
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(3);
    double *y = WORKSPACE_ALLOC(ws, double, N);
    struct tv_segments segments = tv_segments_alloc(N, ws);
    size_t most_without_hulls = 0;
    for (int kind = 0; kind < N_SIGNALS; kind++)
        for (size_t i = 0; i < 2 * G_N_ELEMENTS(mus); i++) {
            double mu = mus[i / 2];
            fill_signal(kind, y, N, rand);
            // Every other signal begins quietly, so that it is the end which is hard.
            if (i % 2 == 1)
                fill_signal(NOISE, y, N / 2, rand);
            prox_tv_segments(y, N, mu, 1.25, &segments, ws);
            assert_true(segments.n_visits <= 4 * N);
            prox_tv_segments(y, N, mu, INFINITY, &segments, ws);
            most_without_hulls = MAX(most_without_hulls, segments.n_visits);
        }
    assert_true(most_without_hulls > 100 * N);
    g_rand_free(rand);
    workspace_free(ws);
}

static void no_penalty_returns_the_signal(void **state)
{
    (void) state;
    const double y[] = {1.0, 1.0, -2.0, 3.0};
    const double g[] = {0.1, 0.2, 0.3, 0.4};
    double u[4];
    double dy[4];
    struct workspace *ws = workspace_new();
    struct tv_segments segments = tv_segments_alloc(4, ws);
    static const double mus[] = {0.0, -1.0};
    for (size_t i = 0; i < G_N_ELEMENTS(mus); i++) {
        prox_tv(y, 4, mus[i], u, &segments, ws);
        assert_memory_equal(u, y, sizeof y);
        // Two jumps: down into sample 2, up into sample 3.
        assert_close(prox_tv_backward(&segments, g, dy), -0.2 + 2.0 * 0.3 - 0.4, 1e-15);
        assert_memory_equal(dy, g, sizeof g);
    }
    workspace_free(ws);
}

static void an_infinite_penalty_leaves_the_mean(void **state)
{
    (void) state;
    const double y[] = {1.0, 2.0, -4.0, 3.0, 0.5};
    static const double mus[] = {1e100, DBL_MAX, (double) INFINITY};
    static const double patiences[] = {0.0, (double) INFINITY};
    struct workspace *ws = workspace_new();
    struct tv_segments segments = tv_segments_alloc(5, ws);
    double u[5];
    for (size_t i = 0; i < G_N_ELEMENTS(mus); i++) {
        prox_tv(y, 5, mus[i], u, &segments, ws);
        for (size_t t = 0; t < 5; t++)
            assert_close(u[t], 0.5, 1e-15);
        for (size_t p = 0; p < G_N_ELEMENTS(patiences); p++) {
            prox_tv_segments(y, 5, mus[i], patiences[p], &segments, ws);
            assert_int_equal(segments.n, 1);
        }
    }
    workspace_free(ws);
}

static void scale_and_sign_change_no_bit(void **state)
{
    (void) state;
    enum { N = 300 };
    double y[N];
    double scaled[N];
    double u[N];
    double v[N];
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(4);
    static const double factors[] = {0x1p40, 0x1p-200, -1.0};
    for (int kind = 0; kind < N_SIGNALS; kind++)
        for (size_t i = 0; i < G_N_ELEMENTS(factors); i++) {
            fill_signal(kind, y, N, rand);
            for (size_t t = 0; t < N; t++)
                scaled[t] = factors[i] * y[t];
            prox_tv(y, N, 0.7, u, NULL, ws);
            prox_tv(scaled, N, fabs(factors[i]) * 0.7, v, NULL, ws);
            for (size_t t = 0; t < N; t++)
                assert_true(v[t] == factors[i] * u[t]);
        }
    g_rand_free(rand);
    workspace_free(ws);
}

static void a_signal_may_be_overwritten(void **state)
{
    (void) state;
    enum { N = 500 };
    double y[N];
    double u[N];
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(5);
    for (int kind = 0; kind < N_SIGNALS; kind++) {
        fill_signal(kind, y, N, rand);
        prox_tv(y, N, 0.4, u, NULL, ws);
        size_t capacity = workspace_capacity(ws);
        prox_tv(y, N, 0.4, y, NULL, ws);
        assert_memory_equal(u, y, sizeof y);
        assert_int_equal(workspace_capacity(ws), capacity);
    }
    g_rand_free(rand);
    workspace_free(ws);
}

static void a_nan_is_not_hidden(void **state)
{
    (void) state;
    enum { N = 40 };
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(6);
    static const double bad[] = {(double) NAN, (double) INFINITY, -(double) INFINITY};
    for (size_t at = 0; at < N; at++)
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
            double y[N];
            fill_normal(rand, y, N);
            y[at] = bad[i];
            prox_tv(y, N, 0.5, y, NULL, ws);
            assert_false(isfinite(y[at]));
        }
    g_rand_free(rand);
    workspace_free(ws);
}

static double loss(const double *g, const double *y, size_t n, double mu, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *u = WORKSPACE_ALLOC(ws, double, n);
    prox_tv(y, n, mu, u, NULL, ws);
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum += g[t] * u[t];
    workspace_release(ws, mark);
    return sum;
}

static void backward_is_the_slope_of_the_forward(void **state)
{
    (void) state;
    enum { N = 60 };
    const double step = 1e-7;
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(7);
    for (int round = 0; round < 20; round++) {
        double y[N];
        double g[N];
        double dy[N];
        double mu = exp(g_rand_double_range(rand, -2.0, 2.0));
        fill_signal(round % 2 == 0 ? NOISE : WALK, y, N, rand);
        fill_normal(rand, g, N);
        struct tv_segments segments = tv_segments_alloc(N, ws);
        prox_tv(y, N, mu, dy, &segments, ws);
        double dmu = prox_tv_backward(&segments, g, dy);
        double slope = loss(g, y, N, mu + step, ws) - loss(g, y, N, mu - step, ws);
        assert_close(slope / (2.0 * step), dmu, 1e-6);
        for (size_t t = 0; t < N; t++) {
            double keep = y[t];
            y[t] = keep + step;
            double above = loss(g, y, N, mu, ws);
            y[t] = keep - step;
            double below = loss(g, y, N, mu, ws);
            y[t] = keep;
            assert_close((above - below) / (2.0 * step), dy[t], 1e-6);
        }
        workspace_release(ws, 0);
    }
    g_rand_free(rand);
    workspace_free(ws);
}

// The Jacobian of the formula, entry by entry: 1 / n_q where both samples are in segment q.
static void backward_is_the_transposed_jacobian(void **state)
{
    (void) state;
    enum { N = 80 };
    struct workspace *ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(8);
    for (int kind = 0; kind < N_SIGNALS; kind++) {
        double y[N];
        double g[N];
        double expected[N] = {0.0};
        double expected_dmu = 0.0;
        fill_signal(kind, y, N, rand);
        fill_normal(rand, g, N);
        struct tv_segments s = tv_segments_alloc(N, ws);
        prox_tv(y, N, 0.6, y, &s, ws);
        for (size_t q = 0; q < s.n; q++) {
            double n_q = (double) (s.start[q + 1] - s.start[q]);
            for (size_t i = s.start[q]; i < s.start[q + 1]; i++) {
                expected_dmu += g[i] * (s.sign[q + 1] - s.sign[q]) / n_q;
                for (size_t j = s.start[q]; j < s.start[q + 1]; j++)
                    expected[j] += g[i] / n_q;
            }
        }
        assert_close(prox_tv_backward(&s, g, g), expected_dmu, 1e-12);
        assert_close(max_abs_difference(g, expected, N), 0.0, 1e-13);
        workspace_release(ws, 0);
    }
    g_rand_free(rand);
    workspace_free(ws);
}

// Neighbours that meet at the same value by accident keep their own derivatives.
static void equal_neighbours_are_not_merged(void **state)
{
    (void) state;
    // mu = 1 moves the left piece from 2 up to 3 and the right one from 4 down to 3.
    const double y[] = {2.0, 4.0};
    double u[2];
    struct workspace *ws = workspace_new();
    struct tv_segments segments = tv_segments_alloc(2, ws);
    prox_tv(y, 2, 1.0, u, &segments, ws);
    assert_true(u[0] == 3.0 && u[1] == 3.0);
    const double g[] = {1.0, 0.0};
    double dy[2];
    double dmu = prox_tv_backward(&segments, g, dy);
    if (segments.n == 2) {
        assert_close(dy[0], 1.0, 0.0);
        assert_close(dmu, 1.0, 0.0);
    } else {
        assert_close(dy[0], 0.5, 0.0);
        assert_close(dmu, 0.0, 0.0);
    }
    workspace_free(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cases_are_matched),
        cmocka_unit_test(the_string_is_taut_on_every_signal),
        cmocka_unit_test(the_two_methods_find_the_same_segments),
        cmocka_unit_test(work_is_linear_on_adversarial_signals),
        cmocka_unit_test(no_penalty_returns_the_signal),
        cmocka_unit_test(an_infinite_penalty_leaves_the_mean),
        cmocka_unit_test(scale_and_sign_change_no_bit),
        cmocka_unit_test(a_signal_may_be_overwritten),
        cmocka_unit_test(a_nan_is_not_hidden),
        cmocka_unit_test(backward_is_the_slope_of_the_forward),
        cmocka_unit_test(backward_is_the_transposed_jacobian),
        cmocka_unit_test(equal_neighbours_are_not_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
