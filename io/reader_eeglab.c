// SPDX-License-Identifier: BSD-3-Clause
// EEGLAB data sets: a MATLAB file with the struct EEG, or with its fields, and samples in it or in
// a file of floats beside it.
#include "io/bytes.h"
#include "io/frame_feed.h"
#include "io/header_brainvision.h"
#include "io/input.h"
#include "io/mat_check.h"
#include "io/siblings.h"
#include "io/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <matio.h>
#include <string.h>
#include <unistd.h>

enum { TILE_SAMPLES = 1 << 17, MOST_CHANNELS = 65535, FLOAT_BYTES = 4 };
static const double VOLTS = 1e-6; // samples are in microvolts

struct eeglab_source {
    struct gz *stream; // owned
    GPtrArray *vars;   // owned, of owned matvar_t
    matvar_t *set;     // borrowed: the struct EEG; NULL: its fields are variables
    matvar_t *data;    // borrowed: the samples; NULL: they stand in `file`
    struct input file; // of floats, frame after frame
    char *file_path;   // owned
    size_t n_channels; //
    size_t n_time;     // of an epoch, or of all
    size_t n_epochs;   // 1: continuous
    double rate_hz;    //
    double first;      // sample of an epoch relative to its event
};

static bool eeglab_recognise(const char *path, const uint8_t *head, size_t n_head)
{
    (void) head;
    (void) n_head;
    return text_has_suffix(path, ".set");
}

static void eeglab_close(struct recording *recording)
{
    struct eeglab_source *source = recording->source;
    if (source == NULL)
        return;
    g_ptr_array_unref(source->vars);
    gz_free(source->stream);
    input_close(&source->file);
    g_free(source->file_path);
    g_free(source);
    recording->source = NULL;
}

static bool refuse(const struct recording *recording, GError **error, const char *message)
{
    io_error_set(error, IO_ERROR_INPUT, recording->path, "%s", message);
    return false;
}

// Values of a MATLAB file.

static void free_variable(void *data)
{
    Mat_VarFree(data);
}

static size_t length_of(const matvar_t *var)
{
    size_t n = var == NULL || var->rank < 1 ? 0 : 1;
    for (int d = 0; n > 0 && d < var->rank; d++)
        n *= var->dims[d];
    return n;
}

/** Number i of an array of numbers. */
static double number_of(const matvar_t *var, size_t i)
{
    switch (var->class_type) {
    case MAT_C_DOUBLE:
        return ((const double *) var->data)[i];
    case MAT_C_SINGLE:
        return ((const float *) var->data)[i];
    case MAT_C_INT8:
        return ((const int8_t *) var->data)[i];
    case MAT_C_UINT8:
        return ((const uint8_t *) var->data)[i];
    case MAT_C_INT16:
        return ((const int16_t *) var->data)[i];
    case MAT_C_UINT16:
        return ((const uint16_t *) var->data)[i];
    case MAT_C_INT32:
        return ((const int32_t *) var->data)[i];
    case MAT_C_UINT32:
        return ((const uint32_t *) var->data)[i];
    default:
        return (double) NAN;
    }
}

/** The name of the type of real numbers that are held whole; NULL: they are none. */
static const char *type_of_numbers(const matvar_t *var)
{
    static const struct {
        enum matio_classes class_type;
        const char *name;
        size_t n_bytes;
    } rows[] = {{MAT_C_DOUBLE, "float64", 8}, {MAT_C_SINGLE, "float32", 4},
                {MAT_C_INT8, "int8", 1},      {MAT_C_UINT8, "uint8", 1},
                {MAT_C_INT16, "int16", 2},    {MAT_C_UINT16, "uint16", 2},
                {MAT_C_INT32, "int32", 4},    {MAT_C_UINT32, "uint32", 4}};
    if (var == NULL || var->data == NULL || var->isComplex)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].class_type == var->class_type &&
            var->nbytes / rows[i].n_bytes >= length_of(var))
            return rows[i].name;
    return NULL;
}

/**
 * Field `name` of element i of an array of structs; NULL: there is none. By hand: what is damaged
 * may have no names or no values, which the library takes for granted.
 */
