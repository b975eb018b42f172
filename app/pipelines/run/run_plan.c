// SPDX-License-Identifier: BSD-3-Clause
// All that is decided before a sample is read.
#include "app/pipelines/run/run.h"

#include "app/pipelines/inputs/response.h"
#include "app/pipelines/outputs/record.h"
#include "app/pipelines/outputs/staging.h"
#include "app/report/html_report.h"
#include "deconv/censor.h"
#include "deconv/hrf_conv.h"
#include "deconv/noise.h"
#include "io/array.h"
#include "solvers/methods.h"

#include <math.h>
#include <string.h>

static bool plan_response(struct run *run, GError **error)
{
    const char *text = run->settings->text[SETTING_HRF];
    g_autofree char *resolved = response_is_file(text)
                                    ? settings_resolve(run->settings, SETTING_HRF, text)
                                    : g_strdup(text);
    run->response = response_load(resolved, run->tr_s, &run->host->io, error);
    if (run->response == NULL)
        return false;
    g_auto(GStrv) warnings = hrf_warnings(run->response);
    for (char **warning = warnings; *warning != NULL; warning++)
        run_warn(run, "%s: %s", text, *warning);
    bool full = settings_is(run->settings, SETTING_CONV, "full");
    size_t n_h = run->response->n;
    if (full && run->n_time < n_h) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: frames: expected at least the %zu of the response %s (--conv full), "
                    "found %zu",
                    run->input, n_h, text, run->n_time);
        return false;
    }
    if (run->n_time < n_h)
        run_warn(run, "%s: the response %s has %zu frames and is cut to the %zu of the run",
                 run->input, text, n_h, run->n_time);
    run->op = hrf_conv_new(run->response->h, n_h, run->n_time,
                           full ? HRF_CONV_FULL : HRF_CONV_CAUSAL, HRF_CONV_AUTO, error);
    return run->op != NULL;
}

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

static struct clean_options clean_options_of(const struct settings *settings)
{
    struct clean_options options = clean_options_default();
    options.detrend = detrend_of(settings);
    if (options.detrend == DETREND_COSINE)
        options.cosine_s =
            g_ascii_strtod(settings->text[SETTING_DETREND] + strlen("cosine:"), NULL);
    if (settings->text[SETTING_BANDPASS] != NULL)
        settings_range(settings, SETTING_BANDPASS, &options.low_hz, &options.high_hz);
    options.standardize = settings_is(settings, SETTING_STANDARDIZE, "none")  ? STANDARDIZE_NONE
                          : settings_is(settings, SETTING_STANDARDIZE, "psc") ? STANDARDIZE_PSC
                                                                              : STANDARDIZE_ZSCORE;
    return options;
}

static bool plan_confounds(struct run *run, GError **error)
{
    const char *path = run_input_path(run, "confounds");
    if (path == NULL)
        return true;
    g_autoptr(owned_array) file = array_read(path, &run->host->io, error);
    if (file == NULL)
        return false;
    struct confounds_table table = {path, file->n_rows, file->n_columns, file->values,
                                    (const char *const *) file->names};
    g_autoptr(GError) problem = NULL;
    run->confounds = confounds_select(&table, run->settings->text[SETTING_CONFOUND_COLUMNS],
                                      run->recording->n_time, run->n_drop, run->n_read, &problem);
    if (run->confounds == NULL) {
        bool name = g_error_matches(problem, DECONV_ERROR, DECONV_ERROR_NAME);
        g_set_error_literal(error, APP_ERROR, name ? APP_ERROR_USAGE : APP_ERROR_INPUT,
                            problem->message);
        return false;
    }
    for (char **note = run->confounds->notes; *note != NULL; note++)
        run_warn(run, "%s: %s", path, *note);
    if (run->n_drop < run->confounds->n_non_steady)
        run_warn(run, "%s: %zu frames at the beginning are not steady, %zu are dropped", path,
                 run->confounds->n_non_steady, run->n_drop);
    if (run->confounds->n_censored > 0)
        run_warn(run, "%s: %zu of %zu frames are censored", path, run->confounds->n_censored,
                 run->n_read);
    return true;
}

