// SPDX-License-Identifier: BSD-3-Clause
#include "io/writer_fif.h"

#include "io/bytes.h"
#include "io/fif_output.h"
#include "io/reader.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

enum {
    LONGEST_SHORT_NAME = 15,
    MOST_BUFFER_BYTES = 1 << 20,
    TRAILER_BYTES = 4096, // room for what ends a file
    ROLE_NEXT_FILE = 2,
};

struct writer_fif {
    char *path;                    // owned: of the first file
    const struct sensors *sensors; // borrowed
    const struct part *part;       // borrowed
    enum fif_samples samples;
    bool overwrite;
    uint64_t max_bytes;
    struct fif_output *output; // borrowed: the file under way, the last of `files`
    GPtrArray *files;          // owned, of owned struct fif_output
    double *gain;              // owned: of what is given to what is stored, one a channel
    double *offset;            // owned
    uint8_t *buffer;           // owned
    size_t n_buffered;         // frames
    size_t most_buffered;      //
    size_t n_written;          // frames handed on
};

static const struct {
    const char *name;
    int32_t type;
    size_t n_bytes;
    double low;
    double high;
} kinds[] = {
    [FIF_SAMPLES_INT16] = {"int16", FIF_TYPE_INT16, 2, INT16_MIN, INT16_MAX},
    [FIF_SAMPLES_INT32] = {"int32", FIF_TYPE_INT32, 4, INT32_MIN, INT32_MAX},
    [FIF_SAMPLES_FLOAT] = {"float32", FIF_TYPE_FLOAT, 4, 0.0, 0.0},
    [FIF_SAMPLES_DOUBLE] = {"float64", FIF_TYPE_DOUBLE, 8, 0.0, 0.0},
};

static bool is_integer(enum fif_samples samples)
{
    return samples == FIF_SAMPLES_INT16 || samples == FIF_SAMPLES_INT32;
}

static bool has_offsets(const struct sensors *sensors)
{
    for (size_t i = 0; i < sensors->n_channels; i++)
        if (sensors->channel[i].offset != 0.0)
            return true;
    return false;
}

enum fif_samples writer_fif_samples(const struct recording *recording)
{
    static const struct {
        const char *datatype;
        enum fif_samples samples;
    } rows[] = {
        {"int16", FIF_SAMPLES_INT16}, {"int24", FIF_SAMPLES_INT32},   {"uint16", FIF_SAMPLES_INT32},
        {"int32", FIF_SAMPLES_INT32}, {"float32", FIF_SAMPLES_FLOAT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].datatype, recording->datatype) == 0)
            return is_integer(rows[i].samples) && has_offsets(recording->sensors)
                       ? FIF_SAMPLES_FLOAT
                       : rows[i].samples;
    return FIF_SAMPLES_DOUBLE;
}

// What stands before the samples, in raw files and averages.

static void put_long_names(struct fif_output *output, const struct sensors *sensors,
                           const struct part *part)
{
    bool any = false;
    for (size_t i = 0; i < part->n_channels; i++)
        any =
            any || g_utf8_strlen(sensors->channel[part->channel[i]].name, -1) > LONGEST_SHORT_NAME;
    for (size_t i = 0; any && i < part->n_channels; i++) {
        fif_output_start(output, FIF_BLOCK_CH_INFO);
        fif_output_string(output, FIF_CH_DACQ_NAME, sensors->channel[part->channel[i]].name);
        fif_output_end(output, FIF_BLOCK_CH_INFO);
    }
}

static void put_bads(struct fif_output *output, const struct sensors *sensors,
                     const struct part *part)
{
    g_autoptr(GPtrArray) bads = g_ptr_array_new();
    for (size_t i = 0; i < part->n_channels; i++)
        if (sensors->channel[part->channel[i]].bad)
            g_ptr_array_add(bads, sensors->channel[part->channel[i]].name);
    fif_output_bads(output, (char *const *) bads->pdata, bads->len);
}

static void put_filter(struct fif_output *output, int32_t kind, double value_hz)
{
    if (isfinite(value_hz))
        fif_output_float(output, kind, value_hz);
}

