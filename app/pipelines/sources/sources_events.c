// SPDX-License-Identifier: BSD-3-Clause
// The events that epochs are cut around: annotations, markers, trigger channels, tables and lists.
#include "app/pipelines/sources/sources_window.h"
#include "io/event_file.h"
#include "io/text.h"
#include "io/triggers.h"
#include "io/tsv.h"

#include <math.h>
#include <string.h>

enum { MOST_LISTED = 12 };

/** Events on their way from their source to those asked for. */
struct search {
    struct sources *sources;
    GArray *events; // of struct event
    GArray *spans;  // of struct event; borrowed
};

/** Adds an event, or a span of bad data, whose text is handed over. */
static void add(struct search *search, struct event event)
{
    const char *condition = search->sources->options->condition;
    // What is asked for by its name is an event, whatever it says.
    bool is_span = event_is_bad_span(&event) && g_strcmp0(condition, event.text) != 0;
    g_array_append_val(is_span ? search->spans : search->events, event);
}

static bool add_table(struct search *search, const char *path, GError **error)
{
    g_autoptr(owned_tsv) table = tsv_read(path, &search->sources->host->io, error);
    if (table == NULL)
        return false;
    for (size_t row = 0; row < table->rows->len; row++) {
        double onset_s = NAN, duration_s = 0.0, value = 0.0;
        if (!tsv_number(table, row, "onset", &onset_s) || isnan(onset_s)) {
            io_error_set(error, IO_ERROR_INPUT, path,
                         "row %zu: onset: expected seconds, found none", row + 1);
            return false;
        }
        tsv_number(table, row, "duration", &duration_s);
        bool is_whole = tsv_number(table, row, "value", &value) && fabs(value) <= G_MAXINT32 &&
                        value == floor(value);
        const char *text = tsv_field(table, row, "trial_type");
        if (text == NULL)
            text = tsv_field(table, row, "value");
        add(search, (struct event){onset_s, fmax(duration_s, 0.0), g_strdup(text ? text : ""),
                                   is_whole ? (int) value : 0});
    }
    return true;
}

/** The time of a sample, counted through all stretches as they are stored. */
static double time_of_sample(const struct sensors *sensors, const GArray *stretches, double sample)
{
    const struct part *chosen = &sensors->part[sensors->chosen];
    if (sensors->n_parts == 1)
        return chosen->start_s + sample / chosen->rate_hz;
    for (guint i = 0; i < stretches->len; i++) {
        const struct stretch *stretch = &g_array_index(stretches, struct stretch, i);
        const struct part *part = &sensors->part[stretch->part];
        double n = (double) (stretch->last - stretch->first + 1);
        if (sample < n || i + 1 == stretches->len)
            return part->start_s + ((double) stretch->first + sample) / part->rate_hz;
        sample -= n;
    }
    return (double) NAN;
}

static bool add_list(struct search *search, const char *path, GError **error)
{
    const struct sensors *sensors = search->sources->recording->sensors;
    g_autoptr(GArray) list = event_file_read(path, &search->sources->host->io, error);
    if (list == NULL)
        return false;
    g_autoptr(GArray) stretches = sources_stretches(search->sources);
    for (guint i = 0; i < list->len; i++) {
        const struct sample_event *event = &g_array_index(list, struct sample_event, i);
        double sample = event->sample - (double) sensors->first_sample;
        char *text =
            event->text != NULL ? g_strdup(event->text) : g_strdup_printf("%d", event->value);
        add(search,
            (struct event){time_of_sample(sensors, stretches, sample), 0.0, text, event->value});
    }
    return true;
}

/** Annotations and markers; but for the begin of a segment, which is no event. */
static void add_annotations(struct search *search)
{
    const GArray *events = search->sources->recording->sensors->events;
    for (guint i = 0; i < events->len; i++) {
        struct event event = g_array_index(events, struct event, i);
        bool is_segment = (g_ascii_strncasecmp(event.text, "New Segment/", 12) == 0 ||
                           g_ascii_strcasecmp(event.text, "boundary") == 0) &&
                          g_strcmp0(search->sources->options->condition, event.text) != 0;
        if (is_segment)
            continue;
        event.text = g_strdup(event.text);
        add(search, event);
    }
}

