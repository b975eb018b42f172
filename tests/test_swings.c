// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/swings.h"
#include "tests/check.h"

#include <math.h>
#include <string.h>

enum { N = 100, EDGE = 6 };

static enum swings_kind kind_of(const double *u, const double *x)
{
    struct swings swings = swings_measure(u, N, EDGE, x, N);
    return swings_kind_of(&swings, N, EDGE);
}

static void shares_are_those_of_the_definition(void **state)
{
    (void) state;
    // mean 0; squares 4, 4, 1, 1, 9, 1: 20 in all
    const double u[] = {2.0, -2.0, 1.0, 1.0, -3.0, 1.0};
    const double x[] = {0.0, 0.0, 3.0, 0.0, 0.0, 0.0}; // mean .5, deviation 2.5, variance 1.25
    struct swings swings = swings_measure(u, 6, 1, x, 6);
    assert_close(swings.ends, 5.0 / 20.0, 1e-15);
    assert_close(swings.single, 9.0 / 20.0, 1e-15);
    assert_close(swings.spike, 2.5 / sqrt(1.25), 1e-14);
}

static void blocks_are_activity(void **state)
{
    (void) state;
    double u[N];
    for (size_t t = 0; t < N; t++)
        u[t] = t % 20 >= 8 && t % 20 < 14 ? 1.0 : 0.0;
    assert_int_equal(kind_of(u, u), SWINGS_NONE);
}

static void what_stands_at_an_end_is_a_transient(void **state)
{
    (void) state;
    double u[N] = {0.0}, x[N];
    for (size_t t = 0; t < N; t++)
        x[t] = t % 2 == 0 ? 1.0 : -1.0;
    for (size_t t = 40; t < 46; t++)
        u[t] = 1.0;
    for (size_t t = 0; t < 3; t++)
        u[t] = 2.0;
    assert_int_equal(kind_of(u, x), SWINGS_ENDS);
    for (size_t t = 0; t < N / 2; t++) { // and the same at the other end
        double first = u[t];
        u[t] = u[N - 1 - t];
        u[N - 1 - t] = first;
    }
    assert_int_equal(kind_of(u, x), SWINGS_ENDS);
}

static void one_step_is_a_single_swing(void **state)
{
    (void) state;
    double u[N] = {0.0};
    for (size_t t = 30; t < 55; t++)
        u[t] = 1.0;
    assert_int_equal(kind_of(u, u), SWINGS_SINGLE);
}

// As of a movement: up and down within a tenth of the run.
static void a_burst_is_a_single_swing(void **state)
{
    (void) state;
    double u[N], x[N];
    for (size_t t = 0; t < N; t++)
        x[t] = u[t] = t % 10 < 5 ? 0.3 : -0.3;
    for (size_t t = 40; t < 50; t++)
        u[t] = t < 45 ? 1.5 : -1.5;
    struct swings swings = swings_measure(u, N, EDGE, x, N);
    assert_close(swings.single, 22.5 / (22.5 + 90.0 * 0.09), 1e-12);
    assert_int_equal(kind_of(u, x), SWINGS_SINGLE);
}

static void a_frame_far_from_the_others_is_a_spike(void **state)
{
    (void) state;
    double u[N], x[N];
    for (size_t t = 0; t < N; t++)
        x[t] = u[t] = t % 10 < 5 ? 1.0 : -1.0;
    x[50] = 30.0;
    assert_int_equal(kind_of(u, x), SWINGS_SPIKE);
}

static void a_constant_has_no_swings(void **state)
{
    (void) state;
    double u[N];
    for (size_t t = 0; t < N; t++)
        u[t] = 0.1;
    struct swings swings = swings_measure(u, N, EDGE, u, N);
    assert_close(swings.ends, 0.0, 0.0);
    assert_close(swings.single, 0.0, 0.0);
}

static void the_edge_is_twelve_seconds_or_a_tenth(void **state)
{
    (void) state;
    assert_int_equal(swings_edge(156, 2.0), 6);
    assert_int_equal(swings_edge(490, 0.735), 17);
    assert_int_equal(swings_edge(40, 1.0), 4);
    assert_int_equal(swings_edge(3, 2.0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_a_single_swing),
        cmocka_unit_test(a_constant_has_no_swings),
        cmocka_unit_test(a_frame_far_from_the_others_is_a_spike),
        cmocka_unit_test(blocks_are_activity),
        cmocka_unit_test(one_step_is_a_single_swing),
        cmocka_unit_test(shares_are_those_of_the_definition),
        cmocka_unit_test(the_edge_is_twelve_seconds_or_a_tenth),
        cmocka_unit_test(what_stands_at_an_end_is_a_transient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
