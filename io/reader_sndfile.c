// SPDX-License-Identifier: BSD-3-Clause
#include "io/frame_feed.h"
#include "io/riff.h"
#include "io/siblings.h"
#include "io/text.h"
#include "io/units.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

enum { MOST_CHANNELS = 65535, TILE_SAMPLES = 1 << 16 };
static const double SLOWEST_HZ = 1e-3;
static const double FASTEST_HZ = 1e7;

struct sndfile_source {
    struct gz *stream;   // owned; plain bytes
    sf_count_t position; // of libsndfile in it
    SNDFILE *file;       // owned
    SF_INFO info;        //
};

/** Formats by what a file begins with, and by their extensions. */
static const struct {
    const char *name;
    const char *magic;
    const char *suffix;
    int format;
} formats[] = {
    {"AIFF", "FORM", ".aiff", SF_FORMAT_AIFF}, {"AIFF", "FORM", ".aif", SF_FORMAT_AIFF},
    {"CAF", "caff", ".caf", SF_FORMAT_CAF},    {"FLAC", "fLaC", ".flac", SF_FORMAT_FLAC},
    {"RF64", "RF64", ".rf64", SF_FORMAT_RF64}, {"W64", "riff", ".w64", SF_FORMAT_W64},
    {"WAV", "RIFF", ".wav", SF_FORMAT_WAV},    {"WAV", "RIFF", ".wav", SF_FORMAT_WAVEX},
};

/** Samples that stand in a file as they were measured. */
static const struct {
    const char *name;
    int format;
} sample_types[] = {
    {"float32", SF_FORMAT_FLOAT}, {"float64", SF_FORMAT_DOUBLE}, {"int16", SF_FORMAT_PCM_16},
    {"int24", SF_FORMAT_PCM_24},  {"int32", SF_FORMAT_PCM_32},   {"int8", SF_FORMAT_PCM_S8},
    {"uint8", SF_FORMAT_PCM_U8},
};

static bool sndfile_recognise(const char *path, const uint8_t *head, size_t n_head)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (text_has_suffix(path, formats[i].suffix) ||
            (n_head >= 12 && memcmp(head, formats[i].magic, 4) == 0 &&
             (formats[i].format != SF_FORMAT_AIFF || memcmp(head + 8, "AIF", 3) == 0)))
            return true;
    return false;
}

static void sndfile_close(struct recording *recording)
{
    struct sndfile_source *source = recording->source;
    if (source == NULL)
        return;
    if (source->file != NULL)
        sf_close(source->file);
    gz_free(source->stream);
    g_free(source);
    recording->source = NULL;
}

// libsndfile reads through these: by offset, never past the size that the file had when opened.

static sf_count_t get_length(void *data)
{
    const struct sndfile_source *source = data;
    return (sf_count_t) gz_file_size(source->stream);
}

static sf_count_t tell(void *data)
{
    const struct sndfile_source *source = data;
    return source->position;
}

static sf_count_t seek(sf_count_t offset, int whence, void *data)
{
    struct sndfile_source *source = data;
    sf_count_t base = whence == SEEK_SET   ? 0
                      : whence == SEEK_CUR ? source->position
                                           : (sf_count_t) gz_file_size(source->stream);
    sf_count_t position = 0;
    if (__builtin_add_overflow(base, offset, &position) || position < 0)
        return -1;
    source->position = position;
    return position;
}

static sf_count_t read_bytes(void *bytes, sf_count_t count, void *data)
{
    struct sndfile_source *source = data;
    if (count <= 0)
        return 0;
    size_t n = 0;
    gz_rewind(source->stream);
    gz_skip(source->stream, (uint64_t) source->position);
    gz_read(source->stream, bytes, (size_t) count, &n);
    source->position += (sf_count_t) n;
    return (sf_count_t) n;
}

static sf_count_t write_nothing(const void *bytes, sf_count_t count, void *data)
{
    (void) bytes;
    (void) count;
    (void) data;
    return 0;
}

