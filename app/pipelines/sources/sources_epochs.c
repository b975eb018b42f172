// SPDX-License-Identifier: BSD-3-Clause
// Epochs: where they lie, which of them count, and their mean.
#include "app/pipelines/sources/sources_window.h"

#include <math.h>
#include <string.h>

/** An epoch of the recording. */
struct place {
    guint stretch;
    size_t first; // sample of the part
};

/** Epochs on their way from events to their mean. */
struct cut {
    GArray *stretches; // owned; of struct stretch
    GArray *places;    // owned; of struct place, in the order of events
    double before;     // samples from the event to the first of the epoch
    size_t n_time;     // samples of each
};
typedef struct cut owned_cut;

static void cut_clear(struct cut *cut)
{
    if (cut->stretches != NULL)
        g_array_unref(cut->stretches);
    if (cut->places != NULL)
        g_array_unref(cut->places);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_cut, cut_clear)

static const struct part *part_of(const struct sources *sources, const struct cut *cut,
                                  const struct place *place)
{
    size_t p = g_array_index(cut->stretches, struct stretch, place->stretch).part;
    return &sources->recording->sensors->part[p];
}

/** The stretch that has the whole epoch around an onset; false: none has. */
static bool find_place(const struct sources *sources, const struct cut *cut, double onset_s,
                       struct place *place)
{
    for (guint i = 0; i < cut->stretches->len; i++) {
        const struct stretch *stretch = &g_array_index(cut->stretches, struct stretch, i);
        const struct part *part = &sources->recording->sensors->part[stretch->part];
        double at = rint((onset_s - part->start_s) * part->rate_hz) + cut->before;
        if (at >= (double) stretch->first &&
            at + (double) cut->n_time <= (double) stretch->last + 1.0) {
            *place = (struct place){i, (size_t) at};
            return true;
        }
    }
    return false;
}

/** Whether the place was met before; it is from now on. */
static bool is_placed(GHashTable *met, const struct place *place)
{
    gint64 *key = g_new(gint64, 1);
    *key = (gint64) place->stretch << 44 | (gint64) place->first;
    return !g_hash_table_add(met, key);
}

/** Whether an epoch and a span of bad data overlap; a span of no length has to be inside. */
static bool is_in_span(const struct sources *sources, const struct cut *cut,
                       const struct place *place, const GArray *spans)
{
    const struct part *part = part_of(sources, cut, place);
    double begin_s = part->start_s + (double) place->first / part->rate_hz;
    double end_s = part->start_s + (double) (place->first + cut->n_time) / part->rate_hz;
    for (guint i = 0; i < spans->len; i++) {
        const struct event *span = &g_array_index(spans, struct event, i);
        if (span->onset_s < end_s && span->onset_s + span->duration_s > begin_s)
            return true;
    }
    return false;
}

static void place_all(struct sources *sources, struct cut *cut, const GArray *onsets,
                      const GArray *spans)
{
    struct epoch_counts *counts = &sources->window.counts;
    g_autoptr(GHashTable) met = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    *counts = (struct epoch_counts){.n_events = onsets->len};
    for (guint i = 0; i < onsets->len; i++) {
        struct place place;
        if (!find_place(sources, cut, g_array_index(onsets, double, i), &place))
            counts->n_outside++;
        else if (is_placed(met, &place))
            counts->n_repeated++;
        else if (!sources->options->keep_bad_spans && is_in_span(sources, cut, &place, spans))
            counts->n_bad++;
        else
            g_array_append_val(cut->places, place);
    }
}

/** Tells of epochs that were left out, but by --reject. */
static void tell_counts(const struct sources *sources)
{
    const struct epoch_counts *counts = &sources->window.counts;
    const char *path = sources->recording->path;
    if (counts->n_bad > 0)
        host_warning(sources->host,
                     "%s: %zu of %zu epochs are in spans of bad data (BAD_, EDGE): left out "
                     "(--keep-bad-spans)",
                     path, counts->n_bad, counts->n_events);
    if (counts->n_outside > 0)
        host_warning(sources->host,
                     "%s: %zu of %zu epochs were not recorded whole (before, after, or over a "
                     "gap): left out",
                     path, counts->n_outside, counts->n_events);
    if (counts->n_repeated > 0)
        host_warning(sources->host, "%s: %zu of %zu events are at the sample of another: once",
                     path, counts->n_repeated, counts->n_events);
}

