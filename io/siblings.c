// SPDX-License-Identifier: BSD-3-Clause
#include "io/siblings.h"

#include "io/reader.h"
#include "io/sidecar.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

enum { MOST_LEVELS = 8 }; // from a recording up to the root of its dataset

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

// Names: `sub-01_task-rest_eeg` is the entities sub-01 and task-rest, and the suffix eeg.

struct bids_name {
    char **entities; // owned; NULL: no name of BIDS
    char *suffix;    // owned
    char *stem;      // owned; the name without its extension
    char *folder;    // owned
};
typedef struct bids_name owned_bids_name;

static void bids_name_clear(struct bids_name *name)
{
    g_strfreev(name->entities);
    g_free(name->suffix);
    g_free(name->stem);
    g_free(name->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_bids_name, bids_name_clear)

static bool is_entity(const char *text)
{
    const char *dash = strchr(text, '-');
    return dash != NULL && dash > text && dash[1] != '\0';
}

/** Splits a name; extension: from its first point on. */
static struct bids_name split_name(const char *path)
{
    struct bids_name name = {.folder = g_path_get_dirname(path)};
    g_autofree char *base = g_path_get_basename(path);
    char *point = g_str_has_suffix(base, ".gz") ? base + strlen(base) - 3 : NULL;
    if (point != NULL)
        *point = '\0';
    point = strrchr(base, '.');
    if (point != NULL)
        *point = '\0';
    name.stem = g_steal_pointer(&base);
    g_auto(GStrv) pieces = g_strsplit(name.stem, "_", -1);
    guint n = g_strv_length(pieces);
    bool all = n >= 2;
    for (guint i = 0; i + 1 < n; i++)
        all = all && is_entity(pieces[i]);
    if (!all || is_entity(pieces[n - 1]))
        return name;
    name.suffix = g_steal_pointer(&pieces[n - 1]);
    name.entities = g_steal_pointer(&pieces);
    return name;
}

static bool is_recording_name(const struct bids_name *name)
{
    static const char *const suffixes[] = {"eeg", "ieeg", "meg", NULL};
    return name->entities != NULL && g_strv_contains(suffixes, name->suffix);
}

char *siblings_table_path(const char *path, const char *suffix)
{
    g_auto(owned_bids_name) name = split_name(path);
    bool is_bids = is_recording_name(&name);
    size_t n = strlen(name.stem) - (is_bids ? strlen(name.suffix) + 1 : 0);
    g_autofree char *entities = g_strndup(name.stem, n);
    g_autofree char *file = g_strconcat(entities, "_", suffix, ".tsv", NULL);
    return g_build_filename(name.folder, file, NULL);
}

/** How many entities a file of the folder shares with the recording; 0: it does not apply. */
static guint rate_candidate(const struct bids_name *recording, const char *file, const char *suffix,
                            const char *extension)
{
    if (!g_str_has_suffix(file, extension))
        return 0;
    g_auto(owned_bids_name) candidate = split_name(file);
    bool bare = strcmp(candidate.stem, suffix) == 0; // for the whole dataset
    if (bare)
        return 1;
    if (candidate.entities == NULL || strcmp(candidate.suffix, suffix) != 0)
        return 0;
    bool is_spatial = strcmp(suffix, "electrodes") == 0 || strcmp(suffix, "coordsystem") == 0;
    guint n = 1;
    for (char **entity = candidate.entities; *entity != NULL; entity++, n++)
        if (!g_strv_contains((const char *const *) recording->entities, *entity) &&
            !(is_spatial && g_str_has_prefix(*entity, "space-")))
            return 0;
    return n;
}

/** The file of a folder that applies, with the most entities; NULL: none. To be freed. */
static char *find_in_folder(const struct bids_name *recording, const char *folder,
                            const char *suffix, const char *extension)
{
    g_autofree char *best = NULL;
    guint most = 0;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL)
        return NULL;
    for (const char *file = g_dir_read_name(dir); file != NULL; file = g_dir_read_name(dir)) {
        guint n = rate_candidate(recording, file, suffix, extension);
        // of two that are as near, the first by name
        if (n == 0 || n < most || (n == most && strcmp(file, best) > 0))
            continue;
        most = n;
        g_free(best);
        best = g_strdup(file);
    }
    return best == NULL ? NULL : g_build_filename(folder, best, NULL);
}