static matvar_t *element(matvar_t *array, const char *name, size_t i)
{
    bool is_struct = array != NULL && array->class_type == MAT_C_STRUCT && array->data != NULL;
    unsigned n_fields = is_struct ? Mat_VarGetNumberOfFields(array) : 0;
    char *const *names = n_fields == 0 ? NULL : Mat_VarGetStructFieldnames(array);
    bool is_there = names != NULL && i < length_of(array) &&
                    array->nbytes / sizeof(matvar_t *) >= length_of(array) * n_fields;
    for (unsigned f = 0; is_there && f < n_fields; f++)
        if (g_strcmp0(names[f], name) == 0)
            return ((matvar_t **) array->data)[i * n_fields + f];
    return NULL;
}

/** A field of the data set; NULL: it has none of that name. */
static matvar_t *field(const struct eeglab_source *source, const char *name)
{
    if (source->set != NULL)
        return element(source->set, name, 0);
    for (guint i = 0; i < source->vars->len; i++) {
        matvar_t *var = source->vars->pdata[i];
        if (g_strcmp0(var->name, name) == 0)
            return var;
    }
    return NULL;
}

/** One number; what is none, or not one, leaves *value. */
static void read_number(const matvar_t *var, double *value)
{
    if (type_of_numbers(var) != NULL && length_of(var) == 1)
        *value = number_of(var, 0);
}

/** Letters as UTF-8, "" where there are none. Owned. */
static char *text_of(const matvar_t *var)
{
    size_t n = length_of(var);
    if (var == NULL || var->class_type != MAT_C_CHAR || var->data == NULL || n == 0)
        return g_strdup("");
    if (var->data_size == 2 && var->nbytes >= 2 * n) {
        char *text = g_utf16_to_utf8(var->data, (glong) n, NULL, NULL, NULL);
        return text == NULL ? g_strdup("") : g_strstrip(text);
    }
    return text_decode(var->data, MIN(n, var->nbytes), NULL);
}

// Opening.

/** Whether what the variables hold fits in memory, by what their headers say. */
static bool check_memory(const struct recording *recording, mat_t *mat, const struct io_context *io,
                         GError **error)
{
    size_t n = 0;
    matvar_t *var = NULL;
    while ((var = Mat_VarReadNextInfo(mat)) != NULL) {
        size_t size = Mat_VarGetSize(var);
        n = size > SIZE_MAX - n ? SIZE_MAX : n + size;
        Mat_VarFree(var);
    }
    Mat_Rewind(mat);
    void *room = io_context_alloc(io, recording->path, n, 1, error);
    g_free(room);
    return room != NULL;
}

/** Writes all bytes of the stream to a file that is open. */
static bool spill(struct gz *stream, int fd)
{
    uint8_t bytes[1 << 14];
    size_t n = 0;
    enum gz_status status = GZ_OK;
    gz_rewind(stream);
    while (status == GZ_OK) {
        status = gz_read(stream, bytes, sizeof bytes, &n);
        if (write(fd, bytes, n) != (ssize_t) n)
            return false;
    }
    return status == GZ_END;
}

/** The file for the library, which knows but names: bytes in memory take one for that long. */
static mat_t *open_library(const struct recording *recording)
{
    const struct eeglab_source *source = recording->source;
    if (!gz_is_in_memory(source->stream))
        return Mat_Open(recording->path, MAT_ACC_RDONLY);
    g_autofree char *name = NULL;
    int fd = g_file_open_tmp("taut-XXXXXX", &name, NULL);
    if (fd < 0)
        return NULL;
    mat_t *mat = spill(source->stream, fd) ? Mat_Open(name, MAT_ACC_RDONLY) : NULL;
    close(fd);
    unlink(name);
    return mat;
}

static bool read_variables(struct recording *recording, const struct io_context *io, GError **error)
{
    struct eeglab_source *source = recording->source;
    char head[128] = "";
    size_t n = 0;
    gz_read(source->stream, head, sizeof head, &n);
    if (n > 10 && (memcmp(head, "MATLAB 7.3", 10) == 0 || memcmp(head, "\x89HDF", 4) == 0))
        return refuse(recording, error,
                      "expected a MATLAB file of version 5, found 7.3 (HDF5): save the data set "
                      "with -v6 or -v7");
    bool is_little_endian = n == sizeof head && memcmp(head + 126, "IM", 2) == 0;
    if (is_little_endian && !mat_check(source->stream))
        return refuse(recording, error,
                      "expected arrays within the file, found one that says it is larger");
    mat_t *mat = memcmp(head, "MATLAB 5.0", 10) == 0 ? open_library(recording) : NULL;
    if (mat == NULL)
        return refuse(recording, error, "expected a MATLAB file of version 5, found another");
    bool fits = check_memory(recording, mat, io, error);
    matvar_t *var = NULL;
    while (fits && (var = Mat_VarReadNext(mat)) != NULL) {
        g_ptr_array_add(source->vars, var);
        if (g_strcmp0(var->name, "EEG") == 0 && var->class_type == MAT_C_STRUCT &&
            length_of(var) == 1)
            source->set = var;
    }
    Mat_Close(mat);
    return fits;
}