static bool plan_clean(struct run *run, GError **error)
{
    if (!plan_confounds(run, error))
        return false;
    struct clean_options options = clean_options_of(run->settings);
    if (run->confounds != NULL) {
        options.confounds = run->confounds->values;
        options.n_confounds = run->confounds->n_columns;
        options.confounds_have_cosines = run->confounds->have_cosines;
        options.censored = run->confounds->censored;
    }
    g_autoptr(GError) problem = NULL;
    run->clean = clean_new(run->n_read, run->tr_s, &options, &problem);
    if (run->clean == NULL) {
        g_set_error(error, problem->domain, problem->code, "%s: %s", run->input, problem->message);
        return false;
    }
    for (const char *const *line = clean_warnings(run->clean); *line != NULL; line++)
        run_warn(run, "%s: %s", run->input, *line);
    if (clean_n_dropped(run->clean) > 0)
        run_warn(run, "%s: %zu confounds depend on the others and are left out", run->input,
                 clean_n_dropped(run->clean));
    return true;
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

// Ratio and fixed need no rule: solvers take them as they are.
static bool plan_lambda(struct run *run, GError **error)
{
    enum lambda_kind kind = lambda_kind_of(run->settings);
    run->sigma = NAN;
    run->lambda = settings_number(run->settings, SETTING_LAMBDA);
    run->lambda_is_ratio = kind == LAMBDA_RATIO;
    run->run_scope =
        settings_is(run->settings, SETTING_LAMBDA_SCOPE, "run") && kind != LAMBDA_FIXED;
    if (kind == LAMBDA_RATIO || kind == LAMBDA_FIXED)
        return true;
    double low_hz = 0.0, high_hz = 0.0;
    if (run->settings->text[SETTING_BANDPASS] != NULL)
        settings_range(run->settings, SETTING_BANDPASS, &low_hz, &high_hz);
    g_autofree char *warning =
        lambda_kind_uses_noise(kind) ? noise_warning(high_hz, run->tr_s) : NULL;
    if (warning != NULL)
        run_warn(run, "%s: %s", run->input, warning);
    g_autoptr(GError) problem = NULL;
    run->rule = lambda_rule_new(run->problem, kind, run->lambda, &problem);
    if (run->rule == NULL)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", run->input, problem->message);
    return run->rule != NULL;
}

// Among the frames that are deconvolved; NULL where there are none.
const bool *run_censored(const struct run *run)
{
    if (run->confounds == NULL || run->confounds->n_censored == 0)
        return NULL;
    return run->confounds->censored + run->first;
}

static bool plan_solver(struct run *run, GError **error)
{
    const struct settings *settings = run->settings;
    if (run_censored(run) != NULL)
        run->seen = censor_operator(run->op, run_censored(run));
    run->problem = problem_new_tv(run->seen == NULL ? run->op : run->seen);
    struct solver_options options = solver_options_default();
    options.tol = settings_number(settings, SETTING_TOL);
    options.max_iter = settings_count(settings, SETTING_MAX_ITER);
    if (run->network.path != NULL)
        return run_plan_network(run, &options, error) && plan_lambda(run, error);
    const struct method *method = methods_find(PROBLEM_TV, settings->text[SETTING_SOLVER]);
    run->solver = method->create(run->problem, &options, error);
    return run->solver != NULL && plan_lambda(run, error);
}

// Bytes held at the same time, the scratch memory of the threads included.
static double bytes_needed(const struct run *run)
{
    double n_series = (double) run->n_series, n_time = (double) run->n_time;
    double n_read = (double) run->n_read, n_grid = (double) run->n_grid;
    double sample = run->recording->type == SAMPLE_FLOAT ? sizeof(float) : sizeof(double);
    double extra = (settings_includes(run->settings, SETTING_SAVE, "fitted") ? 1.0 : 0.0) +
                   (settings_includes(run->settings, SETTING_SAVE, "residual") ? 1.0 : 0.0) +
                   (settings_flag(run->settings, SETTING_DEBIAS) ? 1.0 : 0.0);
    double items = n_series / RUN_ITEM_SERIES + 1.0;
    double threads = (double) MIN(run->host->jobs, (size_t) items);
    double samples = n_series * (n_read * sample + extra * n_time * sizeof(float));
    double traces = items * RUN_N_TRACES * n_time * sizeof(float);
    double maps = n_grid * (HTML_REPORT_N_MAPS * sizeof(float) + 2.0);
    double scratch = threads * 4.0 * RUN_ITEM_SERIES * n_read * sizeof(double);
    double choices = run->rule == NULL ? 0.0 : sizeof(struct lambda_choice) + sizeof(double);
    return samples + traces + maps + scratch +
           n_series * (sizeof(struct series_result) + sizeof(size_t) + choices);
}

bool run_check_memory(const struct run *run, GError **error)
{
    double needed = bytes_needed(run);
    if (needed <= (double) run->host->mem_limit)
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_MEMORY,
                "%s: %zu series of %zu frames need %.3g GiB of memory, the limit is %.3g GiB "
                "(--mem-limit)",
                run->input, run->n_series, run->n_read, needed / 0x1p30,
                (double) run->host->mem_limit / 0x1p30);
    return false;
}

