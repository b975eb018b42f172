// SPDX-License-Identifier: BSD-3-Clause
#include "io/bytes.h"
#include "io/fif_epochs.h"
#include "io/fif_sensors.h"
#include "io/frame_feed.h"
#include "io/text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    MAX_FILES = 1000,     // of a split recording
    READ_BYTES = 1 << 20, // of neighbouring buffers at a time; more than a frame has
    GAP_FRAMES = 8192,    // handed on at a time
    ROLE_NEXT_FILE = 2,
    ASPECT_AVERAGE = 100,
    ASPECT_STANDARD_ERROR = 101,
};

/** A data buffer: n samples of every channel; where it has no format, zeros that fill a gap. */
struct buffer {
    uint64_t offset; // of its payload
    uint32_t file;   // of a split recording
    uint32_t n;      // samples of a channel
    size_t first;    // its first sample, from the first of the recording
    bool is_late;    // does not follow what is before it
    const struct bytes_format *format;
};

struct fif_source {
    GPtrArray *files;  // owned, of owned struct fif: the first and what continues it
    GArray *buffers;   // owned, of struct buffer; raw data
    GArray *epochs;    // owned, of struct fif_epoch, one a part
    GArray *aspects;   // owned, of size_t: the blocks of averages, one a part
    size_t n_channels; // of the file
    size_t n_time;     // of raw data
    int64_t n_skipped; // samples of gaps
    int64_t first;     // sample of the acquisition's clock; raw data
    bool is_late;      // the next buffer does not follow what is before it
};

static void unref_file(void *data)
{
    fif_free(data);
}

static void reader_close(struct recording *recording)
{
    struct fif_source *source = recording->source;
    if (source == NULL)
        return;
    g_ptr_array_unref(source->files);
    g_array_unref(source->buffers);
    g_array_unref(source->aspects);
    g_array_unref(source->epochs);
    g_free(source);
    recording->source = NULL;
}

static bool reader_recognise(const char *path, const uint8_t *head, size_t n_head)
{
    return fif_recognise(head, n_head) || text_has_suffix(path, ".fif") ||
           text_has_suffix(path, ".fif.gz");
}

// The index of raw data.

static void add_buffer(struct fif_source *source, const struct buffer *buffer)
{
    source->n_time += buffer->n;
    g_array_append_vals(source->buffers, buffer, 1);
}

static bool take_buffer(struct fif_source *source, const struct fif *fif, const struct fif_tag *tag,
                        int64_t skip, GError **error)
{
    const struct bytes_format *format = fif_format(tag->type);
    bool is_complex = tag->type == FIF_TYPE_COMPLEX_FLOAT || tag->type == FIF_TYPE_COMPLEX_DOUBLE;
    if (format == NULL)
        return fif_refuse(fif, tag, error,
                          "expected samples of 16 or 32 bit integers, floats or doubles, found %s "
                          "(type %d)",
                          is_complex ? "complex ones" : "others", tag->type);
    size_t frame = source->n_channels * format->n_bytes;
    if (tag->size % frame != 0)
        return fif_refuse(fif, tag, error,
                          "expected a multiple of %zu bytes (%zu channels), "
                          "found %u",
                          frame, source->n_channels, tag->size);
    struct buffer buffer = {.offset = tag->offset,
                            .file = source->files->len - 1,
                            .n = (uint32_t) (tag->size / frame),
                            .format = format};
    // All gaps together: samples are counted in 31 bits.
    int64_t n_skipped = 0;
    if (__builtin_mul_overflow(skip, (int64_t) buffer.n, &n_skipped) ||
        n_skipped > INT32_MAX - source->n_skipped)
        return fif_refuse(fif, tag, error,
                          "expected gaps below 2^31 samples, found one of %" PRId64
                          " buffers of %u after %" PRId64 " samples of them",
                          skip, buffer.n, source->n_skipped);
    source->n_skipped += n_skipped;
    if (source->n_time == 0) {
        source->first += n_skipped;
    } else if (n_skipped > 0) {
        struct buffer gap = {.n = (uint32_t) n_skipped, .first = source->n_time};
        add_buffer(source, &gap);
    }
    buffer.first = source->n_time;
    buffer.is_late = source->is_late;
    if (buffer.n > 0)
        add_buffer(source, &buffer);
    source->is_late = source->is_late && buffer.n == 0;
    return true;
}