static bool open_sound(struct recording *recording, GError **error)
{
    struct sndfile_source *source = recording->source;
    SF_VIRTUAL_IO io = {get_length, seek, read_bytes, write_nothing, tell};
    source->file = sf_open_virtual(&io, SFM_READ, &source->info, source);
    if (source->file == NULL) {
        g_autofree char *reason = text_escape(sf_strerror(NULL));
        g_autofree char *line = g_strdelimit(g_strdup(reason), "\n", ' ');
        io_error_set(error, IO_ERROR_INPUT, recording->path, "header: %s", g_strstrip(line));
        return false;
    }
    sf_command(source->file, SFC_SET_NORM_DOUBLE, NULL, SF_FALSE); // integers as they stand
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if ((source->info.format & SF_FORMAT_TYPEMASK) == formats[i].format)
            recording->format = formats[i].name;
    for (size_t i = 0; i < G_N_ELEMENTS(sample_types); i++)
        if ((source->info.format & SF_FORMAT_SUBMASK) == sample_types[i].format)
            recording->datatype = sample_types[i].name;
    if (recording->format != NULL && recording->datatype != NULL)
        return true;
    io_error_set(error, IO_ERROR_INPUT, recording->path,
                 "header: expected integers or floats in WAV, RF64, W64, CAF, FLAC or AIFF, found "
                 "another format");
    return false;
}

static bool check_counts(const struct recording *recording, GError **error)
{
    const SF_INFO *info = &((const struct sndfile_source *) recording->source)->info;
    uint64_t n_samples = 0;
    const char *problem = NULL;
    if (info->channels < 1 || info->channels > MOST_CHANNELS)
        problem = "1 to 65535 channels";
    else if (info->samplerate < 1 || info->samplerate > FASTEST_HZ)
        problem = "a rate of 1 to 1e7 Hz";
    else if (info->frames < 1)
        problem = "at least one sample";
    else if (__builtin_mul_overflow((uint64_t) info->frames, (uint64_t) info->channels,
                                    &n_samples) ||
             n_samples > SIZE_MAX / sizeof(double))
        problem = "samples that memory can count";
    if (problem == NULL)
        return true;
    io_error_set(error, IO_ERROR_INPUT, recording->path,
                 "header: expected %s, found %d channels, %d Hz, %lld samples", problem,
                 info->channels, info->samplerate, (long long) info->frames);
    return false;
}

static void make_sensors(struct recording *recording)
{
    const SF_INFO *info = &((const struct sndfile_source *) recording->source)->info;
    size_t n = (size_t) info->channels;
    struct sensors *sensors = recording->sensors = sensors_new(n);
    sensors->part = g_new(struct part, 1);
    sensors->part[0] = part_of_all("all", n, (double) info->samplerate, (size_t) info->frames);
    sensors->n_parts = 1;
    for (size_t c = 0; c < n; c++) {
        sensors->channel[c].name = g_strdup_printf("%zu", c + 1);
        sensors->channel[c].kind = CHANNEL_MISC;
        sensors->channel[c].unit = g_strdup("a.u.");
        sensors->channel[c].stored_unit = g_strdup("a.u.");
    }
}

// The side-car: what sound has no place for. Names, types and status come with the other siblings.

static bool refuse_table(const struct recording *recording, size_t row, GError **error)
{
    io_error_set(error, IO_ERROR_INPUT, recording->path,
                 "channels.tsv, row %zu: expected a finite scale, offset and sampling_frequency, "
                 "found another value",
                 row + 1);
    return false;
}

/** Unit and line from stored to physical values: value = scale * stored + offset, in the unit. */
static bool set_scale(struct recording *recording, const struct tsv *table, size_t row,
                      GError **error)
{
    struct channel *channel = &recording->sensors->channel[row];
    double scale = 1.0;
    double offset = 0.0;
    if (!tsv_number(table, row, "scale", &scale) || !tsv_number(table, row, "offset", &offset))
        return refuse_table(recording, row, error);
    const char *unit = tsv_field(table, row, "units");
    double factor = 1.0;
    const char *si = "";
    if (unit != NULL)
        units_to_si(unit, &factor, &si);
    g_free(channel->unit);
    g_free(channel->stored_unit);
    channel->unit = g_strdup(si);
    channel->stored_unit = g_strdup(unit == NULL ? "" : unit);
    channel->gain = scale * factor;
    channel->offset = offset * factor;
    return isfinite(channel->gain) && isfinite(channel->offset)
               ? true
               : refuse_table(recording, row, error);
}

