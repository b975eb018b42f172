// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands/info_sensors.h"

#include "io/text.h"
#include "io/triggers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// The text is cut short; JSON has everything.
enum { MOST_LISTED = 12, LONGEST_NAME = 60 };

bool info_sensors_scan(struct recording *recording, struct recording_summary *summary,
                       const struct io_context *io, GError **error)
{
    size_t chosen = recording->sensors->chosen;
    bool ok = true;
    *summary = (struct recording_summary){
        .series_counted = true, .minimum = (double) NAN, .maximum = (double) NAN};
    for (size_t i = 0; ok && i < recording->sensors->n_parts; i++) {
        struct recording_summary part;
        recording_choose(recording, i);
        if (!recording_scan(recording, &part, NULL, io, error)) {
            ok = false;
            break;
        }
        summary->n_series += part.n_series;
        summary->series_counted = summary->series_counted && part.series_counted;
        summary->n_constant += part.n_constant;
        summary->n_nonfinite += part.n_nonfinite;
        summary->n_nonfinite_samples += part.n_nonfinite_samples;
    }
    recording_choose(recording, chosen);
    return ok;
}

GArray *info_sensors_codes(struct recording *recording, const struct io_context *io, GError **error)
{
    struct sensors *sensors = recording->sensors;
    size_t channel = triggers_channel(sensors);
    g_autoptr(GArray) codes = sensors_events_new();
    if (channel == sensors->n_channels)
        return g_steal_pointer(&codes);
    for (guint i = 0; i < sensors->events->len; i++) { // of a BDF: there already
        struct event event = g_array_index(sensors->events, struct event, i);
        if (event.value == 0 || strcmp(event.text, sensors->channel[channel].name) != 0)
            continue;
        event.text = g_strdup(event.text);
        g_array_append_val(codes, event);
    }
    if (codes->len == 0 && !triggers_read(recording, channel, TRIGGER_ALL_BITS, codes, io, error))
        return NULL;
    return g_steal_pointer(&codes);
}

/** How often a name came. */
struct count {
    char *name; // owned
    size_t n;
};

static void count_free(void *data)
{
    struct count *count = data;
    g_free(count->name);
    g_free(count);
}

/** Counts of the texts of events, in the order in which they came first; owned. */
static GPtrArray *count_texts(const GArray *events)
{
    GPtrArray *counts = g_ptr_array_new_with_free_func(count_free);
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < events->len; i++) {
        const char *text = g_array_index(events, struct event, i).text;
        struct count *count = g_hash_table_lookup(by_name, text);
        if (count == NULL) {
            count = g_new0(struct count, 1);
            count->name = g_strdup(text);
            g_ptr_array_add(counts, count);
            g_hash_table_insert(by_name, count->name, count);
        }
        count->n++;
    }
    return counts;
}

/** "T/m" of the gradiometers, ...; "mixed" where channels of a kind differ. */
static const char *unit_of_kind(const struct sensors *sensors, enum channel_kind kind)
{
    const char *unit = NULL;
    for (size_t i = 0; i < sensors->n_channels; i++) {
        if (sensors->channel[i].kind != kind)
            continue;
        if (unit != NULL && strcmp(unit, sensors->channel[i].unit) != 0)
            return "mixed";
        unit = sensors->channel[i].unit;
    }
    return unit;
}

static size_t count_kind(const struct sensors *sensors, enum channel_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < sensors->n_channels; i++)
        n += sensors->channel[i].kind == kind;
    return n;
}

static void print_channels(const struct sensors *sensors)
{
    printf("  channels     %zu", sensors->n_channels);
    const char *separator = ": ";
    for (int kind = 0; kind < CHANNEL_KINDS; kind++) {
        size_t n = count_kind(sensors, (enum channel_kind) kind);
        if (n == 0)
            continue;
        g_autofree char *unit = text_escape(unit_of_kind(sensors, (enum channel_kind) kind));
        printf("%s%zu %s", separator, n, channel_kind_name((enum channel_kind) kind));
        if (*unit != '\0')
            printf(" (%s)", unit);
        separator = ", ";
    }
    putchar('\n');
}

