// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/clean.h"

#include "deconv/butterworth.h"
#include "deconv/censor.h"
#include "deconv/hrf.h"
#include "deconv/orthobasis.h"
#include "deconv/sums.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct clean {
    size_t n_time;
    struct censor *censor; // owned; NULL where every frame counts
    size_t n_kept;         // frames that count
    bool has_filter;
    struct butterworth filter;
    bool trends_have_mean;       // the trends span what is constant
    struct orthobasis trends;    // taken out first; without a filter, the confounds too
    struct orthobasis confounds; // taken out after the filter; in R^n_kept
    size_t n_dropped;
    bool centres;
    enum standardize standardize;
    char **warnings; // owned
};

struct clean_options clean_options_default(void)
{
    return (struct clean_options){
        .detrend = DETREND_COSINE, .cosine_s = 128.0, .standardize = STANDARDIZE_ZSCORE};
}

/* Frames. Trends and filter work on `whole` series, the rest on those of the kept frames; the two
   differ where there is a filter to be led over the censored frames. */

static bool is_bridged(const struct clean *clean)
{
    return clean->censor != NULL && clean->has_filter;
}

static size_t whole_size(const struct clean *clean)
{
    return is_bridged(clean) ? censor_span(clean->censor) : clean->n_kept;
}

static size_t whole_frame(const struct clean *clean, size_t i)
{
    if (clean->censor == NULL)
        return i;
    return is_bridged(clean) ? clean->censor->kept[0] + i : clean->censor->kept[i];
}

// y: n_time samples; whole may be y where nothing is bridged.
static void to_whole(const struct clean *clean, const double *y, double *whole,
                     struct workspace *ws)
{
    if (is_bridged(clean))
        censor_bridge(clean->censor, y, whole, ws);
    else if (clean->censor != NULL)
        censor_gather(clean->censor, y, whole);
    else if (whole != y)
        memcpy(whole, y, clean->n_time * sizeof(double));
}

// kept may be whole where nothing is bridged.
static void to_kept(const struct clean *clean, const double *whole, double *kept)
{
    const size_t *frames = is_bridged(clean) ? clean->censor->kept : NULL;
    if (frames == NULL && kept == whole)
        return;
    for (size_t i = 0; i < clean->n_kept; i++)
        kept[i] = whole[frames == NULL ? i : frames[i] - frames[0]];
}

static bool plan_frames(struct clean *clean, const struct clean_options *options, GError **error)
{
    clean->n_kept = clean->n_time;
    if (options->censored == NULL)
        return true;
    clean->censor = censor_new(options->censored, clean->n_time, error);
    if (clean->censor == NULL)
        return false;
    clean->n_kept = clean->censor->n_kept;
    return true;
}

/* Trends */

enum { MOST_COSINES_BY_QR = 64 };

static bool has_cosines(const struct clean_options *options)
{
    return (options->detrend == DETREND_COSINE || options->detrend == DETREND_LINEAR_COSINE) &&
           !options->confounds_have_cosines;
}

static bool has_ramp(const struct clean_options *options)
{
    return options->detrend == DETREND_LINEAR || options->detrend == DETREND_LINEAR_COSINE;
}

// Cosines of periods down to cosine_s: the k-th has half a period in n / k frames.
static bool count_cosines(const struct clean *clean, double tr_s,
                          const struct clean_options *options, size_t *count, GError **error)
{
    *count = 0;
    if (!has_cosines(options))
        return true;
    if (!(options->cosine_s > 0.0)) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "detrend: expected a period above 0 s, got %g", options->cosine_s);
        return false;
    }
    double n = floor(2.0 * (double) clean->n_time * tr_s / options->cosine_s + 1e-9);
    *count = (size_t) fmin(n, (double) clean->n_time);
    return true;
}

