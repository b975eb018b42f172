// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden_meeg.h"
#include "tests/made_gain.h"

#include "sources/amplitude_bias.h"

#include <string.h>

static struct source_estimate *solved(const struct mixed_norm_input *input, double fraction)
{
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(input);
    g_autoptr(owned_workspace) ws = workspace_new();
    struct mixed_norm_options options = mixed_norm_options_default();
    options.tol = 1e-10;
    struct source_estimate *x = source_estimate_new(input->n_orient, input->n_time);
    mixed_norm_solve(problem, fraction * problem->alpha_max, &options, x, ws);
    return x;
}

static double misfit(const struct mixed_norm_input *input, const struct source_estimate *x,
                     const double *factors)
{
    size_t n = input->n_sensors * input->n_time;
    g_autofree double *residual = g_new(double, n);
    g_autoptr(owned_source_estimate) scaled = source_estimate_new(x->n_orient, x->n_time);
    source_estimate_copy(x, scaled);
    amplitude_bias_apply(scaled, factors);
    source_estimate_residual(scaled, input->gain, input->data, input->n_sensors, residual);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += residual[i] * residual[i];
    return sum;
}

// No factor can be changed, within d >= 1, for a better fit.
static void a_converged_fit_cannot_be_bettered(void **state)
{
    (void) state;
    size_t n_converged = 0;
    for (guint32 seed = 1; seed <= 10; seed++) {
        struct made made = make(seed, 40, 60, seed % 2 == 0 ? 3 : 1, 6);
        g_autoptr(owned_source_estimate) x = solved(&made.input, 0.8);
        g_autofree double *factors = g_new(double, x->n_active);
        struct amplitude_bias_result found = amplitude_bias(&made.input, x, factors);
        n_converged += found.converged;
        double best = misfit(&made.input, x, factors);
        for (size_t k = 0; k < x->n_active && found.converged; k++) {
            double factor = factors[k];
            assert_true(factor >= 1.0);
            for (int sign = -1; sign <= 1; sign += 2) {
                factors[k] = fmax(factor + 0.02 * sign, 1.0);
                assert_true(misfit(&made.input, x, factors) >= best * (1.0 - 1e-9));
            }
            factors[k] = factor;
        }
        drop(&made);
    }
    assert_true(n_converged >= 3);
}

static void a_single_source_gets_its_least_squares_amplitude(void **state)
{
    (void) state;
    double gain[] = {1.0, 2.0}, data[] = {3.0, 6.0};
    struct mixed_norm_input input = {gain, data, 2, 1, 1, 1};
    g_autoptr(owned_source_estimate) x = source_estimate_new(1, 1);
    source_estimate_resize(x, 1);
    x->x[0] = 0.5;
    double factor = 0.0;
    assert_true(amplitude_bias(&input, x, &factor).converged);
    assert_close(factor, 6.0, 1e-5);
    x->x[0] = 7.0; // too large already
    assert_true(amplitude_bias(&input, x, &factor).converged);
    assert_true(factor == 1.0);
    source_estimate_resize(x, 0);
    assert_true(amplitude_bias(&input, x, NULL).converged);
}

static void check_golden(const char *name, int percent)
{
    g_autoptr(owned_golden_case) golden = golden_case_read(name);
    if (golden == NULL)
        skip();
    struct mixed_norm_input input = {golden->gain,      golden->data,
                                     golden->n_sensors, golden->n_columns / golden->n_orient,
                                     golden->n_orient,  golden->n_time};
    g_autofree char *bias_name = g_strdup_printf("l21_%d_bias.npy", percent);
    g_autofree char *x_name = g_strdup_printf("l21_%d_X.npy", percent);
    g_autofree char *idx_name = g_strdup_printf("l21_%d_idx.npy", percent);
    g_autoptr(owned_array) bias = golden_of(name, bias_name);
    g_autoptr(owned_array) idx = golden_of(name, idx_name);
    g_autoptr(owned_array) values = golden_of(name, x_name);
    g_autoptr(owned_source_estimate) x = source_estimate_new(golden->n_orient, golden->n_time);
    size_t n_rows = values->n_rows;
    source_estimate_resize(x, n_rows / golden->n_orient);
    memcpy(x->x, values->values, n_rows * golden->n_time * sizeof(double));
    for (size_t k = 0; k < x->n_active; k++)
        x->position[k] = (size_t) idx->values[k * golden->n_orient] / golden->n_orient;
    g_autofree double *factors = g_new(double, x->n_active);
    amplitude_bias(&input, x, factors);
    for (size_t k = 0; k < x->n_active; k++)
        assert_close(factors[k], bias->values[k * golden->n_orient], 1e-4 * factors[k]);
}

static void golden_factors_are_met(void **state)
{
    (void) state;
    static const char *const names[] = {"small_fixed", "small_loose", "small_free"};
    for (size_t i = 0; i < 3; i++) {
        check_golden(names[i], 70);
        check_golden(names[i], 50);
        check_golden(names[i], 30);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_converged_fit_cannot_be_bettered),
        cmocka_unit_test(a_single_source_gets_its_least_squares_amplitude),
        cmocka_unit_test(golden_factors_are_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
