// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/convert/convert.h"

#include "app/host/version.h"
#include "io/array.h"
#include "io/input.h"
#include "io/json_text.h"
#include "io/publish.h"
#include "io/siblings.h"
#include "io/sidecar.h"
#include "io/staging.h"
#include "io/text.h"
#include "io/writer_fif.h"
#include "io/writer_wav.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>

/** A format that is written. */
struct format {
    const char *extension;
    bool is_of_sensors; // else of images and arrays, too
    bool has_tables;    // channels.tsv and events.tsv beside it
    bool (*write)(const struct host *host, struct recording *recording, const char *path,
                  struct conversion *conversion, GError **error);
};

static bool write_edf(const struct host *host, struct recording *recording, const char *path,
                      struct conversion *conversion, GError **error)
{
    conversion->is_rounded = true;
    return writer_edf_write(path, recording, text_has_suffix(path, ".bdf"), true, &host->io,
                            &conversion->rounding, error);
}

static bool write_wav(const struct host *host, struct recording *recording, const char *path,
                      G_GNUC_UNUSED struct conversion *conversion, GError **error)
{
    return writer_wav_write(path, recording, text_has_suffix(path, ".rf64"), true, &host->io,
                            error);
}

/** As raw data: integers with the gain of their channel where FIF can have that, else floats. */
static bool write_fif(const struct host *host, struct recording *recording, const char *path,
                      G_GNUC_UNUSED struct conversion *conversion, GError **error)
{
    return writer_fif_recording(path, recording, writer_fif_samples(recording), true, &host->io,
                                error);
}

static bool write_rows(const struct recording *recording, struct npy_output *output, GError **error)
{
    g_autofree double *values = g_new(double, recording->n_time);
    for (size_t v = 0; v < recording->n_series; v++) {
        for (size_t t = 0; t < recording->n_time; t++)
            recording_values(recording, t, v, 1, values + t);
        if (!npy_output_put(output, v, 0, values, recording->n_time, error))
            return false;
    }
    return true;
}

/** Frames on their way into rows. */
struct turning {
    const struct recording *recording;
    struct npy_output *output; // borrowed
    double *values;            // owned; of a frame
    double *rows;              // owned; of a block
    size_t n_block;
};

/** A few frames at a time, so that what they are gathered from stays in the cache. */
static bool take_frames(void *data, size_t first, size_t n_frames, const double *frames,
                        GError **error)
{
    enum { TILE = 64 };
    const struct turning *turning = data;
    size_t n = turning->recording->n_series;
    for (size_t tile = 0; tile < n_frames; tile += TILE) {
        size_t end = MIN(tile + TILE, n_frames);
        for (size_t t = tile; t < end; t++)
            recording_frame_values(turning->recording, frames + t * n,
                                   turning->values + (t - tile) * n);
        for (size_t v = 0; v < n; v++)
            for (size_t t = tile; t < end; t++)
                turning->rows[v * turning->n_block + t] = turning->values[(t - tile) * n + v];
    }
    for (size_t v = 0; v < n; v++)
        if (!npy_output_put(turning->output, v, first, turning->rows + v * turning->n_block,
                            n_frames, error))
            return false;
    return true;
}

static bool write_turned(const struct host *host, struct recording *recording,
                         struct npy_output *output, GError **error)
{
    enum { BLOCK_BYTES = 24 << 20, TILE = 64 };
    size_t n = recording->n_series, frame_bytes = n * sizeof(double);
    size_t n_block = CLAMP(BLOCK_BYTES / frame_bytes, 1, recording->n_time);
    g_autofree double *values = g_new(double, TILE *n);
    g_autofree double *rows =
        io_context_alloc(&host->io, recording->path, n_block, frame_bytes, error);
    struct turning turning = {recording, output, values, rows, n_block};
    struct block_sink sink = {take_frames, &turning};
    return rows != NULL && recording_pass(recording, n_block, &sink, &host->io, error);
}