/** Adds the buffers of a block; a skip counts in the buffer that comes after it. */
static bool index_buffers(struct fif_source *source, const struct fif *fif, size_t block,
                          GError **error)
{
    int64_t skip = 0;
    const struct fif_tag *end = fif->tag + fif->block[block].end;
    for (const struct fif_tag *tag = fif->tag + fif->block[block].first; tag < end; tag++) {
        if (tag->block != block)
            continue;
        if (tag->kind == FIF_DATA_SKIP) {
            uint8_t bytes[4] = {0};
            if (tag->size != sizeof bytes)
                return fif_refuse(fif, tag, error, "expected 4 bytes, found %u", tag->size);
            if (!fif_read(fif, tag->offset, bytes, sizeof bytes, error))
                return false;
            skip = (int32_t) bytes_load_be32(bytes);
            if (skip < 0)
                return fif_refuse(fif, tag, error,
                                  "expected a gap of 0 buffers or more, found %" PRId64, skip);
        } else if (tag->kind == FIF_DATA_BUFFER) {
            if (!take_buffer(source, fif, tag, skip, error))
                return false;
            skip = 0;
        }
    }
    return true;
}

// Recordings in several files.

/** NAME-1.fif of NAME.fif, NAME-2.fif of NAME-1.fif. */
static char *numbered_name(const char *name, int32_t number)
{
    const char *dot = strchr(name, '.');
    size_t n_stem = dot == NULL ? strlen(name) : (size_t) (dot - name);
    g_autofree char *stem = g_strndup(name, n_stem);
    char *dash = strrchr(stem, '-');
    if (dash != NULL && dash[1] != '\0' && strspn(dash + 1, "0123456789") == strlen(dash + 1))
        *dash = '\0';
    return g_strdup_printf("%s-%d%s", stem, number, dot == NULL ? "" : dot);
}

/** The name in one reference, NULL where it is not to the next file. */
static bool read_reference(const struct fif *fif, size_t block, char **name,
                           const struct io_context *io, GError **error)
{
    int32_t role = 0;
    int32_t number = -1;
    g_autofree char *text = NULL;
    if (!fif_get_int(fif, block, FIF_REF_ROLE, &role, error) ||
        !fif_get_int(fif, block, FIF_REF_FILE_NUM, &number, error) ||
        !fif_get_string(fif, block, FIF_REF_FILE_NAME, &text, io, error))
        return false;
    if (role != ROLE_NEXT_FILE)
        return true;
    if (text == NULL && number >= 0) {
        g_autofree char *base = g_path_get_basename(fif->path);
        text = numbered_name(base, number);
    }
    bool plain = text != NULL && *text != '\0' && strpbrk(text, "/\\") == NULL &&
                 strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
    if (!plain) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "next file: expected a plain name in the same folder");
        return false;
    }
    *name = g_steal_pointer(&text);
    return true;
}

/** The path of the file that goes on where this one ends; *path is NULL where there is none. */
static bool find_next(const struct fif *fif, char **path, const struct io_context *io,
                      GError **error)
{
    *path = NULL;
    for (size_t block = fif_find_block(fif, 0, FIF_BLOCK_REFERENCE); block != 0;
         block = fif_next_block(fif, 0, FIF_BLOCK_REFERENCE, block)) {
        g_autofree char *name = NULL;
        if (!read_reference(fif, block, &name, io, error))
            return false;
        if (name != NULL && *path != NULL) {
            io_error_set(error, IO_ERROR_INPUT, fif->path, "expected one next file, found two");
            return false;
        }
        if (name != NULL) {
            g_autofree char *folder = g_path_get_dirname(fif->path);
            *path = g_build_filename(folder, name, NULL);
        }
    }
    return true;
}

