// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources.h"
#include "io/tsv.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/** Samples from first to last, both included. */
struct stretch {
    size_t first;
    size_t last;
};

static const struct part *chosen_part(const struct sources *sources)
{
    const struct sensors *sensors = sources->recording->sensors;
    return &sensors->part[sensors->chosen];
}

// The nearest sample; the ends of the part for times beyond it.
static size_t nearest_sample(const struct part *part, double time_s)
{
    double at = floor((time_s - part->start_s) * part->rate_hz + 0.5);
    return (size_t) CLAMP(at, 0.0, (double) part->n_time - 1.0);
}

// What was asked for, with the ends of the data for those left out.
static bool place_interval(const char *option, const struct interval *given, const double ends[2],
                           double interval[2], GError **error)
{
    interval_within(given, ends, interval);
    if (interval[0] <= interval[1])
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                "%s: expected T0:T1 in seconds, T0 <= T1, found \"%s\" of data in %g..%g s", option,
                given->text, ends[0], ends[1]);
    return false;
}

// A stretch with what a filter needs on both sides of it, as far as there is any.
static struct stretch with_margin(const struct sources *sources, struct stretch stretch)
{
    size_t margin = sources->band == NULL ? 0 : band_pass_length(sources->band) / 2;
    return (struct stretch){stretch.first - MIN(stretch.first, margin),
                            MIN(stretch.last + margin, chosen_part(sources)->n_time - 1)};
}

// The chosen channels, first to last, filtered; row-major. NULL on error.
static double *read_stretch(struct sources *sources, struct stretch stretch, GError **error)
{
    struct recording *recording = sources->recording;
    const struct io_context *io = &sources->host->io;
    size_t n = sources->choice->n, n_time = stretch.last - stretch.first + 1;
    g_autofree uint8_t *mask = g_new0(uint8_t, recording->n_series);
    for (size_t i = 0; i < n; i++)
        mask[sources->choice->recording[i]] = 1;
    g_autofree double *data =
        io_context_alloc(io, recording->path, n * n_time, sizeof *data, error);
    if (data == NULL || !recording_read(recording, mask, stretch.first, n_time, io, error))
        return NULL;
    g_autofree double *frame = g_new(double, n);
    for (size_t t = 0; t < n_time; t++) {
        recording_values(recording, t, 0, n, frame);
        for (size_t i = 0; i < n; i++)
            data[i * n_time + t] = frame[i];
    }
    recording_choose(recording, recording->sensors->chosen);
    if (sources->band != NULL)
        sources_filter(sources, data, n, n_time);
    return g_steal_pointer(&data);
}

// Each row less its mean over a stretch of it.
static void subtract_baseline(double *data, size_t n, size_t n_time, struct stretch baseline)
{
    size_t n_baseline = baseline.last - baseline.first + 1;
    for (size_t i = 0; i < n; i++) {
        double *row = data + i * n_time;
        double mean = 0.0;
        for (size_t t = baseline.first; t <= baseline.last; t++)
            mean += row[t] / (double) n_baseline;
        for (size_t t = 0; t < n_time; t++)
            row[t] -= mean;
    }
}

static void crop(struct sources_window *window, struct stretch stretch)
{
    size_t n_time = stretch.last - stretch.first + 1;
    for (size_t i = 0; i < window->n_channels; i++)
        memmove(window->data + i * n_time, window->data + i * window->n_time + stretch.first,
                n_time * sizeof(double));
    window->start_s += (double) stretch.first * window->interval_s;
    window->n_time = n_time;
}

// Times of a window as if it were a part of its own.
static struct part part_of(const struct sources_window *window)
{
    return (struct part){
        .rate_hz = 1.0 / window->interval_s, .start_s = window->start_s, .n_time = window->n_time};
}

/** Baseline, then --tmin and --tmax, of a window that holds both. */
static bool finish(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    struct sources_window *window = &sources->window;
    struct part part = part_of(window);
    double ends[2] = {window->start_s,
                      window->start_s + (double) (window->n_time - 1) * window->interval_s};
    double baseline[2];
    if (options->baseline.text != NULL) {
        if (!place_interval("--baseline", &options->baseline, ends, baseline, error))
            return false;
        struct stretch stretch = {nearest_sample(&part, baseline[0]),
                                  nearest_sample(&part, baseline[1])};
        subtract_baseline(window->data, window->n_channels, window->n_time, stretch);
    }
    double from = isnan(options->tmin_s) ? ends[0] : options->tmin_s;
    double to = isnan(options->tmax_s) ? ends[1] : options->tmax_s;
    double half = 0.5 * window->interval_s;
    if (from > to || from > ends[1] + half || to < ends[0] - half) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--tmin, --tmax: expected a window within %g..%g s, found %g..%g s", ends[0],
                    ends[1], from, to);
        return false;
    }
    crop(window, (struct stretch){nearest_sample(&part, from), nearest_sample(&part, to)});
    return true;
}

