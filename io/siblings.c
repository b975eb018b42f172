// SPDX-License-Identifier: BSD-3-Clause
#include "io/siblings.h"

#include "io/bids_name.h"
#include "io/reader.h"
#include "io/sidecar.h"
#include "io/text.h"
#include "io/units.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *type; // the first of a kind is the one that is written
    enum channel_kind kind;
} types[] = {
    {"MEGMAG", CHANNEL_MAG},
    {"MEGGRADPLANAR", CHANNEL_GRAD},
    {"MEGGRADAXIAL", CHANNEL_MAG},
    {"MEGREFMAG", CHANNEL_REF_MEG},
    {"MEGREFGRADAXIAL", CHANNEL_REF_MEG},
    {"MEGREFGRADPLANAR", CHANNEL_REF_MEG},
    {"EEG", CHANNEL_EEG},
    {"SEEG", CHANNEL_SEEG},
    {"ECOG", CHANNEL_ECOG},
    {"DBS", CHANNEL_DBS},
    {"EOG", CHANNEL_EOG},
    {"HEOG", CHANNEL_EOG},
    {"VEOG", CHANNEL_EOG},
    {"ECG", CHANNEL_ECG},
    {"EMG", CHANNEL_EMG},
    {"BIO", CHANNEL_BIO},
    {"RESP", CHANNEL_RESP},
    {"TRIG", CHANNEL_STIM},
    {"STIM", CHANNEL_STIM},
    {"SYSCLOCK", CHANNEL_SYST},
    {"MISC", CHANNEL_MISC},
    {"OTHER", CHANNEL_MISC},
    {"AUDIO", CHANNEL_MISC},
    {"EYEGAZE", CHANNEL_MISC},
    {"PUPIL", CHANNEL_MISC},
    {"GSR", CHANNEL_MISC},
    {"PPG", CHANNEL_MISC},
    {"TEMP", CHANNEL_MISC},
    {"REF", CHANNEL_MISC},
    {"ADC", CHANNEL_MISC},
    {"DAC", CHANNEL_MISC},
    {"HLU", CHANNEL_MISC},
    {"FITERR", CHANNEL_MISC},
    {"MEGOTHER", CHANNEL_MISC},
};

bool siblings_channel_kind(const char *type, enum channel_kind *kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_ascii_strcasecmp(type, types[i].type) == 0) {
            *kind = types[i].kind;
            return true;
        }
    }
    return false;
}

const char *siblings_channel_type(enum channel_kind kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].kind == kind)
            return types[i].type;
    return "MISC";
}

static bool is_recording_name(const struct bids_name *name)
{
    static const char *const suffixes[] = {"eeg", "ieeg", "meg", NULL};
    return name->entities != NULL && g_strv_contains(suffixes, name->suffix);
}

char *siblings_table_path(const char *path, const char *suffix)
{
    g_auto(owned_bids_name) name = bids_name_split(path);
    bool is_bids = is_recording_name(&name);
    size_t n = strlen(name.stem) - (is_bids ? strlen(name.suffix) + 1 : 0);
    g_autofree char *entities = g_strndup(name.stem, n);
    g_autofree char *file = g_strconcat(entities, "_", suffix, ".tsv", NULL);
    return g_build_filename(name.folder, file, NULL);
}

/** All files that apply, the nearest first. */
static GPtrArray *find_all(const struct bids_name *name, const char *suffix, const char *extension)
{
    bool is_spatial = strcmp(suffix, "electrodes") == 0 || strcmp(suffix, "coordsystem") == 0;
    return bids_name_inherit(name, suffix, extension, is_spatial ? "space-" : NULL);
}

static char *find_nearest(const struct bids_name *name, const char *suffix, const char *extension)
{
    g_autoptr(GPtrArray) found = find_all(name, suffix, extension);
    return found->len == 0 ? NULL : g_strdup(found->pdata[0]);
}

char *siblings_find_table(const char *path, const char *suffix)
{
    g_auto(owned_bids_name) name = bids_name_split(path);
    if (is_recording_name(&name))
        return find_nearest(&name, suffix, ".tsv");
    g_autofree char *table = siblings_table_path(path, suffix);
    return g_file_test(table, G_FILE_TEST_EXISTS) ? g_steal_pointer(&table) : NULL;
}

