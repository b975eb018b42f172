// SPDX-License-Identifier: BSD-3-Clause
#include "io/array.h"
#include "io/frame_feed.h"

// A .npy has its series in rows, a table of text in columns. Either is read whole when it is
// opened: it has to be turned to be given by frames.

struct array_source {
    struct array *array; // owned
    struct gz *stream;   // owned
};

static bool array_is_ours(const char *path, const uint8_t *head, size_t n_head)
{
    return array_recognise(path, head, n_head);
}

static bool array_open(struct recording *recording, struct gz *stream, const struct io_context *io,
                       GError **error)
{
    struct array_source *source = g_new0(struct array_source, 1);
    recording->source = source;
    source->stream = stream;
    source->array = array_read_series_stream(recording->path, stream, io, error);
    const struct array *array = source->array;
    if (array == NULL)
        return false;
    recording->format = array->format;
    recording->datatype = array->type;
    recording->compressed = gz_is_compressed(stream);
    recording->type = SAMPLE_DOUBLE;
    recording->n_series = array->n_rows;
    recording->n_time = array->n_columns;
    recording->names = (const char *const *) array->names;
    return true;
}

/** A frame of an array. */
struct array_frame {
    const struct array_source *source;
    size_t t; // of the file
};

static const void *array_samples(void *data, size_t first, size_t count, void *tile)
{
    const struct array_frame *frame = data;
    const struct array *array = frame->source->array;
    const double *from = array->values + first * array->n_columns + frame->t;
    double *samples = tile;
    for (size_t i = 0; i < count; i++)
        samples[i] = from[i * array->n_columns];
    return samples;
}

static bool array_frames(struct recording *recording, const struct selection *selection,
                         const struct frame_sink *sink, const struct io_context *io, GError **error)
{
    const struct array_source *source = recording->source;
    size_t n_series = source->array->n_rows;
    g_autofree double *tile = g_new(double, FRAME_FEED_SAMPLES);
    struct array_frame frame = {.source = source};
    struct frame_feed feed = {.selection = selection,
                              .sink = sink,
                              .samples = array_samples,
                              .data = &frame,
                              .tile = tile};
    for (size_t t = 0; t < selection->n_frames; t++) {
        double fraction = (double) t / (double) selection->n_frames;
        frame.t = selection->first_frame + t;
        if (!io_context_go_on(io, fraction) || !frame_feed_take(&feed, t, 0, n_series))
            return io_error_stopped(error, recording->path);
    }
    return true;
}

static void array_close(struct recording *recording)
{
    struct array_source *source = recording->source;
    if (source == NULL)
        return;
    array_free(source->array);
    gz_free(source->stream);
    g_free(source);
    recording->source = NULL;
}

const struct reader reader_array = {
    .name = "array",
    .recognise = array_is_ours,
    .open = array_open,
    .frames = array_frames,
    .close = array_close,
};
