// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "sources/band_pass.h"

#include <string.h>

static struct band_pass *filter_of(double rate_hz, double low_hz, double high_hz)
{
    struct band_pass_input input = {rate_hz, low_hz, high_hz};
    struct band_pass *filter = band_pass_new(&input, NULL);
    assert_non_null(filter);
    return filter;
}

// The gain at a frequency; a symmetric filter has a real one.
static double gain_at(const struct band_pass *filter, double rate_hz, double hz)
{
    size_t n = band_pass_length(filter);
    const double *h = band_pass_coefficients(filter);
    double gain = 0.0;
    for (size_t i = 0; i < n; i++)
        gain += h[i] * cos(2.0 * G_PI * hz / rate_hz * ((double) i - 0.5 * (double) (n - 1)));
    return gain;
}

static void the_band_passes_and_what_is_beyond_does_not(void **state)
{
    (void) state;
    static const struct {
        double low, high;
        double passes[3], stops[3];
    } cases[] = {
        {1.0, 40.0, {2.5, 20.0, 39.0}, {0.0, 51.0, 200.0}},
        {0.0, 40.0, {0.0, 20.0, 39.0}, {51.0, 100.0, 299.0}},
        {8.0, INFINITY, {9.0, 100.0, 300.0}, {0.0, 3.0, 5.9}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(owned_band_pass) filter = filter_of(600.0, cases[i].low, cases[i].high);
        for (size_t k = 0; k < 3; k++) {
            assert_close(gain_at(filter, 600.0, cases[i].passes[k]), 1.0, 5e-3);
            assert_close(gain_at(filter, 600.0, cases[i].stops[k]), 0.0, 5e-3);
        }
        size_t n = band_pass_length(filter);
        const double *h = band_pass_coefficients(filter);
        assert_true(n % 2 == 1);
        for (size_t k = 0; k < n; k++)
            assert_close(h[k], h[n - 1 - k], 1e-15);
    }
}

static void the_length_is_that_of_the_narrower_transition(void **state)
{
    (void) state;
    g_autoptr(owned_band_pass) filter = filter_of(600.0, 1.0, 40.0);
    assert_int_equal(band_pass_length(filter), 1981); // 3.3 s of 600 Hz over 1 Hz, odd
}

static void check_sum(const struct band_pass *filter, size_t n)
{
    GRand *rand = g_rand_new_with_seed((guint32) n);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *x = g_new(double, n);
    fill_normal(rand, x, n);
    g_autofree double *y = g_memdup2(x, n * sizeof(double));
    band_pass_apply(filter, y, n, ws);
    const double *h = band_pass_coefficients(filter);
    ptrdiff_t half = (ptrdiff_t) band_pass_length(filter) / 2, last = (ptrdiff_t) n - 1;
    for (ptrdiff_t t = 0; t <= last; t++) {
        double sum = 0.0;
        for (ptrdiff_t k = -half; k <= half; k++) {
            ptrdiff_t s = t - k;
            double value = 0.0;
            if (s < 0 && -s <= last)
                value = 2.0 * x[0] - x[-s];
            else if (s > last && 2 * last - s >= 0)
                value = 2.0 * x[last] - x[2 * last - s];
            else if (s >= 0 && s <= last)
                value = x[s];
            sum += h[half + k] * value;
        }
        assert_close(y[t], sum, 1e-12);
    }
    g_rand_free(rand);
}

static void blocks_add_up_to_the_sum_of_its_definition(void **state)
{
    (void) state;
    static const size_t sizes[] = {1, 2, 33, 100, 1000, 2500};
    g_autoptr(owned_band_pass) filter = filter_of(100.0, 5.0, 20.0);
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        check_sum(filter, sizes[i]);
}

static void no_edge_is_no_filter(void **state)
{
    (void) state;
    g_autoptr(owned_band_pass) filter = filter_of(100.0, 0.0, INFINITY);
    g_autoptr(owned_workspace) ws = workspace_new();
    double x[] = {1.0, -2.0, 3.0}, expected[] = {1.0, -2.0, 3.0};
    assert_int_equal(band_pass_length(filter), 1);
    band_pass_apply(filter, x, 3, ws);
    assert_true(max_abs_difference(x, expected, 3) <= 1e-14);
}

static void a_band_that_the_rate_does_not_allow_is_refused(void **state)
{
    (void) state;
    static const struct band_pass_input inputs[] = {{100.0, 20.0, 10.0}, {100.0, -1.0, 10.0},
                                                    {100.0, 1.0, 50.0},  {100.0, 60.0, INFINITY},
                                                    {100.0, NAN, 10.0},  {100.0, 1.0, NAN}};
    for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(band_pass_new(&inputs[i], &error));
        assert_true(g_error_matches(error, SOURCES_ERROR, SOURCES_ERROR_BAND));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_band_that_the_rate_does_not_allow_is_refused),
        cmocka_unit_test(blocks_add_up_to_the_sum_of_its_definition),
        cmocka_unit_test(no_edge_is_no_filter),
        cmocka_unit_test(the_band_passes_and_what_is_beyond_does_not),
        cmocka_unit_test(the_length_is_that_of_the_narrower_transition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