JsonObject *siblings_json(const char *path, GError **error)
{
    g_auto(owned_bids_name) name = bids_name_split(path);
    if (!is_recording_name(&name))
        return sidecar_read(path, error);
    g_autoptr(GPtrArray) found = find_all(&name, name.suffix, ".json");
    return sidecar_read_merged(found, error);
}

bool siblings_number(JsonObject *json, const char *name, double *value)
{
    JsonNode *node = json == NULL ? NULL : json_object_get_member(json, name);
    GType type =
        node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_NONE;
    if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
        return false;
    double number = json_node_get_double(node);
    if (!(number > 0.0 && isfinite(number)))
        return false;
    *value = number;
    return true;
}

// Applying them. What cannot be read is told and left out, but for want of memory.

static void warn_of(struct recording *recording, GError *problem)
{
    g_autofree char *text = text_escape(problem->message);
    recording_warn(recording, "siblings", "left out: %s", text);
}

/** A table of the recording; NULL: there is none, or it cannot be read. */
static struct tsv *read_table(struct recording *recording, const char *suffix,
                              const struct io_context *io, GError **error)
{
    g_autofree char *path = siblings_find_table(recording->path, suffix);
    if (path == NULL)
        return NULL;
    g_autoptr(GError) problem = NULL;
    struct tsv *table = tsv_read(path, io, &problem);
    if (g_error_matches(problem, IO_ERROR, IO_ERROR_MEMORY))
        g_propagate_error(error, g_steal_pointer(&problem));
    else if (problem != NULL)
        warn_of(recording, problem);
    return table;
}

/** What a table says of units that the file says otherwise. */
struct told_units {
    size_t n_taken; // channels whose own unit is not known
    size_t n_other; // channels that have another one in the file
    char *taken;    // owned; the first of each, for the message
    char *other;
};

static void note(char **first, const struct channel *channel, const char *said)
{
    g_autofree char *name = text_escape(channel->name);
    g_autofree char *in_table = text_escape(said);
    g_autofree char *in_file = text_escape(channel->stored_unit);
    if (*first == NULL)
        *first = g_strdup_printf("%s: \"%s\", in the file \"%s\"", name, in_table, in_file);
}

/** The unit of the table is that of a channel of which the file tells none that is known. */
static void set_unit(struct told_units *units, struct channel *channel, const char *said,
                     bool has_type)
{
    double factor = 1.0, own_factor = 1.0;
    const char *si = "";
    const char *own = "";
    bool is_signal = channel->kind != CHANNEL_STIM && channel->kind != CHANNEL_SYST;
    if (said == NULL || !is_signal || !units_to_si(said, &factor, &si))
        return;
    if (units_to_si(channel->stored_unit, &own_factor, &own)) {
        bool same = strcmp(own, si) == 0 && fabs(own_factor - factor) <= 1e-6 * factor;
        units->n_other += !same;
        if (!same)
            note(&units->other, channel, said);
        return;
    }
    if (*channel->stored_unit != '\0') {
        units->n_taken++;
        note(&units->taken, channel, said);
    }
    channel->gain *= factor;
    channel->offset *= factor;
    g_free(channel->unit);
    channel->unit = g_strdup(si);
    if (!has_type && channel->kind == CHANNEL_MISC && strcmp(si, "V") == 0)
        channel->kind = CHANNEL_EEG;
}

static void warn_of_units(struct recording *recording, struct told_units *units)
{
    if (units->n_other > 0)
        recording_warn(recording, "units",
                       "channels.tsv: units of %zu channels are not the file's (%s): the file's "
                       "are taken",
                       units->n_other, units->other);
    if (units->n_taken > 0)
        recording_warn(recording, "units",
                       "channels.tsv: units of %zu channels are taken from it (%s)", units->n_taken,
                       units->taken);
    g_free(units->other);
    g_free(units->taken);
}