/** The channels of a part; cal: one a channel of it, NULL: 1. */
static void put_measurement_info(struct fif_output *output, const struct sensors *sensors,
                                 const struct part *part, const double *cal)
{
    fif_output_start(output, FIF_BLOCK_MEAS_INFO);
    if (sensors->has_device_to_head)
        fif_output_transform(output, FIF_FRAME_DEVICE, FIF_FRAME_HEAD, sensors->device_to_head);
    fif_output_projectors(output, sensors->projectors);
    put_bads(output, sensors, part);
    fif_output_int(output, FIF_NCHAN, (int32_t) part->n_channels);
    fif_output_float(output, FIF_SFREQ, part->rate_hz);
    put_filter(output, FIF_LOWPASS, sensors->lowpass_hz);
    put_filter(output, FIF_HIGHPASS, sensors->highpass_hz);
    put_filter(output, FIF_LINE_FREQ, sensors->line_hz);
    for (size_t i = 0; i < part->n_channels; i++)
        fif_output_channel(output, &sensors->channel[part->channel[i]], i + 1,
                           cal == NULL ? 1.0 : cal[i], sensors->compensation_grade);
    put_long_names(output, sensors, part);
    if (sensors->custom_reference != REFERENCE_AS_RECORDED)
        fif_output_int(output, FIF_CUSTOM_REFERENCE, sensors->custom_reference);
    fif_output_end(output, FIF_BLOCK_MEAS_INFO);
}

/** Events as annotations, on the clock of the acquisition. */
static void put_annotations(struct fif_output *output, const struct sensors *sensors,
                            const struct part *part)
{
    guint n = sensors->events->len;
    guint n_put = 0;
    g_autofree double *onsets = g_new(double, n);
    g_autofree double *ends = g_new(double, n);
    g_auto(GStrv) texts = g_new0(char *, n + 1);
    double first_s = (double) sensors->first_sample / part->rate_hz;
    for (guint i = 0; i < n; i++) {
        const struct event *event = &g_array_index(sensors->events, struct event, i);
        if (sensors_is_code(sensors, part, event))
            continue; // the channel is written itself
        onsets[n_put] = event->onset_s + first_s;
        ends[n_put] = onsets[n_put] + event->duration_s;
        texts[n_put++] = sensors_event_label(sensors, event);
    }
    if (n_put == 0)
        return;
    fif_output_start(output, FIF_BLOCK_ANNOTATIONS);
    fif_output_numbers(output, FIF_ANNOTATION_ONSET, FIF_TYPE_DOUBLE, onsets, n_put, 0);
    fif_output_numbers(output, FIF_ANNOTATION_END, FIF_TYPE_DOUBLE, ends, n_put, 0);
    fif_output_names(output, FIF_COMMENT, texts, n_put);
    fif_output_end(output, FIF_BLOCK_ANNOTATIONS);
}

// Raw recordings.

/** The name of file `number` of a recording, 0: the first. */
static char *file_name(const char *path, guint number)
{
    size_t n_stem = strlen(path);
    if (text_has_suffix(path, ".fif"))
        n_stem -= strlen(".fif");
    return number == 0 ? g_strdup(path)
                       : g_strdup_printf("%.*s-%u%s", (int) n_stem, path, number, path + n_stem);
}

static bool begin_file(struct writer_fif *writer, GError **error)
{
    g_autofree char *path = file_name(writer->path, writer->files->len);
    struct fif_output *output = fif_output_new(path, writer->overwrite, error);
    if (output == NULL)
        return false;
    g_ptr_array_add(writer->files, output);
    writer->output = output;
    const struct part *part = writer->part;
    g_autofree double *cal = g_new(double, part->n_channels);
    for (size_t i = 0; i < part->n_channels; i++) {
        const struct channel *channel = &writer->sensors->channel[part->channel[i]];
        cal[i] = channel->offset == 0.0 ? channel->gain : 1.0;
    }
    fif_output_start(output, FIF_BLOCK_MEAS);
    put_measurement_info(output, writer->sensors, part, cal);
    if (writer->files->len == 1)
        put_annotations(output, writer->sensors, part);
    fif_output_start(output, FIF_BLOCK_RAW_DATA);
    fif_output_int(output, FIF_FIRST_SAMPLE,
                   (int32_t) (writer->sensors->first_sample + writer->n_written));
    return true;
}