/** Whether a further file has the channels and the rate of the first. */
static bool continues(const struct fif *fif, size_t meas_info, const struct sensors *sensors,
                      double rate_hz, const struct io_context *io, GError **error)
{
    double own_rate_hz = 0.0;
    if (!fif_rate(fif, meas_info, &own_rate_hz, error))
        return false;
    g_autoptr(owned_fif_channels) channels = fif_channels(fif, meas_info, io, error);
    if (channels == NULL)
        return false;
    bool same = channels->n == sensors->n_channels && own_rate_hz == rate_hz;
    for (size_t i = 0; same && i < channels->n; i++)
        same = channels->channel[i].range * channels->channel[i].cal == sensors->channel[i].gain;
    if (!same)
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "expected the channels and rate of the file before it");
    return same;
}

static struct fif *open_file(struct recording *recording, const char *path, struct gz *stream,
                             const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    // What compressed files hold in memory counts.
    struct io_context left = *io;
    for (guint i = 0; i < source->files->len; i++) {
        const struct fif *held = source->files->pdata[i];
        left.mem_limit -= held->owned_bytes == NULL ? 0 : MIN(held->size, left.mem_limit);
    }
    struct fif *fif = fif_open(path, stream, &left, error);
    if (fif == NULL)
        return NULL;
    g_ptr_array_add(source->files, fif);
    recording->compressed = recording->compressed || gz_is_compressed(fif->stream);
    recording->n_members += fif->n_members;
    return fif;
}

/** The first sample of a raw block on the clock of the acquisition. */
static bool read_first(const struct fif *fif, size_t block, int64_t *first, GError **error)
{
    int32_t value = 0;
    if (!fif_get_int(fif, block, FIF_FIRST_SAMPLE, &value, error))
        return false;
    if (value < 0)
        return fif_refuse(fif, fif_find(fif, block, FIF_FIRST_SAMPLE), error,
                          "expected a first sample of 0 or more, found %d", value);
    *first = value;
    return true;
}

static bool append_file(struct recording *recording, const char *path, double rate_hz,
                        const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    struct gz *stream = gz_open(path, error);
    struct fif *fif = stream == NULL ? NULL : open_file(recording, path, stream, io, error);
    if (fif == NULL)
        return false;
    size_t meas_info = fif_find_block(fif, 0, FIF_BLOCK_MEAS_INFO);
    size_t block = fif_raw_block(fif);
    if (meas_info == 0 || block == 0) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected raw data, found %s",
                     fif_contents_name(fif_contents(fif)));
        return false;
    }
    int64_t first = 0;
    size_t n_before = source->n_time;
    if (!continues(fif, meas_info, recording->sensors, rate_hz, io, error) ||
        !read_first(fif, block, &first, error))
        return false;
    source->is_late = first != source->first + (int64_t) n_before;
    if (!index_buffers(source, fif, block, error))
        return false;
    if (first != source->first + (int64_t) n_before)
        recording_warn(recording, "split",
                       "file %u begins at sample %" PRId64 ", the one before it ends at %" PRId64,
                       source->files->len, first, source->first + (int64_t) n_before);
    return true;
}

/** Appends what continues the first file, each file by `append`. */
static bool append_files(struct recording *recording, double rate_hz,
                         bool (*append)(struct recording *recording, const char *path,
                                        double rate_hz, const struct io_context *io,
                                        GError **error),
                         const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_add(seen, g_path_get_basename(recording->path));
    for (;;) {
        const struct fif *last = source->files->pdata[source->files->len - 1];
        g_autofree char *path = NULL;
        if (!find_next(last, &path, io, error))
            return false;
        if (path == NULL)
            return true;
        bool is_new = g_hash_table_add(seen, g_path_get_basename(path));
        if (!is_new || source->files->len == MAX_FILES) {
            io_error_set(error, IO_ERROR_INPUT, last->path,
                         "next file: expected at most %d files, none of them twice", MAX_FILES);
            return false;
        }
        if (!append(recording, path, rate_hz, io, error))
            return false;
    }
}

