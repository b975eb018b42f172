// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/parcels.h"
#include "solvers/random.h"

#include <math.h>

static const double labels[] = {7.0, -1.0, 7.0, 3.0, -1.0, 7.0};
enum { N_MEMBERS = sizeof labels / sizeof *labels };

static void members_stand_by_rising_label(G_GNUC_UNUSED void **state)
{
    g_autoptr(owned_parcels) parcels = parcels_new(labels, N_MEMBERS);
    const double label[] = {-1.0, 3.0, 7.0};
    const size_t first[] = {0, 2, 3, 6}, member[] = {1, 4, 3, 0, 2, 5}, of[] = {2, 0, 2, 1, 0, 2};
    assert_int_equal(parcels->n, 3);
    for (size_t p = 0; p < 3; p++)
        assert_close(parcels->label[p], label[p], 0.0);
    for (size_t p = 0; p < 4; p++)
        assert_int_equal(parcels->first[p], first[p]);
    for (size_t v = 0; v < N_MEMBERS; v++) {
        assert_int_equal(parcels->member[v], member[v]);
        assert_int_equal(parcels->of[v], of[v]);
    }
}

static void means_leave_out_what_is_not_used(G_GNUC_UNUSED void **state)
{
    g_autoptr(owned_parcels) parcels = parcels_new(labels, N_MEMBERS);
    const bool used[] = {true, true, false, false, true, true};
    const double values[] = {1.0, 10.0, NAN, INFINITY, 20.0, 4.0};
    double weights[N_MEMBERS], sums[3];
    parcels_mean_weights(parcels, used, weights);
    parcels_sum(parcels, weights, values, sums);
    assert_close(sums[0], 15.0, 1e-15);
    assert_close(sums[1], 0.0, 0.0);
    assert_close(sums[2], 2.5, 1e-15);
}

// The largest ||X w|| over unit w is the largest singular value: of rank 1 plus a little, known.
static void check_component(size_t n_time, size_t n_series)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *data = g_new(double, n_time *n_series);
    g_autofree double *weights = g_new(double, n_series);
    struct block x = {n_time, n_series, n_time, data};
    struct random_stream stream = random_stream_of(3, 1, n_series);
    random_normal(&stream, data, n_time * n_series);
    assert_true(parcels_principal_weights(&x, weights, ws));
    // X'X w = s^2 w, and the norm is 1 / sqrt(n)
    g_autofree double *component = g_new0(double, n_time);
    double norm2 = 0.0, along_sum = 0.0;
    for (size_t v = 0; v < n_series; v++) {
        norm2 += weights[v] * weights[v];
        for (size_t t = 0; t < n_time; t++)
            component[t] += weights[v] * data[v * n_time + t];
    }
    assert_close(norm2 * (double) n_series, 1.0, 1e-12);
    double s2 = 0.0, trace = 0.0;
    for (size_t t = 0; t < n_time; t++)
        s2 += component[t] * component[t] / norm2;
    for (size_t v = 0; v < n_series; v++) {
        double product = 0.0;
        for (size_t t = 0; t < n_time; t++) {
            product += data[v * n_time + t] * component[t];
            along_sum += data[v * n_time + t] * component[t];
            trace += data[v * n_time + t] * data[v * n_time + t];
        }
        assert_close(product, s2 * weights[v], 1e-9 * s2);
    }
    assert_true(along_sum > 0.0);
    assert_true(s2 > trace / (double) MIN(n_time, n_series)); // above the mean of all
}

static void components_are_eigenvectors_of_narrow_and_wide(G_GNUC_UNUSED void **state)
{
    check_component(40, 7);
    check_component(7, 40);
    check_component(12, 12);
}

static void no_signal_has_no_weights(G_GNUC_UNUSED void **state)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    double data[12] = {0.0}, weights[3] = {1.0, 1.0, 1.0};
    struct block x = {4, 3, 4, data};
    assert_true(parcels_principal_weights(&x, weights, ws));
    for (size_t v = 0; v < 3; v++)
        assert_close(weights[v], 0.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_stand_by_rising_label),
        cmocka_unit_test(means_leave_out_what_is_not_used),
        cmocka_unit_test(components_are_eigenvectors_of_narrow_and_wide),
        cmocka_unit_test(no_signal_has_no_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
