// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "solvers/kernels.h"

#include <string.h>

// Every set that this processor runs.
static size_t available(const struct kernels *sets[])
{
    static const char *const names[] = {"plain", "avx2", "avx512"};
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (kernels_named(names[i]) != NULL)
            sets[n++] = kernels_named(names[i]);
    return n;
}

// An array of exactly n samples, so that a sanitizer sees every read or write beyond them.
static double *normal_array(GRand *rand, size_t n)
{
    double *array = g_new(double, n);
    fill_normal(rand, array, n);
    return array;
}

static void check_fir(const struct kernels *kernels, GRand *rand, size_t n_h, size_t n)
{
    g_autofree double *h = normal_array(rand, n_h);
    g_autofree double *x = normal_array(rand, n + n_h - 1);
    g_autofree double *y = normal_array(rand, n);
    kernels->fir(h, n_h, x, y, n);
    for (size_t t = 0; t < n; t++) {
        double expected = 0.0;
        for (size_t k = 0; k < n_h; k++)
            expected += h[k] * x[t + k];
        assert_close(y[t], expected, 1e-13 * (double) n_h);
    }
}

static void fir_is_the_sum_of_its_definition_for_any_sizes(void **state)
{
    (void) state;
    const struct kernels *sets[3];
    size_t n_sets = available(sets);
    GRand *rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < n_sets; i++) {
        for (size_t n = 1; n < 140; n++)
            check_fir(sets[i], rand, 1 + n % 7, n);
        check_fir(sets[i], rand, 28, 250);
        check_fir(sets[i], rand, 44, 1200);
        check_fir(sets[i], rand, 300, 17);
    }
    g_rand_free(rand);
}

static void fir_of_an_empty_filter_is_zero(void **state)
{
    (void) state;
    const struct kernels *sets[3];
    size_t n_sets = available(sets);
    for (size_t i = 0; i < n_sets; i++) {
        double x[99] = {0.0};
        double y[100] = {[0] = 3.0, [99] = 4.0};
        sets[i]->fir(NULL, 0, x, y, 100);
        assert_true(y[0] == 0.0 && y[99] == 0.0);
    }
}

static void reductions_are_those_of_their_definition_for_any_size(void **state)
{
    (void) state;
    const struct kernels *sets[3];
    size_t n_sets = available(sets);
    GRand *rand = g_rand_new_with_seed(2);
    for (size_t n = 0; n < 200; n++) {
        g_autofree double *a = normal_array(rand, n);
        g_autofree double *b = normal_array(rand, n);
        double product = 0.0, distance = 0.0, largest = 0.0;
        for (size_t i = 0; i < n; i++) {
            product += a[i] * b[i];
            distance += fabs(a[i] - b[i]);
            largest = fmax(largest, fabs(a[i]));
        }
        for (size_t i = 0; i < n_sets; i++) {
            assert_close(sets[i]->dot(a, b, n), product, 1e-12);
            assert_close(sets[i]->distance(a, b, n), distance, 1e-12);
            assert_true(sets[i]->largest(a, n) == largest);
        }
    }
    g_rand_free(rand);
}

static void subtract_takes_a_multiple_in_place_or_not(void **state)
{
    (void) state;
    const struct kernels *sets[3];
    size_t n_sets = available(sets);
    GRand *rand = g_rand_new_with_seed(5);
    for (size_t n = 1; n < 100; n++) {
        g_autofree double *x = normal_array(rand, n);
        g_autofree double *s = normal_array(rand, n);
        g_autofree double *y = g_new(double, n);
        for (size_t i = 0; i < n_sets; i++) {
            sets[i]->subtract(x, 0.7, s, y, n);
            for (size_t t = 0; t < n; t++)
                assert_close(y[t], x[t] - 0.7 * s[t], 1e-15);
            memcpy(y, s, n * sizeof *y);
            sets[i]->subtract(x, 0.7, y, y, n);
            for (size_t t = 0; t < n; t++)
                assert_close(y[t], x[t] - 0.7 * s[t], 1e-15);
        }
    }
    g_rand_free(rand);
}