/** A whole number in [1, most]. */
static bool read_count(const struct eeglab_source *source, const char *name, double most,
                       size_t *count)
{
    double value = 0.0;
    read_number(field(source, name), &value);
    bool is_count = value >= 1.0 && value <= most && value == floor(value);
    *count = is_count ? (size_t) value : 0;
    return is_count;
}

static bool read_shape(struct recording *recording, GError **error)
{
    struct eeglab_source *source = recording->source;
    double start_s = 0.0, samples = 0.0;
    bool counted = read_count(source, "nbchan", MOST_CHANNELS, &source->n_channels) &&
                   read_count(source, "pnts", 0x1p53, &source->n_time);
    if (!read_count(source, "trials", 0x1p31, &source->n_epochs))
        source->n_epochs = 1;
    read_number(field(source, "srate"), &source->rate_hz);
    read_number(field(source, "xmin"), &start_s);
    samples = (double) source->n_channels * (double) source->n_time * (double) source->n_epochs;
    if (!counted || !(samples < 0x1p53))
        return refuse(recording, error,
                      "EEG: expected nbchan channels and pnts samples, found none (an EEGLAB data "
                      "set?)");
    if (!(source->rate_hz >= 1e-3 && source->rate_hz <= 1e7))
        return refuse(recording, error, "srate: expected 1e-3 to 1e7 Hz");
    if (source->n_epochs > 1)
        source->first = rint(start_s * source->rate_hz);
    return isfinite(source->first) || refuse(recording, error, "xmin: expected seconds");
}

/** The floats beside the data set, of that name, or where it is absent of the data set's own. */
static bool open_file(struct recording *recording, const char *name, GError **error)
{
    struct eeglab_source *source = recording->source;
    g_autofree char *folder = g_path_get_dirname(recording->path);
    g_autofree char *own = g_path_get_basename(recording->path);
    g_autofree char *printable = text_escape(name);
    bool is_plain = *name != '\0' && strpbrk(name, "/\\") == NULL && strcmp(name, "..") != 0;
    if (!is_plain || !text_has_suffix(name, ".fdt")) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "data: expected samples, or the name of a file .fdt in the same folder, found "
                     "\"%s\"",
                     printable);
        return false;
    }
    source->file_path = g_build_filename(folder, name, NULL);
    if (!g_file_test(source->file_path, G_FILE_TEST_EXISTS)) {
        own[strlen(own) - strlen(".set")] = '\0';
        g_autofree char *renamed = g_strconcat(own, ".fdt", NULL);
        g_autofree char *other = g_build_filename(folder, renamed, NULL);
        if (!g_file_test(other, G_FILE_TEST_EXISTS)) {
            io_error_set(error, IO_ERROR_INPUT, recording->path,
                         "data: expected %s beside the data set, found no such file", printable);
            return false;
        }
        g_free(source->file_path);
        source->file_path = g_steal_pointer(&other);
        recording_warn(recording, "renamed", "data: %s is absent: %s instead", printable, renamed);
    }
    if (!input_open(&source->file, source->file_path, error))
        return false;
    uint64_t expected =
        (uint64_t) source->n_channels * source->n_time * source->n_epochs * FLOAT_BYTES;
    if (source->file.size == expected)
        return true;
    io_error_set(error, IO_ERROR_INPUT, source->file_path,
                 "data: expected %" PRIu64 " bytes, %zu channels x %zu samples x %zu epochs, found "
                 "%" PRIu64,
                 expected, source->n_channels, source->n_time, source->n_epochs, source->file.size);
    return false;
}

