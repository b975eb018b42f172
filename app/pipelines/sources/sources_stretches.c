// SPDX-License-Identifier: BSD-3-Clause
// What of a recording lies between gaps, and reading it.
#include "app/pipelines/sources/sources_window.h"

#include <math.h>
#include <string.h>

static const double SAME_RATE = 1e-3; // clocks drift, from stretch to stretch

static bool is_alike(const struct part *a, const struct part *b)
{
    return a->n_averaged == b->n_averaged && a->n_channels == b->n_channels &&
           memcmp(a->channel, b->channel, a->n_channels * sizeof *a->channel) == 0 &&
           fabs(a->rate_hz / b->rate_hz - 1.0) < SAME_RATE;
}

static void add_stretch(GArray *stretches, size_t part, size_t begin, size_t end)
{
    struct stretch stretch = {part, begin, end - 1};
    if (begin < end)
        g_array_append_val(stretches, stretch);
}

GArray *sources_stretches(const struct sources *sources)
{
    const struct sensors *sensors = sources->recording->sensors;
    GArray *stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch));
    for (size_t p = 0; p < sensors->n_parts; p++) {
        const struct part *part = &sensors->part[p];
        size_t begin = 0;
        if (!is_alike(part, &sensors->part[sensors->chosen]))
            continue;
        for (size_t h = 0; h < part->n_holes; h++) {
            add_stretch(stretches, p, begin, part->hole[h].first);
            begin = part->hole[h].first + part->hole[h].n;
        }
        add_stretch(stretches, p, begin, part->n_time);
    }
    return stretches;
}

struct stretch sources_with_margin(const struct sources *sources, const struct stretch *stretch,
                                   const struct stretch *around)
{
    size_t margin = sources->band == NULL ? 0 : band_pass_length(sources->band) / 2;
    return (struct stretch){stretch->part,
                            stretch->first - MIN(stretch->first - around->first, margin),
                            stretch->last + MIN(around->last - stretch->last, margin)};
}

bool sources_read_stretch(struct sources *sources, const struct stretch *stretch, double *rows,
                          size_t stride, GError **error)
{
    struct recording *recording = sources->recording;
    size_t n = sources->choice->n, n_time = stretch->last - stretch->first + 1;
    size_t chosen = recording->sensors->chosen;
    g_autofree uint8_t *mask = g_new0(uint8_t, recording->n_series);
    for (size_t i = 0; i < n; i++)
        mask[sources->choice->recording[i]] = 1;
    recording_choose(recording, stretch->part);
    bool ok = recording_read(recording, mask, stretch->first, n_time, &sources->host->io, error);
    g_autofree double *frame = g_new(double, n);
    for (size_t t = 0; ok && t < n_time; t++) {
        recording_values(recording, t, 0, n, frame);
        for (size_t i = 0; i < n; i++)
            rows[i * stride + t] = frame[i];
    }
    recording_choose(recording, chosen);
    if (ok && sources->band != NULL)
        sources_filter(sources, rows, n, n_time, stride);
    return ok;
}
