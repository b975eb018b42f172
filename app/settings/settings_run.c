// SPDX-License-Identifier: BSD-3-Clause
// The settings of one recording as what a run is asked for.
#include "app/settings/settings_run.h"

#include "app/host/app_error.h"
#include "app/pipelines/inputs/response.h"

#include <string.h>

static enum detrend detrend_of(const struct settings *settings)
{
    static const struct {
        const char *name;
        enum detrend kind;
    } kinds[] = {
        {"none", DETREND_NONE}, {"constant", DETREND_CONSTANT}, {"linear", DETREND_LINEAR}};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (settings_is(settings, SETTING_DETREND, kinds[i].name))
            return kinds[i].kind;
    return DETREND_COSINE;
}

static void take_cleaning(const struct settings *settings, struct run_options *options)
{
    struct clean_options *clean = &options->clean;
    clean->detrend = detrend_of(settings);
    if (clean->detrend == DETREND_COSINE)
        clean->cosine_s = g_ascii_strtod(settings->text[SETTING_DETREND] + strlen("cosine:"), NULL);
    if (settings->text[SETTING_BANDPASS] != NULL)
        settings_range(settings, SETTING_BANDPASS, &clean->low_hz, &clean->high_hz);
    clean->standardize = settings_is(settings, SETTING_STANDARDIZE, "none")  ? STANDARDIZE_NONE
                         : settings_is(settings, SETTING_STANDARDIZE, "psc") ? STANDARDIZE_PSC
                                                                             : STANDARDIZE_ZSCORE;
    options->words = (struct preprocessing){g_strdup(settings->text[SETTING_DETREND]),
                                            g_strdup(settings->text[SETTING_BANDPASS]),
                                            g_strdup(settings->text[SETTING_STANDARDIZE])};
    options->confound_columns = g_strdup(settings->text[SETTING_CONFOUND_COLUMNS]);
}

static void take_frames(const struct settings *settings, struct run_options *options)
{
    if (settings->text[SETTING_TR] != NULL)
        options->tr_s = settings_number(settings, SETTING_TR);
    options->n_drop = settings_count(settings, SETTING_DROP);
    double first = 0.0, count = 0.0;
    if (settings->text[SETTING_FRAMES] != NULL)
        settings_range(settings, SETTING_FRAMES, &first, &count);
    options->first = (size_t) first;
    options->n_time = (size_t) count;
}

static enum lambda_kind lambda_kind_of(const struct settings *settings)
{
    if (g_str_has_prefix(settings->text[SETTING_LAMBDA_RULE], "map:"))
        return LAMBDA_MAP;
    for (size_t i = 0; i < LAMBDA_N_KINDS; i++)
        if (settings_is(settings, SETTING_LAMBDA_RULE, lambda_kind_names[i]))
            return (enum lambda_kind) i;
    g_assert_not_reached(); // settings were checked
}

static void take_problem(const struct settings *settings, struct run_options *options)
{
    const char *hrf = settings->text[SETTING_HRF];
    options->hrf = g_strdup(hrf);
    options->response =
        response_is_file(hrf) ? settings_resolve(settings, SETTING_HRF, hrf) : g_strdup(hrf);
    options->conv = settings_is(settings, SETTING_CONV, "full") ? HRF_CONV_FULL : HRF_CONV_CAUSAL;
    options->solver = g_strdup(settings->text[SETTING_SOLVER]);
    if (settings->text[SETTING_CERTIFY] != NULL)
        options->certify = settings_number(settings, SETTING_CERTIFY);
    options->rule = lambda_kind_of(settings);
    options->lambda = settings_number(settings, SETTING_LAMBDA);
    options->one_lambda = settings_is(settings, SETTING_LAMBDA_SCOPE, "run");
    options->tol = settings_number(settings, SETTING_TOL);
    options->max_iter = settings_count(settings, SETTING_MAX_ITER);
    const char *rule = settings->text[SETTING_LAMBDA_RULE];
    if (options->rule == LAMBDA_MAP)
        options->lambda_map =
            settings_resolve(settings, SETTING_LAMBDA_RULE, rule + strlen("map:"));
}

static void take_outputs(const struct settings *settings, struct run_options *options)
{
    static const struct {
        const char *word;
        unsigned image;
    } images[] = {{"activity", RUN_ACTIVITY},
                  {"innovation", RUN_INNOVATION},
                  {"fitted", RUN_FITTED},
                  {"residual", RUN_RESIDUAL}};
    options->images = settings_flag(settings, SETTING_DEBIAS) ? RUN_DEBIASED : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(images); i++)
        if (settings_includes(settings, SETTING_SAVE, images[i].word))
            options->images |= images[i].image;
    options->compression = (int) settings_count(settings, SETTING_COMPRESSION);
}

// The SHA-256 of all settings; files count by what they hold, which is recorded as inputs. Owned.
static char *hash_settings(const struct settings *settings)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *row = settings_row((enum setting_id) i);
        g_autofree char *value = settings_quote(settings, (enum setting_id) i);
        bool path = row->type == SETTING_TYPE_FILES && strchr(value, '/') != NULL;
        g_string_append_printf(all, "%s.%s=%s\n", row->group, row->key, path ? "(file)" : value);
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, all->str, (gssize) all->len);
}

static char **list_options(const struct settings *settings)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *row = settings_row((enum setting_id) i);
        bool replaced = i == SETTING_SOLVER && settings->text[SETTING_NETWORK] != NULL;
        if (row->option == NULL || settings->text[i] == NULL || replaced)
            continue;
        g_ptr_array_add(words, g_strdup(row->option));
        g_ptr_array_add(words, g_strdup(settings->text[i]));
    }
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_steal(words, NULL);
}

// The one path of a setting, NULL where it names no file. False with an error where it names
// several, or none that is there.
static bool take_path(const struct settings *settings, enum setting_id id, char **path,
                      GError **error)
{
    if (!settings_names_file(settings, id))
        return true;
    g_autoptr(GPtrArray) paths = settings_paths(settings, id, NULL, error);
    if (paths == NULL)
        return false;
    const struct setting *row = settings_row(id);
    if (paths->len != 1)
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "[%s] %s: expected one path, found %u",
                    row->group, row->key, paths->len);
    else
        *path = g_strdup(g_ptr_array_index(paths, 0));
    return paths->len == 1;
}

bool settings_run_options(const struct settings *settings, struct run_options *options,
                          GError **error)
{
    *options = run_options_default();
    options->auto_mask = settings_is(settings, SETTING_MASK, "auto");
    options->auto_sidecar = settings_is(settings, SETTING_SIDECAR, "auto");
    take_frames(settings, options);
    take_cleaning(settings, options);
    take_problem(settings, options);
    take_outputs(settings, options);
    options->asked = list_options(settings);
    options->config = settings_dump(settings, NULL);
    options->settings_sha256 = hash_settings(settings);
    return take_path(settings, SETTING_BOLD, &options->bold, error) &&
           take_path(settings, SETTING_FOLDER, &options->folder, error) &&
           take_path(settings, SETTING_MASK, &options->mask, error) &&
           take_path(settings, SETTING_SIDECAR, &options->sidecar, error) &&
           take_path(settings, SETTING_CONFOUNDS, &options->confounds, error) &&
           take_path(settings, SETTING_NETWORK, &options->network, error);
}