static void fill_trends(const struct clean *clean, double *columns, bool ramp, size_t n_cosines)
{
    size_t n = whole_size(clean);
    double n_time = (double) clean->n_time;
    for (size_t i = 0; i < n; i++) {
        double t = (double) whole_frame(clean, i);
        double *row = columns + i;
        *row = 1.0;
        if (ramp)
            *(row += n) = (t - 0.5 * (n_time - 1.0)) / n_time;
        for (size_t k = 1; k <= n_cosines; k++)
            *(row += n) = cos(G_PI / n_time * (t + 0.5) * (double) k);
    }
}

static bool plan_trends(struct clean *clean, double tr_s, const struct clean_options *options,
                        GError **error)
{
    size_t n_cosines = 0, n = whole_size(clean);
    orthobasis_init(&clean->trends, n);
    if (options->detrend == DETREND_NONE)
        return true;
    if (!count_cosines(clean, tr_s, options, &n_cosines, error))
        return false;
    size_t n_columns = 1 + (has_ramp(options) ? 1 : 0) + n_cosines;
    g_autofree double *columns = g_new(double, n_columns *n);
    fill_trends(clean, columns, has_ramp(options), n_cosines);
    // Of many cosines QR is most of a run's cost, and they are orthogonal over all frames.
    bool orthogonal = clean->censor == NULL && !has_ramp(options) && n_cosines < clean->n_time;
    if (orthogonal && n_cosines > MOST_COSINES_BY_QR)
        orthobasis_add_orthogonal(&clean->trends, columns, n_columns);
    else
        orthobasis_add(&clean->trends, columns, n_columns);
    clean->trends_have_mean = clean->centres = true;
    return true;
}

// The mean goes first: it is far above what is sought, and taken out by the columns it would leave
// the rounding of their orthogonality in the measure of itself.
static void remove_trends(const struct clean *clean, double *y, double mean, double *coefficients)
{
    size_t n = clean->trends_have_mean ? whole_size(clean) : 0;
    for (size_t t = 0; t < n; t++)
        y[t] -= mean;
    orthobasis_remove(&clean->trends, y, coefficients);
}

/* Band-pass */

static bool check_edges(double low_hz, double high_hz, GError **error)
{
    if (!(low_hz >= 0.0 && high_hz >= 0.0 && isfinite(low_hz) && isfinite(high_hz))) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "bandpass: expected frequencies of 0 Hz or more, got %g and %g", low_hz,
                    high_hz);
        return false;
    }
    if (high_hz > 0.0 && low_hz >= high_hz) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "bandpass: the lower edge, %g Hz, is not below the upper, %g Hz", low_hz,
                    high_hz);
        return false;
    }
    return true;
}

// The edge as a fraction of the Nyquist frequency, lowered to just below it.
static double edge_fraction(double hz, double tr_s, GStrvBuilder *warnings)
{
    double nyquist_hz = 0.5 / tr_s;
    if (hz < nyquist_hz)
        return hz / nyquist_hz;
    g_autofree char *message =
        g_strdup_printf("bandpass: %g Hz is lowered to the Nyquist frequency, %g Hz at a "
                        "repetition time of %g s",
                        hz, nyquist_hz, tr_s);
    g_strv_builder_add(warnings, message);
    return 1.0 - 10.0 * (double) FLT_EPSILON;
}

static bool plan_filter(struct clean *clean, double tr_s, const struct clean_options *options,
                        GStrvBuilder *warnings, GError **error)
{
    if (!check_edges(options->low_hz, options->high_hz, error))
        return false;
    clean->has_filter = options->low_hz > 0.0 || options->high_hz > 0.0;
    if (!clean->has_filter)
        return true;
    double low = options->low_hz > 0.0 ? edge_fraction(options->low_hz, tr_s, warnings) : 0.0;
    double high = options->high_hz > 0.0 ? edge_fraction(options->high_hz, tr_s, warnings) : 0.0;
    if (low > 0.0 && high > 0.0 && low >= high) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "bandpass: nothing is left between %g Hz and the Nyquist frequency, %g Hz",
                    options->low_hz, 0.5 / tr_s);
        return false;
    }
    clean->filter = butterworth_design(low, high);
    clean->centres |= low > 0.0;
    if (whole_size(clean) > clean->filter.n_padding)
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_DATA,
                "bandpass: expected more than %zu frames, got %zu", clean->filter.n_padding,
                whole_size(clean));
    return false;
}