static void print_bads(const struct sensors *sensors)
{
    size_t n = 0;
    for (size_t i = 0; i < sensors->n_channels; i++) {
        if (!sensors->channel[i].bad)
            continue;
        g_autofree char *name = text_escape(sensors->channel[i].name);
        if (n < MOST_LISTED)
            printf("%s%s", n == 0 ? "  bad          " : ", ", name);
        n++;
    }
    if (n > MOST_LISTED)
        printf(" and %zu more", n - MOST_LISTED);
    if (n > 0)
        putchar('\n');
}

static bool has_one_rate(const struct sensors *sensors)
{
    for (size_t i = 1; i < sensors->n_parts; i++)
        if (sensors->part[i].rate_hz != sensors->part[0].rate_hz)
            return false;
    return true;
}

static void print_part(const struct sensors *sensors, const struct part *part)
{
    g_autofree char *name = text_excerpt(part->name, LONGEST_NAME);
    double last_s = part->start_s + ((double) part->n_time - 1.0) / part->rate_hz;
    printf("  %-12s %s: %zu samples",
           sensors->is_epochs     ? "epoch"
           : part->n_averaged > 0 ? "condition"
                                  : "part",
           name, part->n_time);
    if (part->n_time > 0)
        printf(", %g .. %g s", part->start_s, last_s);
    if (part->n_channels != sensors->n_channels)
        printf(", %zu channels", part->n_channels);
    if (!has_one_rate(sensors))
        printf(", %.9g Hz", part->rate_hz);
    if (part->n_averaged > 0 && !sensors->is_epochs)
        printf(", average of %d", part->n_averaged);
    putchar('\n');
}

static void print_parts(const struct sensors *sensors)
{
    const struct part *first = &sensors->part[0];
    if (has_one_rate(sensors) && first->rate_hz > 0.0)
        printf("  rate         %.9g Hz\n", first->rate_hz);
    if (sensors->n_parts == 1 && first->n_time == 0)
        return; // events alone
    if (sensors->n_parts == 1 && first->n_averaged == 0) {
        printf("  length       %zu samples, %g s", first->n_time,
               (double) first->n_time / first->rate_hz);
        if (sensors->first_sample > 0)
            printf(", from sample %zu of the acquisition", sensors->first_sample);
        if (first->n_holes > 0)
            printf(", %zu gap%s", first->n_holes, first->n_holes == 1 ? "" : "s");
        putchar('\n');
        return;
    }
    for (size_t i = 0; i < MIN(sensors->n_parts, MOST_LISTED); i++)
        print_part(sensors, &sensors->part[i]);
    if (sensors->n_parts > MOST_LISTED)
        printf("  %-12s and %zu more\n", "", sensors->n_parts - MOST_LISTED);
}

static void print_filters(const struct sensors *sensors)
{
    if (isfinite(sensors->highpass_hz) || isfinite(sensors->lowpass_hz)) {
        fputs("  filter      ", stdout);
        if (isfinite(sensors->highpass_hz))
            printf(" from %g Hz", sensors->highpass_hz);
        if (isfinite(sensors->lowpass_hz))
            printf(" to %g Hz", sensors->lowpass_hz);
        putchar('\n');
    }
    if (isfinite(sensors->line_hz))
        printf("  power line   %g Hz\n", sensors->line_hz);
    if (sensors->compensation_grade != 0)
        printf("  compensation grade %d\n", sensors->compensation_grade);
}