/** Closes the file under way; `next`: another one goes on. */
static bool end_file(struct writer_fif *writer, bool next, GError **error)
{
    struct fif_output *output = writer->output;
    if (next) {
        g_autofree char *path = file_name(writer->path, writer->files->len);
        g_autofree char *name = g_path_get_basename(path);
        fif_output_start(output, FIF_BLOCK_REFERENCE);
        fif_output_int(output, FIF_REF_ROLE, ROLE_NEXT_FILE);
        fif_output_string(output, FIF_REF_FILE_NAME, name);
        fif_output_int(output, FIF_REF_FILE_NUM, (int32_t) writer->files->len);
        fif_output_end(output, FIF_BLOCK_REFERENCE);
    }
    fif_output_end(output, FIF_BLOCK_RAW_DATA);
    fif_output_end(output, FIF_BLOCK_MEAS);
    return fif_output_finish(output, error);
}

static void free_output(void *data)
{
    fif_output_free(data);
}

struct writer_fif *writer_fif_new(const char *path, const struct sensors *sensors, size_t part,
                                  enum fif_samples samples, uint64_t max_bytes, bool overwrite,
                                  GError **error)
{
    g_autoptr(owned_writer_fif) writer = g_new0(struct writer_fif, 1);
    writer->path = g_strdup(path);
    writer->sensors = sensors;
    writer->part = &sensors->part[part];
    writer->samples = samples;
    writer->overwrite = overwrite;
    writer->max_bytes = max_bytes == 0 ? INT32_MAX : max_bytes;
    writer->files = g_ptr_array_new_with_free_func(free_output);
    size_t n = writer->part->n_channels;
    writer->gain = g_new(double, n);
    writer->offset = g_new(double, n);
    for (size_t i = 0; i < n; i++) {
        const struct channel *channel = &sensors->channel[writer->part->channel[i]];
        writer->gain[i] = channel->offset == 0.0 ? 1.0 : channel->gain;
        writer->offset[i] = channel->offset;
    }
    // Buffers of a second, as acquisition systems write them.
    size_t frame = n * kinds[samples].n_bytes;
    size_t second = (size_t) CLAMP(ceil(writer->part->rate_hz), 1.0, MOST_BUFFER_BYTES);
    writer->most_buffered = CLAMP(MOST_BUFFER_BYTES / frame, 1, second);
    writer->buffer = g_malloc(writer->most_buffered * frame);
    return begin_file(writer, error) ? g_steal_pointer(&writer) : NULL;
}

void writer_fif_free(struct writer_fif *writer)
{
    if (writer == NULL)
        return;
    g_ptr_array_unref(writer->files);
    g_free(writer->path);
    g_free(writer->gain);
    g_free(writer->offset);
    g_free(writer->buffer);
    g_free(writer);
}

/** Hands the buffer on; a file that would be too long is ended before it. */
static bool flush(struct writer_fif *writer, GError **error)
{
    size_t n_bytes = writer->n_buffered * writer->part->n_channels * kinds[writer->samples].n_bytes;
    uint64_t n_file = writer->output->n_bytes + writer->output->bytes->len;
    if (writer->n_buffered == 0)
        return true;
    bool has_data = writer->n_written > 0;
    if (has_data && n_file + n_bytes + TRAILER_BYTES > writer->max_bytes &&
        (!end_file(writer, true, error) || !begin_file(writer, error)))
        return false;
    fif_output_tag(writer->output, FIF_DATA_BUFFER, kinds[writer->samples].type, writer->buffer,
                   n_bytes);
    writer->n_written += writer->n_buffered;
    writer->n_buffered = 0;
    return true;
}

