// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "deconv/nearest.h"

static const char *const names[] = {"cosine", "constant", "linear", "none", "trans_x", "trans_y"};
enum { N_NAMES = G_N_ELEMENTS(names) };

static void mistyped_names_are_recognised(void **state)
{
    (void) state;
    static const struct {
        const char *given;
        size_t index;
    } expected[] = {{"cosin", 0},  {"ocsine", 0},
                    {"COSINE", 0}, {"lineer", 2},
                    {"nnoe", 3},   {"trans", 4},
                    {"transy", 5}, {"xx", N_NAMES},
                    {"", N_NAMES}, {"completely different", N_NAMES}};
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_int_equal(nearest_name(expected[i].given, names, N_NAMES), expected[i].index);
    assert_int_equal(nearest_name("none", names, 0), 0);
}

// An exchange of neighbours is one edit: as near as a letter left out.
static void exchanged_letters_are_one_mistake(void **state)
{
    (void) state;
    static const char *const pair[] = {"baXX", "ab"};
    assert_int_equal(nearest_name("ba", pair, 2), 1);
}

static void the_nearest_come_first(void **state)
{
    (void) state;
    size_t best[3];
    assert_int_equal(nearest_names("trans_z", names, N_NAMES, best, 3), 3);
    assert_int_equal(best[0], 4);
    assert_int_equal(best[1], 5);
    assert_int_equal(nearest_names("trans_z", names, 1, best, 3), 1);
}

static void long_names_are_compared_by_their_beginning(void **state)
{
    (void) state;
    g_autofree char *longer = g_strnfill(500, 'a');
    const char *const candidates[] = {"b", longer};
    assert_int_equal(nearest_name(longer, candidates, 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistyped_names_are_recognised),
        cmocka_unit_test(exchanged_letters_are_one_mistake),
        cmocka_unit_test(the_nearest_come_first),
        cmocka_unit_test(long_names_are_compared_by_their_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
