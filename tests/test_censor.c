// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/censor.h"
#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/solver.h"

static double cubic(double x)
{
    return 2.0 - 3.0 * x + 0.5 * x * x - 0.01 * x * x * x;
}

// Also from four points, where both ends ask the same third derivative of all three pieces.
static void splines_through_a_cubic_are_that_cubic(void **state)
{
    (void) state;
    static const double places[] = {0.0, 1.0, 2.0, 5.0, 6.0, 10.0, 11.0};
    for (size_t n = 4; n <= G_N_ELEMENTS(places); n++) {
        double y[G_N_ELEMENTS(places)], slopes[G_N_ELEMENTS(places)];
        for (size_t i = 0; i < n; i++)
            y[i] = cubic(places[i]);
        g_autoptr(owned_spline) spline = spline_new(places, n);
        spline_slopes(spline, y, slopes);
        for (size_t i = 0; i + 1 < n; i++)
            for (size_t quarter = 0; quarter <= 4; quarter++) {
                double x = places[i] + 0.25 * (double) quarter * (places[i + 1] - places[i]);
                assert_close(spline_value(spline, y, slopes, i, x), cubic(x), 1e-12);
            }
    }
}

// scipy 1.10 CubicSpline(x, y, bc_type="not-a-knot")([.5, 3, 5.5, 8]).
static void splines_are_those_of_scipy(void **state)
{
    (void) state;
    static const double x[] = {0.0, 1.0, 2.0, 5.0, 6.0, 9.0},
                        y[] = {1.0, -1.0, 2.0, 0.5, 3.0, -2.0};
    static const double places[] = {0.5, 3.0, 5.5, 8.0};
    static const size_t pieces[] = {0, 2, 3, 4};
    static const double expected[] = {-1.2340528350515463, 2.3643566246659029, 1.4793277491408934,
                                      5.3917525773195871};
    double slopes[6];
    g_autoptr(owned_spline) spline = spline_new(x, 6);
    spline_slopes(spline, y, slopes);
    for (size_t i = 0; i < 4; i++)
        assert_close(spline_value(spline, y, slopes, pieces[i], places[i]), expected[i], 1e-13);
}

static void kept_samples_go_out_and_come_back(void **state)
{
    (void) state;
    enum { N = 9 };
    static const bool censored[N] = {true, false, false, true, true, false, false, false, true};
    g_autoptr(owned_censor) censor = censor_new(censored, N, NULL);
    double y[N], out[N];
    for (size_t t = 0; t < N; t++)
        y[t] = 10.0 + (double) t;
    assert_int_equal(censor->n_kept, 5);
    assert_int_equal(censor_span(censor), 7);
    censor_gather(censor, y, out);
    static const double gathered[] = {11.0, 12.0, 15.0, 16.0, 17.0};
    assert_memory_equal(out, gathered, sizeof gathered);
    censor_scatter(censor, out);
    for (size_t t = 0; t < N; t++)
        assert_true(out[t] == (censored[t] ? 0.0 : y[t]));
    g_autoptr(owned_workspace) ws = workspace_new();
    y[3] = y[4] = NAN; // never looked at
    censor_bridge(censor, y, out, ws);
    for (size_t t = 0; t < 7; t++)
        assert_close(out[t], 11.0 + (double) t, 1e-13); // a spline through a line
}

static void too_few_frames_are_refused(void **state)
{
    (void) state;
    static const bool censored[] = {false, true, false, true, false};
    g_autoptr(GError) error = NULL;
    assert_null(censor_new(censored, 5, &error));
    assert_true(g_error_matches(error, DECONV_ERROR, DECONV_ERROR_DATA));
    assert_string_equal(error->message,
                        "censoring: expected at least 4 of 5 frames to remain, got 3");
}

static void the_operator_is_blind_in_censored_frames(void **state)
{
    (void) state;
    enum { N = 60 };
    bool censored[N] = {[7] = true, [8] = true, [30] = true, [59] = true};
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_hrf) hrf = hrf_new("spm", 2.0, NULL);
    g_autoptr(linop) op = hrf_conv_new(hrf->h, hrf->n, N, HRF_CONV_FULL, HRF_CONV_AUTO, NULL);
    g_autoptr(linop) blind = censor_operator(op, censored);
    double u[N], x[N], au[N], wau[N], ax[N];
    fill_normal(rand, u, op->n_in);
    fill_normal(rand, x, N);
    linop_apply_series(op, u, au, ws);
    linop_apply_series(blind, u, wau, ws);
    linop_adjoint_series(blind, x, ax, ws);
    double left = 0.0, right = 0.0;
    for (size_t t = 0; t < N; t++) {
        assert_true(wau[t] == (censored[t] ? 0.0 : au[t]));
        left += wau[t] * x[t];
    }
    for (size_t i = 0; i < op->n_in; i++)
        right += u[i] * ax[i];
    assert_close(left, right, 1e-13);
    assert_null(blind->filter);
    assert_true(blind->norm2 > 0.0 && blind->norm2 <= op->norm2);
}

// What stands in censored frames changes neither the solution nor its certificate.
static void censored_data_change_no_solution(void **state)
{
    (void) state;
    enum { N = 80 };
    bool censored[N] = {[20] = true, [21] = true, [50] = true};
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_hrf) hrf = hrf_new("spm", 2.0, NULL);
    g_autoptr(linop) op = hrf_conv_new(hrf->h, hrf->n, N, HRF_CONV_CAUSAL, HRF_CONV_AUTO, NULL);
    g_autoptr(linop) blind = censor_operator(op, censored);
    g_autoptr(owned_problem) problem = problem_new_tv(blind);
    struct solver_options options = solver_options_default();
    options.tol = 1e-12;
    g_autoptr(owned_solver) solver = solver_new_fista(problem, &options, NULL);
    double truth[N], x[N], u[N], lambda = 0.02;
    for (size_t t = 0; t < N; t++)
        truth[t] = t / 16 % 2;
    linop_apply_series(op, truth, x, ws);
    for (size_t t = 0; t < N; t++)
        x[t] = censored[t] ? 0.0 : x[t];
    struct block block_x = block_of_series(x, N), block_u = block_of_series(u, N);
    struct solve_input input = {.x = &block_x, .lambda = &lambda, .lambda_is_ratio = true};
    struct series_result result;
    solver_run(solver, &input, &block_u, &result, ws);
    assert_int_equal(result.status, SERIES_SOLVED);
    // Deleting the frames, or taking their zeros for data, would leave far larger errors.
    assert_close(max_abs_difference(u, truth, N - 2), 0.0, 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splines_through_a_cubic_are_that_cubic),
        cmocka_unit_test(splines_are_those_of_scipy),
        cmocka_unit_test(kept_samples_go_out_and_come_back),
        cmocka_unit_test(too_few_frames_are_refused),
        cmocka_unit_test(the_operator_is_blind_in_censored_frames),
        cmocka_unit_test(censored_data_change_no_solution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