// Opening.

/** Gaps are read as zeros: an event tells where, as other programs do. */
static void add_gaps(struct recording *recording, double rate_hz)
{
    const struct fif_source *source = recording->source;
    size_t n_gaps = 0;
    for (guint i = 0; i < source->buffers->len; i++) {
        const struct buffer *buffer = &g_array_index(source->buffers, struct buffer, i);
        if (buffer->is_late)
            part_add_hole(&recording->sensors->part[0], buffer->first, 0);
        if (buffer->format != NULL)
            continue;
        part_add_hole(&recording->sensors->part[0], buffer->first, buffer->n);
        sensors_add_event(recording->sensors, (double) buffer->first / rate_hz, buffer->n / rate_hz,
                          "BAD_ACQ_SKIP", 0);
        n_gaps++;
    }
    if (n_gaps > 0)
        recording_warn(recording, "gap", "data: %zu gaps are read as zeros (events BAD_ACQ_SKIP)",
                       n_gaps);
}

static const char *name_samples(const struct fif_source *source)
{
    const struct bytes_format *format = NULL;
    for (guint i = 0; i < source->buffers->len; i++) {
        const struct buffer *buffer = &g_array_index(source->buffers, struct buffer, i);
        if (format != NULL && buffer->format != NULL && buffer->format != format)
            return "mixed";
        if (buffer->format != NULL)
            format = buffer->format;
    }
    g_assert(format != NULL); // there are samples
    return format->name;
}

static bool open_raw(struct recording *recording, struct fif *fif, size_t meas_info,
                     const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    size_t block = fif_raw_block(fif);
    double rate_hz = 0.0;
    if (!fif_rate(fif, meas_info, &rate_hz, error))
        return false;
    recording->sensors = fif_sensors(fif, meas_info, false, io, error);
    if (recording->sensors == NULL)
        return false;
    struct sensors *sensors = recording->sensors;
    source->n_channels = sensors->n_channels;
    if (fif->block[block].kind == FIF_BLOCK_IAS_RAW_DATA)
        recording_warn(recording, "maxshield",
                       "data: recorded with active shielding (MaxShield) and not processed since");
    if (!read_first(fif, block, &source->first, error) ||
        !index_buffers(source, fif, block, error) ||
        !append_files(recording, rate_hz, append_file, io, error))
        return false;
    if (source->n_time == 0) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "data: expected samples, found none");
        return false;
    }
    sensors->first_sample = (size_t) source->first;
    sensors->part = g_new(struct part, 1);
    sensors->part[0] = part_of_all("raw data", sensors->n_channels, rate_hz, source->n_time);
    sensors->n_parts = 1;
    recording->format = "FIF raw";
    recording->datatype = name_samples(source);
    add_gaps(recording, rate_hz);
    return fif_annotations(fif, meas_info, (double) source->first / rate_hz, sensors, io, error);
}

/** The samples of an aspect: a matrix of channels x time, or a row of it a tag. */
static bool check_average(const struct fif *fif, size_t aspect, size_t n_channels, size_t n_time,
                          const struct bytes_format **format, GError **error)
{
    const struct fif_tag *tag = fif_find(fif, aspect, FIF_EPOCH);
    size_t n_rows = 0;
    for (; tag != NULL; tag = fif_next(fif, aspect, FIF_EPOCH, tag)) {
        struct fif_numbers shape;
        if (!fif_shape(fif, tag, &shape, format, error))
            return false;
        // A row may be stored as a column.
        bool is_row = shape.n == n_time && (shape.n_rows == 1 || shape.n_columns == 1);
        bool is_all = shape.n_rows == n_channels && shape.n_columns == n_time;
        if (!is_all && !is_row)
            return fif_refuse(fif, tag, error,
                              "expected %zu channels x %zu samples, found %zu x "
                              "%zu",
                              n_channels, n_time, shape.n_rows, shape.n_columns);
        n_rows += is_all ? n_channels : 1;
    }
    if (n_rows != n_channels)
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "averages: expected samples of %zu channels, found %zu", n_channels, n_rows);
    return n_rows == n_channels;
}

