// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_options.h"

#include <math.h>
#include <string.h>

static void take_cleaning(struct run_options *options)
{
    static const char *const standards[] = {
        [STANDARDIZE_NONE] = "none", [STANDARDIZE_ZSCORE] = "zscore", [STANDARDIZE_PSC] = "psc"};
    const struct run_words *given = &options->given;
    struct clean_options *clean = &options->clean;
    *clean = clean_options_default();
    clean->detrend = (enum detrend) given->detrend.index; // up to DETREND_COSINE, by name
    if (clean->detrend == DETREND_COSINE)
        clean->cosine_s = given->detrend.number;
    if (given->bandpass.text != NULL) {
        clean->low_hz = given->bandpass.from;
        clean->high_hz = isinf(given->bandpass.to) ? 0.0 : given->bandpass.to;
    }
    clean->standardize = (enum standardize) given->standardize;
    options->words = (struct preprocessing){given->detrend.text, given->bandpass.text,
                                            standards[given->standardize]};
}

static enum lambda_kind kind_of(const struct word *rule)
{
    if (g_str_has_prefix(rule->text, "noise:"))
        return LAMBDA_MAP; // a value for each series, by its noise
    size_t n = strcspn(rule->text, ":");
    for (size_t i = 0; i < LAMBDA_N_KINDS; i++)
        if (strlen(lambda_kind_names[i]) == n && strncmp(rule->text, lambda_kind_names[i], n) == 0)
            return (enum lambda_kind) i;
    g_assert_not_reached(); // it is one of the choices
}

static void take_findings(struct run_options *options)
{
    const struct run_words *given = &options->given;
    options->found = findings_options_default();
    options->finds = strcmp(given->null, "none") != 0;
    if (options->finds)
        options->images |= RUN_SIGNIFICANT | RUN_INNOVATIONS;
    if (g_ascii_isdigit(*given->null)) {
        options->found.null.n_draws = (size_t) g_ascii_strtoull(given->null, NULL, 10);
        options->found.null.has_tail = false;
    }
    g_auto(GStrv) alpha = g_strsplit(given->alpha, ":", 2);
    options->found.alpha_voxel = g_ascii_strtod(alpha[0], NULL);
    options->found.alpha_jump = g_ascii_strtod(alpha[alpha[1] != NULL], NULL);
}

static bool is(const char *text, const char *word)
{
    return g_strcmp0(text, word) == 0;
}

void run_options_complete(struct run_options *options)
{
    const struct run_words *given = &options->given;
    options->auto_mask = is(options->mask, "auto");
    if (options->auto_mask || is(options->mask, "none"))
        options->mask = NULL;
    options->resamples_mask = given->mask_resample == 1;
    options->drops_unsteady = options->n_drop == SIZE_MAX; // no count: auto
    if (options->drops_unsteady)
        options->n_drop = 0;
    options->auto_sidecar = is(options->sidecar, "auto");
    if (options->auto_sidecar)
        options->sidecar = NULL;
    if (isnan(options->tr_s))
        options->tr_s = 0.0;
    options->first = given->frames[0];
    options->n_time = given->frames[1];
    take_cleaning(options);
    options->rule = kind_of(&given->lambda_rule);
    options->lambda_map = given->lambda_rule.path;
    options->noise_factor = given->lambda_rule.number;
    options->one_lambda = given->lambda_scope == 1;
    take_findings(options);
    options->images |= given->debias ? RUN_DEBIASED : 0U;
    options->images |= options->model != MODEL_BLOCK ? RUN_SPIKES : 0U;
    options->compression = (int) given->compression;
}
