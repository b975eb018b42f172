// SPDX-License-Identifier: BSD-3-Clause
#include "tests/golden_chain.h"
#include "tests/made_gain.h"

#include "sources/minimum_norm.h"

#include <cblas.h>
#include <string.h>

static struct minimum_norm_input input_of(const struct made *made, const double *weight)
{
    return (struct minimum_norm_input){.gain = made->gain,
                                       .weight = weight,
                                       .data = made->data,
                                       .n_sensors = made->input.n_sensors,
                                       .n_positions = made->input.n_positions,
                                       .n_orient = made->input.n_orient,
                                       .n_time = made->input.n_time,
                                       .snr = 2.0};
}

// X = G' Z minimises ||M - G X||^2 + lambda^2 ||X||^2: G' (M - G X) = lambda^2 X.
static void the_map_minimises_its_objective(void **state)
{
    (void) state;
    struct made made = make(1, 15, 300, 1, 4);
    g_autofree double *weight = g_new(double, 300);
    for (size_t j = 0; j < 300; j++)
        weight[j] = 1.0 + 0.01 * (double) j;
    struct minimum_norm_input input = input_of(&made, weight);
    g_autofree double *map = g_new(double, 300 * 4);
    minimum_norm(&input, map);
    g_autofree double *residual = g_memdup2(made.data, 60 * sizeof(double));
    for (size_t j = 0; j < 300; j++)
        for (size_t i = 0; i < 15; i++)
            cblas_daxpy(4, -made.gain[j * 15 + i] / weight[j], map + 4 * j, 1, residual + 4 * i, 1);
    for (size_t j = 0; j < 300; j++)
        for (size_t t = 0; t < 4; t++) {
            double c = cblas_ddot(15, made.gain + j * 15, 1, residual + t, 4);
            assert_close(c, 0.25 * map[4 * j + t] / weight[j], 1e-10);
        }
    drop(&made);
}

// What white noise gives has a standard deviation of 1, whatever the weights.
static void a_normalised_map_of_noise_has_unit_variance(void **state)
{
    (void) state;
    enum { T = 4000 };
    for (size_t n_orient = 1; n_orient <= 3; n_orient += 2) {
        struct made made = make(2, 15, 30, n_orient, T);
        g_autofree double *weight = g_new(double, 30 * n_orient);
        for (size_t j = 0; j < 30 * n_orient; j++)
            weight[j] = 1e-9 * (1.0 + (double) (j % 7));
        struct minimum_norm_input input = input_of(&made, weight);
        input.is_normalised = true;
        g_autofree double *map = g_new(double, 30 * T);
        minimum_norm(&input, map);
        for (size_t k = 0; k < 30; k++) {
            double power = cblas_ddot(T, map + k * T, 1, map + k * T, 1) / T;
            assert_close(power, 1.0, 0.15);
        }
        drop(&made);
    }
}

static void moments_of_three_orientations_become_their_norm(void **state)
{
    (void) state;
    struct made made = make(3, 10, 5, 3, 2);
    g_autofree double *weight = g_new(double, 15);
    for (size_t j = 0; j < 15; j++)
        weight[j] = 0.5;
    struct minimum_norm_input input = input_of(&made, weight);
    double free_map[10], fixed_map[30];
    minimum_norm(&input, free_map);
    input.n_positions = 15;
    input.n_orient = 1;
    minimum_norm(&input, fixed_map);
    for (size_t k = 0; k < 5; k++)
        for (size_t t = 0; t < 2; t++) {
            double sum = 0.0;
            for (size_t o = 0; o < 3; o++)
                sum += pow(fixed_map[(3 * k + o) * 2 + t], 2.0);
            assert_close(free_map[2 * k + t], sqrt(sum), 1e-12);
        }
    drop(&made);
}

// MNE-Python 1.3.0: make_inverse_operator with loose=1 and depth=None, lambda2 = 1/9.
static void maps_are_those_of_mne(void **state)
{
    (void) state;
    static const struct {
        size_t k, t;
        double amplitude, dspm;
    } golden[] = {{10, 5, 2.9882593463757805e-09, 1.2767019625121983},
                  {300, 40, 6.270810730669087e-10, 0.6947887207527182}};
    g_autoptr(owned_golden_chain) chain = golden_chain_read();
    if (chain == NULL)
        skip();
    g_autoptr(owned_leadfield) g = golden_chain_leadfield(chain, ORIENTATION_FREE, 1.0, 0.0);
    g_autoptr(owned_array) data = golden_array("data_physical.npy");
    g_autofree double *m = whitener_apply(chain->whitener, data->values, 85);
    g_autofree double *map = g_new(double, 498 * 85);
    struct minimum_norm_input input = {.gain = g->gain,
                                       .weight = g->weight,
                                       .data = m,
                                       .n_sensors = g->n_sensors,
                                       .n_positions = 498,
                                       .n_orient = 3,
                                       .n_time = 85,
                                       .snr = 3.0};
    minimum_norm(&input, map);
    for (size_t i = 0; i < 2; i++)
        assert_close(map[golden[i].k * 85 + golden[i].t], golden[i].amplitude,
                     1e-8 * golden[i].amplitude);
    input.is_normalised = true;
    minimum_norm(&input, map);
    for (size_t i = 0; i < 2; i++) // of an average of 3 trials
        assert_close(sqrt(3.0) * map[golden[i].k * 85 + golden[i].t], golden[i].dspm,
                     1e-8 * golden[i].dspm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_normalised_map_of_noise_has_unit_variance),
        cmocka_unit_test(maps_are_those_of_mne),
        cmocka_unit_test(moments_of_three_orientations_become_their_norm),
        cmocka_unit_test(the_map_minimises_its_objective),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
