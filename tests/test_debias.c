// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "deconv/debias.h"
#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"

enum { N = 90, N_SERIES = 3 };

// Levels of 12 segments, seen through a response; `noise` of this deviation is added to x.
static void fill_scene(const linop *op, double noise, double *truth, double *x, GRand *rand,
                       struct workspace *ws)
{
    for (size_t v = 0; v < N_SERIES; v++) {
        double height[12], added[N];
        fill_normal(rand, height, 12);
        fill_normal(rand, added, N);
        double *u = truth + v * op->n_in;
        for (size_t i = 0; i < op->n_in; i++)
            u[i] = height[i * 12 / op->n_in];
        linop_apply_series(op, u, x + v * N, ws);
        for (size_t t = 0; t < N; t++)
            x[v * N + t] += noise * added[t];
    }
}

static linop *operator_of(enum hrf_conv_kind kind)
{
    g_autoptr(owned_hrf) hrf = hrf_new("spm", 2.0, NULL);
    return hrf_conv_new(hrf->h, hrf->n, N, kind, HRF_CONV_AUTO, NULL);
}

static void levels_are_found_again_without_noise(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autoptr(owned_workspace) ws = workspace_new();
    for (int kind = HRF_CONV_CAUSAL; kind <= HRF_CONV_FULL; kind++) {
        g_autoptr(linop) op = operator_of((enum hrf_conv_kind) kind);
        g_autoptr(owned_debias) levels = debias_new(op);
        size_t n = op->n_in;
        double truth[N_SERIES * N], x[N_SERIES * N], u[N_SERIES * N], out[N_SERIES * N];
        fill_scene(op, 0.0, truth, x, rand, ws);
        for (size_t i = 0; i < N_SERIES * n; i++)
            u[i] = 0.4 * truth[i] + 1.0; // shrunk
        struct block block_x = {N, N_SERIES, N, x}, block_u = {n, N_SERIES, n, u};
        struct block block_out = {n, N_SERIES, n, out};
        debias_apply(levels, &block_x, &block_u, &block_out, ws);
        assert_close(max_abs_difference(out, truth, N_SERIES * n), 0.0, 1e-11);
        debias_apply(levels, &block_x, &block_u, &block_u, ws); // in place
        assert_memory_equal(u, out, N_SERIES * n * sizeof(double));
    }
}

// Least squares: the residual is orthogonal to A applied to every segment.
static void the_residual_is_orthogonal_to_the_segments(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    g_autoptr(owned_workspace) ws = workspace_new();
    for (int kind = HRF_CONV_CAUSAL; kind <= HRF_CONV_FULL; kind++) {
        g_autoptr(linop) op = operator_of((enum hrf_conv_kind) kind);
        g_autoptr(owned_debias) levels = debias_new(op);
        size_t n = op->n_in;
        double u[N_SERIES * N], x[N_SERIES * N], out[N_SERIES * N];
        fill_scene(op, 0.5, u, x, rand, ws);
        struct block block_x = {N, N_SERIES, N, x}, block_u = {n, N_SERIES, n, u};
        struct block block_out = {n, N_SERIES, n, out};
        debias_apply(levels, &block_x, &block_u, &block_out, ws);
        for (size_t v = 0; v < N_SERIES; v++) {
            double r[N], gradient[N];
            linop_apply_series(op, out + v * n, r, ws);
            for (size_t t = 0; t < N; t++)
                r[t] -= x[v * N + t];
            linop_adjoint_series(op, r, gradient, ws);
            double sum = 0.0;
            for (size_t i = 0; i < n; i++) {
                bool ends = i + 1 == n || u[v * n + i + 1] != u[v * n + i];
                assert_true(ends || out[v * n + i + 1] == out[v * n + i]);
                sum += gradient[i];
                if (ends)
                    assert_close(sum, 0.0, 1e-11);
                sum = ends ? 0.0 : sum;
            }
        }
    }
}