static bool has_condition(const struct sources *sources, const char *text)
{
    const char *condition = sources->options->condition;
    return condition == NULL || g_strcmp0(condition, text) == 0;
}

static bool onsets_of_table(struct sources *sources, GArray *onsets, GError **error)
{
    g_autoptr(owned_tsv) table = tsv_read(sources->options->events, &sources->host->io, error);
    if (table == NULL)
        return false;
    for (size_t row = 0; row < table->rows->len; row++) {
        double onset_s = NAN;
        if (!tsv_number(table, row, "onset", &onset_s) || isnan(onset_s)) {
            io_error_set(error, IO_ERROR_INPUT, sources->options->events,
                         "row %zu: onset: expected seconds, found none", row + 1);
            return false;
        }
        if (has_condition(sources, tsv_field(table, row, "trial_type")))
            g_array_append_val(onsets, onset_s);
    }
    return true;
}

static void onsets_of_recording(const struct sources *sources, GArray *onsets)
{
    const GArray *events = sources->recording->sensors->events;
    for (guint i = 0; i < events->len; i++) {
        const struct event *event = &g_array_index(events, struct event, i);
        if (has_condition(sources, event->text))
            g_array_append_val(onsets, event->onset_s);
    }
}

/**
 * The first sample of each epoch that lies within the part: n_time samples, from `before` samples
 * after that of the event on. Onsets count from the first sample, whatever the clock of the
 * acquisition.
 */
static GArray *first_samples(const struct part *part, const GArray *onsets, double before,
                             size_t n_time)
{
    GArray *first = g_array_new(FALSE, FALSE, sizeof(size_t));
    for (guint i = 0; i < onsets->len; i++) {
        double at = floor(g_array_index(onsets, double, i) * part->rate_hz + 0.5) + before;
        size_t sample = at < 0.0 ? part->n_time : (size_t) at;
        if (sample < part->n_time && n_time <= part->n_time - sample)
            g_array_append_val(first, sample);
    }
    return first;
}

// The samples before the event, or those of --baseline, for the covariance of noise.
static bool find_baseline(const struct sources *sources, size_t baseline[2], GError **error)
{
    const struct sources_window *window = &sources->window;
    const struct interval before = {":0", -INFINITY, 0.0};
    const struct interval *given = &sources->options->baseline;
    struct part part = part_of(window);
    double ends[2] = {window->start_s,
                      window->start_s + (double) (window->n_time - 1) * window->interval_s};
    double interval[2];
    if (!place_interval("--baseline", given->text == NULL ? &before : given, ends, interval, error))
        return false;
    baseline[0] = nearest_sample(&part, interval[0]);
    baseline[1] = nearest_sample(&part, interval[1]) + 1;
    return true;
}

/** The mean of epochs of n_time samples; *span: all that is to be read, less its beginning. */
static bool average_epochs(struct sources *sources, const GArray *first, size_t n_time,
                           GError **error)
{
    struct sources_window *window = &sources->window;
    struct stretch span = {G_MAXSIZE, 0};
    for (guint e = 0; e < first->len; e++) {
        size_t sample = g_array_index(first, size_t, e);
        span.first = MIN(span.first, sample);
        span.last = MAX(span.last, sample + n_time - 1);
    }
    span = with_margin(sources, span);
    g_autofree double *data = read_stretch(sources, span, error);
    if (data == NULL)
        return false;
    g_autofree size_t *begin = g_new(size_t, first->len);
    for (guint e = 0; e < first->len; e++)
        begin[e] = g_array_index(first, size_t, e) - span.first;
    struct epochs epochs = {.data = data,
                            .n_channels = window->n_channels,
                            .n_data = span.last - span.first + 1,
                            .kind = sources->choice->kind,
                            .first = begin,
                            .n_epochs = first->len,
                            .n_time = n_time};
    for (size_t k = 0; k < SENSOR_KINDS; k++)
        epochs.peak_to_peak[k] =
            sources->options->reject.text == NULL ? INFINITY : sources->options->reject.most[k];
    g_autoptr(owned_epochs_average) average = epochs_average_new(&epochs);
    window->n_rejected = first->len - average->n_used;
    if (average->n_used == 0) {
        io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                     "epochs: expected some that are finite and within --reject, found none of %u",
                     first->len);
        return false;
    }
    window->data = g_steal_pointer(&average->mean);
    window->n_time = n_time;
    window->n_averaged = (int) average->n_used;
    if (!sources_noise_is_of_baseline(sources))
        return true;
    size_t baseline[2];
    return find_baseline(sources, baseline, error) &&
           sources_noise_fill(sources, &epochs, average->is_used, baseline, error);
}

