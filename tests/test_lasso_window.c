// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden_meeg.h"
#include "tests/made_gain.h"

#include "sources/lasso_window.h"

#include <string.h>

static struct lasso_window *solve(const struct lasso_window_input *input, size_t n_threads)
{
    g_autoptr(owned_parallel) team = parallel_new(n_threads, NULL);
    return lasso_window_solve(input, team);
}

static void check_golden(const struct golden_case *golden, int percent)
{
    g_autofree char *name = g_strdup_printf("lasso_%d.csv", percent);
    g_autoptr(owned_array) rows = golden_of("small_fixed", name);
    struct lasso_window_input input = {.gain = golden->gain,
                                       .data = golden->data,
                                       .n_sensors = golden->n_sensors,
                                       .n_columns = golden->n_columns,
                                       .n_time = golden->n_time,
                                       .lambda = 0.01 * percent,
                                       .tol = 1e-12};
    g_autoptr(owned_lasso_window) window = solve(&input, 1);
    assert_int_equal(window->first[golden->n_time], rows->n_rows);
    g_autofree double *z = g_new0(double, golden->n_time * golden->n_columns);
    for (size_t row = 0; row < rows->n_rows; row++) {
        const double *entry = rows->values + 3 * row; // time_index, source, z
        z[(size_t) entry[0] * golden->n_columns + (size_t) entry[1]] = entry[2];
    }
    for (size_t t = 0; t < golden->n_time; t++) {
        const double *expected = z + t * golden->n_columns;
        assert_int_equal(window->results[t].status, SERIES_SOLVED);
        double largest = 0.0;
        for (size_t j = 0; j < golden->n_columns; j++)
            largest = fmax(largest, fabs(expected[j]));
        for (size_t i = window->first[t]; i < window->first[t + 1]; i++) {
            assert_true(expected[window->index[i]] != 0.0);
            assert_close(window->value[i], expected[window->index[i]], 1e-6 * largest);
        }
    }
}

static void the_golden_sources_are_found_at_each_sample(void **state)
{
    (void) state;
    static const int percents[] = {80, 50, 30, 10};
    g_autoptr(owned_golden_case) golden = golden_case_read("small_fixed");
    if (golden == NULL)
        skip();
    for (size_t i = 0; i < G_N_ELEMENTS(percents); i++)
        check_golden(golden, percents[i]);
}

static void the_bytes_do_not_depend_on_the_threads(void **state)
{
    (void) state;
    static const size_t threads[] = {4, 7};
    // more columns than one Gram matrix may have: chunks share those they meet
    struct made made = make(1, 25, 2100, 1, 70);
    struct lasso_window_input input = {.gain = made.gain,
                                       .data = made.data,
                                       .n_sensors = 25,
                                       .n_columns = 2100,
                                       .n_time = 70,
                                       .lambda = 0.3,
                                       .tol = 1e-10};
    g_autoptr(owned_lasso_window) one = solve(&input, 1);
    for (size_t i = 0; i < 2; i++) {
        g_autoptr(owned_lasso_window) other = solve(&input, threads[i]);
        assert_memory_equal(other->first, one->first, 71 * sizeof(size_t));
        assert_memory_equal(other->index, one->index, one->first[70] * sizeof(size_t));
        assert_memory_equal(other->value, one->value, one->first[70] * sizeof(double));
    }
    for (size_t t = 0; t < 70; t++)
        assert_true(one->results[t].status == SERIES_SOLVED &&
                    one->first[t + 1] - one->first[t] == one->results[t].n_jumps);
    drop(&made);
}

static void a_sample_of_zeros_or_nan_has_no_sources(void **state)
{
    (void) state;
    struct made made = make(2, 10, 30, 1, 20);
    for (size_t i = 0; i < 10; i++)
        made.data[i * 20 + 3] = 0.0;
    made.data[17] = NAN;
    struct lasso_window_input input = {.gain = made.gain,
                                       .data = made.data,
                                       .n_sensors = 10,
                                       .n_columns = 30,
                                       .n_time = 20,
                                       .lambda = 0.5,
                                       .tol = 1e-10};
    g_autoptr(owned_lasso_window) window = solve(&input, 2);
    assert_int_equal(window->first[4], window->first[3]);
    assert_int_equal(window->first[18], window->first[17]);
    assert_int_equal(window->results[17].status, SERIES_NONFINITE);
    assert_int_equal(window->results[16].status, SERIES_SOLVED);
    assert_true(window->first[17] > window->first[16]);
    drop(&made);
}

static void a_stopped_team_gives_nothing(void **state)
{
    (void) state;
    struct made made = make(3, 10, 30, 1, 20);
    struct lasso_window_input input = {.gain = made.gain,
                                       .data = made.data,
                                       .n_sensors = 10,
                                       .n_columns = 30,
                                       .n_time = 20,
                                       .lambda = 0.5,
                                       .tol = 1e-10};
    atomic_bool stop = true;
    g_autoptr(owned_parallel) team = parallel_new(2, &stop);
    assert_null(lasso_window_solve(&input, team));
    drop(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_of_zeros_or_nan_has_no_sources),
        cmocka_unit_test(a_stopped_team_gives_nothing),
        cmocka_unit_test(the_bytes_do_not_depend_on_the_threads),
        cmocka_unit_test(the_golden_sources_are_found_at_each_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
