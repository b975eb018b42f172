// SPDX-License-Identifier: BSD-3-Clause
#include "io/triggers.h"

#include "io/reader.h"

#include <math.h>
#include <string.h>

enum { STATUS_BITS = 0xffff, MOST_EVENTS = 1 << 20 };

static bool is_status(const char *name)
{
    return g_ascii_strcasecmp(name, "Status") == 0 || g_ascii_strcasecmp(name, "Trigger") == 0;
}

size_t triggers_channel(const struct sensors *sensors)
{
    static const char *const names[] = {"STI101", "STI 101", "STI 014", "STI014"};
    size_t n = sensors->n_channels, first = n;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        for (size_t c = 0; c < n; c++)
            if (strcmp(sensors->channel[c].name, names[i]) == 0)
                return c;
    for (size_t c = n; c-- > 0;)
        if (sensors->channel[c].kind == CHANNEL_STIM)
            first = c;
    for (size_t c = n; c-- > 0;)
        if (sensors->channel[c].kind == CHANNEL_STIM && is_status(sensors->channel[c].name))
            first = c;
    return first;
}

/** A pass over the samples of a channel. */
struct rises {
    const struct channel *channel;
    const struct part *part;
    GArray *events;
    uint32_t mask;
    uint32_t code;  // of the sample before
    bool has_begun; // there is one
    size_t hole;    // the next of the part
    size_t n_events;
    bool has_negative;
};

static uint32_t code_of(struct rises *rises, double stored)
{
    double value = rint(rises->channel->gain * stored + rises->channel->offset);
    if (!(fabs(value) <= G_MAXINT32))
        return 0;
    uint32_t bits = (uint32_t) (int32_t) value;
    if (value < 0.0) {
        rises->has_negative = true;
        bits &= STATUS_BITS;
    }
    return bits & rises->mask;
}

/** Whether a sample is no data but a zero that fills a gap. */
static bool is_filler(struct rises *rises, size_t t)
{
    const struct part *part = rises->part;
    while (rises->hole < part->n_holes &&
           t >= part->hole[rises->hole].first + part->hole[rises->hole].n)
        rises->hole++;
    return rises->hole < part->n_holes && t >= part->hole[rises->hole].first;
}

static bool take(void *data, size_t t, size_t first, size_t count, const void *samples)
{
    (void) first;
    (void) count;
    struct rises *rises = data;
    if (is_filler(rises, t))
        return true;
    uint32_t code = code_of(rises, *(const double *) samples);
    bool is_event = rises->has_begun && code > rises->code;
    rises->code = code;
    rises->has_begun = true;
    if (!is_event || rises->n_events++ >= MOST_EVENTS)
        return true;
    struct event event = {rises->part->start_s + (double) t / rises->part->rate_hz, 0.0,
                          g_strdup(rises->channel->name), (int) code};
    g_array_append_val(rises->events, event);
    return true;
}

/** The place of a channel in a part, or the part's number of channels. */
static size_t place_in(const struct part *part, size_t channel)
{
    size_t i = 0;
    while (i < part->n_channels && part->channel[i] != channel)
        i++;
    return i;
}

static bool pass_over_part(struct recording *recording, size_t p, size_t channel,
                           struct rises *rises, const struct io_context *io, GError **error)
{
    const struct part *part = &recording->sensors->part[p];
    size_t place = place_in(part, channel);
    if (place == part->n_channels || part->n_averaged > 0)
        return true;
    recording_choose(recording, p);
    rises->part = part;
    rises->hole = 0;
    struct series_run run = {place, 1};
    struct selection selection = {&run, 1, 0, part->n_time};
    struct frame_sink sink = {take, rises};
    return recording->reader->frames(recording, &selection, &sink, io, error);
}

bool triggers_read(struct recording *recording, size_t channel, uint32_t mask, GArray *events,
                   const struct io_context *io, GError **error)
{
    const struct sensors *sensors = recording->sensors;
    size_t chosen = sensors->chosen;
    struct rises rises = {.channel = &sensors->channel[channel], .events = events, .mask = mask};
    g_assert(recording->type == SAMPLE_DOUBLE);
    if (is_status(rises.channel->name))
        rises.mask &= STATUS_BITS;
    bool ok = true;
    for (size_t p = 0; ok && p < sensors->n_parts; p++)
        ok = pass_over_part(recording, p, channel, &rises, io, error);
    recording_choose(recording, chosen);
    if (ok && rises.has_negative)
        recording_warn(recording, "triggers",
                       "%s: negative values are taken for codes of 16 bits, above 32767",
                       rises.channel->name);
    if (ok && rises.n_events > MOST_EVENTS)
        recording_warn(recording, "triggers", "%s: of %zu codes only the first %d are events",
                       rises.channel->name, rises.n_events, MOST_EVENTS);
    return ok;
}