static void what_the_operator_does_not_see_stays(void **state)
{
    (void) state;
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(linop) op = operator_of(HRF_CONV_CAUSAL); // h_0 = 0: the last sample is unseen
    g_autoptr(owned_debias) levels = debias_new(op);
    double u[N] = {0.0}, x[N], out[N];
    u[N - 1] = 5.0;
    for (size_t t = 0; t < N; t++)
        x[t] = sin((double) t);
    struct block block_x = block_of_series(x, N), block_u = block_of_series(u, N);
    struct block block_out = block_of_series(out, N);
    debias_apply(levels, &block_x, &block_u, &block_out, ws);
    assert_close(out[N - 1], 5.0, 1e-12);
    assert_true(fabs(out[0]) > 1e-6);
}

// Two ways to the same levels: the normal equations of the segments, and singular values.
static void a_convolution_and_its_matrix_agree(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    g_autoptr(owned_workspace) ws = workspace_new();
    for (int kind = HRF_CONV_CAUSAL; kind <= HRF_CONV_FULL; kind++) {
        g_autoptr(linop) op = operator_of((enum hrf_conv_kind) kind);
        size_t n = op->n_in;
        double matrix[N * N] = {0.0}, unit[N] = {0.0};
        for (size_t i = 0; i < n; i++) {
            unit[i] = 1.0;
            linop_apply_series(op, unit, matrix + i * N, ws);
            unit[i] = 0.0;
        }
        g_autoptr(linop) dense = linop_new_dense(matrix, N, n);
        g_autoptr(owned_debias) levels = debias_new(op);
        g_autoptr(owned_debias) reference = debias_new(dense);
        double u[N_SERIES * N], x[N_SERIES * N], out[N_SERIES * N], expected[N_SERIES * N];
        fill_scene(op, 0.5, u, x, rand, ws);
        struct block block_x = {N, N_SERIES, N, x}, block_u = {n, N_SERIES, n, u};
        struct block block_out = {n, N_SERIES, n, out}, other = {n, N_SERIES, n, expected};
        debias_apply(levels, &block_x, &block_u, &block_out, ws);
        debias_apply(reference, &block_x, &block_u, &other, ws);
        assert_close(max_abs_difference(out, expected, N_SERIES * n), 0.0, 1e-11);
    }
}

// On minimisers of data series: without the penalty the sum of squares falls.
static void the_fit_is_never_worse(void **state)
{
    (void) state;
    g_autoptr(owned_golden) y = golden_csv("golden_hrf/ukb_protocol_y.csv");
    g_autoptr(owned_golden) u_star = golden_csv("golden_hrf/ukb_protocol_u_star_lam0.1.csv");
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_hrf) hrf = hrf_new("pyta", 0.735, NULL);
    g_autoptr(linop) op = hrf_conv_new(hrf->h, hrf->n, 250, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
    g_autoptr(owned_debias) levels = debias_new(op);
    for (size_t v = 1; v <= 2; v++) {
        double x[250], u[221], out[221], before[250], after[250];
        for (size_t t = 0; t < 250; t++)
            x[t] = golden_row(y, t)[v];
        for (size_t i = 0; i < 221; i++) {
            u[i] = golden_row(u_star, i)[v];
            if (i > 0 && fabs(u[i] - u[i - 1]) < 1e-9)
                u[i] = u[i - 1]; // printed digits
        }
        struct block block_x = block_of_series(x, 250), block_u = block_of_series(u, 221);
        struct block block_out = block_of_series(out, 221);
        debias_apply(levels, &block_x, &block_u, &block_out, ws);
        linop_apply_series(op, u, before, ws);
        linop_apply_series(op, out, after, ws);
        double rss_before = 0.0, rss_after = 0.0;
        for (size_t t = 0; t < 250; t++) {
            rss_before += (x[t] - before[t]) * (x[t] - before[t]);
            rss_after += (x[t] - after[t]) * (x[t] - after[t]);
        }
        assert_true(rss_after < 0.9 * rss_before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_found_again_without_noise),
        cmocka_unit_test(the_residual_is_orthogonal_to_the_segments),
        cmocka_unit_test(what_the_operator_does_not_see_stays),
        cmocka_unit_test(a_convolution_and_its_matrix_agree),
        cmocka_unit_test(the_fit_is_never_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