/** "0..9.995, 100..159.995" of all stretches. Owned. */
static char *list_stretches(const struct sources *sources, const GArray *stretches)
{
    enum { MOST_LISTED = 6 };
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < MIN(stretches->len, MOST_LISTED); i++) {
        const struct stretch *stretch = &g_array_index(stretches, struct stretch, i);
        const struct part *part = &sources->recording->sensors->part[stretch->part];
        g_string_append_printf(text, "%s%g..%g", i == 0 ? "" : ", ",
                               part->start_s + (double) stretch->first / part->rate_hz,
                               part->start_s + (double) stretch->last / part->rate_hz);
    }
    if (stretches->len > MOST_LISTED)
        g_string_append_printf(text, ", ... (%u stretches)", stretches->len);
    return g_string_free(text, FALSE);
}

static bool refuse_none(const struct sources *sources, const struct cut *cut, GError **error)
{
    const struct epoch_counts *counts = &sources->window.counts;
    g_autofree char *stretches = list_stretches(sources, cut->stretches);
    io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                 "epochs: expected events%s%s with %g..%g s around them in data of %s s, found %zu "
                 "events: %zu not recorded whole, %zu in spans of bad data (--keep-bad-spans)",
                 sources->options->condition == NULL ? "" : " of ",
                 sources->options->condition == NULL ? "" : sources->options->condition,
                 sources->window.start_s,
                 sources->window.start_s +
                     ((double) cut->n_time - 1.0) * sources->window.interval_s,
                 stretches, counts->n_events, counts->n_outside, counts->n_bad);
    return false;
}

// Reading.

/** From the first to the last sample of the epochs in a stretch; false: there is none. */
static bool span_of(const struct sources *sources, const struct cut *cut, guint i,
                    struct stretch *span)
{
    const struct stretch *stretch = &g_array_index(cut->stretches, struct stretch, i);
    size_t first = G_MAXSIZE, last = 0;
    for (guint e = 0; e < cut->places->len; e++) {
        const struct place *place = &g_array_index(cut->places, struct place, e);
        if (place->stretch != i)
            continue;
        first = MIN(first, place->first);
        last = MAX(last, place->first + cut->n_time - 1);
    }
    if (first > last)
        return false;
    struct stretch all = {stretch->part, first, last};
    *span = sources_with_margin(sources, &all, stretch);
    return true;
}

/** Reads the spans one after the other; epochs begin at first[e]. NULL on error. */
static double *read_spans(struct sources *sources, const struct cut *cut, size_t *first,
                          size_t *n_data, GError **error)
{
    struct stretch span;
    size_t n = sources->choice->n, at = 0;
    *n_data = 0;
    for (guint i = 0; i < cut->stretches->len; i++)
        if (span_of(sources, cut, i, &span))
            *n_data += span.last - span.first + 1;
    g_autofree double *data = io_context_alloc(&sources->host->io, sources->recording->path,
                                               n * *n_data, sizeof *data, error);
    for (guint i = 0; data != NULL && i < cut->stretches->len; i++) {
        if (!span_of(sources, cut, i, &span))
            continue;
        if (!sources_read_stretch(sources, &span, data + at, *n_data, error))
            return NULL;
        for (guint e = 0; e < cut->places->len; e++) {
            const struct place *place = &g_array_index(cut->places, struct place, e);
            if (place->stretch == i)
                first[e] = at + place->first - span.first;
        }
        at += span.last - span.first + 1;
    }
    return g_steal_pointer(&data);
}

// The samples before the event, or those of --baseline, for the covariance of noise.
static bool fill_noise(struct sources *sources, const struct epochs *epochs, const bool *is_used,
                       GError **error)
{
    const struct interval before = {":0", -INFINITY, 0.0};
    const struct interval *given = &sources->options->baseline;
    size_t baseline[2];
    return !sources_noise_is_of_baseline(sources) ||
           (sources_baseline(sources, given->text == NULL ? &before : given, baseline, error) &&
            sources_noise_fill(sources, epochs, is_used, baseline, error));
}