static bool find_samples(struct recording *recording, GError **error)
{
    struct eeglab_source *source = recording->source;
    matvar_t *data = field(source, "data");
    if (data != NULL && data->class_type == MAT_C_CHAR) {
        g_autofree char *name = text_of(data);
        recording->datatype = "float32";
        return open_file(recording, name, error);
    }
    size_t expected = source->n_channels * source->n_time * source->n_epochs;
    recording->datatype = type_of_numbers(data);
    if (recording->datatype == NULL || length_of(data) != expected) {
        io_error_set(error, IO_ERROR_INPUT, recording->path,
                     "data: expected %zu real numbers, %zu channels x %zu samples x %zu epochs, "
                     "found %zu",
                     expected, source->n_channels, source->n_time, source->n_epochs,
                     length_of(data));
        return false;
    }
    source->data = data;
    return true;
}

static void describe_channels(struct recording *recording)
{
    const struct eeglab_source *source = recording->source;
    matvar_t *places = field(source, "chanlocs");
    recording->sensors = sensors_new(source->n_channels);
    for (size_t c = 0; c < source->n_channels; c++) {
        struct channel *channel = &recording->sensors->channel[c];
        g_autofree char *type = text_of(element(places, "type", c));
        channel->name = text_of(element(places, "labels", c));
        if (*channel->name == '\0') {
            g_free(channel->name);
            channel->name = g_strdup_printf("EEG %03zu", c + 1);
        }
        channel->kind = CHANNEL_EEG;
        if (*type != '\0' && !siblings_channel_kind(type, &channel->kind))
            channel->kind = g_ascii_strncasecmp(type, "MEG", 3) == 0 ? CHANNEL_MISC : CHANNEL_EEG;
        bool is_voltage = channel->kind != CHANNEL_STIM && channel->kind != CHANNEL_MISC &&
                          channel->kind != CHANNEL_MAG && channel->kind != CHANNEL_GRAD;
        channel->gain = is_voltage ? VOLTS : 1.0;
        channel->unit = g_strdup(is_voltage ? "V" : "");
        channel->stored_unit = g_strdup(is_voltage ? "uV" : "");
    }
    if (sensors_make_names_unique(recording->sensors))
        recording_warn(recording, "labels", "names that stand twice are told apart by -0, -1, ...");
}

// Events.

/** What an event is called, and its code. */
static char *read_type(matvar_t *events, size_t i, int *code)
{
    matvar_t *type = element(events, "type", i);
    double value = (double) NAN;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    read_number(type, &value);
    if (isnan(value)) {
        char *text = text_of(type);
        *code = brainvision_code(text);
        return text;
    }
    *code = fabs(value) <= G_MAXINT32 && value == floor(value) ? (int) value : 0;
    return g_strdup(g_ascii_formatd(number, sizeof number, "%.15g", value));
}

/** The names of epochs: of the events at their time 0. */
static void name_epochs(struct recording *recording)
{
    const struct eeglab_source *source = recording->source;
    struct sensors *sensors = recording->sensors;
    matvar_t *events = field(source, "event");
    for (size_t i = 0; i < length_of(events); i++) {
        double latency = (double) NAN;
        read_number(element(events, "latency", i), &latency);
        double epoch = floor((latency - 1.0) / (double) source->n_time);
        double at = latency - 1.0 - epoch * (double) source->n_time + source->first;
        if (!(epoch >= 0.0 && epoch < (double) source->n_epochs && fabs(at) < 0.5))
            continue;
        struct part *part = &sensors->part[(size_t) epoch];
        if (*part->name != '\0')
            continue;
        g_free(part->name);
        part->name = read_type(events, i, &part->code);
    }
}

static void add_events(struct recording *recording)
{
    const struct eeglab_source *source = recording->source;
    struct sensors *sensors = recording->sensors;
    matvar_t *events = field(source, "event");
    for (size_t i = 0; i < length_of(events); i++) {
        double latency = (double) NAN, duration = 0.0;
        int code = 0;
        read_number(element(events, "latency", i), &latency);
        read_number(element(events, "duration", i), &duration);
        if (!isfinite(latency)) {
            recording_warn(recording, "events", "events: some have no latency: left out");
            continue;
        }
        g_autofree char *type = read_type(events, i, &code);
        bool is_break = g_ascii_strcasecmp(type, "boundary") == 0;
        double first = ceil(latency - 1.0);
        if (is_break && first > 0.0 && first < (double) source->n_time)
            part_add_hole(&sensors->part[0], (size_t) first, 0);
        // the length of a boundary is that of what was cut out, which has no samples
        bool has_length = duration > 0.0 && isfinite(duration) && !is_break;
        sensors_add_event(sensors, (latency - 1.0) / source->rate_hz,
                          has_length ? duration / source->rate_hz : 0.0, type, code);
    }
}