static char *name_average(char *condition, size_t number, int32_t aspect)
{
    g_autofree char *name = condition;
    if (name == NULL)
        name = g_strdup_printf("condition %zu", number);
    if (aspect == ASPECT_AVERAGE)
        return g_steal_pointer(&name);
    if (aspect == ASPECT_STANDARD_ERROR)
        return g_strdup_printf("%s (standard error)", name);
    return g_strdup_printf("%s (aspect %d)", name, aspect);
}

static bool add_average(struct recording *recording, const struct fif *fif, size_t evoked,
                        size_t aspect, double rate_hz, const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    struct sensors *sensors = recording->sensors;
    const struct bytes_format *format = NULL;
    int32_t first = 0;
    int32_t last = -1;
    int32_t n_channels = (int32_t) sensors->n_channels;
    int32_t n_averaged = 1;
    int32_t kind = ASPECT_AVERAGE;
    g_autofree char *name = NULL;
    if (!fif_get_int(fif, evoked, FIF_FIRST_SAMPLE, &first, error) ||
        !fif_get_int(fif, evoked, FIF_LAST_SAMPLE, &last, error) ||
        !fif_get_int(fif, evoked, FIF_NCHAN, &n_channels, error) ||
        !fif_get_real(fif, evoked, FIF_SFREQ, &rate_hz, error) ||
        !fif_get_string(fif, evoked, FIF_COMMENT, &name, io, error) ||
        !fif_get_int(fif, aspect, FIF_ASPECT_KIND, &kind, error) ||
        !fif_get_int(fif, aspect, FIF_NAVE, &n_averaged, error))
        return false;
    if (last < first || n_averaged < 0 || (size_t) n_channels != sensors->n_channels ||
        !(isfinite(rate_hz) && rate_hz > 0.0)) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "averages: expected samples in order of %zu channels, found %d to %d of %d",
                     sensors->n_channels, first, last, n_channels);
        return false;
    }
    size_t n_time = (size_t) ((int64_t) last - first + 1);
    if (!check_average(fif, aspect, sensors->n_channels, n_time, &format, error))
        return false;
    g_assert(format != NULL); // there are rows
    recording->datatype = format->name;
    g_array_append_val(source->aspects, aspect);
    sensors->part = g_renew(struct part, sensors->part, sensors->n_parts + 1);
    struct part *part = &sensors->part[sensors->n_parts++];
    g_autofree char *full = name_average(g_steal_pointer(&name), sensors->n_parts, kind);
    *part = part_of_all(full, sensors->n_channels, rate_hz, n_time);
    part->start_s = first / rate_hz;
    part->n_averaged = n_averaged;
    part->is_error = kind == ASPECT_STANDARD_ERROR;
    return true;
}

// What averages and epochs begin with.
static bool open_sensors(struct recording *recording, struct fif *fif, size_t meas_info,
                         double *rate_hz, const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    if (!fif_rate(fif, meas_info, rate_hz, error))
        return false;
    recording->sensors = fif_sensors(fif, meas_info, true, io, error);
    if (recording->sensors == NULL)
        return false;
    source->n_channels = recording->sensors->n_channels;
    return true;
}

static bool open_averages(struct recording *recording, struct fif *fif, size_t meas_info,
                          const struct io_context *io, GError **error)
{
    double rate_hz = 0.0;
    if (!open_sensors(recording, fif, meas_info, &rate_hz, io, error))
        return false;
    recording->format = "FIF evoked";
    for (size_t evoked = fif_find_block(fif, 0, FIF_BLOCK_EVOKED); evoked != 0;
         evoked = fif_next_block(fif, 0, FIF_BLOCK_EVOKED, evoked))
        for (size_t aspect = fif_find_block(fif, evoked, FIF_BLOCK_ASPECT); aspect != 0;
             aspect = fif_next_block(fif, evoked, FIF_BLOCK_ASPECT, aspect))
            if (!add_average(recording, fif, evoked, aspect, rate_hz, io, error))
                return false;
    if (recording->sensors->n_parts > 0)
        return true;
    io_error_set(error, IO_ERROR_INPUT, fif->path, "averages: expected samples, found none");
    return false;
}

