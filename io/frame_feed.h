// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/reader.h"

enum { FRAME_FEED_SAMPLES = 8192 };

/**
 * From the series of a file to those of a selection: the loop that every reader's `frames` has in
 * its middle. Frames come in order, each at once or in parts, series after series.
 */
struct frame_feed {
    const struct selection *selection; // borrowed, as all below
    const struct frame_sink *sink;     //
    /**
     * The samples of the series [first, first + count) of the frame at hand, count at most
     * FRAME_FEED_SAMPLES: where they stand already, or `tile`, filled.
     */
    const void *(*samples)(void *data, size_t first, size_t count, void *tile);
    void *data;    //
    void *tile;    // FRAME_FEED_SAMPLES samples of the recording's type
    size_t run;    // the first run that ends after what was taken of this frame
    size_t n_done; // selected series before that run
};

/**
 * Hands on what is selected of the series [v, v + count) of a frame; v = 0 begins one. t is its
 * number in the selection. False: the sink said stop.
 */
bool frame_feed_take(struct frame_feed *feed, size_t t, size_t v, size_t count);

/**
 * n whole frames of doubles that stand one after another, n_series each; the first is frame t of
 * the selection. False: the sink said stop.
 */
bool frame_feed_whole(const struct selection *selection, const struct frame_sink *sink, size_t t,
                      size_t n, const double *frames, size_t n_series);