/* Confounds */

static bool check_confounds(size_t n_time, const struct clean_options *options, GError **error)
{
    for (size_t i = 0; i < n_time * options->n_confounds; i++) {
        if (isfinite(options->confounds[i]))
            continue;
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_DATA,
                    "confounds: column %zu, frame %zu: not a finite number", i / n_time,
                    i % n_time);
        return false;
    }
    return true;
}

// Half of the frames and more are no longer the brain's.
static void warn_of_rank(const struct clean *clean, GStrvBuilder *warnings)
{
    size_t rank = clean_rank(clean), n = clean->n_kept;
    if (2 * rank <= n)
        return;
    g_autofree char *message =
        g_strdup_printf("%zu regressors, trends included, are taken out of %zu frames: more than "
                        "half of what may vary",
                        rank, n);
    g_strv_builder_add(warnings, message);
}

// What is left of a series by cancellation only: the rounding of its first size.
static bool is_rounding(double squares_after, double squares_before)
{
    const double relative = 1e-13;
    return !(squares_after > relative * relative * squares_before);
}

// z-score; a column that the earlier steps took out becomes 0, so that QR drops it.
static void scale_confound(double *column, size_t n, double squares_before)
{
    bool gone = is_rounding(sum_of_squares(column, n, 0.0), squares_before);
    double mean = sum_of(column, n) / (double) n;
    for (size_t t = 0; t < n; t++)
        column[t] = gone ? 0.0 : column[t] - mean;
    double sd = sqrt(sum_of_squares(column, n, 0.0) / (double) (n - 1));
    for (size_t t = 0; sd >= DBL_EPSILON && t < n; t++)
        column[t] /= sd;
}

// Takes the confounds through the steps that the series go through before them: n_kept samples of
// each, owned.
static double *prepare_confounds(const struct clean *clean, const struct clean_options *options)
{
    size_t n = whole_size(clean), count = options->n_confounds;
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *coefficients = g_new(double, clean->trends.rank);
    g_autofree double *squares = g_new(double, count);
    g_autofree double *whole = g_new(double, n *count);
    double *kept = g_new(double, clean->n_kept *count);
    for (size_t j = 0; j < count; j++) {
        double *column = whole + j * n;
        to_whole(clean, options->confounds + j * clean->n_time, column, ws);
        squares[j] = sum_of_squares(column, n, 0.0);
        remove_trends(clean, column, sum_of(column, n) / (double) n, coefficients);
    }
    struct block block = {n, count, n, whole};
    if (clean->has_filter)
        butterworth_apply(&clean->filter, &block, ws);
    for (size_t j = 0; j < count; j++) {
        double *column = kept + j * clean->n_kept;
        to_kept(clean, whole + j * n, column);
        scale_confound(column, clean->n_kept, squares[j]);
    }
    return kept;
}

static bool plan_confounds(struct clean *clean, const struct clean_options *options, GError **error)
{
    size_t n = clean->n_kept, count = options->n_confounds;
    orthobasis_init(&clean->confounds, n);
    if (count > 0) {
        if (!check_confounds(clean->n_time, options, error))
            return false;
        g_autofree double *confounds = prepare_confounds(clean, options);
        struct orthobasis *basis = clean->has_filter ? &clean->confounds : &clean->trends;
        clean->n_dropped = orthobasis_add(basis, confounds, count);
    }
    if (clean_rank(clean) + 2 < n || clean_rank(clean) == 0)
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_DATA,
                "%s: expected fewer than %zu regressors%s for %zu frames, got %zu",
                count > 0 ? "confounds" : "detrend", n > 2 ? n - 2 : 0,
                count > 0 ? ", trends included," : "", n, clean_rank(clean));
    return false;
}

