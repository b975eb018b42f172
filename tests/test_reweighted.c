// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden_meeg.h"
#include "tests/made_gain.h"

#include "sources/reweighted.h"

#include <string.h>

static struct mixed_norm_input input_of(const struct golden_case *golden)
{
    return (struct mixed_norm_input){golden->gain,      golden->data,
                                     golden->n_sensors, golden->n_columns / golden->n_orient,
                                     golden->n_orient,  golden->n_time};
}

// A solution of MNE: its columns, and X by MNE's scale of G.
struct golden_row {
    const char *name;
    bool is_scaled; // G divided by alpha_max / 100, alpha = 50; else G as it is, half alpha_max
    double objective;
    size_t n_active;
    double tolerance; // of X, relative to its largest entry; 0: another local minimum
};

static void check_sources(const struct source_estimate *x, const struct golden_row *row,
                          double scale)
{
    g_autoptr(owned_array) expected =
        golden_of(row->name, row->is_scaled ? "irmxne_mnescale50_X.npy" : "irmxne_50_X.npy");
    size_t n = x->n_active * x->n_orient * x->n_time;
    assert_int_equal(x->n_active, row->n_active);
    assert_int_equal(expected->n_rows * expected->n_columns, n);
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(expected->values[i]));
    for (size_t i = 0; i < n; i++)
        assert_close(x->x[i] * scale, expected->values[i], row->tolerance * largest);
}

static void check_golden(const struct golden_row *row)
{
    g_autoptr(owned_golden_case) golden = golden_case_read(row->name);
    if (golden == NULL)
        skip();
    struct mixed_norm_input input = input_of(golden);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&input);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_source_estimate) x = source_estimate_new(golden->n_orient, golden->n_time);
    struct reweighted_options options = reweighted_options_of(0.5, problem->alpha_max);
    if (!row->is_scaled)
        options.beta = 0.5 * problem->alpha_max;
    options.tol = 1e-10;
    double objectives[10];
    struct reweighted_result found = reweighted_solve(problem, &options, x, objectives, ws);
    for (size_t i = 1; i < found.n_rounds; i++)
        assert_true(objectives[i] <= objectives[i - 1]);
    assert_true(found.objective <= row->objective * (1.0 + 1e-4));
    assert_close(found.objective, reweighted_objective(problem, x, options.beta),
                 1e-12 * found.objective);
    if (row->tolerance > 0.0)
        check_sources(x, row, row->is_scaled ? problem->alpha_max / 100.0 : 1.0);
}

// From golden.json.
static const struct golden_row rows[] = {
    {"small_fixed", true, 8237.784904232509, 4, 1e-3},
    {"small_loose", true, 8144.692458608808, 8, 0},
    {"small_free", true, 7948.232453884075, 15, 1e-2},
    {"small_fixed", false, 7893.70946312546, 9, 1e-3},
    {"small_loose", false, 7639.534614537661, 9, 0},
    {"small_free", false, 6811.717037409964, 27, 1e-2},
};

static void the_golden_sources_by_the_scale_of_the_user_function(void **state)
{
    (void) state;
    for (size_t i = 0; i < 3; i++)
        check_golden(&rows[i]);
}

static void the_golden_sources_by_the_gain_as_it_is(void **state)
{
    (void) state;
    for (size_t i = 3; i < 6; i++)
        check_golden(&rows[i]);
}

// A stationary point: G_k' R = beta / (2 sqrt(||X_k||)) X_k / ||X_k|| where X_k != 0.
static void a_converged_point_is_stationary(void **state)
{
    (void) state;
    struct made made = make(1, 30, 100, 3, 8);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_source_estimate) x = source_estimate_new(3, 8);
    struct reweighted_options options = reweighted_options_of(0.3, problem->alpha_max);
    options.tol = 1e-12;
    options.max_rounds = 100;
    struct reweighted_result found = reweighted_solve(problem, &options, x, NULL, ws);
    assert_true(found.converged && found.n_rounds < 100);
    g_autofree double *residual = g_new(double, 30 * 8);
    source_estimate_residual(x, made.gain, made.data, 30, residual);
    assert_true(x->n_active > 0);
    for (size_t k = 0; k < x->n_active; k++) {
        double norm = source_estimate_norm(x, k);
        for (size_t row = 0; row < 3; row++)
            for (size_t t = 0; t < 8; t++) {
                double c = 0.0;
                for (size_t i = 0; i < 30; i++)
                    c += made.gain[(x->position[k] * 3 + row) * 30 + i] * residual[i * 8 + t];
                double expected = 0.5 * options.beta / (sqrt(norm) * norm) *
                                  source_estimate_rows(x, k)[row * 8 + t];
                assert_close(c, expected, 1e-3 * options.beta);
            }
    }
    drop(&made);
}

// c G with c times the data gives X as it was, but the penalty's scale is that of MNE.
static void the_scale_of_gain_and_data_does_not_matter(void **state)
{
    (void) state;
    struct made made = make(2, 30, 100, 1, 8);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_source_estimate) x = source_estimate_new(1, 8);
    g_autoptr(owned_source_estimate) y = source_estimate_new(1, 8);
    {
        g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
        struct reweighted_options options = reweighted_options_of(0.4, problem->alpha_max);
        reweighted_solve(problem, &options, x, NULL, ws);
    }
    for (size_t i = 0; i < 30 * 100; i++)
        made.gain[i] *= 16.0;
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    struct reweighted_options options = reweighted_options_of(0.4, problem->alpha_max);
    reweighted_solve(problem, &options, y, NULL, ws);
    assert_int_equal(y->n_active, x->n_active);
    assert_memory_equal(y->position, x->position, x->n_active * sizeof(size_t));
    for (size_t i = 0; i < x->n_active * 8; i++)
        assert_close(16.0 * y->x[i], x->x[i], 1e-4);
    drop(&made);
}

static void nothing_is_left_at_alpha_max(void **state)
{
    (void) state;
    struct made made = make(3, 10, 30, 3, 4);
    g_autoptr(owned_mixed_norm) problem = mixed_norm_new(&made.input);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_source_estimate) x = source_estimate_new(3, 4);
    struct reweighted_options options = reweighted_options_of(1.0, problem->alpha_max);
    struct reweighted_result found = reweighted_solve(problem, &options, x, NULL, ws);
    assert_true(found.converged && found.n_rounds == 1 && x->n_active == 0);
    assert_close(found.objective, 0.5 * problem->data_norm2, 1e-12 * problem->data_norm2);
    drop(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_converged_point_is_stationary),
        cmocka_unit_test(nothing_is_left_at_alpha_max),
        cmocka_unit_test(the_golden_sources_by_the_gain_as_it_is),
        cmocka_unit_test(the_golden_sources_by_the_scale_of_the_user_function),
        cmocka_unit_test(the_scale_of_gain_and_data_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