static bool write_npy(const struct host *host, struct recording *recording, const char *path,
                      G_GNUC_UNUSED struct conversion *conversion, GError **error)
{
    const size_t shape[] = {recording->n_series, recording->n_time};
    g_autoptr(owned_npy_output) output = npy_output_new(path, shape, true, error);
    if (output == NULL)
        return false;
    bool done = recording->sensors == NULL ? write_rows(recording, output, error)
                                           : write_turned(host, recording, output, error);
    return done && npy_output_commit(output, error);
}

static double value_at(const void *data, size_t v, size_t t)
{
    double value = 0.0;
    recording_values(data, t, v, 1, &value);
    return value;
}

/** The names of the series, NULL where they have none; the list is the caller's. */
static const char **names_of(const struct recording *recording)
{
    const char *const *given = recording->names;
    const struct sensors *sensors = recording->sensors;
    if (given == NULL && sensors == NULL)
        return NULL;
    const char **names = g_new(const char *, recording->n_series + 1);
    for (size_t v = 0; v < recording->n_series; v++)
        names[v] = given != NULL ? given[v]
                                 : sensors->channel[sensors->part[sensors->chosen].channel[v]].name;
    return names;
}

/** All values of a recording, a frame after the other. */
struct gathering {
    const struct recording *recording;
    double *values; // owned
};

static bool gather(void *data, size_t first, size_t n_frames, const double *frames,
                   G_GNUC_UNUSED GError **error)
{
    const struct gathering *gathering = data;
    size_t n = gathering->recording->n_series;
    for (size_t t = 0; t < n_frames; t++)
        recording_frame_values(gathering->recording, frames + t * n,
                               gathering->values + (first + t) * n);
    return true;
}

static double gathered_at(const void *data, size_t v, size_t t)
{
    const struct gathering *gathering = data;
    return gathering->values[t * gathering->recording->n_series + v];
}

/** Text is several times as long as what it is made from: the samples are held whole. */
static bool write_gathered(const struct host *host, struct recording *recording,
                           const char *const *names, const char *path, GError **error)
{
    enum { BLOCK_BYTES = 24 << 20 };
    size_t frame_bytes = recording->n_series * sizeof(double);
    size_t n_block = CLAMP(BLOCK_BYTES / MAX(frame_bytes, 1), 1, recording->n_time);
    g_autofree double *values =
        io_context_alloc(&host->io, recording->path, recording->n_time, frame_bytes, error);
    struct gathering gathering = {recording, values};
    struct block_sink sink = {gather, &gathering};
    const struct array_table table = {recording->n_series, recording->n_time, names, gathered_at,
                                      &gathering};
    return values != NULL && recording_pass(recording, n_block, &sink, &host->io, error) &&
           array_write_table(path, &table, true, error);
}

static bool write_table(const struct host *host, struct recording *recording, const char *path,
                        G_GNUC_UNUSED struct conversion *conversion, GError **error)
{
    g_autofree const char **names = names_of(recording);
    if (recording->sensors != NULL)
        return write_gathered(host, recording, names, path, error);
    const struct array_table table = {recording->n_series, recording->n_time, names, value_at,
                                      recording};
    return array_write_table(path, &table, true, error);
}

static const struct format formats[] = {
    {".1D", false, false, write_table},  {".bdf", true, true, write_edf},
    {".csv", false, false, write_table}, {".edf", true, true, write_edf},
    {".fif", true, false, write_fif},    {".npy", false, false, write_npy},
    {".rf64", true, true, write_wav},    {".tsv", false, false, write_table},
    {".txt", false, false, write_table}, {".wav", true, true, write_wav},
};

static const struct format *find_format(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (text_has_suffix(path, formats[i].extension))
            return &formats[i];
    return NULL;
}