// Epochs.

static bool append_epochs(struct recording *recording, const char *path, double rate_hz,
                          const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    struct gz *stream = gz_open(path, error);
    const struct fif *fif = stream == NULL ? NULL : open_file(recording, path, stream, io, error);
    if (fif == NULL)
        return false;
    size_t meas_info = fif_find_block(fif, 0, FIF_BLOCK_MEAS_INFO);
    double own_rate_hz = 0.0;
    int32_t n_channels = 0;
    if (meas_info == 0 || fif_contents(fif) != FIF_CONTENTS_EPOCHS) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected epochs, found %s",
                     fif_contents_name(fif_contents(fif)));
        return false;
    }
    if (!fif_rate(fif, meas_info, &own_rate_hz, error) ||
        !fif_get_int(fif, meas_info, FIF_NCHAN, &n_channels, error))
        return false;
    if (own_rate_hz != rate_hz || (size_t) n_channels != source->n_channels) {
        io_error_set(error, IO_ERROR_INPUT, path,
                     "expected the channels and rate of the file before it");
        return false;
    }
    return fif_epochs_add(fif, source->files->len - 1, rate_hz, recording->sensors, source->epochs,
                          io, error);
}

static bool open_epochs(struct recording *recording, struct fif *fif, size_t meas_info,
                        const struct io_context *io, GError **error)
{
    struct fif_source *source = recording->source;
    double rate_hz = 0.0;
    if (!open_sensors(recording, fif, meas_info, &rate_hz, io, error))
        return false;
    recording->format = "FIF epochs";
    recording->sensors->is_epochs = true;
    if (!fif_epochs_add(fif, 0, rate_hz, recording->sensors, source->epochs, io, error) ||
        !append_files(recording, rate_hz, append_epochs, io, error))
        return false;
    if (source->epochs->len > 0) {
        recording->datatype = g_array_index(source->epochs, struct fif_epoch, 0).format->name;
        return true;
    }
    io_error_set(error, IO_ERROR_INPUT, fif->path, "epochs: expected samples, found none");
    return false;
}

static void pass_warnings_on(struct recording *recording)
{
    const struct fif_source *source = recording->source;
    for (guint i = 0; i < source->files->len; i++) {
        const struct fif *fif = source->files->pdata[i];
        for (guint j = 0; j < fif->warnings->len; j++) {
            if (i == 0)
                recording_warn(recording, "format", "%s", (char *) fif->warnings->pdata[j]);
            else
                recording_warn(recording, "format", "file %u: %s", i + 1,
                               (char *) fif->warnings->pdata[j]);
        }
    }
}

static bool reader_open(struct recording *recording, struct gz *stream, const struct io_context *io,
                        GError **error)
{
    struct fif_source *source = g_new0(struct fif_source, 1);
    recording->source = source;
    recording->type = SAMPLE_DOUBLE;
    source->files = g_ptr_array_new_with_free_func(unref_file);
    source->buffers = g_array_new(FALSE, FALSE, sizeof(struct buffer));
    source->aspects = g_array_new(FALSE, FALSE, sizeof(size_t));
    source->epochs = g_array_new(FALSE, FALSE, sizeof(struct fif_epoch));
    struct fif *fif = open_file(recording, recording->path, stream, io, error);
    if (fif == NULL)
        return false;
    enum fif_contents contents = fif_contents(fif);
    size_t meas_info = fif_find_block(fif, 0, FIF_BLOCK_MEAS_INFO);
    bool is_recording = contents == FIF_CONTENTS_RAW || contents == FIF_CONTENTS_EVOKED ||
                        contents == FIF_CONTENTS_EPOCHS;
    if (!is_recording || meas_info == 0) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "expected raw data, averages or epochs with a description of channels, found "
                     "%s",
                     is_recording ? "no description" : fif_contents_name(contents));
        return false;
    }
    bool ok = contents == FIF_CONTENTS_RAW ? open_raw(recording, fif, meas_info, io, error)
              : contents == FIF_CONTENTS_EVOKED
                  ? open_averages(recording, fif, meas_info, io, error)
                  : open_epochs(recording, fif, meas_info, io, error);
    if (!ok)
        return false;
    pass_warnings_on(recording);
    recording_choose(recording, 0);
    return true;
}

