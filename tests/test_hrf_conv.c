// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/parallel.h"

static const enum hrf_conv_kind kinds[] = {HRF_CONV_CAUSAL, HRF_CONV_FULL};
static const enum hrf_conv_method methods[] = {HRF_CONV_FIR, HRF_CONV_FFT, HRF_CONV_AUTO};

// Lengths of response and series, with the edge cases: one sample, one frame, T < K, T = K.
static const size_t sizes[][2] = {{1, 1},   {1, 50},   {2, 2},    {7, 3},     {5, 5},
                                  {5, 6},   {16, 156}, {30, 250}, {44, 1200}, {17, 17},
                                  {40, 20}, {3, 97},   {200, 401}};

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

// Calls `check` on every operator of `sizes`, kinds and methods; response from a seeded generator.
static void for_all_operators(void (*check)(const linop *op, const double *h, GRand *rand))
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (size_t s = 0; s < G_N_ELEMENTS(sizes); s++) {
        size_t n_h = sizes[s][0], n_time = sizes[s][1];
        g_autofree double *h = g_new(double, n_h);
        fill_normal(rand, h, n_h);
        for (size_t i = 0; i < G_N_ELEMENTS(kinds) * G_N_ELEMENTS(methods); i++) {
            enum hrf_conv_kind kind = kinds[i / G_N_ELEMENTS(methods)];
            if (kind == HRF_CONV_FULL && n_time < n_h)
                continue;
            g_autoptr(linop) op =
                hrf_conv_new(h, n_h, n_time, kind, methods[i % G_N_ELEMENTS(methods)], NULL);
            check(op, h, rand);
        }
    }
}

// The matrix of the definition, n_out x n_in, column-major.
static double *dense_matrix(const linop *op, const double *h)
{
    double *matrix = g_new0(double, op->n_out * op->n_in);
    for (size_t j = 0; j < op->n_in; j++)
        for (size_t k = 0; k < op->filter->n && j + k < op->n_out; k++)
            matrix[j * op->n_out + j + k] = h[k];
    return matrix;
}

static void check_definition(const linop *op, const double *h, GRand *rand)
{
    enum { N_SERIES = 3 };
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *matrix = dense_matrix(op, h);
    g_autoptr(linop) dense = linop_new_dense(matrix, op->n_out, op->n_in);
    size_t stride = op->n_out + 3; // series need not touch
    g_autofree double *u = g_new(double, N_SERIES *stride);
    g_autofree double *x = g_new(double, N_SERIES *stride);
    g_autofree double *expected = g_new(double, N_SERIES *stride);
    struct block block_u = {op->n_in, N_SERIES, stride, u};
    struct block block_x = {op->n_out, N_SERIES, stride, x};
    struct block block_expected = {op->n_out, N_SERIES, stride, expected};
    double scale = sqrt(op->norm2) * sqrt((double) op->n_out);

    fill_normal(rand, u, N_SERIES * stride);
    linop_apply(op, &block_u, &block_x, ws);
    linop_apply(dense, &block_u, &block_expected, ws);
    for (size_t v = 0; v < N_SERIES; v++)
        assert_close(max_abs_difference(x + v * stride, expected + v * stride, op->n_out), 0.0,
                     1e-14 * scale);

    fill_normal(rand, x, N_SERIES * stride);
    block_expected.n_time = op->n_in;
    linop_adjoint(op, &block_x, &block_u, ws);
    linop_adjoint(dense, &block_x, &block_expected, ws);
    for (size_t v = 0; v < N_SERIES; v++)
        assert_close(max_abs_difference(u + v * stride, expected + v * stride, op->n_in), 0.0,
                     1e-14 * scale);
}

static void all_methods_compute_the_definition(void **state)
{
    (void) state;
    for_all_operators(check_definition);
}

static void check_adjoint(const linop *op, const double *h G_GNUC_UNUSED, GRand *rand)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *u = g_new(double, op->n_in), *au = g_new(double, op->n_out);
    g_autofree double *x = g_new(double, op->n_out), *ax = g_new(double, op->n_in);
    fill_normal(rand, u, op->n_in);
    fill_normal(rand, x, op->n_out);
    linop_apply_series(op, u, au, ws);
    linop_adjoint_series(op, x, ax, ws);
    double scale = sqrt(dot(au, au, op->n_out) * dot(x, x, op->n_out));
    assert_close(dot(au, x, op->n_out), dot(u, ax, op->n_in), 1e-13 * scale);
}

