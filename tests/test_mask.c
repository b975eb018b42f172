// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/mask.h"

#include <glib.h>

static void what_is_not_zero_is_inside_or_what_is_above_the_threshold(G_GNUC_UNUSED void **state)
{
    const double values[] = {0, 1, 0.5, -2, NAN, INFINITY, 0.25, -0.0};
    uint8_t mask[8];
    static const uint8_t any[] = {0, 1, 1, 1, 0, 0, 1, 0};
    static const uint8_t above[] = {0, 1, 1, 0, 0, 0, 0, 0};
    assert_int_equal(mask_of_values(values, 8, NAN, mask), 4);
    assert_memory_equal(mask, any, 8);
    assert_int_equal(mask_of_values(values, 8, 0.25, mask), 2);
    assert_memory_equal(mask, above, 8);
}

static void masks_and_labels_are_not_doubted(G_GNUC_UNUSED void **state)
{
    static const double good[][6] = {{0, 1, 1, 0, 1, 0},
                                     {0, 255, 0, 0, 0, 0},
                                     {0, 1, 2, 17, 1001, 2},
                                     {0, 0.5, 0.5, 0, 0, 0},
                                     {NAN, 1, 1, 0, NAN, 0},
                                     {-1, 0, 1, 0, 0, 0},
                                     {0.3, 0.3, 0.3, 0.3, 0.3, 0.3}};
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        assert_null(mask_doubt(good[i], 6));
}

static void other_numbers_are_told(G_GNUC_UNUSED void **state)
{
    const double probability[] = {0, 0.1, 0.9, 1, 0.1, NAN, 0.5, 0.25, 1};
    g_autofree char *many = mask_doubt(probability, 9);
    assert_string_equal(many, "6 distinct values from 0 to 1 (0, 0.1, 0.25, 0.5, 0.9, ...)");
    const double two[] = {0.25, 1, 1};
    g_autofree char *few = mask_doubt(two, 3);
    assert_string_equal(few, "2 distinct values from 0.25 to 1 (0.25, 1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_zero_is_inside_or_what_is_above_the_threshold),
        cmocka_unit_test(masks_and_labels_are_not_doubted),
        cmocka_unit_test(other_numbers_are_told),
    };
    return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