static void set_channel(struct recording *recording, struct channel *channel,
                        const struct tsv *table, size_t row, struct told_units *units)
{
    const char *name = tsv_field(table, row, "name");
    const char *type = tsv_field(table, row, "type");
    const char *status = tsv_field(table, row, "status");
    if (name != NULL && strcmp(name, channel->name) != 0) {
        g_free(channel->name);
        channel->name = g_strdup(name);
    }
    if (type != NULL && !siblings_channel_kind(type, &channel->kind)) {
        g_autofree char *printable = text_escape(type);
        recording_warn(recording, "siblings", "channels.tsv: the type \"%s\" is not known",
                       printable);
    }
    if (status != NULL)
        channel->bad = g_ascii_strcasecmp(status, "bad") == 0;
    set_unit(units, channel, tsv_field(table, row, "units"), type != NULL);
}

/** The names in a table, borrowed from it. */
static GHashTable *listed_names(const struct tsv *table)
{
    GHashTable *listed = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint row = 0; row < table->rows->len; row++) {
        const char *name = tsv_field(table, row, "name");
        if (name != NULL)
            g_hash_table_add(listed, (char *) name);
    }
    return listed;
}

/**
 * Rows belong to the channels of their names; a name that no channel has belongs to the channel at
 * its place, if there are as many rows as channels and that one has no row of its own.
 */
static void apply_channels(struct recording *recording, const struct tsv *table)
{
    struct sensors *sensors = recording->sensors;
    size_t n = sensors->n_channels;
    g_autofree size_t *channel_of = g_new(size_t, table->rows->len + 1);
    g_autoptr(owned_sensor_names) names = sensor_names_new(sensors);
    g_autoptr(GHashTable) listed = listed_names(table);
    size_t n_lost = 0;
    struct told_units units = {0};
    for (guint row = 0; row < table->rows->len; row++) {
        const char *name = tsv_field(table, row, "name");
        size_t c = name == NULL ? n : sensor_names_find(names, name);
        if (c == n && table->rows->len == n &&
            !g_hash_table_contains(listed, sensors->channel[row].name))
            c = row;
        channel_of[row] = c;
        n_lost += c == n;
    }
    for (guint row = 0; row < table->rows->len; row++)
        if (channel_of[row] < n)
            set_channel(recording, &sensors->channel[channel_of[row]], table, row, &units);
    warn_of_units(recording, &units);
    if (n_lost > 0)
        recording_warn(recording, "siblings", "channels.tsv: %zu names that no channel has",
                       n_lost);
    sensors_make_names_unique(sensors);
}

static void add_event(struct sensors *sensors, const struct tsv *table, size_t row, double onset_s)
{
    double duration_s = 0.0;
    double value = 0.0;
    tsv_number(table, row, "duration", &duration_s);
    bool is_number = tsv_number(table, row, "value", &value);
    const char *text = tsv_field(table, row, "trial_type");
    if (text == NULL)
        text = tsv_field(table, row, "value");
    bool is_whole = is_number && fabs(value) <= G_MAXINT && value == floor(value);
    sensors_add_event(sensors, onset_s, fmax(duration_s, 0.0), text == NULL ? "" : text,
                      is_whole ? (int) value : 0);
}

/** Whether a bad span of the file is in the table, too: at the same time to a millisecond. */
static bool is_repeated(const struct sensors *sensors, const struct event *event)
{
    for (guint i = 0; i < sensors->events->len; i++) {
        const struct event *other = &g_array_index(sensors->events, struct event, i);
        if (strcmp(other->text, event->text) == 0 && fabs(other->onset_s - event->onset_s) < 1e-3)
            return true;
    }
    return false;
}

/** Puts back what the file itself says of bad data. */
static void restore_bad_spans(struct sensors *sensors, GArray *before)
{
    for (guint i = 0; i < before->len; i++) {
        const struct event *event = &g_array_index(before, struct event, i);
        if (event_is_bad_span(event) && !is_repeated(sensors, event))
            sensors_add_event(sensors, event->onset_s, event->duration_s, event->text,
                              event->value);
    }
}

