// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/clean.h"

#include "deconv/butterworth.h"
#include "deconv/hrf.h"
#include "deconv/orthobasis.h"
#include "deconv/sums.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct clean {
    size_t n_time;
    struct orthobasis trends; // taken out first; without a filter, the confounds too
    bool has_filter;
    struct butterworth filter;
    struct orthobasis confounds; // taken out after the filter
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

/* Trends */

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

static void fill_trends(double *columns, size_t n, bool ramp, size_t n_cosines)
{
    double *column = columns;
    for (size_t t = 0; t < n; t++)
        column[t] = 1.0;
    if (ramp) {
        column += n;
        for (size_t t = 0; t < n; t++)
            column[t] = ((double) t - 0.5 * (double) (n - 1)) / (double) n;
    }
    for (size_t k = 1; k <= n_cosines; k++) {
        column += n;
        for (size_t t = 0; t < n; t++)
            column[t] = cos(G_PI / (double) n * ((double) t + 0.5) * (double) k);
    }
}

static bool plan_trends(struct clean *clean, double tr_s, const struct clean_options *options,
                        GError **error)
{
    size_t n_cosines = 0;
    orthobasis_init(&clean->trends, clean->n_time);
    if (options->detrend == DETREND_NONE)
        return true;
    if (!count_cosines(clean, tr_s, options, &n_cosines, error))
        return false;
    size_t n_columns = 1 + (has_ramp(options) ? 1 : 0) + n_cosines;
    g_autofree double *columns = g_new(double, n_columns * clean->n_time);
    fill_trends(columns, clean->n_time, has_ramp(options), n_cosines);
    orthobasis_add(&clean->trends, columns, n_columns);
    clean->centres = true;
    return true;
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
    if (clean->n_time > clean->filter.n_padding)
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                "bandpass: expected more than %zu frames, got %zu", clean->filter.n_padding,
                clean->n_time);
    return false;
}

/* Confounds */

static bool check_confounds(size_t n_time, const struct clean_options *options, GError **error)
{
    for (size_t i = 0; i < n_time * options->n_confounds; i++) {
        if (isfinite(options->confounds[i]))
            continue;
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "confounds: column %zu, frame %zu: not a finite number", i / n_time,
                    i % n_time);
        return false;
    }
    return true;
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

// Takes the confounds through the steps that the series go through before them.
static void prepare_confounds(const struct clean *clean, double *confounds, size_t n_confounds)
{
    size_t n = clean->n_time;
    struct block block = {n, n_confounds, n, confounds};
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *squares = g_new(double, n_confounds);
    g_autofree double *coefficients = g_new(double, clean->trends.rank);
    for (size_t j = 0; j < n_confounds; j++) {
        squares[j] = sum_of_squares(confounds + j * n, n, 0.0);
        orthobasis_remove(&clean->trends, confounds + j * n, coefficients);
    }
    if (clean->has_filter)
        butterworth_apply(&clean->filter, &block, ws);
    for (size_t j = 0; j < n_confounds; j++)
        scale_confound(confounds + j * n, n, squares[j]);
}

static bool plan_confounds(struct clean *clean, const struct clean_options *options, GError **error)
{
    size_t n = clean->n_time, count = options->n_confounds;
    orthobasis_init(&clean->confounds, n);
    if (count > 0) {
        if (!check_confounds(n, options, error))
            return false;
        g_autofree double *confounds = g_memdup2(options->confounds, n * count * sizeof(double));
        prepare_confounds(clean, confounds, count);
        struct orthobasis *basis = clean->has_filter ? &clean->confounds : &clean->trends;
        clean->n_dropped = orthobasis_add(basis, confounds, count);
    }
    if (clean_rank(clean) + 2 < n || clean_rank(clean) == 0)
        return true;
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
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
    if (!plan_trends(clean, tr_s, options, error) ||
        !plan_filter(clean, tr_s, options, warnings, error) ||
        !plan_confounds(clean, options, error))
        return NULL;
    clean->warnings = g_strv_builder_end(warnings);
    return g_steal_pointer(&clean);
}

void clean_free(struct clean *clean)
{
    if (clean == NULL)
        return;
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
    size_t n = clean->n_time;
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
    size_t mark = workspace_mark(ws);
    struct before *before = WORKSPACE_ALLOC(ws, struct before, y->n_series);
    double *coefficients =
        WORKSPACE_ALLOC(ws, double, MAX(clean->trends.rank, clean->confounds.rank));
    for (size_t v = 0; v < y->n_series; v++) {
        before[v] = look_at(block_series(y, v), y->n_time);
        orthobasis_remove(&clean->trends, block_series(y, v), coefficients);
    }
    if (clean->has_filter)
        butterworth_apply(&clean->filter, y, ws);
    for (size_t v = 0; v < y->n_series; v++) {
        orthobasis_remove(&clean->confounds, block_series(y, v), coefficients);
        finish(clean, block_series(y, v), &before[v]);
    }
    workspace_release(ws, mark);
}