struct clean *clean_new(size_t n_time, double tr_s, const struct clean_options *options,
                        GError **error)
{
    g_assert(n_time > 0 && tr_s > 0.0);
    g_autoptr(owned_clean) clean = g_new0(struct clean, 1);
    clean->n_time = n_time;
    clean->standardize = options->standardize;
    g_autoptr(GStrvBuilder) warnings = g_strv_builder_new();
    if (!plan_frames(clean, options, error) ||
        !plan_filter(clean, tr_s, options, warnings, error) ||
        !plan_trends(clean, tr_s, options, error) || !plan_confounds(clean, options, error))
        return NULL;
    warn_of_rank(clean, warnings);
    clean->warnings = g_strv_builder_end(warnings);
    return g_steal_pointer(&clean);
}

void clean_free(struct clean *clean)
{
    if (clean == NULL)
        return;
    censor_free(clean->censor);
    orthobasis_clear(&clean->trends);
    orthobasis_clear(&clean->confounds);
    g_strfreev(clean->warnings);
    g_free(clean);
}

size_t clean_rank(const struct clean *clean)
{
    return clean->trends.rank + clean->confounds.rank;
}

size_t clean_n_dropped(const struct clean *clean)
{
    return clean->n_dropped;
}

const char *const *clean_warnings(const struct clean *clean)
{
    return (const char *const *) clean->warnings;
}

bool clean_centres(const struct clean *clean)
{
    return clean->centres || clean->standardize != STANDARDIZE_NONE;
}

/* Application */

// What is to be known of a series before it is cleaned.
struct before {
    double mean;
    double squares;
    bool varies;
};

static struct before look_at(const double *y, size_t n)
{
    struct before before = {sum_of(y, n) / (double) n, sum_of_squares(y, n, 0.0), false};
    for (size_t t = 1; t < n && !before.varies; t++)
        before.varies = y[t] != y[0];
    return before;
}

static void finish(const struct clean *clean, double *y, const struct before *before)
{
    size_t n = clean->n_kept;
    double shift = sum_of(y, n) / (double) n, squares = sum_of_squares(y, n, shift), factor = 0.0;
    if (!before->varies || is_rounding(squares, before->squares)) {
        memset(y, 0, n * sizeof(double));
        return;
    }
    if (clean->standardize == STANDARDIZE_NONE)
        return;
    if (clean->standardize == STANDARDIZE_ZSCORE) {
        factor = 1.0 / sqrt(squares / (double) (n - 1));
    } else {
        double base = fabs(clean->centres ? before->mean + shift : shift);
        factor = base >= DBL_EPSILON ? 100.0 / base : 0.0;
    }
    for (size_t t = 0; t < n; t++)
        y[t] = (y[t] - shift) * factor;
}

void clean_apply(const struct clean *clean, struct block *y, struct workspace *ws)
{
    g_assert(y->n_time == clean->n_time);
    size_t mark = workspace_mark(ws), n = whole_size(clean);
    struct block whole = {n, y->n_series, y->stride, y->data};
    if (is_bridged(clean)) {
        whole.stride = n;
        whole.data = WORKSPACE_ALLOC(ws, double, n * y->n_series);
    }
    struct before *before = WORKSPACE_ALLOC(ws, struct before, y->n_series);
    double *coefficients =
        WORKSPACE_ALLOC(ws, double, MAX(clean->trends.rank, clean->confounds.rank));
    for (size_t v = 0; v < y->n_series; v++) {
        double *series = block_series(&whole, v);
        to_whole(clean, block_series(y, v), series, ws);
        before[v] = look_at(series, n);
        remove_trends(clean, series, before[v].mean, coefficients);
    }
    if (clean->has_filter)
        butterworth_apply(&clean->filter, &whole, ws);
    for (size_t v = 0; v < y->n_series; v++) {
        double *series = block_series(y, v);
        to_kept(clean, block_series(&whole, v), series);
        orthobasis_remove(&clean->confounds, series, coefficients);
        finish(clean, series, &before[v]);
        if (clean->censor != NULL)
            censor_scatter(clean->censor, series);
    }
    workspace_release(ws, mark);
}
