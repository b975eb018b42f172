// SPDX-License-Identifier: BSD-3-Clause
#include "io/sensors.h"

#include <math.h>
#include <string.h>

const char *channel_kind_name(enum channel_kind kind)
{
    static const char *const names[CHANNEL_KINDS] = {
        [CHANNEL_MAG] = "mag",   [CHANNEL_GRAD] = "grad", [CHANNEL_REF_MEG] = "ref_meg",
        [CHANNEL_EEG] = "eeg",   [CHANNEL_SEEG] = "seeg", [CHANNEL_ECOG] = "ecog",
        [CHANNEL_DBS] = "dbs",   [CHANNEL_EOG] = "eog",   [CHANNEL_ECG] = "ecg",
        [CHANNEL_EMG] = "emg",   [CHANNEL_BIO] = "bio",   [CHANNEL_RESP] = "resp",
        [CHANNEL_STIM] = "stim", [CHANNEL_SYST] = "syst", [CHANNEL_MISC] = "misc",
    };
    g_assert(kind < CHANNEL_KINDS);
    return names[kind];
}

static void event_clear(void *data)
{
    struct event *event = data;
    g_free(event->text);
}

static void projector_unref(void *data)
{
    projector_free(data);
}

GArray *sensors_events_new(void)
{
    GArray *events = g_array_new(FALSE, FALSE, sizeof(struct event));
    g_array_set_clear_func(events, event_clear);
    return events;
}

struct sensors *sensors_new(size_t n_channels)
{
    struct sensors *sensors = g_new0(struct sensors, 1);
    sensors->channel = g_new0(struct channel, n_channels);
    sensors->n_channels = n_channels;
    for (size_t i = 0; i < n_channels; i++)
        sensors->channel[i].gain = 1.0;
    sensors->events = sensors_events_new();
    sensors->projectors = g_ptr_array_new_with_free_func(projector_unref);
    sensors->highpass_hz = (double) NAN;
    sensors->lowpass_hz = (double) NAN;
    sensors->line_hz = (double) NAN;
    return sensors;
}

void projector_free(struct projector *projector)
{
    if (projector == NULL)
        return;
    g_free(projector->name);
    g_strfreev(projector->channels);
    g_free(projector->vectors);
    g_free(projector);
}

void sensors_free(struct sensors *sensors)
{
    if (sensors == NULL)
        return;
    for (size_t i = 0; i < sensors->n_channels; i++) {
        g_free(sensors->channel[i].name);
        g_free(sensors->channel[i].unit);
        g_free(sensors->channel[i].stored_unit);
    }
    for (size_t i = 0; i < sensors->n_parts; i++) {
        g_free(sensors->part[i].name);
        g_free(sensors->part[i].channel);
        g_free(sensors->part[i].hole);
    }
    g_free(sensors->channel);
    g_free(sensors->part);
    g_array_unref(sensors->events);
    g_ptr_array_unref(sensors->projectors);
    g_free(sensors);
}

struct part part_of_all(const char *name, size_t n_channels, double rate_hz, size_t n_time)
{
    struct part part = {.name = g_strdup(name),
                        .channel = g_new(size_t, n_channels),
                        .n_channels = n_channels,
                        .rate_hz = rate_hz,
                        .n_time = n_time};
    for (size_t i = 0; i < n_channels; i++)
        part.channel[i] = i;
    return part;
}

void sensors_add_event(struct sensors *sensors, double onset_s, double duration_s, const char *text,
                       int value)
{
    struct event event = {onset_s, duration_s, g_strdup(text), value};
    g_array_append_val(sensors->events, event);
}

bool event_is_bad_span(const struct event *event)
{
    return g_ascii_strncasecmp(event->text, "bad", 3) == 0 ||
           g_ascii_strncasecmp(event->text, "edge", 4) == 0;
}

char *sensors_event_label(const struct sensors *sensors, const struct event *event)
{
    for (size_t c = 0; event->value != 0 && c < sensors->n_channels; c++)
        if (strcmp(sensors->channel[c].name, event->text) == 0)
            return g_strdup_printf("%s/%d", event->text, event->value);
    return g_strdup(event->text);
}