static void check_panel(const struct panel_kernels *panel, GRand *rand, size_t n_orient,
                        size_t n_time)
{
    enum { N_ROWS = 13, LD = 15 };
    g_autofree double *columns = normal_array(rand, n_orient * LD);
    g_autofree double *rows = normal_array(rand, N_ROWS * n_time);
    g_autofree double *delta = normal_array(rand, n_orient * n_time);
    g_autofree double *out = g_new(double, n_orient *n_time);
    panel->correlate(columns, LD, N_ROWS, n_orient, rows, n_time, out);
    for (size_t o = 0; o < n_orient; o++)
        for (size_t t = 0; t < n_time; t++) {
            double sum = 0.0;
            for (size_t i = 0; i < N_ROWS; i++)
                sum += columns[o * LD + i] * rows[i * n_time + t];
            assert_close(out[o * n_time + t], sum, 1e-13);
        }
    g_autofree double *before = g_memdup2(rows, N_ROWS * n_time * sizeof *rows);
    panel->subtract_product(columns, LD, N_ROWS, n_orient, delta, n_time, rows);
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t t = 0; t < n_time; t++) {
            double expected = before[i * n_time + t];
            for (size_t o = 0; o < n_orient; o++)
                expected -= columns[o * LD + i] * delta[o * n_time + t];
            assert_close(rows[i * n_time + t], expected, 1e-13);
        }
}

static void panels_are_multiplied_as_by_their_definition(void **state)
{
    (void) state;
    const struct kernels *sets[3];
    size_t n_sets = available(sets);
    GRand *rand = g_rand_new_with_seed(6);
    for (size_t i = 0; i < n_sets; i++)
        for (size_t n_time = PANEL_PAD; n_time <= 22 * PANEL_PAD; n_time += PANEL_PAD) {
            check_panel(sets[i]->panel, rand, 1, n_time);
            check_panel(sets[i]->panel, rand, 3, n_time);
        }
    g_rand_free(rand);
}

static void suffix_sums_are_the_sums_from_the_end_and_tell_the_largest(void **state)
{
    (void) state;
    const struct kernels *sets[3];
    size_t n_sets = available(sets);
    GRand *rand = g_rand_new_with_seed(4);
    for (size_t n = 1; n < 200; n++) {
        g_autofree double *x = normal_array(rand, n);
        g_autofree double *y = g_new(double, n);
        for (size_t i = 0; i < n_sets; i++) {
            double largest = sets[i]->suffix_sums(x, y, n);
            double sum = 0.0, expected = 0.0;
            for (size_t t = n; t-- > 0;) {
                sum += x[t];
                assert_close(y[t], sum, 1e-12);
                expected = t > 0 ? fmax(expected, fabs(y[t])) : expected;
            }
            assert_true(largest == expected);
            memcpy(y, x, n * sizeof *y);
            assert_true(sets[i]->suffix_sums(y, y, n) == largest);
            assert_close(y[0], sum, 1e-12);
        }
    }
    g_rand_free(rand);
}

static void the_same_set_gives_the_same_bits_at_any_alignment(void **state)
{
    (void) state;
    enum { N = 250, N_H = 28, SIZE = N + N_H + 8 };
    const struct kernels *kernels = kernels_best();
    GRand *rand = g_rand_new_with_seed(3);
    g_autofree double *h = normal_array(rand, N_H);
    g_autofree double *x = normal_array(rand, SIZE);
    double reference[N], shifted[N + 8];
    kernels->fir(h, N_H, x, reference, N);
    double product = kernels->dot(x, x, N);
    for (size_t shift = 1; shift < 8; shift++) {
        g_autofree double *moved = g_new(double, SIZE + shift);
        for (size_t i = 0; i < SIZE; i++)
            moved[shift + i] = x[i];
        kernels->fir(h, N_H, moved + shift, shifted + shift, N);
        assert_memory_equal(shifted + shift, reference, sizeof reference);
        assert_true(kernels->dot(moved + shift, moved + shift, N) == product);
    }
    g_rand_free(rand);
}

static void plain_exists_everywhere_and_unknown_names_nowhere(void **state)
{
    (void) state;
    assert_string_equal(kernels_named("plain")->name, "plain");
    assert_ptr_equal(kernels_named(kernels_best()->name), kernels_best());
    assert_null(kernels_named("abacus"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fir_is_the_sum_of_its_definition_for_any_sizes),
        cmocka_unit_test(fir_of_an_empty_filter_is_zero),
        cmocka_unit_test(reductions_are_those_of_their_definition_for_any_size),
        cmocka_unit_test(subtract_takes_a_multiple_in_place_or_not),
        cmocka_unit_test(suffix_sums_are_the_sums_from_the_end_and_tell_the_largest),
        cmocka_unit_test(the_same_set_gives_the_same_bits_at_any_alignment),
        cmocka_unit_test(panels_are_multiplied_as_by_their_definition),
        cmocka_unit_test(plain_exists_everywhere_and_unknown_names_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