void conversion_clear(struct conversion *conversion)
{
    if (conversion->outputs != NULL)
        g_ptr_array_unref(conversion->outputs);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat p;
    struct stat q;
    return stat(a, &p) == 0 && stat(b, &q) == 0 && p.st_dev == q.st_dev && p.st_ino == q.st_ino;
}

bool convert_check_output(const struct host *host, const char *input, const char *output,
                          GError **error)
{
    if (find_format(output) == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "%s: expected a name that ends with .1D, .bdf, .csv, .edf, .fif, .npy, .rf64, "
                    ".tsv, .txt or .wav",
                    output);
        return false;
    }
    if (is_same_file(input, output)) {
        g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: expected another file than the input",
                    output);
        return false;
    }
    return host_check_output(host, output, false, error);
}

static bool choose_part(struct recording *recording, size_t part, GError **error)
{
    size_t n = recording->sensors == NULL ? 1 : recording->sensors->n_parts;
    if (part == SIZE_MAX)
        return true;
    if (part < 1 || part > n) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--part: expected a whole number in 1..%zu, found %zu", n, part);
        return false;
    }
    if (recording->sensors != NULL)
        recording_choose(recording, part - 1);
    return true;
}

static bool check_contents(const struct recording *recording, const struct format *format,
                           GError **error)
{
    const char *expected = NULL;
    if (format->is_of_sensors && recording->sensors == NULL)
        expected = "a sensor recording";
    else if (format->write == write_table && recording->grid != NULL)
        expected = "an array or a sensor recording";
    else if (recording->n_series == 0 || recording->n_time == 0)
        expected = "samples, and not events alone";
    if (expected == NULL)
        return true;
    g_autofree char *name = text_escape(recording->path);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected %s to write %s, found %s", name,
                expected, format->extension, recording->format);
    return false;
}

/** The unit in which readers of FIF take values of a kind, whatever the file says; NULL: any. */
static const char *implied_unit(enum channel_kind kind)
{
    switch (kind) {
    case CHANNEL_MAG:
        return "T";
    case CHANNEL_GRAD:
        return "T/m";
    case CHANNEL_EEG:
    case CHANNEL_SEEG:
    case CHANNEL_ECOG:
    case CHANNEL_DBS:
    case CHANNEL_EOG:
    case CHANNEL_ECG:
    case CHANNEL_EMG:
        return "V";
    default:
        return NULL;
    }
}

/** FIF implies units: a channel in another one would be read as if it were in that. */
static bool check_units(const struct recording *recording, const struct format *format,
                        GError **error)
{
    const struct sensors *sensors = recording->sensors;
    if (sensors == NULL || format->write != write_fif)
        return true;
    const struct part *part = &sensors->part[sensors->chosen];
    for (size_t i = 0; i < part->n_channels; i++) {
        const struct channel *channel = &sensors->channel[part->channel[i]];
        const char *unit = implied_unit(channel->kind);
        if (unit == NULL || strcmp(unit, channel->unit) == 0)
            continue;
        const char *found = *channel->unit != '\0' ? channel->unit : channel->stored_unit;
        g_autofree char *path = text_escape(recording->path);
        g_autofree char *name = text_escape(channel->name);
        g_autofree char *printable = text_escape(found);
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: channel %s: expected %s of type %s to write .fif, found %s%s%s (units in "
                    "*_channels.tsv tell)",
                    path, name, unit, channel_kind_name(channel->kind),
                    *found == '\0' ? "no unit" : "\"", printable, *found == '\0' ? "" : "\"");
        return false;
    }
    return true;
}

/** Events count from the beginning of a stretch that is written alone. */
static void cut_events(struct recording *recording)
{
    struct sensors *sensors = recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    double length_s = (double) part->n_time / part->rate_hz;
    if (part->n_averaged > 0 || part->start_s == 0.0)
        return;
    for (guint i = sensors->events->len; i > 0; i--) {
        struct event *event = &g_array_index(sensors->events, struct event, i - 1);
        event->onset_s -= part->start_s;
        double end_s = fmin(event->onset_s + event->duration_s, length_s);
        if (event->onset_s < 0.0 && end_s > 0.0) { // a span that began before
            event->onset_s = 0.0;
            event->duration_s = end_s;
        }
        if (event->onset_s < 0.0 || event->onset_s >= length_s)
            g_array_remove_index(sensors->events, i - 1);
    }
}

