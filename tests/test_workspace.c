// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "solvers/workspace.h"

#include <string.h>

static void arrays_are_aligned_and_do_not_overlap(void **state)
{
    (void) state;
    struct workspace *ws = workspace_new();
    char *arrays[20];
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        size_t n = 7 + i * 5000;
        arrays[i] = WORKSPACE_ALLOC(ws, char, n);
        assert_int_equal((uintptr_t) arrays[i] % 64, 0);
        memset(arrays[i], (int) i, n);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        assert_int_equal(arrays[i][0], i);
        assert_int_equal(arrays[i][6 + i * 5000], i);
    }
    workspace_free(ws);
}

static void it_grows_in_the_first_round_and_then_never(void **state)
{
    (void) state;
    struct workspace *ws = workspace_new();
    size_t capacity = 0;
    for (int round = 0; round < 5; round++) {
        size_t outer = workspace_mark(ws);
        WORKSPACE_ALLOC(ws, double, 100000);
        size_t inner = workspace_mark(ws);
        WORKSPACE_ALLOC(ws, double, 300000);
        workspace_release(ws, inner);
        WORKSPACE_ALLOC(ws, double, 200000);
        workspace_release(ws, outer);
        if (round == 0)
            capacity = workspace_capacity(ws);
        assert_int_equal(workspace_capacity(ws), capacity);
    }
    workspace_free(ws);
}

static void release_gives_the_same_memory_again(void **state)
{
    (void) state;
    struct workspace *ws = workspace_new();
    WORKSPACE_ALLOC(ws, double, 3);
    size_t mark = workspace_mark(ws);
    double *first = WORKSPACE_ALLOC(ws, double, 10);
    workspace_release(ws, mark);
    double *second = WORKSPACE_ALLOC(ws, double, 20);
    assert_ptr_equal(first, second);
    workspace_free(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_aligned_and_do_not_overlap),
        cmocka_unit_test(it_grows_in_the_first_round_and_then_never),
        cmocka_unit_test(release_gives_the_same_memory_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
