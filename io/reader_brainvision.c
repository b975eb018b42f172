// SPDX-License-Identifier: BSD-3-Clause
#include "io/frame_feed.h"
#include "io/header_brainvision.h"
#include "io/text.h"
#include "io/units.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { TILE_SAMPLES = 1 << 17 };

struct brainvision_source {
    struct brainvision_header header;
    struct gz *stream; // owned; of the header
    struct input data; //
    char *data_path;   // owned
    size_t n_frames;   // of the file
};

static bool brainvision_recognise(const char *path, const uint8_t *head, size_t n_head)
{
    static const char magic[] = "Brain Vision Data Exchange Header";
    size_t n = strlen(magic);
    return text_has_suffix(path, ".vhdr") || text_has_suffix(path, ".ahdr") ||
           (n_head >= n && memcmp(head, magic, n) == 0);
}

static void brainvision_close(struct recording *recording)
{
    struct brainvision_source *source = recording->source;
    if (source == NULL)
        return;
    header_brainvision_clear(&source->header);
    gz_free(source->stream);
    input_close(&source->data);
    g_free(source->data_path);
    g_free(source);
    recording->source = NULL;
}

static bool read_header(struct recording *recording, GError **error)
{
    struct brainvision_source *source = recording->source;
    enum { MOST = BRAINVISION_HEADER_BYTES + 1 };
    g_autofree uint8_t *bytes = g_malloc(MOST);
    size_t n = 0;
    enum gz_status status = gz_read(source->stream, bytes, MOST, &n);
    if (status != GZ_OK && status != GZ_END) {
        io_error_set(error, IO_ERROR_INPUT, recording->path, "header: %s",
                     gz_describe(source->stream, status));
        return false;
    }
    return header_brainvision_parse(&source->header, recording, bytes, n, error);
}

/** The name of a file beside the header. To be freed. */
static char *beside(const struct recording *recording, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(recording->path);
    return g_build_filename(folder, name, NULL);
}

/** The header's own name with another extension; to be freed. */
static char *renamed(const struct recording *recording, const char *extension)
{
    const char *dot = strrchr(recording->path, '.');
    bool has_extension = dot != NULL && strchr(dot, G_DIR_SEPARATOR) == NULL;
    g_autofree char *stem =
        g_strndup(recording->path,
                  has_extension ? (size_t) (dot - recording->path) : strlen(recording->path));
    return g_strconcat(stem, extension, NULL);
}

/**
 * The path of a file that the header names; where it is absent, that of the header's own name, as
 * files are renamed without what they say. NULL: neither is there. To be freed.
 */