/** The warnings from number `from` on. */
static void tell_warnings(const struct host *host, const struct recording *recording, guint from)
{
    g_autofree char *name = text_escape(recording->path);
    for (guint i = from; i < recording->warnings->len; i++)
        host_warning(host, "%s: %s", name, (const char *) recording->warnings->pdata[i]);
}

static void tell(const struct host *host, const struct recording *recording, size_t part)
{
    g_autofree char *name = text_escape(recording->path);
    tell_warnings(host, recording, 0);
    const struct sensors *sensors = recording->sensors;
    if (sensors == NULL || sensors->n_parts == 1 || part != SIZE_MAX)
        return;
    g_autofree char *chosen = text_escape(sensors->part[sensors->chosen].name);
    host_warning(host, "%s: part %zu of %zu (%s); --part takes another", name, sensors->chosen + 1,
                 sensors->n_parts, chosen);
}

static bool read_samples(const struct host *host, struct recording *recording, GError **error)
{
    host_progress_begin(host, "read");
    bool done = recording_read(recording, NULL, 0, recording->n_time, &host->io, error);
    host_progress_end(host);
    return done;
}

struct recording *convert_open(const struct host *host, const char *input, const char *output,
                               size_t part, bool whole, GError **error)
{
    g_autoptr(owned_recording) recording = recording_open(input, &host->io, error);
    if (recording == NULL || !choose_part(recording, part, error) ||
        !check_contents(recording, find_format(output), error) ||
        !check_units(recording, find_format(output), error))
        return NULL;
    if ((whole || recording->sensors == NULL) && !read_samples(host, recording, error))
        return NULL;
    tell(host, recording, part);
    if (recording->sensors != NULL)
        cut_events(recording);
    return g_steal_pointer(&recording);
}

// Side-cars. They say the same whatever the format, so that several stand beside each other.

static void set_number(JsonObject *object, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_double_member(object, name, value);
}

static JsonArray *channels_json(const struct recording *recording)
{
    const struct sensors *sensors = recording->sensors;
    JsonArray *array = json_array_new();
    for (size_t v = 0; v < recording->n_series; v++) {
        const struct channel *channel =
            &sensors->channel[sensors->part[sensors->chosen].channel[v]];
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "name", channel->name);
        json_object_set_string_member(object, "type", siblings_channel_type(channel->kind));
        json_object_set_string_member(object, "units", channel->unit);
        json_object_set_string_member(object, "status", channel->bad ? "bad" : "good");
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonArray *events_json(const struct sensors *sensors)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < sensors->events->len; i++) {
        const struct event *event = &g_array_index(sensors->events, struct event, i);
        JsonObject *object = json_object_new();
        json_object_set_double_member(object, "onset", event->onset_s);
        json_object_set_double_member(object, "duration", event->duration_s);
        json_object_set_string_member(object, "trial_type", event->text);
        json_object_set_int_member(object, "value", event->value);
        json_array_add_object_element(array, object);
    }
    return array;
}

static void describe_sensors(const struct recording *recording, JsonObject *object)
{
    const struct sensors *sensors = recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    json_object_set_double_member(object, "SamplingFrequency", part->rate_hz);
    json_object_set_double_member(object, "StartTime", part->n_averaged > 0 ? part->start_s : 0.0);
    set_number(object, "PowerLineFrequency", sensors->line_hz);
    if (sensors->n_parts > 1) {
        json_object_set_int_member(object, "Part", (gint64) sensors->chosen + 1);
        json_object_set_string_member(object, "PartName", part->name);
    }
    json_object_set_array_member(object, "Channels", channels_json(recording));
    json_object_set_array_member(object, "Events", events_json(sensors));
}