/** The events of the table take the place of those of the file, but for its spans of bad data. */
static void apply_events(struct recording *recording, const struct tsv *table)
{
    g_autoptr(GArray) before = recording->sensors->events;
    recording->sensors->events = sensors_events_new();
    for (guint row = 0; row < table->rows->len; row++) {
        double onset_s = (double) NAN;
        tsv_number(table, row, "onset", &onset_s);
        if (isfinite(onset_s))
            add_event(recording->sensors, table, row, onset_s);
        else
            recording_warn(recording, "siblings", "events.tsv: some have no onset: left out");
    }
    restore_bad_spans(recording->sensors, before);
}

/** Metres of the unit in which coordsystem.json has the positions; 0: not known. */
static double coordinate_unit_m(const struct bids_name *name)
{
    g_autofree char *path = find_nearest(name, "coordsystem", ".json");
    g_autoptr(JsonObject) json = path == NULL ? NULL : sidecar_read_file(path, NULL);
    if (json == NULL)
        return 0.0;
    static const char *const members[] = {"EEGCoordinateUnits", "iEEGCoordinateUnits"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        JsonNode *node = json_object_get_member(json, members[i]);
        const char *unit =
            node != NULL && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
        if (g_strcmp0(unit, "m") == 0)
            return 1.0;
        if (g_strcmp0(unit, "cm") == 0)
            return 1e-2;
        if (g_strcmp0(unit, "mm") == 0)
            return 1e-3;
    }
    return 0.0;
}

static void apply_electrodes(struct recording *recording, const struct tsv *table, double unit_m)
{
    struct sensors *sensors = recording->sensors;
    g_autoptr(owned_sensor_names) names = sensor_names_new(sensors);
    for (guint row = 0; row < table->rows->len; row++) {
        double xyz[3] = {(double) NAN, (double) NAN, (double) NAN};
        const char *name = tsv_field(table, row, "name");
        size_t c = name == NULL ? sensors->n_channels : sensor_names_find(names, name);
        tsv_number(table, row, "x", &xyz[0]);
        tsv_number(table, row, "y", &xyz[1]);
        tsv_number(table, row, "z", &xyz[2]);
        if (c == sensors->n_channels || !isfinite(xyz[0] + xyz[1] + xyz[2]))
            continue;
        for (size_t i = 0; i < 3; i++)
            sensors->channel[c].loc[i] = (float) (xyz[i] * unit_m);
    }
}

static bool apply_positions(struct recording *recording, const struct io_context *io,
                            GError **error)
{
    g_auto(owned_bids_name) name = bids_name_split(recording->path);
    if (!is_recording_name(&name))
        return true;
    GError *problem = NULL;
    g_autoptr(owned_tsv) electrodes = read_table(recording, "electrodes", io, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (electrodes == NULL)
        return true;
    double unit_m = coordinate_unit_m(&name);
    if (unit_m > 0.0)
        apply_electrodes(recording, electrodes, unit_m);
    else
        recording_warn(recording, "siblings",
                       "electrodes.tsv: left out: coordsystem.json does not tell its unit");
    return true;
}

static void apply_json(struct recording *recording)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(JsonObject) json = siblings_json(recording->path, &problem);
    if (problem != NULL)
        warn_of(recording, problem);
    if (json == NULL)
        return;
    struct sensors *sensors = recording->sensors;
    siblings_number(json, "PowerLineFrequency", &sensors->line_hz);
    double rate_hz = sensors->part[sensors->chosen].rate_hz;
    double said_hz = rate_hz;
    siblings_number(json, "SamplingFrequency", &said_hz);
    if (fabs(said_hz - rate_hz) > 1e-3 * rate_hz)
        recording_warn(recording, "rate",
                       "rate: the sidecar says %g Hz, the file %g Hz: the file's", said_hz,
                       rate_hz);
}

bool siblings_apply(struct recording *recording, const struct io_context *io, GError **error)
{
    GError *problem = NULL;
    g_autoptr(owned_tsv) channels = read_table(recording, "channels", io, &problem);
    g_autoptr(owned_tsv) events =
        problem != NULL ? NULL : read_table(recording, "events", io, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (channels != NULL)
        apply_channels(recording, channels);
    if (events != NULL)
        apply_events(recording, events);
    apply_json(recording);
    return apply_positions(recording, io, error);
}