bool sensors_is_code(const struct sensors *sensors, const struct part *part,
                     const struct event *event)
{
    for (size_t i = 0; event->value != 0 && i < part->n_channels; i++) {
        const struct channel *channel = &sensors->channel[part->channel[i]];
        if (channel->kind == CHANNEL_STIM && strcmp(channel->name, event->text) == 0)
            return true;
    }
    return false;
}

void part_add_hole(struct part *part, size_t first, size_t n)
{
    const struct hole *last = part->n_holes == 0 ? NULL : &part->hole[part->n_holes - 1];
    if (last != NULL && first <= last->first)
        return;
    part->hole = g_renew(struct hole, part->hole, part->n_holes + 1);
    part->hole[part->n_holes++] = (struct hole){first, n};
}

static gint compare_onsets(gconstpointer a, gconstpointer b)
{
    double first_s = ((const struct event *) a)->onset_s;
    double second_s = ((const struct event *) b)->onset_s;
    return (first_s > second_s) - (first_s < second_s);
}

void sensors_sort_events(struct sensors *sensors)
{
    g_array_sort(sensors->events, compare_onsets); // stable
}

/** How often a name was met, or given a number; owned by the table. */
static guint *tally(GHashTable *table, const char *name)
{
    guint *n = g_hash_table_lookup(table, name);
    if (n == NULL) {
        n = g_new0(guint, 1);
        g_hash_table_insert(table, g_strdup(name), n);
    }
    return n;
}

bool sensors_make_names_unique(struct sensors *sensors)
{
    g_autoptr(GHashTable) met = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (size_t i = 0; i < sensors->n_channels; i++)
        ++*tally(met, sensors->channel[i].name);
    bool changed = false;
    for (size_t i = 0; i < sensors->n_channels; i++) {
        char *name = sensors->channel[i].name;
        if (*tally(met, name) < 2)
            continue;
        guint *number = tally(given, name);
        char *unique = g_strdup_printf("%s-%u", name, (*number)++);
        while (g_hash_table_contains(met, unique)) {
            g_free(unique);
            unique = g_strdup_printf("%s-%u", name, (*number)++);
        }
        ++*tally(met, unique);
        sensors->channel[i].name = unique;
        g_free(name);
        changed = true;
    }
    return changed;
}

static bool equal_without_spaces(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (*a != *b || *a == '\0')
            return *a == *b;
    }
}

size_t sensors_find(const struct sensors *sensors, const char *name)
{
    for (size_t i = 0; i < sensors->n_channels; i++)
        if (strcmp(sensors->channel[i].name, name) == 0)
            return i;
    for (size_t i = 0; i < sensors->n_channels; i++)
        if (equal_without_spaces(sensors->channel[i].name, name))
            return i;
    return sensors->n_channels;
}

struct sensor_names {
    GHashTable *exact;             // owned; names to channels
    GHashTable *bare;              // owned; names without spaces, owned too, to channels
    const struct sensors *sensors; // borrowed
};

static char *without_spaces(const char *name)
{
    g_auto(GStrv) pieces = g_strsplit(name, " ", -1);
    return g_strjoinv("", pieces);
}

struct sensor_names *sensor_names_new(const struct sensors *sensors)
{
    struct sensor_names *names = g_new0(struct sensor_names, 1);
    names->exact = g_hash_table_new(g_str_hash, g_str_equal);
    names->bare = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    names->sensors = sensors;
    for (size_t i = sensors->n_channels; i-- > 0;) { // the first of equal ones stays
        struct channel *channel = &sensors->channel[i];
        g_hash_table_insert(names->exact, channel->name, channel);
        g_hash_table_insert(names->bare, without_spaces(channel->name), channel);
    }
    return names;
}

size_t sensor_names_find(const struct sensor_names *names, const char *name)
{
    g_autofree char *bare = without_spaces(name);
    const struct channel *channel = g_hash_table_lookup(names->exact, name);
    if (channel == NULL)
        channel = g_hash_table_lookup(names->bare, bare);
    return channel == NULL ? names->sensors->n_channels
                           : (size_t) (channel - names->sensors->channel);
}

void sensor_names_free(struct sensor_names *names)
{
    if (names == NULL)
        return;
    g_hash_table_unref(names->exact);
    g_hash_table_unref(names->bare);
    g_free(names);
}
