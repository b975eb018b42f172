// SPDX-License-Identifier: BSD-3-Clause
// The window of a recording that is solved: its samples, baseline and ends.
#include "app/pipelines/sources/sources_window.h"

#include <math.h>
#include <string.h>

static const struct part *chosen_part(const struct sources *sources)
{
    const struct sensors *sensors = sources->recording->sensors;
    return &sensors->part[sensors->chosen];
}

// The place of a time among samples of which the first is at start_s, to the nearest one; half-way
// to the even one on the clock of the event, as MNE-Python has it.
static double place_of(double time_s, double start_s, double rate_hz)
{
    double first = start_s * rate_hz;
    bool is_whole = fabs(first - rint(first)) < 1e-6;
    return is_whole ? rint(time_s * rate_hz) - rint(first) : rint((time_s - start_s) * rate_hz);
}

// The time of sample t of the window: of whole numbers of samples, so that ends compare as they do
// where times are those of an event.
static double time_of(const struct sources_window *window, size_t t)
{
    double rate_hz = 1.0 / window->interval_s;
    double first = window->start_s * rate_hz;
    bool is_whole = fabs(first - rint(first)) < 1e-6;
    return is_whole ? (rint(first) + (double) t) / rate_hz
                    : window->start_s + (double) t * window->interval_s;
}

static double end_of(const struct sources_window *window)
{
    return time_of(window, window->n_time - 1);
}

bool sources_baseline(const struct sources *sources, const struct interval *given,
                      size_t samples[2], GError **error)
{
    const struct sources_window *window = &sources->window;
    double begin_s = time_of(window, 0), end_s = end_of(window), step_s = window->interval_s;
    size_t n = 0;
    for (size_t t = 0; t < window->n_time; t++) {
        double time_s = time_of(window, t);
        if (!(time_s >= given->from && time_s <= given->to))
            continue;
        samples[0] = n++ == 0 ? t : samples[0];
        samples[1] = t + 1;
    }
    bool is_inside = (isinf(given->from) || given->from >= begin_s - step_s) &&
                     (isinf(given->to) || given->to <= end_s + step_s);
    if (n > 0 && is_inside)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                "--baseline: expected T0:T1 within the data, %g..%g s, found \"%s\"", begin_s,
                end_s, given->text);
    return false;
}

// Each row less its mean over the samples [baseline[0], baseline[1]).
static void subtract_baseline(struct sources_window *window, const size_t baseline[2])
{
    for (size_t i = 0; i < window->n_channels; i++) {
        double *row = window->data + i * window->n_time;
        double mean = 0.0;
        for (size_t t = baseline[0]; t < baseline[1]; t++)
            mean += row[t] / (double) (baseline[1] - baseline[0]);
        for (size_t t = 0; t < window->n_time; t++)
            row[t] -= mean;
    }
}

static bool refuse_window(const struct sources_options *options, const char *ranges, GError **error)
{
    char from[G_ASCII_DTOSTR_BUF_SIZE] = "", to[G_ASCII_DTOSTR_BUF_SIZE] = "";
    if (!isnan(options->tmin_s))
        g_ascii_formatd(from, sizeof from, "%g", options->tmin_s);
    if (!isnan(options->tmax_s))
        g_ascii_formatd(to, sizeof to, "%g", options->tmax_s);
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                "--tmin, --tmax: expected a window within the data, %s s, found %s..%s s", ranges,
                from, to);
    return false;
}

// The samples from --tmin to --tmax, the nearest ones, of n_time from start_s on. False: they are
// more than a sample outside, or in no order.
static bool place_window(const struct sources_options *options, double start_s, double rate_hz,
                         size_t n_time, size_t ends[2])
{
    double last = (double) n_time - 1.0;
    double from = isnan(options->tmin_s) ? 0.0 : place_of(options->tmin_s, start_s, rate_hz);
    double to = isnan(options->tmax_s) ? last : place_of(options->tmax_s, start_s, rate_hz);
    if (!(from >= -1.0 && from <= last + 1.0 && to >= -1.0 && to <= last + 1.0 &&
          !(options->tmin_s > options->tmax_s)))
        return false;
    ends[0] = (size_t) CLAMP(from, 0.0, last);
    ends[1] = (size_t) CLAMP(to, 0.0, last);
    return ends[0] <= ends[1];
}

static void crop(struct sources_window *window, const size_t ends[2])
{
    size_t n_time = ends[1] - ends[0] + 1;
    for (size_t i = 0; i < window->n_channels; i++)
        memmove(window->data + i * n_time, window->data + i * window->n_time + ends[0],
                n_time * sizeof(double));
    window->start_s = time_of(window, ends[0]);
    window->n_time = n_time;
}