static inline void store(enum fif_samples samples, double value, uint8_t *out)
{
    switch (samples) {
    case FIF_SAMPLES_INT16:
        out[0] = (uint8_t) ((uint16_t) (int16_t) value >> 8);
        out[1] = (uint8_t) (int16_t) value;
        break;
    case FIF_SAMPLES_INT32:
        bytes_store_be32(out, (uint32_t) (int32_t) value);
        break;
    case FIF_SAMPLES_FLOAT:
        bytes_store_be32(out, bytes_of_float((float) value));
        break;
    case FIF_SAMPLES_DOUBLE:
        bytes_store_be64(out, bytes_of_double(value));
        break;
    }
}

bool writer_fif_append(struct writer_fif *writer, const double *stored, size_t n_frames,
                       GError **error)
{
    size_t n = writer->part->n_channels;
    size_t size = kinds[writer->samples].n_bytes;
    bool integer = is_integer(writer->samples);
    for (size_t t = 0; t < n_frames; t++) {
        uint8_t *frame = writer->buffer + writer->n_buffered * n * size;
        for (size_t i = 0; i < n; i++) {
            double value = writer->gain[i] * stored[t * n + i] + writer->offset[i];
            bool fits = value >= kinds[writer->samples].low &&
                        value <= kinds[writer->samples].high && value == rint(value);
            if (integer && !fits) {
                io_error_set(error, IO_ERROR_OUTPUT, writer->path,
                             "cannot write: %g of channel %zu is no %s", value, i + 1,
                             kinds[writer->samples].name);
                return false;
            }
            store(writer->samples, value, frame + i * size);
        }
        writer->n_buffered++;
        if (writer->n_buffered == writer->most_buffered && !flush(writer, error))
            return false;
    }
    return true;
}

bool writer_fif_commit(struct writer_fif *writer, GError **error)
{
    if (!flush(writer, error) || !end_file(writer, false, error))
        return false;
    for (guint i = writer->files->len; i-- > 0;)
        if (!fif_output_commit(writer->files->pdata[i], error))
            return false;
    return true;
}

static bool take_block(void *data, size_t first, size_t n_frames, const double *frames,
                       GError **error)
{
    (void) first;
    return writer_fif_append(data, frames, n_frames, error);
}

bool writer_fif_recording(const char *path, struct recording *recording, enum fif_samples samples,
                          bool overwrite, const struct io_context *io, GError **error)
{
    enum { FRAMES_A_TURN = 1024 };
    g_assert(recording->sensors != NULL);
    g_autoptr(owned_writer_fif) writer = writer_fif_new(
        path, recording->sensors, recording->sensors->chosen, samples, 0, overwrite, error);
    struct block_sink sink = {take_block, writer};
    return writer != NULL && recording_pass(recording, FRAMES_A_TURN, &sink, io, error) &&
           writer_fif_commit(writer, error);
}

// Averages.

static void put_average(struct fif_output *output, const struct part *part, const double *values)
{
    size_t n = part->n_channels;
    int32_t first = (int32_t) lrint(part->start_s * part->rate_hz);
    g_autofree double *rows = g_new(double, n * part->n_time);
    for (size_t t = 0; t < part->n_time; t++)
        for (size_t i = 0; i < n; i++)
            rows[i * part->n_time + t] = values[t * n + i];
    fif_output_start(output, FIF_BLOCK_EVOKED);
    fif_output_string(output, FIF_COMMENT, part->name);
    fif_output_int(output, FIF_FIRST_SAMPLE, first);
    fif_output_int(output, FIF_LAST_SAMPLE, first + (int32_t) part->n_time - 1);
    fif_output_start(output, FIF_BLOCK_ASPECT);
    fif_output_int(output, FIF_ASPECT_KIND, 100);
    fif_output_int(output, FIF_NAVE, MAX(part->n_averaged, 1));
    fif_output_numbers(output, FIF_EPOCH, FIF_TYPE_FLOAT, rows, n * part->n_time, part->n_time);
    fif_output_end(output, FIF_BLOCK_ASPECT);
    fif_output_end(output, FIF_BLOCK_EVOKED);
}