/** The folders from that of the recording up to the root of its dataset; else that alone. */
static GPtrArray *find_folders(const struct bids_name *name)
{
    GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = g_canonicalize_filename(name->folder, NULL);
    for (size_t level = 0; level < MOST_LEVELS; level++) {
        g_autofree char *mark = g_build_filename(folder, "dataset_description.json", NULL);
        g_autofree char *parent = g_path_get_dirname(folder);
        g_ptr_array_add(folders, g_strdup(folder));
        if (g_file_test(mark, G_FILE_TEST_EXISTS))
            return folders;
        if (strcmp(parent, folder) == 0)
            break;
        g_free(folder);
        folder = g_steal_pointer(&parent);
    }
    g_ptr_array_set_size(folders, 1); // no dataset around it
    return folders;
}

/** All files that apply, the nearest first. */
static GPtrArray *find_all(const struct bids_name *name, const char *suffix, const char *extension)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) folders = find_folders(name);
    for (guint i = 0; i < folders->len; i++) {
        char *path = find_in_folder(name, folders->pdata[i], suffix, extension);
        if (path != NULL)
            g_ptr_array_add(found, path);
    }
    return found;
}

static char *find_nearest(const struct bids_name *name, const char *suffix, const char *extension)
{
    g_autoptr(GPtrArray) found = find_all(name, suffix, extension);
    return found->len == 0 ? NULL : g_strdup(found->pdata[0]);
}

char *siblings_find_table(const char *path, const char *suffix)
{
    g_auto(owned_bids_name) name = split_name(path);
    if (is_recording_name(&name))
        return find_nearest(&name, suffix, ".tsv");
    g_autofree char *table = siblings_table_path(path, suffix);
    return g_file_test(table, G_FILE_TEST_EXISTS) ? g_steal_pointer(&table) : NULL;
}

/** Adds the members that the object does not have yet. */
static void merge(JsonObject *object, JsonObject *more)
{
    g_autoptr(GList) members = json_object_get_members(more);
    for (GList *at = members; at != NULL; at = at->next)
        if (!json_object_has_member(object, at->data))
            json_object_set_member(object, at->data, json_object_dup_member(more, at->data));
}

JsonObject *siblings_json(const char *path, GError **error)
{
    g_auto(owned_bids_name) name = split_name(path);
    if (!is_recording_name(&name))
        return sidecar_read(path, error);
    g_autoptr(GPtrArray) found = find_all(&name, name.suffix, ".json");
    g_autoptr(JsonObject) all = found->len == 0 ? NULL : json_object_new();
    for (guint i = 0; i < found->len; i++) {
        g_autoptr(JsonObject) one = sidecar_read_file(found->pdata[i], error);
        if (one == NULL)
            return NULL;
        merge(all, one);
    }
    return g_steal_pointer(&all);
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

static void set_channel(struct recording *recording, struct channel *channel,
                        const struct tsv *table, size_t row)
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
}

/** Whether a name stands in the table. */
static bool is_listed(const struct tsv *table, const char *name)
{
    for (guint row = 0; row < table->rows->len; row++)
        if (g_strcmp0(tsv_field(table, row, "name"), name) == 0)
            return true;
    return false;
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
    size_t n_lost = 0;
    for (guint row = 0; row < table->rows->len; row++) {
        const char *name = tsv_field(table, row, "name");
        size_t c = name == NULL ? n : sensors_find(sensors, name);
        if (c == n && table->rows->len == n && !is_listed(table, sensors->channel[row].name))
            c = row;
        channel_of[row] = c;
        n_lost += c == n;
    }
    for (guint row = 0; row < table->rows->len; row++)
        if (channel_of[row] < n)
            set_channel(recording, &sensors->channel[channel_of[row]], table, row);
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

/** The events of the table take the place of those of the file. */
static void apply_events(struct recording *recording, const struct tsv *table)
{
    g_array_set_size(recording->sensors->events, 0);
    for (guint row = 0; row < table->rows->len; row++) {
        double onset_s = (double) NAN;
        tsv_number(table, row, "onset", &onset_s);
        if (isfinite(onset_s))
            add_event(recording->sensors, table, row, onset_s);
        else
            recording_warn(recording, "siblings", "events.tsv: some have no onset: left out");
    }
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
    for (guint row = 0; row < table->rows->len; row++) {
        double xyz[3] = {(double) NAN, (double) NAN, (double) NAN};
        const char *name = tsv_field(table, row, "name");
        size_t c = name == NULL ? sensors->n_channels : sensors_find(sensors, name);
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
    g_auto(owned_bids_name) name = split_name(recording->path);
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