static bool make_parts(struct recording *recording, const struct io_context *io, GError **error)
{
    const struct eeglab_source *source = recording->source;
    struct sensors *sensors = recording->sensors;
    size_t n = source->n_epochs;
    // what the parts will hold, asked for at once
    void *room = io_context_alloc(io, recording->path, n,
                                  sizeof(struct part) + source->n_channels * sizeof(size_t), error);
    if (room == NULL)
        return false;
    g_free(room);
    sensors->part = g_new0(struct part, n);
    sensors->n_parts = n;
    sensors->is_epochs = n > 1;
    for (size_t e = 0; e < n; e++) {
        struct part *part = &sensors->part[e];
        *part =
            part_of_all(n > 1 ? "" : "all", source->n_channels, source->rate_hz, source->n_time);
        part->start_s = source->first / source->rate_hz;
        part->n_averaged = n > 1 ? 1 : 0;
    }
    if (n > 1) {
        name_epochs(recording);
    } else {
        add_events(recording);
    }
    recording_choose(recording, 0);
    return true;
}

static bool eeglab_open(struct recording *recording, struct gz *stream, const struct io_context *io,
                        GError **error)
{
    struct eeglab_source *source = g_new0(struct eeglab_source, 1);
    recording->source = source;
    source->stream = stream;
    source->file.fd = -1;
    source->vars = g_ptr_array_new_with_free_func(free_variable);
    recording->type = SAMPLE_DOUBLE;
    recording->format = "EEGLAB";
    if (!read_variables(recording, io, error) || !read_shape(recording, error) ||
        !find_samples(recording, error))
        return false;
    describe_channels(recording);
    return make_parts(recording, io, error);
}

// Samples.

/** n numbers from the at-th on, frame after frame. */
static bool load(const struct eeglab_source *source, uint64_t at, size_t n, uint8_t *bytes,
                 double *values, GError **error)
{
    if (source->data != NULL) {
        for (size_t i = 0; i < n; i++)
            values[i] = number_of(source->data, (size_t) at + i);
        return true;
    }
    size_t n_read = 0;
    bool ok = input_read(&source->file, at * FLOAT_BYTES, bytes, n * FLOAT_BYTES, &n_read);
    if (!ok || n_read < n * FLOAT_BYTES) {
        io_error_set(error, IO_ERROR_INPUT, source->file_path, "data: %s",
                     ok ? "an earlier end than at first" : g_strerror(errno));
        return false;
    }
    bytes_float32_le.convert(bytes, n, values);
    return true;
}

static bool eeglab_frames(struct recording *recording, const struct selection *selection,
                          const struct frame_sink *sink, const struct io_context *io,
                          GError **error)
{
    const struct eeglab_source *source = recording->source;
    size_t n_channels = source->n_channels;
    size_t n_most = MAX(TILE_SAMPLES / n_channels, 1);
    uint64_t begin =
        (uint64_t) recording->sensors->chosen * source->n_time + selection->first_frame;
    g_autofree uint8_t *bytes = g_malloc(n_most * n_channels * FLOAT_BYTES);
    g_autofree double *values = g_new(double, n_most *n_channels);
    for (size_t at = 0; at < selection->n_frames; at += n_most) {
        size_t n = MIN(n_most, selection->n_frames - at);
        if (!load(source, (begin + at) * n_channels, n * n_channels, bytes, values, error))
            return false;
        if (!io_context_go_on(io, (double) at / (double) selection->n_frames) ||
            !frame_feed_whole(selection, sink, at, n, values, n_channels))
            return io_error_stopped(error, recording->path);
    }
    return true;
}

const struct reader reader_eeglab = {
    .name = "EEGLAB",
    .recognise = eeglab_recognise,
    .open = eeglab_open,
    .frames = eeglab_frames,
    .close = eeglab_close,
};
