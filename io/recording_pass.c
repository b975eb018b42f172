// SPDX-License-Identifier: BSD-3-Clause
#include "io/reader.h"

#include <string.h>

/** Frames on their way from a reader, which may hand them over piece by piece. */
struct pass {
    const struct block_sink *sink;
    size_t n_series;
    size_t n_block;
    size_t first;   // frame of the block
    size_t n_taken; // frames in it
    double *frames; // owned
    GError *error;  // owned: of the sink
};

static bool hand_on(struct pass *pass)
{
    size_t first = pass->first, n_frames = pass->n_taken;
    pass->first += n_frames;
    pass->n_taken = 0;
    return n_frames == 0 ||
           pass->sink->take(pass->sink->data, first, n_frames, pass->frames, &pass->error);
}

static bool take_frame(void *data, size_t t, size_t first, size_t count, const void *samples)
{
    (void) t;
    struct pass *pass = data;
    memcpy(pass->frames + pass->n_taken * pass->n_series + first, samples, count * sizeof(double));
    if (first + count < pass->n_series)
        return true;
    pass->n_taken++;
    return pass->n_taken < pass->n_block || hand_on(pass);
}

static bool stream(struct pass *pass, struct recording *recording, const struct io_context *io,
                   GError **error)
{
    struct series_run all = {0, recording->n_series};
    struct selection selection = {&all, 1, 0, recording->n_time};
    struct frame_sink sink = {take_frame, pass};
    struct io_context bounded = *io;
    bounded.n_threads = MIN(io->n_threads, 2); // what streams ahead is sized by threads
    GError *problem = NULL;
    bool done = recording->reader->frames(recording, &selection, &sink, &bounded, &problem) &&
                hand_on(pass);
    // Where the sink refused, the reader says no more than that it was stopped.
    if (pass->error != NULL) {
        g_clear_error(&problem);
        problem = g_steal_pointer(&pass->error);
    }
    if (problem != NULL)
        g_propagate_error(error, problem);
    return done;
}

static bool walk(const struct recording *recording, size_t n_block, const struct block_sink *sink,
                 const struct io_context *io, GError **error)
{
    for (size_t t = 0; t < recording->n_time; t += n_block) {
        size_t n_frames = MIN(n_block, recording->n_time - t);
        const double *frames = recording->samples.d + t * recording->n_series;
        GError *problem = NULL;
        if (io_context_go_on(io, (double) t / (double) recording->n_time) &&
            sink->take(sink->data, t, n_frames, frames, &problem))
            continue;
        if (problem != NULL)
            g_propagate_error(error, problem);
        else
            io_error_set(error, IO_ERROR_CANCELLED, recording->path, "stopped");
        return false;
    }
    return true;
}

bool recording_pass(struct recording *recording, size_t n_block, const struct block_sink *sink,
                    const struct io_context *io, GError **error)
{
    g_assert(recording->type == SAMPLE_DOUBLE && n_block > 0);
    if (recording->samples.d != NULL)
        return walk(recording, n_block, sink, io, error);
    struct pass pass = {.sink = sink, .n_series = recording->n_series, .n_block = n_block};
    pass.frames =
        io_context_alloc(io, recording->path, n_block, recording->n_series * sizeof(double), error);
    if (pass.frames == NULL)
        return false;
    bool done = stream(&pass, recording, io, error);
    g_free(pass.frames);
    return done;
}

void recording_frame_values(const struct recording *recording, const double *stored, double *values)
{
    const struct sensors *sensors = recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    for (size_t v = 0; v < recording->n_series; v++) {
        size_t series = recording->voxel == NULL ? v : recording->voxel[v];
        const struct channel *channel = &sensors->channel[part->channel[series]];
        double value = recording->scale * stored[v] + recording->offset;
        values[v] = channel->gain * value + channel->offset;
    }
}