/** Baseline, then --tmin and --tmax, of a window that holds both. */
static bool finish(struct sources *sources, GError **error)
{
    const struct sources_options *options = sources->options;
    struct sources_window *window = &sources->window;
    size_t ends[2] = {0}, baseline[2] = {0};
    if (options->baseline.text != NULL) {
        if (!sources_baseline(sources, &options->baseline, baseline, error))
            return false;
        subtract_baseline(window, baseline);
    }
    if (!place_window(options, window->start_s, 1.0 / window->interval_s, window->n_time, ends)) {
        g_autofree char *range = g_strdup_printf("%g..%g", window->start_s, end_of(window));
        return refuse_window(options, range, error);
    }
    crop(window, ends);
    return true;
}

// Continuous data.

static double start_of(const struct sources *sources, const struct stretch *stretch)
{
    const struct part *part = &sources->recording->sensors->part[stretch->part];
    return part->start_s + (double) stretch->first / part->rate_hz;
}

static size_t length_of(const struct stretch *stretch)
{
    return stretch->last - stretch->first + 1;
}

// The stretch that has the window; where none is asked for, the longest one.
static const struct stretch *find_stretch(const struct sources *sources, const GArray *stretches,
                                          size_t ends[2], GError **error)
{
    const struct sources_options *options = sources->options;
    const struct stretch *best = NULL;
    g_autoptr(GString) ranges = g_string_new(NULL);
    for (guint i = 0; i < stretches->len; i++) {
        const struct stretch *stretch = &g_array_index(stretches, struct stretch, i);
        const struct part *part = &sources->recording->sensors->part[stretch->part];
        double start_s = start_of(sources, stretch);
        size_t here[2];
        g_string_append_printf(ranges, "%s%g..%g", i == 0 ? "" : ", ", start_s,
                               start_s + (double) (length_of(stretch) - 1) / part->rate_hz);
        bool fits = place_window(options, start_s, part->rate_hz, length_of(stretch), here);
        if (!fits || (best != NULL && length_of(best) >= length_of(stretch)))
            continue;
        best = stretch;
        memcpy(ends, here, sizeof here);
    }
    bool is_free = isnan(options->tmin_s) || isnan(options->tmax_s);
    if (best != NULL && stretches->len > 1 && is_free)
        host_warning(sources->host,
                     "%s: data with gaps: only the stretch from %g s on, of %s s "
                     "(--tmin, --tmax)",
                     sources->recording->path, start_of(sources, best), ranges->str);
    if (best == NULL)
        refuse_window(options, ranges->str, error);
    return best;
}

// Only what baseline and window need of a recording that may be long.
static bool read_part(struct sources *sources, GError **error)
{
    struct sources_window *window = &sources->window;
    g_autoptr(GArray) stretches = sources_stretches(sources);
    if (chosen_part(sources)->n_averaged > 0) { // each average has a time of its own
        struct stretch all = {sources->recording->sensors->chosen, 0,
                              chosen_part(sources)->n_time - 1};
        g_array_set_size(stretches, 0);
        g_array_append_val(stretches, all);
    }
    size_t ends[2] = {0};
    const struct stretch *around = find_stretch(sources, stretches, ends, error);
    if (around == NULL)
        return false;
    struct stretch stretch = *around;
    if (sources->options->baseline.text == NULL) {
        stretch.first = around->first + ends[0];
        stretch.last = around->first + ends[1];
    }
    stretch = sources_with_margin(sources, &stretch, around);
    window->n_time = length_of(&stretch);
    window->data =
        io_context_alloc(&sources->host->io, sources->recording->path,
                         window->n_channels * window->n_time, sizeof *window->data, error);
    window->start_s = start_of(sources, &stretch);
    window->n_averaged = chosen_part(sources)->n_averaged;
    return window->data != NULL &&
           sources_read_stretch(sources, &stretch, window->data, window->n_time, error);
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

static bool make_filter(struct sources *sources, const char *other, GError **error)
{
    if (sources->options->band.text == NULL || sources->band != NULL)
        return true;
    if (other != NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--band: expected a continuous recording, found %s", other);
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
    bool is_epochs = sources->recording->sensors->is_epochs;
    bool is_average = part->n_averaged > 0 && !is_epochs;
    bool cut = options->events != NULL || options->epoch.text != NULL;
    bool epochs = cut || is_epochs;
    if (cut && part->n_averaged > 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "--events, --epoch: expected a continuous recording, found %s",
                    is_epochs ? "epochs" : "averages");
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
    if (!make_filter(sources, is_epochs ? "epochs" : is_average ? "averages" : NULL, error))
        return false;
    window->condition = g_strdup(is_average           ? part->name
                                 : options->condition ? options->condition
                                                      : "");
    bool read = epochs ? sources_average_epochs(sources, error) : read_part(sources, error);
    return read && finish(sources, error) && check_finite(sources, error);
}