// Reading.

/** What of a file is at hand, and where samples go. */
struct reading {
    const struct fif_source *source;
    const struct selection *selection;
    const struct io_context *io;
    struct frame_feed feed;
    uint8_t *window; // READ_BYTES of a file
    uint32_t file;
    uint64_t offset;
    size_t n_window;
    const uint8_t *bytes; // raw data: of the frame at hand; NULL: zeros
    const struct bytes_format *format;
    const double *column; // averages: the frame in a matrix with a row of n_time a channel
    size_t n_time;        //
};

/** n <= READ_BYTES bytes of a file that has them; those after them are read ahead. */
static const uint8_t *look(struct reading *reading, uint32_t file, uint64_t offset, size_t n,
                           GError **error)
{
    const struct fif *fif = reading->source->files->pdata[file];
    if (fif->bytes != NULL)
        return fif->bytes + offset;
    bool at_hand = reading->file == file && offset >= reading->offset &&
                   offset + n <= reading->offset + reading->n_window;
    if (!at_hand) {
        reading->n_window = 0;
        size_t more = (size_t) MIN(READ_BYTES, fif->size - offset);
        if (!fif_read(fif, offset, reading->window, MAX(n, more), error))
            return NULL;
        reading->file = file;
        reading->offset = offset;
        reading->n_window = more;
    }
    return reading->window + (offset - reading->offset);
}

static const void *raw_samples(void *data, size_t first, size_t count, void *tile)
{
    const struct reading *reading = data;
    if (reading->bytes == NULL)
        return memset(tile, 0, count * sizeof(double));
    reading->format->convert(reading->bytes + first * reading->format->n_bytes, count, tile);
    return tile;
}

static const void *average_samples(void *data, size_t first, size_t count, void *tile)
{
    const struct reading *reading = data;
    double *samples = tile;
    for (size_t i = 0; i < count; i++)
        samples[i] = reading->column[(first + i) * reading->n_time];
    return samples;
}

/** The frames [from, to) of a buffer. */
static bool read_buffer(const struct recording *recording, struct reading *reading,
                        const struct buffer *buffer, size_t from, size_t to, GError **error)
{
    const struct fif_source *source = reading->source;
    size_t size = buffer->format == NULL ? 0 : buffer->format->n_bytes;
    size_t frame = source->n_channels * size;
    size_t n_most = frame == 0 ? GAP_FRAMES : READ_BYTES / frame;
    for (size_t t = from; t < to;) {
        size_t n = MIN(to - t, n_most);
        const uint8_t *bytes = NULL;
        if (!io_context_go_on(reading->io, (double) t / (double) source->n_time))
            return io_error_stopped(error, recording->path);
        if (buffer->format != NULL) {
            uint64_t offset = buffer->offset + (t - buffer->first) * frame;
            bytes = look(reading, buffer->file, offset, n * frame, error);
            if (bytes == NULL)
                return false;
        }
        reading->format = buffer->format;
        for (size_t i = 0; i < n; i++) {
            reading->bytes = bytes == NULL ? NULL : bytes + i * frame;
            if (!frame_feed_take(&reading->feed, t + i - reading->selection->first_frame, 0,
                                 source->n_channels))
                return io_error_stopped(error, recording->path);
        }
        t += n;
    }
    return true;
}