static char *find_file(struct recording *recording, const char *name, const char *extension)
{
    g_autofree char *path = name == NULL ? NULL : beside(recording, name);
    if (path != NULL && g_file_test(path, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&path);
    g_autofree char *other = renamed(recording, extension);
    if (!g_file_test(other, G_FILE_TEST_EXISTS))
        return NULL;
    g_autofree char *own = g_path_get_basename(other);
    g_autofree char *printable = text_escape(own);
    recording_warn(recording, "renamed", "header: a file it names is absent: %s instead",
                   printable);
    return g_steal_pointer(&other);
}

static void describe_channels(struct recording *recording)
{
    const struct brainvision_source *source = recording->source;
    const struct brainvision_header *header = &source->header;
    recording->sensors = sensors_new(header->n_channels);
    for (size_t c = 0; c < header->n_channels; c++) {
        const struct brainvision_channel *said = &header->channel[c];
        struct channel *channel = &recording->sensors->channel[c];
        double factor = 1.0;
        const char *unit = NULL;
        units_to_si(said->unit, &factor, &unit);
        channel->name = g_strdup(said->name);
        channel->stored_unit = g_strdup(said->unit);
        channel->unit = g_strdup(unit);
        channel->kind = strcmp(unit, "V") == 0 ? CHANNEL_EEG : CHANNEL_MISC;
        channel->gain = said->resolution * factor;
        if (channel->gain == 0.0)
            recording_warn(recording, "gain", "header: channel %zu: a resolution of 0", c + 1);
    }
    if (sensors_make_names_unique(recording->sensors))
        recording_warn(recording, "labels", "names that stand twice are told apart by -0, -1, ...");
}

static bool open_data(struct recording *recording, GError **error)
{
    struct brainvision_source *source = recording->source;
    const struct brainvision_header *header = &source->header;
    source->data_path = find_file(recording, header->data_file, ".eeg");
    if (source->data_path == NULL) {
        g_autofree char *name =
            text_escape(header->data_file == NULL ? "a data file" : header->data_file);
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "data: expected %s beside the header, found no such file", name);
        return false;
    }
    if (!input_open(&source->data, source->data_path, error))
        return false;
    uint64_t frame_bytes = (uint64_t) header->n_channels * header->format->n_bytes;
    uint64_t rest = source->data.size % frame_bytes;
    source->n_frames = (size_t) (source->data.size / frame_bytes);
    if (source->n_frames == 0 || (header->is_vectorized && rest > 0)) {
        io_error_set(error, IO_ERROR_INPUT, source->data_path,
                     "data: expected %s of %" PRIu64 " bytes, found %" PRIu64 " bytes",
                     header->is_vectorized ? "whole frames" : "frames", frame_bytes,
                     source->data.size);
        return false;
    }
    if (rest > 0)
        recording_warn(recording, "cut", "data: the last frame is cut: dropped");
    return true;
}

static void make_part(struct recording *recording)
{
    const struct brainvision_source *source = recording->source;
    struct sensors *sensors = recording->sensors;
    double rate_hz = 1e6 / source->header.interval_us;
    sensors->part = g_new(struct part, 1);
    sensors->part[0] = part_of_all("all", sensors->n_channels, rate_hz, source->n_frames);
    sensors->n_parts = 1;
    recording_choose(recording, 0);
}

static bool read_markers(struct recording *recording, const char *path, const struct io_context *io,
                         GError **error)
{
    g_autoptr(owned_gz) stream = gz_open(path, error);
    if (stream == NULL)
        return false;
    size_t n = (size_t) gz_file_size(stream);
    g_autofree uint8_t *bytes = io_context_alloc(io, path, n, 1, error);
    if (bytes == NULL)
        return false;
    enum gz_status status = gz_read(stream, bytes, n, &n);
    if (status != GZ_OK && status != GZ_END) {
        io_error_set(error, IO_ERROR_INPUT, path, "%s", gz_describe(stream, status));
        return false;
    }
    double rate_hz = recording->sensors->part[0].rate_hz;
    return header_brainvision_parse_markers(recording, path, bytes, n, rate_hz, error);
}

static bool find_markers(struct recording *recording, const struct io_context *io, GError **error)
{
    const struct brainvision_source *source = recording->source;
    if (source->header.marker_file == NULL)
        return true;
    g_autofree char *path = find_file(recording, source->header.marker_file, ".vmrk");
    if (path == NULL) {
        recording_warn(recording, "markers", "markers: the file that the header names is absent");
        return true;
    }
    return read_markers(recording, path, io, error);
}

static bool brainvision_open(struct recording *recording, struct gz *stream,
                             const struct io_context *io, GError **error)
{
    struct brainvision_source *source = g_new0(struct brainvision_source, 1);
    recording->source = source;
    source->stream = stream;
    source->data.fd = -1;
    recording->type = SAMPLE_DOUBLE;
    recording->format = "BrainVision";
    if (!read_header(recording, error) || !open_data(recording, error))
        return false;
    recording->datatype = source->header.format->name;
    describe_channels(recording);
    make_part(recording);
    return find_markers(recording, io, error);
}

// Samples, a tile of some frames of all channels at a time.