/** The average with all epochs but the one of --trial taken out. */
static bool take_trial(struct sources *sources, const struct epochs *epochs,
                       const struct epochs_average *average, GError **error)
{
    struct sources_window *window = &sources->window;
    size_t trial = sources->options->trial, e = 0, seen = 0;
    if (trial == 0)
        return true;
    if (trial > average->n_used) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--trial: expected one of %zu epochs, found %zu", average->n_used, trial);
        return false;
    }
    for (; seen < trial; e++)
        seen += average->is_used[e];
    for (size_t c = 0; c < epochs->n_channels; c++)
        memcpy(window->data + c * epochs->n_time,
               epochs->data + c * epochs->n_data + epochs->first[e - 1],
               epochs->n_time * sizeof(double));
    window->n_averaged = 1;
    return true;
}

static bool average(struct sources *sources, const struct cut *cut, GError **error)
{
    struct sources_window *window = &sources->window;
    guint n_epochs = cut->places->len;
    size_t n_data = 0;
    g_autofree size_t *first = g_new(size_t, n_epochs);
    g_autofree double *data = read_spans(sources, cut, first, &n_data, error);
    if (data == NULL)
        return false;
    struct epochs epochs = {.data = data,
                            .n_channels = window->n_channels,
                            .n_data = n_data,
                            .kind = sources->choice->kind,
                            .first = first,
                            .n_epochs = n_epochs,
                            .n_time = cut->n_time};
    for (size_t k = 0; k < SENSOR_KINDS; k++)
        epochs.peak_to_peak[k] =
            sources->options->reject.text == NULL ? INFINITY : sources->options->reject.most[k];
    g_autoptr(owned_epochs_average) mean = epochs_average_new(&epochs);
    window->counts.n_rejected = n_epochs - mean->n_used;
    if (mean->n_used == 0) {
        io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                     "epochs: expected some that are finite and within --reject, found none of %u",
                     n_epochs);
        return false;
    }
    window->data = g_steal_pointer(&mean->mean);
    window->n_time = cut->n_time;
    window->n_averaged = (int) mean->n_used;
    return fill_noise(sources, &epochs, mean->is_used, error) &&
           take_trial(sources, &epochs, mean, error);
}

/** The epochs of a file of them, each a stretch of its own. */
static bool average_parts(struct sources *sources, GError **error)
{
    const struct sensors *sensors = sources->recording->sensors;
    const struct part *first = &sensors->part[0];
    g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(size_t));
    g_auto(owned_cut) cut = {.stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch)),
                             .places = g_array_new(FALSE, FALSE, sizeof(struct place)),
                             .n_time = first->n_time};
    if (!sources_epochs_of_file(sources, parts, error))
        return false;
    for (guint i = 0; i < parts->len; i++) {
        struct stretch stretch = {g_array_index(parts, size_t, i), 0, first->n_time - 1};
        struct place place = {i, 0};
        g_array_append_val(cut.stretches, stretch);
        g_array_append_val(cut.places, place);
    }
    sources->window.start_s = first->start_s;
    sources->window.counts = (struct epoch_counts){.n_events = parts->len};
    return average(sources, &cut, error);
}

bool sources_average_epochs(struct sources *sources, GError **error)
{
    if (sources->recording->sensors->is_epochs)
        return average_parts(sources, error);
    const struct interval *epoch = &sources->options->epoch;
    const struct sensors *sensors = sources->recording->sensors;
    const double rate_hz = sensors->part[sensors->chosen].rate_hz, ends[2] = {-0.2, 0.5};
    double interval[2];
    const struct interval all = {":", -INFINITY, INFINITY};
    interval_within(epoch->text == NULL ? &all : epoch, ends, interval);
    if (interval[0] > interval[1]) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--epoch: expected T0:T1 in seconds, T0 <= T1, found \"%s\" (an empty end is "
                    "%g or %g)",
                    epoch->text, ends[0], ends[1]);
        return false;
    }
    g_autoptr(GArray) onsets = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) spans = sensors_events_new();
    if (!sources_events(sources, onsets, spans, error))
        return false;
    double before = rint(interval[0] * rate_hz);
    g_auto(owned_cut) cut = {.stretches = sources_stretches(sources),
                             .places = g_array_new(FALSE, FALSE, sizeof(struct place)),
                             .before = before,
                             .n_time = (size_t) (rint(interval[1] * rate_hz) - before) + 1};
    sources->window.start_s = before / rate_hz;
    place_all(sources, &cut, onsets, spans);
    if (cut.places->len == 0)
        return refuse_none(sources, &cut, error);
    tell_counts(sources);
    return average(sources, &cut, error);
}
