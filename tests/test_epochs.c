// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "sources/epochs.h"

#include <string.h>

enum { N_DATA = 40 };

static const enum sensor_kind kinds[] = {SENSOR_EEG, SENSOR_GRAD};
static const size_t first[] = {0, 10, 20, 30};

// Channel 0 is t, channel 1 alternates by 1.
static struct epochs epochs_of(double *data)
{
    for (size_t t = 0; t < N_DATA; t++) {
        data[t] = (double) t;
        data[N_DATA + t] = t % 2 == 0 ? 1.0 : -1.0;
    }
    return (struct epochs){.data = data,
                           .n_channels = 2,
                           .n_data = N_DATA,
                           .kind = kinds,
                           .first = first,
                           .n_epochs = 4,
                           .n_time = 10,
                           .peak_to_peak = {INFINITY, INFINITY, INFINITY, INFINITY}};
}

static void the_average_is_the_mean_over_epochs(void **state)
{
    (void) state;
    double data[2 * N_DATA];
    struct epochs epochs = epochs_of(data);
    g_autoptr(owned_epochs_average) average = epochs_average_new(&epochs);
    assert_int_equal(average->n_used, 4);
    for (size_t t = 0; t < 10; t++) {
        assert_close(average->mean[t], 15.0 + (double) t, 1e-13);
        assert_close(average->mean[10 + t], t % 2 == 0 ? 1.0 : -1.0, 1e-13);
    }
}

static void the_mean_of_the_baseline_is_taken_out_of_each(void **state)
{
    (void) state;
    double data[2 * N_DATA];
    struct epochs epochs = epochs_of(data);
    epochs.baseline[0] = 2;
    epochs.baseline[1] = 5;
    g_autoptr(owned_epochs_average) average = epochs_average_new(&epochs);
    for (size_t t = 0; t < 10; t++)
        assert_close(average->mean[t], (double) t - 3.0, 1e-13);
    assert_close(average->mean[10], 1.0 - 1.0 / 3.0, 1e-13);
}

static void epochs_above_a_bound_or_not_finite_are_left_out(void **state)
{
    (void) state;
    double data[2 * N_DATA];
    struct epochs epochs = epochs_of(data);
    data[12] = 100.0;         // EEG of the second
    data[N_DATA + 25] = -3.5; // gradiometer of the third
    data[N_DATA + 39] = NAN;  // the last
    epochs.peak_to_peak[SENSOR_EEG] = 50.0;
    epochs.peak_to_peak[SENSOR_GRAD] = 3.0;
    g_autoptr(owned_epochs_average) average = epochs_average_new(&epochs);
    assert_int_equal(average->n_used, 1);
    assert_true(average->is_used[0] && !average->is_used[1] && !average->is_used[2]);
    assert_int_equal(average->n_rejected[SENSOR_EEG], 1);
    assert_int_equal(average->n_rejected[SENSOR_GRAD], 1);
    assert_int_equal(average->n_nonfinite, 1);
    for (size_t t = 0; t < 10; t++)
        assert_close(average->mean[t], (double) t, 1e-13);
    epochs.peak_to_peak[SENSOR_EEG] = 9.0; // exactly the height of a good one
    g_autoptr(owned_epochs_average) at_bound = epochs_average_new(&epochs);
    assert_int_equal(at_bound->n_used, 1);
    epochs.peak_to_peak[SENSOR_EEG] = 8.9;
    g_autoptr(owned_epochs_average) none = epochs_average_new(&epochs);
    assert_int_equal(none->n_used, 0);
    assert_true(none->mean[3] == 0.0);
}

static void the_covariance_is_that_of_centred_samples(void **state)
{
    (void) state;
    double data[2 * N_DATA];
    struct epochs epochs = epochs_of(data);
    static const bool is_used[] = {true, false, true, true};
    g_autoptr(owned_epochs_covariance) c = epochs_covariance_new(&epochs, is_used, 0, 4, 0.0);
    assert_int_equal(c->n_free, 9);
    // 0..3 less 1.5: sum of squares 5; with +-1: -1.5 + 0.5 + 0.5... = -2
    assert_close(c->matrix[0], 3.0 * 5.0 / 9.0, 1e-13);
    assert_close(c->matrix[1], 3.0 * -2.0 / 9.0, 1e-13);
    assert_close(c->matrix[2], c->matrix[1], 0.0);
    assert_close(c->matrix[3], 3.0 * 4.0 / 9.0, 1e-13);
    g_autoptr(owned_epochs_covariance) half = epochs_covariance_new(&epochs, is_used, 0, 4, 0.5);
    assert_close(half->matrix[0], c->matrix[0], 1e-13);
    assert_close(half->matrix[1], 0.5 * c->matrix[1], 1e-13);
    static const bool none[4] = {false};
    assert_null(epochs_covariance_new(&epochs, none, 0, 4, 0.0));
    assert_null(epochs_covariance_new(&epochs, is_used, 3, 4, 0.0));
}