static bool add_triggers(struct search *search, size_t channel, GError **error)
{
    const struct sources *sources = search->sources;
    struct recording *recording = sources->recording;
    uint32_t mask = sources->options->stim_mask == 0 ? TRIGGER_ALL_BITS
                                                     : (uint32_t) sources->options->stim_mask;
    guint n_warnings = recording->warnings->len;
    if (!triggers_read(recording, channel, mask, search->events, &sources->host->io, error))
        return false;
    for (guint i = n_warnings; i < recording->warnings->len; i++)
        host_warning(sources->host, "%s: %s", recording->path,
                     (const char *) recording->warnings->pdata[i]);
    return true;
}

/** Spans stay, whatever the events are taken from. */
static void add_spans(struct search *search)
{
    const GArray *events = search->sources->recording->sensors->events;
    for (guint i = 0; i < events->len; i++) {
        struct event event = g_array_index(events, struct event, i);
        if (!event_is_bad_span(&event))
            continue;
        event.text = g_strdup(event.text);
        g_array_append_val(search->spans, event);
    }
}

// What was asked for.

/** Codes of a text "1", "1,2", "0x10"; NULL: it is something else. Of int, owned. */
static GArray *codes_of(const char *text)
{
    g_autoptr(GArray) codes = g_array_new(FALSE, FALSE, sizeof(int));
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (size_t i = 0; words[i] != NULL; i++) {
        const char *word = g_strstrip(words[i]);
        char *end = NULL;
        int base = g_ascii_strncasecmp(word, "0x", 2) == 0 ? 16 : 10;
        gint64 code = g_ascii_strtoll(word, &end, (guint) base);
        if (end == word || *end != '\0' || ABS(code) > G_MAXINT32)
            return NULL;
        int value = (int) code;
        g_array_append_val(codes, value);
    }
    return g_steal_pointer(&codes);
}

static bool has_code(const GArray *codes, int value)
{
    for (guint i = 0; i < codes->len; i++)
        if (g_array_index(codes, int, i) == value)
            return true;
    return false;
}

/** Whether an event has the name asked for; NULL: any. */
static bool is_named(const struct sensors *sensors, const struct event *event, const char *name)
{
    if (name == NULL || strcmp(event->text, name) == 0)
        return true;
    g_autofree char *label = sensors_event_label(sensors, event);
    return strcmp(label, name) == 0;
}

/** Marks the events asked for: by name, or where none has it by code. How many. */
static size_t mark(const struct search *search, bool *marks)
{
    const char *condition = search->sources->options->condition;
    const struct sensors *sensors = search->sources->recording->sensors;
    const GArray *events = search->events;
    size_t n = 0;
    for (guint i = 0; i < events->len; i++) {
        marks[i] = is_named(sensors, &g_array_index(events, struct event, i), condition);
        n += marks[i];
    }
    g_autoptr(GArray) codes = n > 0 || condition == NULL ? NULL : codes_of(condition);
    for (guint i = 0; codes != NULL && i < events->len; i++) {
        int value = g_array_index(events, struct event, i).value;
        marks[i] = value != 0 && has_code(codes, value);
        n += marks[i];
    }
    return n;
}

/** "12 of A, 3 of Status/1" of marked events (NULL: all); *n_kinds of them. Owned. */
static char *list_kinds(const struct search *search, const bool *marks, guint *n_kinds)
{
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < search->events->len; i++) {
        if (marks != NULL && !marks[i])
            continue;
        g_autofree char *label = sensors_event_label(
            search->sources->recording->sensors, &g_array_index(search->events, struct event, i));
        guint *n = g_hash_table_lookup(counts, label);
        if (n == NULL) {
            n = g_new0(guint, 1);
            g_ptr_array_add(order, g_strdup(label));
            g_hash_table_insert(counts, g_strdup(label), n);
        }
        ++*n;
    }
    *n_kinds = order->len;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < MIN(order->len, MOST_LISTED); i++)
        g_string_append_printf(text, "%s%u of \"%s\"", i == 0 ? "" : ", ",
                               *(guint *) g_hash_table_lookup(counts, order->pdata[i]),
                               (char *) order->pdata[i]);
    if (order->len > MOST_LISTED)
        g_string_append_printf(text, " and %u other kinds", order->len - MOST_LISTED);
    return g_string_free(text, FALSE);
}

