// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/clusters.h"
#include "tests/check.h"

enum { N_X = 5, N_Y = 4, N_Z = 3, N = N_X * N_Y * N_Z };

static size_t at(size_t x, size_t y, size_t z)
{
    return x + N_X * (y + N_Y * z);
}

static const struct image_grid grid = {.dim = {N_X, N_Y, N_Z}};

static void corners_join_and_gaps_part(void **state)
{
    (void) state;
    uint8_t inside[N] = {0};
    float values[N] = {0.0F};
    // three voxels that touch by corners, and one two steps away
    inside[at(0, 0, 0)] = inside[at(1, 1, 1)] = inside[at(2, 2, 2)] = 1;
    inside[at(4, 0, 0)] = 7;
    values[at(1, 1, 1)] = 3.0F;
    values[at(2, 2, 2)] = 2.0F;
    values[at(3, 2, 2)] = 9.0F; // outside
    struct cluster clusters[4];
    assert_int_equal(clusters_find(&grid, inside, values, clusters, 4), 2);
    assert_int_equal(clusters[0].n_voxels, 3);
    assert_int_equal(clusters[0].peak, at(1, 1, 1));
    assert_int_equal(clusters[1].n_voxels, 1);
    assert_int_equal(clusters[1].peak, at(4, 0, 0));
}

// The last of a row and the first of the next one are no neighbours.
static void rows_do_not_wrap(void **state)
{
    (void) state;
    uint8_t inside[N] = {0};
    const float values[N] = {0.0F};
    inside[at(N_X - 1, 0, 0)] = inside[at(0, 1, 0)] = 1;
    inside[at(2, N_Y - 1, 0)] = inside[at(2, 0, 1)] = 1;
    struct cluster clusters[1];
    assert_int_equal(clusters_find(&grid, inside, values, clusters, 1), 4);
    assert_int_equal(clusters[0].peak, at(N_X - 1, 0, 0));
}

static void nothing_inside_is_no_cluster(void **state)
{
    (void) state;
    const uint8_t inside[N] = {0};
    const float values[N] = {0.0F};
    assert_int_equal(clusters_find(&grid, inside, values, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corners_join_and_gaps_part),
        cmocka_unit_test(nothing_inside_is_no_cluster),
        cmocka_unit_test(rows_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
