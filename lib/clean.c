// SPDX-License-Identifier: BSD-3-Clause
#include "lib/internal.h"

#include "deconv/clean.h"

#include <math.h>
#include <string.h>

void taut_clean_options_init(taut_clean_options *options)
{
    *options = (taut_clean_options){
        .size = sizeof *options, .detrend = "cosine", .standardize = "zscore", .cosine_s = 128.0};
}

static int find_word(const char *const words[], const char *word, const char *name, int *found,
                     taut_error *error)
{
    for (int i = 0; words[i] != NULL; i++)
        if (g_strcmp0(words[i], word) == 0) {
            *found = i;
            return TAUT_OK;
        }
    g_autofree char *all = g_strjoinv("|", (char **) words);
    return lib_fail(error, TAUT_BAD_NAME, "%s: expected %s, found %s", name, all,
                    word == NULL ? "NULL" : word);
}

// The options as the cleaning takes them; censored: n_time.
static int options_of(const taut_clean_options *given, const bool *censored,
                      struct clean_options *options, taut_error *error)
{
    static const char *const detrends[] = {"none",   "constant",      "linear",
                                           "cosine", "linear+cosine", NULL};
    static const char *const standards[] = {"none", "zscore", "psc", NULL};
    int detrend = 0, standardize = 0;
    int code = find_word(detrends, given->detrend, "detrend", &detrend, error);
    if (code == TAUT_OK)
        code = find_word(standards, given->standardize, "standardize", &standardize, error);
    if (code == TAUT_OK && detrend >= (int) DETREND_COSINE)
        code = lib_check_numbers(&given->cosine_s, 1, "cosine_s", 0.0, true, error);
    if (code == TAUT_OK && given->n_confounds > 0)
        code = lib_require(given->confounds, "confounds", error);
    if (code != TAUT_OK)
        return code;
    *options = (struct clean_options){.detrend = (enum detrend) detrend,
                                      .cosine_s = given->cosine_s,
                                      .low_hz = given->low_hz,
                                      .high_hz = given->high_hz,
                                      .confounds = given->n_confounds > 0 ? given->confounds : NULL,
                                      .n_confounds = given->n_confounds,
                                      .confounds_have_cosines = given->confounds_have_cosines != 0,
                                      .censored = censored,
                                      .standardize = (enum standardize) standardize};
    return TAUT_OK;
}

struct clean_job {
    const struct clean *clean;
    const taut_array *y;
};

static void clean_tile(void *data, size_t first, size_t count, struct workspace *ws)
{
    const struct clean_job *job = data;
    struct block y = lib_read(job->y, first, count, ws);
    for (size_t v = 0; v < count; v++) {
        struct block series = block_slice(&y, v, 1);
        if (series_classify(series.data, y.n_time) != SERIES_NONFINITE)
            clean_apply(job->clean, &series, ws);
    }
    lib_write(&y, job->y, first);
}

static int run_clean(const taut_clean_options *given, double tr_s, const taut_host *host,
                     const taut_array *y, taut_error *error)
{
    g_autofree bool *censored = given->censored == NULL ? NULL : g_new(bool, y->n_samples);
    for (size_t t = 0; censored != NULL && t < y->n_samples; t++)
        censored[t] = given->censored[t] != 0;
    struct clean_options options;
    int code = options_of(given, censored, &options, error);
    if (code != TAUT_OK)
        return code;
    g_autoptr(GError) why = NULL;
    g_autoptr(owned_clean) clean = clean_new(y->n_samples, tr_s, &options, &why);
    if (clean == NULL)
        return lib_fail_by(error, why);
    const char *const *warnings = clean_warnings(clean);
    for (size_t i = 0; warnings != NULL && warnings[i] != NULL && host->tell != NULL; i++)
        host->tell(host->data, warnings[i]);
    struct clean_job job = {clean, y};
    return lib_for_tiles(host, y->n_series, clean_tile, &job, error);
}

int taut_clean(const taut_clean_options *options, double tr_s, const taut_host *host,
               const taut_array *y, taut_error *error)
{
    taut_clean_options taken;
    taut_host runs_on;
    taut_clean_options_init(&taken);
    int code = lib_take_struct(&taken, sizeof taken, options, "options", error);
    if (code == TAUT_OK)
        code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = lib_require(y, "y", error);
    if (code == TAUT_OK)
        code = lib_check_array(y, "y", y->n_series, y->n_samples, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(&tr_s, 1, "tr_s", 0.0, true, error);
    if (code == TAUT_OK && (y->n_samples < 1 || y->n_samples > G_MAXINT / 4))
        code = lib_fail(error, TAUT_BAD_VALUE, "y: expected 1 to %d frames, found %zu",
                        G_MAXINT / 4, y->n_samples);
    if (code != TAUT_OK)
        return code;
    double n = (double) y->n_samples;
    // Cosines are at most as many as frames; confounds have a basis of their own.
    double columns = 2.0 * (double) taken.n_confounds + 8.0;
    if (taken.detrend != NULL && strstr(taken.detrend, "cosine") != NULL && taken.cosine_s > 0.0)
        columns += fmin(2.0 * n * tr_s / taken.cosine_s, n);
    code = lib_reserve(&runs_on, 8.0 * n * (columns + 128.0 * (double) runs_on.n_threads), error);
    return code == TAUT_OK ? run_clean(&taken, tr_s, &runs_on, y, error) : code;
}