static bool apply_table(struct recording *recording, const struct tsv *table, double *rate_hz,
                        GError **error)
{
    size_t n = recording->sensors->n_channels;
    if (table->rows->len != n) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "channels.tsv: expected %zu rows, found %u", n, table->rows->len);
        return false;
    }
    if (!tsv_number(table, 0, "sampling_frequency", rate_hz))
        return refuse_table(recording, 0, error);
    for (size_t c = 0; c < n; c++) {
        const char *name = tsv_field(table, c, "name");
        if (name != NULL) {
            g_free(recording->sensors->channel[c].name);
            recording->sensors->channel[c].name = g_strdup(name);
        }
        if (!set_scale(recording, table, c, error))
            return false;
    }
    sensors_make_names_unique(recording->sensors);
    return true;
}

/** The rate of the side-car, of which the header has room for a whole number of hertz only. */
static bool set_rate(struct recording *recording, double rate_hz, GError **error)
{
    struct part *part = recording->sensors->part;
    if (!(rate_hz >= SLOWEST_HZ && rate_hz <= FASTEST_HZ)) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "sidecar: expected a rate of 0.001 to 1e7 Hz, found %g", rate_hz);
        return false;
    }
    if (fabs(rate_hz - part->rate_hz) >= 1.0)
        recording_warn(recording, "rate",
                       "rate: the sidecar says %g Hz, the header %g Hz: the "
                       "sidecar's",
                       rate_hz, part->rate_hz);
    part->rate_hz = rate_hz;
    return true;
}

static bool apply_sidecar(struct recording *recording, const struct io_context *io, GError **error)
{
    double rate_hz = recording->sensors->part->rate_hz;
    g_autofree char *path = siblings_find_table(recording->path, "channels");
    if (path != NULL) {
        g_autoptr(owned_tsv) table = tsv_read(path, io, error);
        if (table == NULL || !apply_table(recording, table, &rate_hz, error))
            return false;
    }
    GError *problem = NULL;
    g_autoptr(JsonObject) json = siblings_json(recording->path, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (json != NULL && json_object_has_member(json, "SamplingFrequency") &&
        !siblings_number(json, "SamplingFrequency", &rate_hz))
        rate_hz = (double) NAN;
    return set_rate(recording, rate_hz, error);
}

static bool sndfile_open(struct recording *recording, struct gz *stream,
                         const struct io_context *io, GError **error)
{
    struct sndfile_source *source = g_new0(struct sndfile_source, 1);
    recording->source = source;
    recording->type = SAMPLE_DOUBLE;
    source->stream = stream;
    if (gz_is_compressed(stream)) { // libsndfile wants to go back and forth
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "expected sound as it is, found it in a gzip stream");
        return false;
    }
    if (!open_sound(recording, error) || !check_counts(recording, error))
        return false;
    riff_judge(recording, stream);
    make_sensors(recording);
    if (!apply_sidecar(recording, io, error))
        return false;
    recording_choose(recording, 0);
    return true;
}

static bool sndfile_frames(struct recording *recording, const struct selection *selection,
                           const struct frame_sink *sink, const struct io_context *io,
                           GError **error)
{
    const struct sndfile_source *source = recording->source;
    size_t n_channels = (size_t) source->info.channels;
    size_t n_tile = MAX(TILE_SAMPLES / n_channels, 1);
    g_autofree double *tile = g_new(double, n_tile *n_channels);
    sf_seek(source->file, (sf_count_t) selection->first_frame, SF_SEEK_SET);
    for (size_t at = 0; at < selection->n_frames;) {
        size_t n = MIN(n_tile, selection->n_frames - at);
        sf_count_t n_read = sf_readf_double(source->file, tile, (sf_count_t) n);
        if (n_read != (sf_count_t) n) {
            io_error_set(error, IO_ERROR_INPUT, recording->path,
                         "data: expected %lld samples a channel, found an end after %zu",
                         (long long) source->info.frames,
                         selection->first_frame + at + (size_t) MAX(n_read, 0));
            return false;
        }
        if (!io_context_go_on(io, (double) at / (double) selection->n_frames) ||
            !frame_feed_whole(selection, sink, at, n, tile, n_channels))
            return io_error_stopped(error, recording->path);
        at += n;
    }
    return true;
}

const struct reader reader_sndfile = {
    .name = "sound",
    .recognise = sndfile_recognise,
    .open = sndfile_open,
    .frames = sndfile_frames,
    .close = sndfile_close,
};
