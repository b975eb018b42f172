// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/noise.h"
#include "solvers/median.h"
#include "solvers/sort.h"

#include <stdlib.h>

static void the_median_is_that_of_sorting(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (size_t n = 1; n <= 300; n++) {
        double values[300], sorted[300];
        for (size_t i = 0; i < n; i++)
            sorted[i] = values[i] = n % 3 == 0 ? g_rand_int_range(rand, 0, 5) // many ties
                                               : g_rand_double(rand);
        sort_doubles(sorted, n);
        assert_close(median(values, n), 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]), 0.0);
    }
}

static void sigma_is_that_of_white_noise(void **state)
{
    (void) state;
    enum { N = 200000 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *y = g_new(double, N);
    fill_normal(rand, y, N);
    // The standard error of the median absolute deviation of n numbers is 1.17 / sqrt(n).
    assert_close(noise_sigma(y, N, ws), 1.0, 4.0 * 1.17 / sqrt(N / 2.0));
}

// By NumPy 1.24.2 and SciPy 1.10.1: details by np.convolve with the high-pass of db3 in its closed
// form, which its usual digits meet to 1e-11, then
// np.median(np.abs(d - np.median(d))) / scipy.stats.norm.ppf(0.75).
static void sigma_of_a_known_series_is_exact(void **state)
{
    (void) state;
    enum { N = 64 };
    g_autoptr(owned_workspace) ws = workspace_new();
    double y[N];
    for (size_t t = 0; t < N; t++)
        y[t] = (double) (t * t * 7919 % 101);
    assert_close(noise_sigma(y, N, ws), 15.921272726420412, 1e-10 * 15.921272726420412);
}

// Details of an AR(1) process of coefficient a have the variance sum_jk g_j g_k a^|j-k| / (1-a^2).
static void sigma_is_that_of_the_details_of_autocorrelated_noise(void **state)
{
    (void) state;
    enum { N = 200000, N_TAPS = 6 };
    static const double db3[N_TAPS] = {.33267055, -.80689151, .45987750,
                                       .13501102, -.08544127, -.03522629};
    static const double coefficients[] = {0.3, 0.6, -0.4};
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *y = g_new(double, N);
    for (size_t i = 0; i < G_N_ELEMENTS(coefficients); i++) {
        double a = coefficients[i], variance = 0.0;
        for (int j = 0; j < N_TAPS; j++)
            for (int k = 0; k < N_TAPS; k++)
                variance += db3[j] * db3[k] * pow(a, abs(j - k)) / (1.0 - a * a);
        g_autoptr(GRand) rand = g_rand_new_with_seed(3);
        fill_normal(rand, y, N);
        for (size_t t = 1; t < N; t++)
            y[t] += a * y[t - 1];
        assert_close(noise_sigma(y, N, ws) / sqrt(variance), 1.0, 4.0 * 1.17 / sqrt(N / 2.0));
    }
}

static void sigma_does_not_see_quadratic_trends(void **state)
{
    (void) state;
    enum { N = 250 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);
    g_autoptr(owned_workspace) ws = workspace_new();
    double y[N], trend[N];
    fill_normal(rand, y, N);
    for (size_t t = 0; t < N; t++)
        trend[t] = 3.0 * y[t] + 100.0 - 0.5 * (double) t + 0.01 * (double) (t * t);
    assert_close(noise_sigma(trend, N, ws), 3.0 * noise_sigma(y, N, ws), 1e-8);
}

// Six samples a detail, from the even ones on, with the filter turned round: a convolution.
static void details_are_those_of_a_convolution(void **state)
{
    (void) state;
    g_autoptr(owned_workspace) ws = workspace_new();
    double y[8];
    for (size_t t = 0; t < 8; t++)
        y[t] = (double) (t * t * t);
    static const double db3[] = {0.3326705529509569,  -0.8068915093133388,  0.4598775021193313,
                                 0.13501102001039084, -0.08544127388224149, -0.035226291882100656};
    double d[2] = {0.0, 0.0};
    for (size_t k = 0; k < 6; k++) {
        d[0] += db3[k] * y[5 - k];
        d[1] += db3[k] * y[7 - k];
    }
    assert_close(noise_sigma(y, 8, ws), 0.5 * fabs(d[0] - d[1]) / 0.6744898, 1e-6);
}

static void a_low_pass_is_warned_of(void **state)
{
    (void) state;
    assert_null(noise_warning(0.0, 2.0));
    assert_null(noise_warning(0.125, 2.0));
    g_autofree char *warning = noise_warning(0.1, 2.0);
    assert_non_null(warning);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_is_that_of_sorting),
        cmocka_unit_test(sigma_is_that_of_white_noise),
        cmocka_unit_test(sigma_of_a_known_series_is_exact),
        cmocka_unit_test(sigma_is_that_of_the_details_of_autocorrelated_noise),
        cmocka_unit_test(sigma_does_not_see_quadratic_trends),
        cmocka_unit_test(details_are_those_of_a_convolution),
        cmocka_unit_test(a_low_pass_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