void info_projectors_print(const GPtrArray *projectors)
{
    for (guint i = 0; i < projectors->len; i++) {
        const struct projector *projector = projectors->pdata[i];
        g_autofree char *name = text_escape(projector->name);
        printf("  projector    %s: %zu vector%s, %u channels, %s\n", name, projector->n_vectors,
               projector->n_vectors == 1 ? "" : "s", g_strv_length(projector->channels),
               projector->active ? "applied" : "not applied");
    }
}

static void print_events(const struct sensors *sensors)
{
    if (sensors->events->len == 0)
        return;
    g_autoptr(GPtrArray) counts = count_texts(sensors->events);
    printf("  events       %u:", sensors->events->len);
    for (guint i = 0; i < MIN(counts->len, MOST_LISTED); i++) {
        const struct count *count = counts->pdata[i];
        g_autofree char *name = text_escape(count->name);
        printf("%s%zu %s", i == 0 ? " " : ", ", count->n, name);
    }
    if (counts->len > MOST_LISTED)
        printf(" and %u other kinds", counts->len - MOST_LISTED);
    putchar('\n');
}

static gint compare_values(gconstpointer a, gconstpointer b)
{
    int first = ((const struct event *) a)->value, second = ((const struct event *) b)->value;
    return (first > second) - (first < second);
}

/** The events of code number i of sorted ones: [i, returned). */
static guint end_of_code(const GArray *codes, guint i)
{
    guint end = i;
    while (end < codes->len && g_array_index(codes, struct event, end).value ==
                                   g_array_index(codes, struct event, i).value)
        end++;
    return end;
}

static void print_codes(GArray *codes)
{
    guint n_listed = 0;
    if (codes->len == 0)
        return;
    g_array_sort(codes, compare_values);
    g_autofree char *name = text_escape(g_array_index(codes, struct event, 0).text);
    printf("  codes        %s: ", name);
    for (guint i = 0, end = 0; i < codes->len && n_listed < MOST_LISTED; i = end, n_listed++) {
        end = end_of_code(codes, i);
        printf("%s%u of %d", i == 0 ? "" : ", ", end - i,
               g_array_index(codes, struct event, i).value);
        if (n_listed + 1 == MOST_LISTED && end < codes->len)
            printf(" and others");
    }
    putchar('\n');
}

static JsonArray *codes_json(GArray *codes)
{
    JsonArray *array = json_array_new();
    g_array_sort(codes, compare_values);
    for (guint i = 0, end = 0; i < codes->len; i = end) {
        const struct event *event = &g_array_index(codes, struct event, i);
        end = end_of_code(codes, i);
        g_autofree char *name = text_escape(event->text);
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "channel", name);
        json_object_set_int_member(object, "value", event->value);
        json_object_set_int_member(object, "count", end - i);
        json_array_add_object_element(array, object);
    }
    return array;
}

void info_sensors_print(const struct recording *recording, GArray *codes)
{
    const struct sensors *sensors = recording->sensors;
    print_channels(sensors);
    print_bads(sensors);
    print_parts(sensors);
    print_filters(sensors);
    info_projectors_print(sensors->projectors);
    print_events(sensors);
    print_codes(codes);
}

// JSON.

static void set_text(JsonObject *object, const char *name, const char *text)
{
    g_autofree char *valid = text_escape(text);
    json_object_set_string_member(object, name, valid);
}

static void set_number(JsonObject *object, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_double_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}

static JsonArray *channels_json(const struct sensors *sensors)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < sensors->n_channels; i++) {
        const struct channel *channel = &sensors->channel[i];
        JsonObject *object = json_object_new();
        set_text(object, "name", channel->name);
        json_object_set_string_member(object, "kind", channel_kind_name(channel->kind));
        set_text(object, "unit", channel->unit);
        set_text(object, "stored_unit", channel->stored_unit);
        set_number(object, "gain", channel->gain);
        set_number(object, "offset", channel->offset);
        json_object_set_boolean_member(object, "bad", channel->bad);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonObject *kinds_json(const struct sensors *sensors)
{
    JsonObject *object = json_object_new();
    for (int kind = 0; kind < CHANNEL_KINDS; kind++) {
        size_t n = count_kind(sensors, (enum channel_kind) kind);
        if (n > 0)
            json_object_set_int_member(object, channel_kind_name((enum channel_kind) kind),
                                       (gint64) n);
    }
    return object;
}

static JsonArray *bads_json(const struct sensors *sensors)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < sensors->n_channels; i++) {
        g_autofree char *name = text_escape(sensors->channel[i].name);
        if (sensors->channel[i].bad)
            json_array_add_string_element(array, name);
    }
    return array;
}

