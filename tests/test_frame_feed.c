// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "io/frame_feed.h"

enum { MOST_SERIES = 3 * FRAME_FEED_SAMPLES, MOST_RUNS = 64 };

// What the sink was given of a frame.
struct taken {
    double *value; // by series of the selection
    size_t n;      // the next one
    size_t t;
    size_t left; // calls until it says stop; 0: never
};

static bool take(void *data, size_t t, size_t first, size_t count, const void *samples)
{
    struct taken *taken = data;
    assert_int_equal(t, taken->t);
    assert_int_equal(first, taken->n);
    assert_true(count > 0 && count <= FRAME_FEED_SAMPLES);
    for (size_t i = 0; i < count; i++)
        taken->value[taken->n++] = ((const double *) samples)[i];
    return taken->left == 0 || --taken->left > 0;
}

// Series v of frame t holds 1e6 t + v.
static const void *samples_of(void *data, size_t first, size_t count, void *tile)
{
    const size_t *t = data;
    double *samples = tile;
    for (size_t i = 0; i < count; i++)
        samples[i] = 1e6 * (double) *t + (double) (first + i);
    return samples;
}

// Random disjoint runs, rising, some of them side by side; how many.
static size_t draw_runs(GRand *rand, size_t n_series, struct series_run *runs)
{
    size_t n = 0;
    for (size_t v = 0; v < n_series && n < MOST_RUNS;) {
        size_t most = MIN(n_series - v, n % 3 == 0 ? 7 : n_series / 2 + 1);
        size_t count = 1 + (size_t) g_rand_int_range(rand, 0, (gint32) most);
        if (g_rand_boolean(rand))
            runs[n++] = (struct series_run){v, count};
        v += count;
    }
    return n;
}

static void check_frame(const struct selection *selection, const struct taken *taken)
{
    size_t n = 0;
    for (size_t r = 0; r < selection->n_runs; r++)
        for (size_t i = 0; i < selection->runs[r].count; i++)
            assert_close(taken->value[n++],
                         1e6 * (double) taken->t + (double) (selection->runs[r].first + i), 0.0);
    assert_int_equal(taken->n, n);
}

static void any_selection_comes_whole_and_in_order_from_any_parts(void **state)
{
    (void) state;
    GRand *rand = g_rand_new_with_seed(11);
    g_autofree double *tile = g_new(double, FRAME_FEED_SAMPLES);
    struct taken taken = {.value = g_new(double, MOST_SERIES)};
    for (size_t trial = 0; trial < 200; trial++) {
        size_t n_series = (size_t) g_rand_int_range(rand, 1, trial % 10 == 0 ? MOST_SERIES : 90);
        struct series_run runs[MOST_RUNS];
        struct selection selection = {runs, draw_runs(rand, n_series, runs), 0, 3};
        struct frame_sink sink = {take, &taken};
        struct frame_feed feed = {&selection, &sink, samples_of, &taken.t, tile, 0, 0};
        for (taken.t = 0; taken.t < 3; taken.t++) {
            taken.n = 0;
            for (size_t v = 0, count; v < n_series; v += count) {
                count = taken.t == 0
                            ? n_series
                            : 1 + (size_t) g_rand_int_range(rand, 0, (gint32) (n_series - v));
                assert_true(frame_feed_take(&feed, taken.t, v, count));
            }
            check_frame(&selection, &taken);
        }
    }
    g_free(taken.value);
    g_rand_free(rand);
}

static void whole_frames_are_handed_on_where_they_stand(void **state)
{
    (void) state;
    double frames[2][5] = {{0, 1, 2, 3, 4}, {1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4}};
    struct series_run runs[] = {{1, 1}, {3, 2}};
    struct selection selection = {runs, 2, 0, 2};
    double value[3];
    struct taken taken = {.value = value};
    struct frame_sink sink = {take, &taken};
    assert_true(frame_feed_whole(&selection, &sink, 0, 1, frames[0], 5));
    check_frame(&selection, &taken);
    taken = (struct taken){.value = value, .t = 1};
    assert_true(frame_feed_whole(&selection, &sink, 1, 1, frames[1], 5));
    check_frame(&selection, &taken);
}

static void a_sink_that_says_stop_is_asked_no_more(void **state)
{
    (void) state;
    double frames[3][4] = {{0}};
    struct series_run runs[] = {{0, 1}, {2, 2}};
    struct selection selection = {runs, 2, 0, 3};
    double value[12];
    struct taken taken = {.value = value, .left = 1};
    struct frame_sink sink = {take, &taken};
    assert_false(frame_feed_whole(&selection, &sink, 0, 3, frames[0], 4));
    assert_int_equal(taken.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sink_that_says_stop_is_asked_no_more),
        cmocka_unit_test(any_selection_comes_whole_and_in_order_from_any_parts),
        cmocka_unit_test(whole_frames_are_handed_on_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