static bool finish(struct fif_output *output, GError **error)
{
    return fif_output_finish(output, error) && fif_output_commit(output, error);
}

bool writer_fif_evoked(const char *path, const struct sensors *sensors, double *const *values,
                       bool overwrite, GError **error)
{
    g_autoptr(owned_fif_output) output = fif_output_new(path, overwrite, error);
    if (output == NULL)
        return false;
    fif_output_start(output, FIF_BLOCK_MEAS);
    put_measurement_info(output, sensors, &sensors->part[0], NULL);
    fif_output_start(output, FIF_BLOCK_PROCESSED_DATA);
    for (size_t p = 0; p < sensors->n_parts; p++)
        put_average(output, &sensors->part[p], values[p]);
    fif_output_end(output, FIF_BLOCK_PROCESSED_DATA);
    fif_output_end(output, FIF_BLOCK_MEAS);
    return finish(output, error);
}

// Models.

/** A channel of a forward solution: its kind in the unit of that kind. */
static void put_forward_channel(struct fif_output *output, const struct forward *forward, size_t i)
{
    const char *unit = forward->kinds[i] == CHANNEL_GRAD  ? "T/m"
                       : forward->kinds[i] == CHANNEL_MAG ? "T"
                                                          : "V";
    struct channel channel = {
        .name = forward->names[i], .kind = forward->kinds[i], .unit = (char *) unit};
    fif_output_channel(output, &channel, i + 1, 1.0, 0);
}

static void put_parents(struct fif_output *output, const struct forward *forward)
{
    static const float identity[3][4] = {
        {1.0f, 0.0f, 0.0f, 0.0f}, {0.0f, 1.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 1.0f, 0.0f}};
    fif_output_start(output, FIF_BLOCK_PARENT_MRI);
    fif_output_transform(output, FIF_FRAME_MRI, FIF_FRAME_HEAD,
                         forward->has_mri_to_head ? forward->mri_to_head : identity);
    fif_output_end(output, FIF_BLOCK_PARENT_MRI);
    fif_output_start(output, FIF_BLOCK_PARENT_MEAS);
    fif_output_transform(output, FIF_FRAME_DEVICE, FIF_FRAME_HEAD, identity);
    fif_output_int(output, FIF_NCHAN, (int32_t) forward->n_channels);
    for (size_t i = 0; i < forward->n_channels; i++)
        put_forward_channel(output, forward, i);
    fif_output_end(output, FIF_BLOCK_PARENT_MEAS);
}

static void put_space(struct fif_output *output, const struct source_space *space, int32_t frame)
{
    size_t n = space->n_points;
    g_autofree double *flags = g_new(double, n);
    for (size_t i = 0; i < n; i++)
        flags[i] = space->in_use[i];
    fif_output_start(output, FIF_BLOCK_SOURCE_SPACE);
    fif_output_int(output, FIF_SOURCE_TYPE, (int32_t) space->type);
    fif_output_int(output, FIF_SOURCE_ID, space->id);
    fif_output_int(output, FIF_COORD_FRAME, frame);
    fif_output_int(output, FIF_N_POINTS, (int32_t) n);
    fif_output_numbers(output, FIF_SOURCE_POINTS, FIF_TYPE_FLOAT, space->points, 3 * n, 3);
    fif_output_numbers(output, FIF_SOURCE_NORMALS, FIF_TYPE_FLOAT, space->normals, 3 * n, 3);
    fif_output_numbers(output, FIF_SOURCE_IN_USE, FIF_TYPE_INT32, flags, n, 0);
    fif_output_int(output, FIF_N_IN_USE, (int32_t) space->n_in_use);
    if (space->nearest != NULL) {
        for (size_t i = 0; i < n; i++)
            flags[i] = space->nearest[i];
        fif_output_numbers(output, FIF_SOURCE_NEAREST, FIF_TYPE_INT32, flags, n, 0);
    }
    fif_output_end(output, FIF_BLOCK_SOURCE_SPACE);
}

