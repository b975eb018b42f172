// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/automask.h"

#include <stdbool.h>

enum { NX = 20, NY = 22, NZ = 18, N = NX * NY * NZ };
static const size_t dim[3] = {NX, NY, NZ};

// A bright ellipsoid, cut by the grid, with a hole in it, a bright corner apart from it, and
// uniform noise.
static double *head(void)
{
    double *mean = g_new(double, N);
    guint64 state = 12345;
    for (size_t i = 0; i < N; i++) {
        size_t plane = i / (NX * NY);
        double x = (double) (i % NX), y = (double) (i / NX % NY), z = (double) plane;
        double a = (x - 9.5) / 7.5, b = (y - 10.5) / 8.5, c = (z - 3.5) / 6.5;
        bool corner = fabs(x - 1.0) <= 1.0 && fabs(y - 2.0) <= 2.0 && z < 4.0;
        bool hole = fabs(x - 10.0) <= 1.0 && fabs(y - 10.0) <= 1.0 && fabs(z - 4.0) <= 1.0;
        state = (1103515245 * state + 12345) % 2147483648;
        double noise = 100.0 * (double) state / 2147483648.0;
        double bright = sqrt(a * a + b * b + c * c) < 1.0 ? 1000.0 : 0.0;
        mean[i] = hole ? 20.0 : noise + bright + (corner ? 900.0 : 0.0);
    }
    return mean;
}

// Of voxels that vary little beside their mean; what the mask is made from must be that mean.
static size_t mask_by_mean(const double *mean, const uint8_t *varies, const size_t *grid,
                           uint8_t *mask)
{
    g_autofree double *sd = g_new0(double, grid[0] * grid[1] * grid[2]);
    const struct automask_input input = {grid, mean, sd, varies};
    enum automask_basis basis;
    size_t count = automask(&input, mask, &basis);
    assert_int_equal(basis, AUTOMASK_MEAN);
    return count;
}

static void fill_ones(uint8_t *varies, size_t n)
{
    for (size_t i = 0; i < n; i++)
        varies[i] = 1;
}

// Count and sums of indices from scipy.ndimage 1.10.1: binary_erosion twice, the largest part of
// label, binary_dilation four times, binary_erosion twice, with border_value 1.
static void a_head_is_found_as_scipy_finds_it(G_GNUC_UNUSED void **state)
{
    g_autofree double *mean = head();
    uint8_t varies[N], mask[N];
    fill_ones(varies, N);
    assert_int_equal(mask_by_mean(mean, varies, dim, mask), 1514);
    size_t sum = 0, folded = 0;
    for (size_t i = 0; i < N; i++) {
        sum += mask[i] * i;
        folded += mask[i] * (i % 97);
    }
    assert_int_equal(sum, 2961418);
    assert_int_equal(folded, 73243);
}

static void a_series_that_does_not_vary_is_outside(G_GNUC_UNUSED void **state)
{
    g_autofree double *mean = head();
    uint8_t varies[N], mask[N];
    fill_ones(varies, N);
    size_t centre = 9 + NX * (5 + NY * 4);
    varies[centre] = 0;
    assert_int_equal(mask_by_mean(mean, varies, dim, mask), 1513);
    assert_int_equal(mask[centre], 0);
}

static void a_mean_that_is_no_number_is_taken_from_its_neighbours(G_GNUC_UNUSED void **state)
{
    g_autofree double *mean = head();
    uint8_t varies[N], expected[N], mask[N];
    fill_ones(varies, N);
    mask_by_mean(mean, varies, dim, expected);
    size_t inside = 9 + NX * (5 + NY * 4), outside = 1 + NX * (20 + NY * 16);
    mean[inside] = NAN;
    mean[outside] = INFINITY;
    mask_by_mean(mean, varies, dim, mask);
    assert_memory_equal(mask, expected, N);
    assert_int_equal(mask[inside], 1);
    assert_int_equal(mask[outside], 0);
}

// Planes of 50 voxels whose means rise along x, with the largest step beside place `edge` of the
// 1000 sorted means and half of it between planes 10 and 11.
static size_t n_inside_with_a_step_at(size_t edge)
{
    enum { PLANE = 50, N_MEANS = 1000 };
    static const size_t box[3] = {20, 10, 5};
    double mean[N_MEANS];
    uint8_t varies[N_MEANS], mask[N_MEANS];
    fill_ones(varies, N_MEANS);
    for (size_t i = 0; i < N_MEANS; i++) {
        size_t rank = i % 20 * PLANE + i / 20;
        mean[i] = (double) rank + (rank > edge ? 1000.0 : 0.0) + (rank >= 11 * PLANE ? 500.0 : 0.0);
    }
    return mask_by_mean(mean, varies, box, mask);
}

