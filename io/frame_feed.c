// SPDX-License-Identifier: BSD-3-Clause
#include "io/frame_feed.h"

// Series [from, to) of the file, which are the selection's from number `first` on.
static bool take_run(const struct frame_feed *feed, size_t t, size_t from, size_t to, size_t first)
{
    for (size_t n = 0; from < to; from += n, first += n) {
        n = MIN(to - from, FRAME_FEED_SAMPLES);
        const void *samples = feed->samples(feed->data, from, n, feed->tile);
        if (!feed->sink->take(feed->sink->data, t, first, n, samples))
            return false;
    }
    return true;
}

bool frame_feed_take(struct frame_feed *feed, size_t t, size_t v, size_t count)
{
    size_t end = v + count;
    if (v == 0)
        feed->run = feed->n_done = 0;
    for (; feed->run < feed->selection->n_runs; feed->run++) {
        const struct series_run *run = &feed->selection->runs[feed->run];
        size_t from = MAX(run->first, v), to = MIN(run->first + run->count, end);
        if (from < to && !take_run(feed, t, from, to, feed->n_done + from - run->first))
            return false;
        if (run->first + run->count > end)
            return true;
        feed->n_done += run->count;
    }
    return true;
}

// Of the frame that data points to.
static const void *stand_already(void *data, size_t first, size_t count G_GNUC_UNUSED,
                                 void *tile G_GNUC_UNUSED)
{
    const double *const *frame = data;
    return *frame + first;
}

bool frame_feed_whole(const struct selection *selection, const struct frame_sink *sink, size_t t,
                      size_t n, const double *frames, size_t n_series)
{
    const double *frame = frames;
    struct frame_feed feed = {
        .selection = selection, .sink = sink, .samples = stand_already, .data = &frame};
    for (size_t i = 0; i < n; i++, frame += n_series)
        if (!frame_feed_take(&feed, t + i, 0, n_series))
            return false;
    return true;
}
