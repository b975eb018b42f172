// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "solvers/parallel.h"

enum { N_ITEMS = 1000 };

struct visits {
    int counts[N_ITEMS];
    atomic_bool stop;
    size_t stop_at;
};

static void visit(void *data, size_t index, struct workspace *ws)
{
    struct visits *visits = data;
    double *scratch = WORKSPACE_ALLOC(ws, double, index + 1);
    scratch[index] = 1.0;
    visits->counts[index] += (int) scratch[index];
    if (index == visits->stop_at)
        atomic_store(&visits->stop, true);
    workspace_release(ws, 0);
}

static void every_item_is_done_once_whatever_the_threads(void **state)
{
    (void) state;
    static const size_t n_threads[] = {1, 2, 4, 7};
    for (size_t i = 0; i < G_N_ELEMENTS(n_threads); i++) {
        struct visits visits = {.stop_at = N_ITEMS};
        struct parallel *team = parallel_new(n_threads[i], NULL);
        assert_true(parallel_for(team, N_ITEMS, visit, &visits));
        for (size_t j = 0; j < N_ITEMS; j++)
            assert_int_equal(visits.counts[j], 1);
        parallel_free(team);
    }
}

static void a_stopped_loop_begins_nothing_more_and_says_so(void **state)
{
    (void) state;
    struct visits visits = {.stop_at = 10};
    struct parallel *team = parallel_new(1, &visits.stop);
    assert_false(parallel_for(team, N_ITEMS, visit, &visits));
    assert_int_equal(visits.counts[10], 1);
    assert_int_equal(visits.counts[11], 0);
    parallel_free(team);
}

static void an_empty_loop_is_done(void **state)
{
    (void) state;
    struct parallel *team = parallel_new(2, NULL);
    assert_true(parallel_for(team, 0, visit, NULL));
    parallel_free(team);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_done_once_whatever_the_threads),
        cmocka_unit_test(a_stopped_loop_begins_nothing_more_and_says_so),
        cmocka_unit_test(an_empty_loop_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