// White noise of unequal units: the estimate shrinks nearly all the way with few samples, and by
// about channels / samples where variances differ.
static void shrinkage_is_estimated_from_the_samples(void **state)
{
    (void) state;
    enum { N = 20, T = 4000 };
    static const size_t begin = 0;
    GRand *rand = g_rand_new_with_seed(1);
    g_autofree double *data = g_new(double, N *T);
    g_autofree enum sensor_kind *kind = g_new(enum sensor_kind, N);
    fill_normal(rand, data, N * T);
    for (size_t i = 0; i < N; i++) {
        kind[i] = i % 2 == 0 ? SENSOR_EEG : SENSOR_MAG;
        double scale = i % 2 == 0 ? 1e-6 : 1e-13;
        for (size_t t = 0; t < T; t++)
            data[i * T + t] *= scale;
    }
    struct epochs epochs = {.data = data,
                            .n_channels = N,
                            .n_data = T,
                            .kind = kind,
                            .first = &begin,
                            .n_epochs = 1,
                            .n_time = T};
    bool is_used = true;
    g_autoptr(owned_epochs_covariance) white = epochs_covariance_new(&epochs, &is_used, 0, 40, NAN);
    assert_true(white->shrinkage > 0.7 && white->shrinkage <= 1.0);
    for (size_t i = 0; i < N / 2 * T; i++)
        data[i] *= 3.0;
    g_autoptr(owned_epochs_covariance) few = epochs_covariance_new(&epochs, &is_used, 0, 40, NAN);
    g_autoptr(owned_epochs_covariance) many = epochs_covariance_new(&epochs, &is_used, 0, T, NAN);
    assert_true(few->shrinkage > 5.0 * many->shrinkage);
    assert_true(many->shrinkage > 0.0 && many->shrinkage < 0.05);
    g_rand_free(rand);
}

// rho = sum_t ||x_t x_t' - C||^2 / n^2 / ||C - T||^2, term by term, for two channels of one kind.
static void shrinkage_is_that_of_its_definition(void **state)
{
    (void) state;
    enum { T = 200 };
    static const enum sensor_kind kind[] = {SENSOR_EEG, SENSOR_EEG};
    static const size_t begin = 0;
    static const bool is_used = true;
    GRand *rand = g_rand_new_with_seed(2);
    double data[2 * T], mean[2] = {0.0, 0.0};
    fill_normal(rand, data, 2 * T);
    for (size_t t = 0; t < T; t++) {
        data[T + t] = 0.2 * data[t] + 1.1 * data[T + t];
        mean[0] += data[t] / T;
        mean[1] += data[T + t] / T;
    }
    struct epochs epochs = {.data = data,
                            .n_channels = 2,
                            .n_data = T,
                            .kind = kind,
                            .first = &begin,
                            .n_epochs = 1,
                            .n_time = T};
    g_autoptr(owned_epochs_covariance) plain = epochs_covariance_new(&epochs, &is_used, 0, T, 0.0);
    g_autoptr(owned_epochs_covariance) found = epochs_covariance_new(&epochs, &is_used, 0, T, NAN);
    const double *c = plain->matrix;
    double variance = 0.5 * (c[0] + c[3]), error2 = 0.0, distance2 = 0.0;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++) {
            for (size_t t = 0; t < T; t++) {
                double product = (data[i * T + t] - mean[i]) * (data[j * T + t] - mean[j]);
                error2 += pow(product - c[2 * i + j], 2.0) / ((double) T * T);
            }
            distance2 += pow(c[2 * i + j] - (i == j ? variance : 0.0), 2.0);
        }
    assert_true(error2 / distance2 < 0.9);
    assert_close(found->shrinkage, error2 / distance2, 0.02 * found->shrinkage);
    g_rand_free(rand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_above_a_bound_or_not_finite_are_left_out),
        cmocka_unit_test(shrinkage_is_estimated_from_the_samples),
        cmocka_unit_test(shrinkage_is_that_of_its_definition),
        cmocka_unit_test(the_average_is_the_mean_over_epochs),
        cmocka_unit_test(the_covariance_is_that_of_centred_samples),
        cmocka_unit_test(the_mean_of_the_baseline_is_taken_out_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