static void the_adjoint_is_the_transpose(void **state)
{
    (void) state;
    for_all_operators(check_adjoint);
}

// The largest eigenvalue of A'A from below, by a long power iteration.
static double largest_eigenvalue(const linop *op, GRand *rand)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *u = g_new(double, op->n_in), *x = g_new(double, op->n_out);
    fill_normal(rand, u, op->n_in);
    double value = 0.0;
    for (size_t i = 0; i < 1000; i++) {
        linop_apply_series(op, u, x, ws);
        linop_adjoint_series(op, x, u, ws);
        value = sqrt(dot(u, u, op->n_in));
        for (size_t t = 0; t < op->n_in; t++)
            u[t] /= value;
    }
    return value;
}

static void check_norm(const linop *op, const double *h, GRand *rand)
{
    if (op->n_out > 500)
        return; // the dense matrix would take seconds
    g_autofree double *matrix = dense_matrix(op, h);
    g_autoptr(linop) dense = linop_new_dense(matrix, op->n_out, op->n_in);
    double norm2 = largest_eigenvalue(dense, rand);
    assert_true(op->norm2 >= norm2);
    assert_close(op->norm2 / norm2, 1.0, 3e-3);
}

static void norms_are_those_of_the_matrix(void **state)
{
    (void) state;
    for_all_operators(check_norm);
}