static bool read_epochs(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    const struct part *part = chosen_part(sources);
    double ends[2] = {-0.2, 0.5}, interval[2];
    const struct interval all = {":", -INFINITY, INFINITY};
    const struct interval *epoch = options->epoch.text == NULL ? &all : &options->epoch;
    if (!place_interval("--epoch", epoch, ends, interval, error))
        return false;
    g_autoptr(GArray) onsets = g_array_new(FALSE, FALSE, sizeof(double));
    if (options->events == NULL)
        onsets_of_recording(sources, onsets);
    else if (!onsets_of_table(sources, onsets, error))
        return false;
    double before = floor(interval[0] * part->rate_hz + 0.5);
    size_t n_time = (size_t) (floor(interval[1] * part->rate_hz + 0.5) - before) + 1;
    g_autoptr(GArray) first = first_samples(part, onsets, before, n_time);
    if (first->len == 0) {
        io_error_set(
            error, IO_ERROR_INPUT, sources->recording->path,
            "epochs: expected events%s%s with %g..%g s of data around them, found %u events "
            "and no such epoch",
            options->condition == NULL ? "" : " of ",
            options->condition == NULL ? "" : options->condition, interval[0], interval[1],
            onsets->len);
        return false;
    }
    sources->window.start_s = before / part->rate_hz;
    return average_epochs(sources, first, n_time, error) && finish(sources, error);
}

// Only what baseline and window need of a recording that may be long.
static bool read_part(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    const struct part *part = chosen_part(sources);
    struct stretch stretch = {0, part->n_time - 1};
    if (options->baseline.text == NULL && !isnan(options->tmin_s))
        stretch.first = nearest_sample(part, options->tmin_s);
    if (options->baseline.text == NULL && !isnan(options->tmax_s))
        stretch.last = MAX(nearest_sample(part, options->tmax_s), stretch.first);
    stretch = with_margin(sources, stretch);
    sources->window.data = read_stretch(sources, stretch, error);
    if (sources->window.data == NULL)
        return false;
    sources->window.n_time = stretch.last - stretch.first + 1;
    sources->window.start_s = part->start_s + (double) stretch.first / part->rate_hz;
    sources->window.n_averaged = part->n_averaged;
    return finish(sources, error);
}

static bool check_finite(const struct sources *sources, GError **error)
{
    const struct sources_window *window = &sources->window;
    for (size_t i = 0; i < window->n_channels; i++)
        for (size_t t = 0; t < window->n_time; t++)
            if (!isfinite(window->data[i * window->n_time + t])) {
                const struct part *part = chosen_part(sources);
                size_t channel = part->channel[sources->choice->recording[i]];
                io_error_set(error, IO_ERROR_INPUT, sources->recording->path,
                             "channel %s: expected finite samples, found NaN or infinity at %g s "
                             "(--bads leaves a channel out)",
                             sources->recording->sensors->channel[channel].name,
                             window->start_s + (double) t * window->interval_s);
                return false;
            }
    return true;
}

static bool make_filter(struct sources *sources, bool is_average, GError **error)
{
    if (sources->options->band.text == NULL || sources->band != NULL)
        return true;
    if (is_average) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--band: expected a continuous recording, found averages");
        return false;
    }
    struct band_pass_input input = {chosen_part(sources)->rate_hz, sources->options->band.from,
                                    sources->options->band.to};
    sources->band = band_pass_new(&input, error);
    return sources->band != NULL;
}

bool sources_read_window(struct sources *sources, GError **error)
{
    const struct part *part = chosen_part(sources);
    const struct sources_options *options = sources->options;
    struct sources_window *window = &sources->window;
    window->n_channels = sources->choice->n;
    window->interval_s = 1.0 / part->rate_hz;
    bool is_average = part->n_averaged > 0;
    bool epochs = options->events != NULL || options->epoch.text != NULL;
    if (epochs && is_average) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--events, --epoch: expected a continuous recording, found averages");
        return false;
    }
    if (!epochs && !is_average && options->condition != NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--condition: expected --epoch T0:T1 with it, as the recording is "
                    "continuous");
        return false;
    }
    if (options->reject.text != NULL && !epochs) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "--reject: expected --epoch T0:T1 with it");
        return false;
    }
    if (!make_filter(sources, is_average, error))
        return false;
    window->condition = g_strdup(is_average           ? part->name
                                 : options->condition ? options->condition
                                                      : "");
    bool read = epochs ? read_epochs(sources, error) : read_part(sources, error);
    return read && check_finite(sources, error);
}
