// SPDX-License-Identifier: BSD-3-Clause
#include "io/array.h"
#include "io/reader.h"

// An array has its series in rows, as everywhere in Taut; a table whose columns have names has
// them in columns. Either is read whole when it is opened: it has to be turned to be given by
// frames.

struct array_source {
    struct array *array; // owned
    struct gz *stream;   // owned
    bool series_in_columns;
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
    source->array = array_read_stream(recording->path, stream, io, error);
    const struct array *array = source->array;
    if (array == NULL)
        return false;
    source->series_in_columns = array->names != NULL;
    recording->format = array->format;
    recording->datatype = array->type;
    recording->compressed = gz_is_compressed(stream);
    recording->type = SAMPLE_DOUBLE;
    recording->n_series = source->series_in_columns ? array->n_columns : array->n_rows;
    recording->n_time = source->series_in_columns ? array->n_rows : array->n_columns;
    return true;
}

static double value_at(const struct array_source *source, size_t t, size_t v)
{
    const struct array *array = source->array;
    return source->series_in_columns ? array->values[t * array->n_columns + v]
                                     : array->values[v * array->n_columns + t];
}

static bool hand_on_frame(const struct array_source *source, const struct selection *selection,
                          size_t t, const struct frame_sink *sink)
{
    enum { TILE_SAMPLES = 1024 };
    double tile[TILE_SAMPLES];
    size_t first = 0;
    for (size_t r = 0; r < selection->n_runs; r++) {
        const struct series_run *run = &selection->runs[r];
        for (size_t done = 0; done < run->count;) {
            size_t n = MIN(run->count - done, TILE_SAMPLES);
            for (size_t i = 0; i < n; i++)
                tile[i] = value_at(source, selection->first_frame + t, run->first + done + i);
            if (!sink->take(sink->data, t, first, n, tile))
                return false;
            first += n;
            done += n;
        }
    }
    return true;
}

static bool array_frames(struct recording *recording, const struct selection *selection,
                         const struct frame_sink *sink, const struct io_context *io, GError **error)
{
    for (size_t t = 0; t < selection->n_frames; t++) {
        double fraction = (double) t / (double) selection->n_frames;
        if (!io_context_go_on(io, fraction) ||
            !hand_on_frame(recording->source, selection, t, sink)) {
            io_error_set(error, IO_ERROR_CANCELLED, recording->path, "stopped");
            return false;
        }
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