/** Fills events and spans from what the options name. */
static bool gather(struct search *search, GError **error)
{
    struct sources *sources = search->sources;
    const struct sources_options *options = sources->options;
    const struct sensors *sensors = sources->recording->sensors;
    if (options->events != NULL) {
        add_spans(search);
        return event_file_recognise(options->events) ? add_list(search, options->events, error)
                                                     : add_table(search, options->events, error);
    }
    if (options->stim == NULL && options->stim_mask == 0) {
        add_annotations(search);
        return true;
    }
    size_t channel =
        options->stim == NULL ? triggers_channel(sensors) : sensors_find(sensors, options->stim);
    if (channel == sensors->n_channels) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "--stim: expected a channel, found %s%s%s",
                    options->stim == NULL ? "no trigger channel" : "\"",
                    options->stim == NULL ? "" : options->stim, options->stim == NULL ? "" : "\"");
        return false;
    }
    add_spans(search);
    return add_triggers(search, channel, error);
}

/** Whether the codes of a trigger channel are not among the events, and could be asked for. */
static bool has_more_triggers(const struct search *search, size_t *channel)
{
    const struct sources_options *options = search->sources->options;
    const struct sensors *sensors = search->sources->recording->sensors;
    *channel = triggers_channel(sensors);
    bool could = options->events == NULL && options->stim == NULL && options->stim_mask == 0 &&
                 *channel < sensors->n_channels;
    for (guint i = 0; could && i < search->events->len; i++)
        could = strcmp(g_array_index(search->events, struct event, i).text,
                       sensors->channel[*channel].name) != 0;
    return could;
}

static bool refuse_condition(const struct search *search, GError **error)
{
    const struct sources *sources = search->sources;
    guint n_kinds = 0;
    g_autofree char *kinds = list_kinds(search, NULL, &n_kinds);
    g_autofree char *found = text_escape(n_kinds == 0 ? "none" : kinds);
    io_error_set(
        error, IO_ERROR_INPUT,
        sources->options->events != NULL ? sources->options->events : sources->recording->path,
        "epochs: expected events%s%s, found %s", sources->options->condition == NULL ? "" : " of ",
        sources->options->condition == NULL ? "" : sources->options->condition, found);
    return false;
}

/** A code that means several things, or several kinds of events as one condition. */
static bool check_kinds(const struct search *search, const bool *marks, GError **error)
{
    const struct sources *sources = search->sources;
    const char *condition = sources->options->condition;
    guint n_kinds = 0;
    g_autofree char *kinds = list_kinds(search, marks, &n_kinds);
    g_autofree char *found = text_escape(kinds);
    g_autoptr(GArray) codes = condition == NULL ? NULL : codes_of(condition);
    if (condition == NULL && n_kinds > 1)
        host_warning(sources->host,
                     "%s: events of %u kinds are averaged together: %s (--condition "
                     "takes one)",
                     sources->recording->path, n_kinds, found);
    // In a table or a list a code is what it says; markers may be of several types.
    if (codes == NULL || n_kinds <= codes->len || sources->options->events != NULL)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                "--condition: expected a code that tells events apart, found %s: %s", condition,
                found);
    return false;
}

bool sources_events(struct sources *sources, GArray *onsets, GArray *spans, GError **error)
{
    g_autoptr(GArray) events = sensors_events_new();
    struct search search = {sources, events, spans};
    size_t channel = 0;
    if (!gather(&search, error))
        return false;
    g_autofree bool *marks = g_new0(bool, events->len + 1);
    size_t n = mark(&search, marks);
    if (n == 0 && has_more_triggers(&search, &channel)) {
        if (!add_triggers(&search, channel, error))
            return false;
        g_free(marks);
        marks = g_new0(bool, events->len + 1);
        n = mark(&search, marks);
    }
    if (n == 0)
        return refuse_condition(&search, error);
    for (guint i = 0; i < events->len; i++)
        if (marks[i])
            g_array_append_val(onsets, g_array_index(events, struct event, i).onset_s);
    return check_kinds(&search, marks, error);
}

bool sources_epochs_of_file(struct sources *sources, GArray *parts, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    g_autoptr(GArray) events = sensors_events_new();
    struct search search = {sources, events, NULL};
    for (size_t p = 0; p < sensors->n_parts; p++) {
        const struct part *part = &sensors->part[p];
        struct event event = {0.0, 0.0, g_strdup(part->name), part->code};
        g_array_append_val(events, event);
    }
    g_autofree bool *marks = g_new0(bool, sensors->n_parts);
    if (mark(&search, marks) == 0)
        return refuse_condition(&search, error);
    for (size_t p = 0; p < sensors->n_parts; p++)
        if (marks[p])
            g_array_append_val(parts, p);
    return check_kinds(&search, marks, error);
}