/** The rows [first, first + n) of the gain, as the solution of one method. */
static void put_gain(struct fif_output *output, const struct forward *forward, int32_t method,
                     size_t first, size_t n)
{
    size_t n_columns = fif_forward_axes(forward) * forward->n_sources;
    if (n == 0)
        return;
    g_autofree double *gain = g_new(double, n *n_columns);
    for (size_t j = 0; j < n_columns; j++)
        memcpy(gain + j * n, forward->gain + j * forward->n_channels + first, n * sizeof(double));
    fif_output_start(output, FIF_BLOCK_FORWARD);
    fif_output_int(output, FIF_INCLUDED_METHODS, method);
    fif_output_int(output, FIF_COORD_FRAME, forward->frame);
    fif_output_int(output, FIF_SOURCE_ORIENTATION, forward->is_fixed ? 1 : 2);
    fif_output_int(output, FIF_N_POINTS, (int32_t) forward->n_sources);
    fif_output_int(output, FIF_NCHAN, (int32_t) n);
    fif_output_start(output, FIF_BLOCK_NAMED_MATRIX);
    fif_output_int(output, FIF_N_ROWS, (int32_t) n_columns);
    fif_output_int(output, FIF_N_COLUMNS, (int32_t) n);
    fif_output_names(output, FIF_COL_NAMES, forward->names + first, n);
    fif_output_numbers(output, FIF_FORWARD_GAIN, FIF_TYPE_FLOAT, gain, n * n_columns, n);
    fif_output_end(output, FIF_BLOCK_NAMED_MATRIX);
    fif_output_end(output, FIF_BLOCK_FORWARD);
}

bool writer_fif_forward(const char *path, const struct forward *forward, bool overwrite,
                        GError **error)
{
    enum { METHOD_MEG = 1, METHOD_EEG = 2 };
    g_autoptr(owned_fif_output) output = fif_output_new(path, overwrite, error);
    if (output == NULL)
        return false;
    size_t n_meg = 0;
    while (n_meg < forward->n_channels && forward->kinds[n_meg] != CHANNEL_EEG)
        n_meg++;
    fif_output_start(output, FIF_BLOCK_MNE);
    put_parents(output, forward);
    for (size_t i = 0; i < forward->n_spaces; i++)
        put_space(output, &forward->space[i], forward->frame);
    put_gain(output, forward, METHOD_MEG, 0, n_meg);
    put_gain(output, forward, METHOD_EEG, n_meg, forward->n_channels - n_meg);
    fif_output_end(output, FIF_BLOCK_MNE);
    return finish(output, error);
}

bool writer_fif_covariance(const char *path, const struct covariance *covariance, bool overwrite,
                           GError **error)
{
    g_autoptr(owned_fif_output) output = fif_output_new(path, overwrite, error);
    if (output == NULL)
        return false;
    size_t n = covariance->n;
    fif_output_start(output, FIF_BLOCK_MNE);
    fif_output_start(output, FIF_BLOCK_COV);
    fif_output_int(output, FIF_COV_KIND, 1);
    fif_output_int(output, FIF_COV_DIM, (int32_t) n);
    if (covariance->n_free > 0)
        fif_output_int(output, FIF_COV_NFREE, covariance->n_free);
    fif_output_names(output, FIF_ROW_NAMES, covariance->names, n);
    if (covariance->matrix == NULL) {
        fif_output_numbers(output, FIF_COV_DIAGONAL, FIF_TYPE_DOUBLE, covariance->diagonal, n, 0);
    } else {
        g_autofree double *packed = g_new(double, n *(n + 1) / 2);
        size_t at = 0;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                packed[at++] = covariance->matrix[i * n + j];
        fif_output_numbers(output, FIF_COV, FIF_TYPE_DOUBLE, packed, at, 0);
    }
    fif_output_projectors(output, covariance->projectors);
    fif_output_bads(output, covariance->bads, g_strv_length(covariance->bads));
    fif_output_end(output, FIF_BLOCK_COV);
    fif_output_end(output, FIF_BLOCK_MNE);
    return finish(output, error);
}