static void describe_image(const struct recording *recording, JsonObject *object)
{
    if (recording->interval_s > 0.0)
        json_object_set_double_member(object, "RepetitionTime", recording->interval_s);
    if (recording->grid == NULL)
        return;
    JsonArray *dim = json_array_new();
    for (size_t d = 0; d < 3; d++)
        json_array_add_int_element(dim, (gint64) recording->grid->dim[d]);
    json_object_set_array_member(object, "GridSize", dim);
}

/** The text of OUT.json; to be freed. */
static char *make_json(const struct recording *recording, JsonObject *notes)
{
    g_autofree char *base = g_path_get_basename(recording->path);
    g_autofree char *name = text_escape(base);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "Source", name);
    json_object_set_string_member(object, "SourceFormat", recording->format);
    json_object_set_string_member(object, "GeneratedBy", "taut " TAUT_VERSION);
    if (recording->sensors != NULL)
        describe_sensors(recording, object);
    else
        describe_image(recording, object);
    g_autoptr(GList) members = notes == NULL ? NULL : json_object_get_members(notes);
    for (GList *at = members; at != NULL; at = at->next)
        json_object_set_member(object, at->data, json_object_dup_member(notes, at->data));
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    g_autofree char *text = json_text(node, true);
    return g_strconcat(text, "\n", NULL);
}

/** A word of a table: neither empty nor with what ends a field. To be freed. */
static char *word(const char *text)
{
    char *copy = g_strdelimit(g_strdup(text), "\t\r\n", ' ');
    if (*copy != '\0')
        return copy;
    g_free(copy);
    return g_strdup("n/a");
}

