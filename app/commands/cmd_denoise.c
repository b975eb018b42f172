// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/convert/convert.h"
#include "app/pipelines/convert/denoise.h"
#include "app/settings/tables.h"
#include "deconv/noise.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool check_rule(struct denoise_options *given, GError **error)
{
    if (given->rule < 0)
        given->rule = isnan(given->lambda) ? DENOISE_MAD : DENOISE_RATIO;
    bool wants_value = given->rule == DENOISE_FIXED || given->rule == DENOISE_RATIO;
    const char *name = denoise_rule_names[given->rule];
    if (!wants_value && !isnan(given->lambda))
        return app_refuse(error, "--lambda: rule %s finds it by itself", name);
    return !wants_value || !isnan(given->lambda) ||
           app_refuse(error, "denoise: rule %s expects --lambda", name);
}

static bool check_length(const struct recording *recording, const struct denoise_options *given,
                         GError **error)
{
    bool wants_noise =
        given->rule == DENOISE_LUT || given->rule == DENOISE_MAD || given->rule == DENOISE_UT;
    size_t least = wants_noise ? NOISE_MIN_SAMPLES : 2;
    if (recording->n_time >= least)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected at least %zu samples for rule %s, found %zu", recording->path, least,
                denoise_rule_names[given->rule], recording->n_time);
    return false;
}

/** What stands in the side-car of what was done. */
static JsonObject *make_notes(const struct denoise_options *given,
                              const struct series_result *results, size_t n)
{
    JsonObject *denoising = json_object_new();
    json_object_set_string_member(denoising, "Method", "total variation");
    json_object_set_string_member(denoising, "LambdaRule", denoise_rule_names[given->rule]);
    JsonArray *lambdas = json_array_new();
    for (size_t v = 0; v < n; v++)
        json_array_add_double_element(lambdas, results[v].lambda);
    json_object_set_array_member(denoising, "Lambda", lambdas);
    JsonObject *notes = json_object_new();
    json_object_set_object_member(notes, "Denoising", denoising);
    return notes;
}

static void print_json(const struct recording *recording, const struct conversion *conversion,
                       const struct denoise_options *given, const struct outcome *outcome,
                       double seconds)
{
    const unsigned all = SPREAD_MIN | SPREAD_MEDIAN | SPREAD_MAX;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "denoise");
    convert_describe(recording, conversion, object);
    json_object_set_string_member(object, "lambda_rule", denoise_rule_names[given->rule]);
    json_object_set_object_member(object, "lambda", spread_json(&outcome->lambda, all));
    json_object_set_object_member(object, "lambda_max", spread_json(&outcome->lambda_max, all));
    json_object_set_object_member(object, "relative_gap",
                                  spread_json(&outcome->relative_gap, SPREAD_MEDIAN | SPREAD_MAX));
    json_object_set_object_member(object, "jumps",
                                  spread_json(&outcome->jumps, SPREAD_MEDIAN | SPREAD_MAX));
    json_object_set_object_member(object, "status", outcome_status_json(outcome));
    json_object_set_double_member(object, "seconds", seconds);
    app_print_json(object);
}

static void print_summary(const struct recording *recording, const struct conversion *conversion,
                          const struct denoise_options *given, const struct outcome *outcome)
{
    app_print(convert_summary(recording, given->output, conversion));
    printf("  solved %zu, constant %zu, nonfinite %zu, inaccurate %zu; left as they are %zu\n",
           outcome->counts[SERIES_SOLVED], outcome->counts[SERIES_CONSTANT],
           outcome->counts[SERIES_NONFINITE], outcome->counts[SERIES_INACCURATE],
           outcome->counts[SERIES_OUTSIDE]);
    printf("  lambda by %s; %g jumps in the median; largest relative gap %.2g\n",
           denoise_rule_names[given->rule], outcome->jumps.median, outcome->relative_gap.max);
}

static bool solve(struct app *app, struct recording *recording, const struct denoise_options *given,
                  struct series_result *results, GError **error)
{
    log_progress_begin(app->log, "solve");
    bool done = denoise_recording(recording, (enum denoise_rule) given->rule, given->lambda,
                                  results, app->host.team);
    log_progress_end(app->log);
    return done || !host_stopped(&app->host, error);
}

static bool run(struct app *app, const struct denoise_options *given, GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    if (!convert_check_output(&app->host, given->input, given->output, error))
        return false;
    g_autoptr(owned_recording) recording =
        convert_open(&app->host, given->input, given->output, given->part, true, error);
    if (recording == NULL)
        return false;
    if (recording->sensors == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected a sensor recording, found %s",
                    given->input, recording->format);
        return false;
    }
    if (!check_length(recording, given, error))
        return false;
    size_t n = recording->n_series;
    g_autofree struct series_result *results = g_new0(struct series_result, n);
    if (!solve(app, recording, given, results, error))
        return false;
    g_autoptr(JsonObject) notes = make_notes(given, results, n);
    g_auto(owned_conversion) conversion = {0};
    if (!convert_write(&app->host, recording, given->output, notes, &conversion, error))
        return false;
    log_accept(app->log);
    struct outcome outcome = outcome_of(results, n);
    if (app->json)
        print_json(recording, &conversion, given, &outcome,
                   1e-6 * (double) (g_get_monotonic_time() - begin_us));
    else
        print_summary(recording, &conversion, given, &outcome);
    return true;
}

bool cmd_denoise(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct denoise_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &denoise_options, &given, argc, argv, error);
    return options != NULL && check_rule(&given, error) && run(app, &given, error);
}