struct tile {
    const struct brainvision_source *source;
    const struct selection *selection;
    uint8_t *bytes;
    double *column;  // of one channel; vectorized data only
    double *frames;  // frame-major
    size_t n_frames; // that fit
};

static bool read_bytes(const struct tile *tile, uint64_t at, uint8_t *bytes, size_t n,
                       GError **error)
{
    const struct brainvision_source *source = tile->source;
    size_t n_read = 0;
    if (!input_read(&source->data, at, bytes, n, &n_read))
        io_error_set(error, IO_ERROR_INPUT, source->data_path, "cannot read: %s",
                     g_strerror(errno));
    else if (n_read < n)
        io_error_set(error, IO_ERROR_INPUT, source->data_path,
                     "data: expected %" PRIu64 " bytes, found an earlier end", source->data.size);
    else
        return true;
    return false;
}

static bool fill_multiplexed(const struct tile *tile, size_t first, size_t n, GError **error)
{
    const struct brainvision_header *header = &tile->source->header;
    size_t frame_bytes = header->n_channels * header->format->n_bytes;
    if (!read_bytes(tile, (uint64_t) first * frame_bytes, tile->bytes, n * frame_bytes, error))
        return false;
    header->format->convert(tile->bytes, n * header->n_channels, tile->frames);
    return true;
}

static bool fill_channel(const struct tile *tile, size_t c, size_t first, size_t n, GError **error)
{
    const struct brainvision_header *header = &tile->source->header;
    size_t width = header->format->n_bytes;
    uint64_t at = ((uint64_t) c * tile->source->n_frames + first) * width;
    if (!read_bytes(tile, at, tile->bytes, n * width, error))
        return false;
    header->format->convert(tile->bytes, n, tile->column);
    for (size_t t = 0; t < n; t++)
        tile->frames[t * header->n_channels + c] = tile->column[t];
    return true;
}

static bool fill_vectorized(const struct tile *tile, size_t first, size_t n, GError **error)
{
    for (size_t r = 0; r < tile->selection->n_runs; r++) {
        const struct series_run *run = &tile->selection->runs[r];
        for (size_t c = run->first; c < run->first + run->count; c++)
            if (!fill_channel(tile, c, first, n, error))
                return false;
    }
    return true;
}

static bool stream_tiles(struct recording *recording, const struct tile *tile,
                         const struct frame_sink *sink, const struct io_context *io, GError **error)
{
    const struct selection *selection = tile->selection;
    for (size_t at = 0; at < selection->n_frames; at += tile->n_frames) {
        size_t n = MIN(tile->n_frames, selection->n_frames - at);
        size_t first = selection->first_frame + at;
        if (!(tile->source->header.is_vectorized ? fill_vectorized(tile, first, n, error)
                                                 : fill_multiplexed(tile, first, n, error)))
            return false;
        if (!io_context_go_on(io, (double) at / (double) selection->n_frames) ||
            !frame_feed_whole(selection, sink, at, n, tile->frames,
                              tile->source->header.n_channels))
            return io_error_stopped(error, recording->path);
    }
    return true;
}

static bool brainvision_frames(struct recording *recording, const struct selection *selection,
                               const struct frame_sink *sink, const struct io_context *io,
                               GError **error)
{
    const struct brainvision_source *source = recording->source;
    size_t n_channels = source->header.n_channels;
    size_t n_frames = MAX(TILE_SAMPLES / n_channels, 1);
    g_autofree uint8_t *bytes = g_malloc(n_frames * n_channels * source->header.format->n_bytes);
    g_autofree double *column = g_new(double, n_frames);
    g_autofree double *frames = g_new(double, n_frames *n_channels);
    struct tile tile = {source, selection, bytes, column, frames, n_frames};
    return stream_tiles(recording, &tile, sink, io, error);
}

const struct reader reader_brainvision = {
    .name = "BrainVision",
    .recognise = brainvision_recognise,
    .open = brainvision_open,
    .frames = brainvision_frames,
    .close = brainvision_close,
};