static char *make_channels(const struct recording *recording)
{
    const struct sensors *sensors = recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    GString *text = g_string_new("name\ttype\tunits\tsampling_frequency\tstatus\n");
    char rate[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(rate, sizeof rate, part->rate_hz);
    for (size_t v = 0; v < recording->n_series; v++) {
        const struct channel *channel = &sensors->channel[part->channel[v]];
        g_autofree char *name = word(channel->name);
        g_autofree char *unit = word(channel->unit);
        g_string_append_printf(text, "%s\t%s\t%s\t%s\t%s\n", name,
                               siblings_channel_type(channel->kind), unit, rate,
                               channel->bad ? "bad" : "good");
    }
    return g_string_free(text, FALSE);
}

static char *make_events(const struct recording *recording)
{
    const GArray *events = recording->sensors->events;
    GString *text = g_string_new("onset\tduration\ttrial_type\tvalue\n");
    for (guint i = 0; i < events->len; i++) {
        const struct event *event = &g_array_index(events, struct event, i);
        char onset[G_ASCII_DTOSTR_BUF_SIZE];
        char duration[G_ASCII_DTOSTR_BUF_SIZE];
        g_autofree char *label = word(event->text);
        g_ascii_dtostr(onset, sizeof onset, event->onset_s);
        g_ascii_dtostr(duration, sizeof duration, event->duration_s);
        g_string_append_printf(text, "%s\t%s\t%s\t%d\n", onset, duration, label, event->value);
    }
    return g_string_free(text, FALSE);
}

/** A file of text beside the output. */
struct companion {
    char *path; // owned
    char *text; // owned
};

static void companion_clear(void *data)
{
    struct companion *companion = data;
    g_free(companion->path);
    g_free(companion->text);
}

/** What stands where a companion is to be. */
enum standing { STANDS_NOTHING, STANDS_SAME, STANDS_OURS, STANDS_OTHER };

/** --force is about the output: it is not to cost a dataset the side-cars that others wrote. */
static enum standing judge_standing(const struct companion *companion)
{
    enum { MOST_BYTES = 64 << 20 };
    if (!g_file_test(companion->path, G_FILE_TEST_EXISTS))
        return STANDS_NOTHING;
    size_t n = 0;
    g_autofree char *text = input_text(companion->path, MOST_BYTES, &n, NULL);
    if (text == NULL)
        return STANDS_OTHER;
    if (strcmp(text, companion->text) == 0)
        return STANDS_SAME;
    size_t first_line = strcspn(companion->text, "\n");
    bool is_ours = g_str_has_suffix(companion->path, ".json")
                       ? strstr(text, "\"GeneratedBy\": \"taut ") != NULL
                       : strncmp(text, companion->text, first_line + 1) == 0;
    return is_ours ? STANDS_OURS : STANDS_OTHER;
}

/** The files of text that go with the output; to be freed. */
static GArray *make_companions(const struct recording *recording, const char *output,
                               JsonObject *notes)
{
    GArray *companions = g_array_new(FALSE, FALSE, sizeof(struct companion));
    g_array_set_clear_func(companions, companion_clear);
    struct companion json = {sidecar_path(output), make_json(recording, notes)};
    g_array_append_val(companions, json);
    if (!find_format(output)->has_tables)
        return companions;
    struct companion channels = {siblings_table_path(output, "channels"), make_channels(recording)};
    g_array_append_val(companions, channels);
    if (recording->sensors->events->len == 0)
        return companions;
    struct companion events = {siblings_table_path(output, "events"), make_events(recording)};
    g_array_append_val(companions, events);
    return companions;
}

/** Leaves those out that are there as they should be; false: one is there, and is another. */
static bool check_companions(const struct host *host, GArray *companions, GError **error)
{
    for (guint i = companions->len; i > 0; i--) {
        const struct companion *companion = &g_array_index(companions, struct companion, i - 1);
        enum standing standing = judge_standing(companion);
        if (standing == STANDS_OTHER && host->force) {
            g_autofree char *name = text_escape(companion->path);
            g_set_error(error, IO_ERROR, IO_ERROR_EXISTS,
                        "%s: exists already, and is not of this program's making", name);
            return false;
        }
        if (standing != STANDS_SAME && !host_check_output(host, companion->path, false, error))
            return false;
        if (standing == STANDS_SAME)
            g_array_remove_index(companions, i - 1);
    }
    return true;
}

static const char *add_output(const struct host *host, struct staging *staging,
                              struct conversion *conversion, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    g_ptr_array_add(conversion->outputs, g_strdup(path));
    return staging_add(staging, name, host->force);
}

/** The files in which a FIF recording goes on from 2 GiB on: NAME-1.fif, NAME-2.fif, ... */
static bool add_continuations(const struct host *host, struct staging *staging,
                              struct conversion *conversion, const char *output,
                              const char *written, GError **error)
{
    g_autofree char *stem = g_strndup(output, strlen(output) - strlen(".fif"));
    g_autofree char *hidden = g_path_get_dirname(written);
    for (guint number = 1;; number++) {
        g_autofree char *path = g_strdup_printf("%s-%u.fif", stem, number);
        g_autofree char *name = g_path_get_basename(path);
        g_autofree char *there = g_build_filename(hidden, name, NULL);
        if (!g_file_test(there, G_FILE_TEST_EXISTS))
            return true;
        if (!host_check_output(host, path, false, error))
            return false;
        add_output(host, staging, conversion, path);
    }
}

static bool write_all(const struct host *host, struct recording *recording, const char *output,
                      const GArray *companions, struct staging *staging,
                      struct conversion *conversion, GError **error)
{
    const char *path = add_output(host, staging, conversion, output);
    const struct format *format = find_format(output);
    if (!format->write(host, recording, path, conversion, error))
        return false;
    if (format->write == write_fif &&
        !add_continuations(host, staging, conversion, output, path, error))
        return false;
    for (guint i = 0; i < companions->len; i++) {
        const struct companion *companion = &g_array_index(companions, struct companion, i);
        path = add_output(host, staging, conversion, companion->path);
        if (!publish_bytes(path, companion->text, strlen(companion->text), true, error))
            return false;
    }
    return staging_commit(staging, error);
}

bool convert_write(const struct host *host, struct recording *recording, const char *output,
                   JsonObject *notes, struct conversion *conversion, GError **error)
{
    g_autoptr(GArray) companions = make_companions(recording, output, notes);
    if (!check_companions(host, companions, error))
        return false;
    conversion->outputs = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = g_path_get_dirname(output);
    g_autoptr(owned_staging) staging = staging_new(folder, error);
    if (staging == NULL)
        return false;
    GError *problem = NULL;
    guint n_told = recording->warnings->len;
    host_progress_begin(host, "write");
    bool done = write_all(host, recording, output, companions, staging, conversion, &problem);
    host_progress_end(host);
    tell_warnings(host, recording, n_told);
    if (problem != NULL)
        staging_propagate(staging, error, problem);
    return done;
}

void convert_describe(const struct recording *recording, const struct conversion *conversion,
                      JsonObject *object)
{
    g_autofree char *input = text_escape(recording->path);
    json_object_set_string_member(object, "version", TAUT_VERSION);
    json_object_set_string_member(object, "input", input);
    JsonArray *outputs = json_array_new();
    for (guint i = 0; i < conversion->outputs->len; i++) {
        g_autofree char *name = text_escape(conversion->outputs->pdata[i]);
        json_array_add_string_element(outputs, name);
    }
    json_object_set_array_member(object, "outputs", outputs);
    json_object_set_int_member(object, "n_series", (gint64) recording->n_series);
    json_object_set_int_member(object, "n_time", (gint64) recording->n_time);
    if (recording->interval_s > 0.0)
        json_object_set_double_member(object, "rate", 1.0 / recording->interval_s);
    if (recording->sensors != NULL) {
        json_object_set_int_member(object, "n_events", recording->sensors->events->len);
        json_object_set_int_member(object, "part", (gint64) recording->sensors->chosen + 1);
        json_object_set_int_member(object, "n_parts", (gint64) recording->sensors->n_parts);
    }
    if (!conversion->is_rounded)
        return;
    const struct edf_rounding *rounding = &conversion->rounding;
    JsonObject *member = json_object_new();
    json_object_set_int_member(member, "exact", (gint64) rounding->n_exact);
    json_object_set_int_member(member, "rounded", (gint64) rounding->n_rounded);
    json_object_set_int_member(member, "low_bits", (gint64) rounding->n_short_triggers);
    json_object_set_double_member(member, "largest_error", rounding->largest_error);
    json_object_set_object_member(object, "rounding", member);
}

char *convert_summary(const struct recording *recording, const char *output,
                      const struct conversion *conversion)
{
    g_autofree char *name = text_escape(output);
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s: %zu series of %zu samples", name, recording->n_series,
                           recording->n_time);
    if (recording->interval_s > 0.0)
        g_string_append_printf(text, " at %g Hz", 1.0 / recording->interval_s);
    g_string_append_c(text, '\n');
    const struct edf_rounding *rounding = &conversion->rounding;
    if (conversion->is_rounded && rounding->n_rounded > 0)
        g_string_append_printf(text,
                               "  %zu channels rounded, by at most %.2g of their largest value\n",
                               rounding->n_rounded, rounding->largest_error);
    if (conversion->is_rounded && rounding->n_short_triggers > 0)
        g_string_append_printf(
            text, "  %zu trigger channels: only the low 16 bits, the triggers, are kept\n",
            rounding->n_short_triggers);
    if (conversion->is_rounded && rounding->n_short_names > 0)
        g_string_append_printf(text,
                               "  %zu names were cut to 16 letters; channels.tsv has them whole\n",
                               rounding->n_short_names);
    return g_string_free(text, FALSE);
}