static bool same_file(const char *a, const char *b)
{
    g_autofree char *x = g_canonicalize_filename(a, NULL);
    g_autofree char *y = g_canonicalize_filename(b, NULL);
    return strcmp(x, y) == 0;
}

static bool is_input(const struct run *run, const char *path)
{
    for (guint i = 0; i < run->inputs->len; i++) {
        const struct run_input *input = g_ptr_array_index(run->inputs, i);
        if (same_file(path, input->path))
            return true;
    }
    return false;
}

// A dump of settings may stand where it would be written: it is what `taut run` was given.
static bool is_own_config(const struct run *run, const char *path)
{
    g_autofree char *text = NULL;
    g_autofree char *own = run_config(run);
    return g_str_has_suffix(path, ".ini") && g_file_get_contents(path, &text, NULL, NULL) &&
           strcmp(text, own) == 0;
}

// No output may be there already, but for what an earlier run began and did not finish; and none
// may be an input.
static bool check_outputs(const struct run *run, bool overwrite, GError **error)
{
    bool may_exist = overwrite || record_is_unfinished(run);
    g_autoptr(GPtrArray) names = run_output_names(run);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(run->folder, g_ptr_array_index(names, i), NULL);
        if (is_input(run, path)) {
            g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: is an input, and an output too",
                        path);
            return false;
        }
        bool there = g_file_test(path, G_FILE_TEST_EXISTS | G_FILE_TEST_IS_SYMLINK);
        if (there && !may_exist && !is_own_config(run, path)) {
            g_set_error(error, IO_ERROR, IO_ERROR_EXISTS, "%s: exists already (--force overwrites)",
                        path);
            return false;
        }
    }
    return staging_possible(run->folder, error);
}

bool run_plan(struct run *run, bool overwrite, GError **error)
{
    bool planned = run_check_network_settings(run, error) && run_plan_input(run, error) &&
                   check_outputs(run, overwrite, error) && plan_response(run, error) &&
                   plan_clean(run, error) && plan_solver(run, error) && run_plan_mask(run, error) &&
                   run_plan_lambda_map(run, error) &&
                   (run->mask_is_made || run_check_memory(run, error));
    run->seconds.prepare = 1e-6 * (double) (g_get_monotonic_time() - run->begin_us);
    return planned;
}