static void the_step_is_sought_between_two_quantiles(G_GNUC_UNUSED void **state)
{
    assert_int_equal(n_inside_with_a_step_at(199), 450);
    assert_in_range(n_inside_with_a_step_at(200), 750, 800);
    assert_in_range(n_inside_with_a_step_at(849), 100, 150);
    assert_int_equal(n_inside_with_a_step_at(850), 450);
}

static void a_thin_slab_and_a_single_voxel_have_a_mask(G_GNUC_UNUSED void **state)
{
    g_autofree double *mean = head();
    uint8_t varies[N], mask[N];
    fill_ones(varies, N);
    const size_t slab[3] = {NX, NY, 1};
    size_t count = mask_by_mean(mean + 4 * NX * NY, varies, slab, mask);
    assert_true(count > 100 && count < 300);
    const size_t single[3] = {1, 1, 1};
    assert_int_equal(mask_by_mean(mean, varies, single, mask), 1);
}

static void equal_means_are_all_inside(G_GNUC_UNUSED void **state)
{
    uint8_t varies[N], mask[N];
    g_autofree double *mean = g_new0(double, N);
    fill_ones(varies, N);
    assert_int_equal(mask_by_mean(mean, varies, dim, mask), N);
}

// A box of series with mean 0 up to rounding in a grid of zeros: z-scores, residuals.
static void where_the_mean_says_nothing_all_that_varies_is_inside(G_GNUC_UNUSED void **state)
{
    g_autofree double *mean = g_new0(double, N);
    g_autofree double *sd = g_new0(double, N);
    uint8_t varies[N], mask[N];
    size_t n_inside = 0;
    for (size_t i = 0; i < N; i++) {
        size_t x = i % NX, y = i / NX % NY;
        varies[i] = x >= 4 && x < 16 && y >= 5 && y < 17;
        n_inside += varies[i];
        mean[i] = varies[i] == 0 ? 0.0 : 1e-8 * (double) (i % 7) - 3e-8;
        sd[i] = varies[i] == 0 ? 0.0 : 1.0;
    }
    mean[0] = NAN;
    const struct automask_input input = {dim, mean, sd, varies};
    enum automask_basis basis;
    assert_int_equal(automask(&input, mask, &basis), n_inside);
    assert_int_equal(basis, AUTOMASK_NO_MEAN);
    assert_memory_equal(mask, varies, N);
    // the same with a mean of twice the variation is a head like any other
    for (size_t i = 0; i < N; i++)
        mean[i] = varies[i] == 0 ? 0.0 : 2.0;
    assert_true(automask(&input, mask, &basis) > n_inside / 2);
    assert_int_equal(basis, AUTOMASK_MEAN);
}

static void a_grid_full_of_brain_is_inside(G_GNUC_UNUSED void **state)
{
    g_autofree double *mean = g_new(double, N);
    g_autofree double *sd = g_new(double, N);
    uint8_t varies[N], mask[N];
    fill_ones(varies, N);
    for (size_t i = 0; i < N; i++) {
        mean[i] = 700.0 + (double) (i * 7919 % 601); // 700 to 1300
        sd[i] = 10.0;
    }
    const struct automask_input input = {dim, mean, sd, varies};
    enum automask_basis basis;
    assert_int_equal(automask(&input, mask, &basis), N);
    assert_int_equal(basis, AUTOMASK_NO_BACKGROUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_found_as_scipy_finds_it),
        cmocka_unit_test(a_series_that_does_not_vary_is_outside),
        cmocka_unit_test(a_mean_that_is_no_number_is_taken_from_its_neighbours),
        cmocka_unit_test(the_step_is_sought_between_two_quantiles),
        cmocka_unit_test(a_thin_slab_and_a_single_voxel_have_a_mask),
        cmocka_unit_test(equal_means_are_all_inside),
        cmocka_unit_test(where_the_mean_says_nothing_all_that_varies_is_inside),
        cmocka_unit_test(a_grid_full_of_brain_is_inside),
    };
    return cmocka_run_group_tests_name("automask", tests, NULL, NULL);
}