/** The first buffer that ends after a frame. */
static guint find_buffer(const struct fif_source *source, size_t frame)
{
    guint low = 0;
    guint high = source->buffers->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        const struct buffer *buffer = &g_array_index(source->buffers, struct buffer, middle);
        if (buffer->first + buffer->n <= frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool raw_frames(struct recording *recording, struct reading *reading, GError **error)
{
    const struct fif_source *source = reading->source;
    size_t first = reading->selection->first_frame;
    size_t end = first + reading->selection->n_frames;
    g_autofree uint8_t *window = g_malloc(READ_BYTES);
    reading->window = window;
    for (guint i = find_buffer(source, first); i < source->buffers->len; i++) {
        const struct buffer *buffer = &g_array_index(source->buffers, struct buffer, i);
        if (buffer->first >= end)
            break;
        if (!read_buffer(recording, reading, buffer, MAX(first, buffer->first),
                         MIN(end, buffer->first + buffer->n), error))
            return false;
    }
    return true;
}

/** The samples of the chosen epoch or average, a row a channel. */
static bool read_rows(const struct recording *recording, const struct reading *reading,
                      double *rows, GError **error)
{
    const struct fif_source *source = reading->source;
    size_t chosen = recording->sensors->chosen, n = 0;
    if (source->epochs->len > 0) {
        const struct fif_epoch *epoch = &g_array_index(source->epochs, struct fif_epoch, chosen);
        return fif_epochs_read(source->files->pdata[epoch->file], epoch,
                               source->n_channels * recording->sensors->part[chosen].n_time, rows,
                               reading->io, error);
    }
    const struct fif *fif = source->files->pdata[0];
    size_t aspect = g_array_index(source->aspects, size_t, chosen);
    for (const struct fif_tag *tag = fif_find(fif, aspect, FIF_EPOCH); tag != NULL;
         tag = fif_next(fif, aspect, FIF_EPOCH, tag)) {
        g_auto(owned_fif_numbers) numbers = {0};
        if (!fif_numbers(fif, tag, &numbers, reading->io, error))
            return false;
        memcpy(rows + n, numbers.values, numbers.n * sizeof(double));
        n += numbers.n;
    }
    return true;
}

static bool average_frames(struct recording *recording, struct reading *reading, GError **error)
{
    const struct fif_source *source = reading->source;
    const struct fif *fif = source->files->pdata[0];
    const struct sensors *sensors = recording->sensors;
    size_t n_time = sensors->part[sensors->chosen].n_time;
    g_autofree double *rows = io_context_alloc(reading->io, fif->path, source->n_channels,
                                               n_time * sizeof(double), error);
    if (rows == NULL || !read_rows(recording, reading, rows, error))
        return false;
    reading->n_time = n_time;
    for (size_t t = 0; t < reading->selection->n_frames; t++) {
        reading->column = rows + reading->selection->first_frame + t;
        if (!frame_feed_take(&reading->feed, t, 0, source->n_channels))
            return io_error_stopped(error, recording->path);
    }
    return true;
}

static bool reader_frames(struct recording *recording, const struct selection *selection,
                          const struct frame_sink *sink, const struct io_context *io,
                          GError **error)
{
    const struct fif_source *source = recording->source;
    bool averaged = source->aspects->len > 0 || source->epochs->len > 0;
    g_autofree double *tile = g_new(double, FRAME_FEED_SAMPLES);
    struct reading reading = {.source = source, .selection = selection, .io = io};
    reading.feed = (struct frame_feed){.selection = selection,
                                       .sink = sink,
                                       .samples = averaged ? average_samples : raw_samples,
                                       .data = &reading,
                                       .tile = tile};
    return averaged ? average_frames(recording, &reading, error)
                    : raw_frames(recording, &reading, error);
}

const struct reader reader_fif = {
    .name = "FIF",
    .recognise = reader_recognise,
    .open = reader_open,
    .frames = reader_frames,
    .close = reader_close,
};