// norm2 is a bound: the largest eigenvalue, at most 0.1 % less.
static void norms_are_those_of_reference_programs(void **state)
{
    (void) state;
    g_autoptr(owned_hrf) ukb = hrf_new("pyta", 0.735, NULL);
    g_autoptr(linop) full = hrf_conv_new(ukb->h, ukb->n, 250, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
    // golden_hrf/ukb_protocol_scalars.csv, golden_hrf/causal_spm_tr2_scalars.csv
    assert_true(full->n_in == 221 && full->n_out == 250 && full->filter->full);
    assert_true(full->norm2 >= 1.6036887396600807);
    assert_close(full->norm2 / 1.6036887396600807, 1.0, 1e-3);
    g_autoptr(owned_hrf) spm = hrf_new("spm", 2.0, NULL);
    g_autoptr(linop) causal =
        hrf_conv_new(spm->h, spm->n, 156, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    assert_true(causal->n_in == 156 && causal->n_out == 156 && !causal->filter->full);
    assert_true(causal->norm2 >= 1.2813068902837228);
    assert_close(causal->norm2 / 1.2813068902837228, 1.0, 1e-3);
}

// Of a long series it is that of the spectrum; by power iteration it is the same to 0.1 %.
static void norms_of_long_series_are_those_of_the_spectrum(void **state)
{
    (void) state;
    static const double alternating[] = {1.0, -2.0, 1.5, -0.5};
    g_autoptr(owned_hrf) hrf = hrf_new("spm", 0.735, NULL);
    const struct {
        const double *h;
        size_t n;
    } responses[] = {{hrf->h, hrf->n}, {alternating, 4}};
    for (size_t i = 0; i < G_N_ELEMENTS(responses); i++) {
        g_autoptr(linop) op = hrf_conv_new(responses[i].h, responses[i].n, 9000, HRF_CONV_CAUSAL,
                                           HRF_CONV_AUTO, NULL);
        double power = linop_power_norm2(op) / 1.0005;
        assert_true(op->norm2 >= power);
        assert_close(op->norm2 / power, 1.0, 2e-3);
    }
}

static void the_filter_is_the_response(void **state)
{
    (void) state;
    static const double h[] = {1.0, 2.0, 3.0, 4.0};
    g_autoptr(linop) op = hrf_conv_new(h, 4, 3, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    assert_int_equal(op->filter->n, 3); // cut to the series
    assert_memory_equal(op->filter->h, h, 3 * sizeof(double));
}

static void sizes_and_responses_are_checked(void **state)
{
    (void) state;
    static const double h[] = {0.0, 2.0, 3.0, NAN};
    static const struct {
        size_t n_h, n_time;
        enum hrf_conv_kind kind;
        const char *message;
    } expected[] = {
        {3, 2, HRF_CONV_FULL,
         "conv: full needs at least as many frames as the response has samples: 2 frames, "
         "3 samples"},
        {0, 2, HRF_CONV_CAUSAL, "conv: expected 1 frame and 1 sample or more, got 2 and 0"},
        {3, 0, HRF_CONV_CAUSAL, "conv: expected 1 frame and 1 sample or more, got 0 and 3"},
        {3, 1, HRF_CONV_CAUSAL, "conv: the response is 0 in all of the first 1 frames"},
        {4, 9, HRF_CONV_CAUSAL, "conv: sample 3 of the response is not finite"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(hrf_conv_new(h, expected[i].n_h, expected[i].n_time, expected[i].kind,
                                 HRF_CONV_AUTO, &error));
        assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_VALUE));
        assert_string_equal(error->message, expected[i].message);
    }
}

static void nothing_is_allocated_after_the_first_call(void **state)
{
    (void) state;
    g_autoptr(owned_hrf) hrf = hrf_new("spm", 0.735, NULL);
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        g_autoptr(linop) op = hrf_conv_new(hrf->h, hrf->n, 500, HRF_CONV_CAUSAL, methods[m], NULL);
        g_autoptr(owned_workspace) ws = workspace_new();
        double u[500] = {1.0}, x[500];
        linop_apply_series(op, u, x, ws);
        linop_adjoint_series(op, x, u, ws);
        size_t capacity = workspace_capacity(ws);
        for (size_t i = 0; i < 3; i++) {
            linop_apply_series(op, u, x, ws);
            linop_adjoint_series(op, x, u, ws);
        }
        assert_int_equal(workspace_capacity(ws), capacity);
        assert_int_equal(workspace_mark(ws), 0);
    }
}

struct shared_loop {
    const linop *op;
    const double *u;
    double *x;
};

static void apply_to_series(void *data, size_t index, struct workspace *ws)
{
    struct shared_loop *loop = data;
    size_t n = loop->op->n_in;
    linop_apply_series(loop->op, loop->u + index * n, loop->x + index * n, ws);
}

// One operator, plans included, on many threads, as against one series after the other.
static void threads_share_an_operator(void **state)
{
    (void) state;
    enum { N = 300, N_SERIES = 64 };
    static const size_t n_threads[] = {1, 4, 7};
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    g_autoptr(owned_hrf) hrf = hrf_new("spm", 0.735, NULL);
    g_autofree double *u = g_new(double, N *N_SERIES), *expected = NULL;
    fill_normal(rand, u, N * N_SERIES);
    for (size_t m = 0; m < G_N_ELEMENTS(methods); m++) {
        g_autoptr(linop) op = hrf_conv_new(hrf->h, hrf->n, N, HRF_CONV_CAUSAL, methods[m], NULL);
        g_clear_pointer(&expected, g_free);
        for (size_t i = 0; i < G_N_ELEMENTS(n_threads); i++) {
            g_autofree double *x = g_new0(double, N *N_SERIES);
            struct shared_loop loop = {op, u, x};
            g_autoptr(owned_parallel) team = parallel_new(n_threads[i], NULL);
            assert_true(parallel_for(team, N_SERIES, apply_to_series, &loop));
            if (expected == NULL)
                expected = g_memdup2(x, N * N_SERIES * sizeof(double));
            assert_memory_equal(x, expected, N * N_SERIES * sizeof(double));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_methods_compute_the_definition),
        cmocka_unit_test(the_adjoint_is_the_transpose),
        cmocka_unit_test(norms_are_those_of_the_matrix),
        cmocka_unit_test(norms_are_those_of_reference_programs),
        cmocka_unit_test(norms_of_long_series_are_those_of_the_spectrum),
        cmocka_unit_test(the_filter_is_the_response),
        cmocka_unit_test(sizes_and_responses_are_checked),
        cmocka_unit_test(nothing_is_allocated_after_the_first_call),
        cmocka_unit_test(threads_share_an_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