// Where a part was not recorded through: what is missing, or only a break where it is nothing.
static JsonArray *gaps_json(const struct part *part)
{
    JsonArray *array = json_array_new();
    for (size_t h = 0; h < part->n_holes; h++) {
        JsonObject *object = json_object_new();
        set_number(object, "start_s", part->start_s + (double) part->hole[h].first / part->rate_hz);
        set_number(object, "duration_s", (double) part->hole[h].n / part->rate_hz);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonArray *parts_json(const struct sensors *sensors)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < sensors->n_parts; i++) {
        const struct part *part = &sensors->part[i];
        JsonObject *object = json_object_new();
        set_text(object, "name", part->name);
        json_object_set_int_member(object, "n_channels", (gint64) part->n_channels);
        json_object_set_int_member(object, "n_time", (gint64) part->n_time);
        set_number(object, "rate_hz", part->rate_hz);
        set_number(object, "start_s", part->start_s);
        json_object_set_int_member(object, "n_averaged", part->n_averaged);
        json_object_set_array_member(object, "gaps", gaps_json(part));
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
        json_object_set_double_member(object, "onset_s", event->onset_s);
        json_object_set_double_member(object, "duration_s", event->duration_s);
        set_text(object, "text", event->text);
        json_object_set_int_member(object, "value", event->value);
        json_array_add_object_element(array, object);
    }
    return array;
}

JsonArray *info_projectors_json(const GPtrArray *projectors)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < projectors->len; i++) {
        const struct projector *projector = projectors->pdata[i];
        JsonObject *object = json_object_new();
        set_text(object, "name", projector->name);
        json_object_set_int_member(object, "n_vectors", (gint64) projector->n_vectors);
        json_object_set_int_member(object, "n_channels", g_strv_length(projector->channels));
        json_object_set_boolean_member(object, "reference", projector->reference);
        json_object_set_boolean_member(object, "active", projector->active);
        json_array_add_object_element(array, object);
    }
    return array;
}

void info_sensors_json(const struct recording *recording, GArray *codes, JsonObject *object)
{
    const struct sensors *sensors = recording->sensors;
    json_object_set_int_member(object, "n_channels", (gint64) sensors->n_channels);
    json_object_set_object_member(object, "kinds", kinds_json(sensors));
    json_object_set_array_member(object, "bads", bads_json(sensors));
    set_number(object, "rate_hz", has_one_rate(sensors) ? sensors->part[0].rate_hz : (double) NAN);
    json_object_set_array_member(object, "parts", parts_json(sensors));
    json_object_set_int_member(object, "first_sample", (gint64) sensors->first_sample);
    set_number(object, "highpass_hz", sensors->highpass_hz);
    set_number(object, "lowpass_hz", sensors->lowpass_hz);
    set_number(object, "line_hz", sensors->line_hz);
    json_object_set_int_member(object, "compensation_grade", sensors->compensation_grade);
    json_object_set_boolean_member(object, "device_to_head", sensors->has_device_to_head);
    json_object_set_array_member(object, "projectors", info_projectors_json(sensors->projectors));
    json_object_set_array_member(object, "events", events_json(sensors));
    json_object_set_array_member(object, "codes", codes_json(codes));
    json_object_set_array_member(object, "channels", channels_json(sensors));
}
