// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/convert/convert.h"
#include "app/pipelines/convert/denoise.h"
#include "deconv/nearest.h"
#include "deconv/noise.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/** What was asked for. */
struct request {
    const char *input; // borrowed
    char *output;      // owned
    char *part;        // owned; NULL: the one that is chosen by itself
    char *lambda;      // owned; NULL: none
    char *rule_name;   // owned; NULL: by whether there is a lambda
    enum denoise_rule rule;
    double value;
};
typedef struct request owned_request;

static void request_clear(struct request *request)
{
    g_free(request->output);
    g_free(request->part);
    g_free(request->lambda);
    g_free(request->rule_name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_request, request_clear)

static bool parse_rule(struct request *request, GError **error)
{
    const char *name = request->rule_name;
    if (name == NULL)
        name = request->lambda != NULL ? "ratio" : "mad";
    for (size_t i = 0; i < DENOISE_N_RULES; i++) {
        if (strcmp(name, denoise_rule_names[i]) == 0) {
            request->rule = (enum denoise_rule) i;
            return true;
        }
    }
    size_t nearest = nearest_name(name, denoise_rule_names, DENOISE_N_RULES);
    return app_refuse(error, "--lambda-rule: \"%s\" is none of fixed, lut, mad, ratio, ut%s%s%s",
                      name, nearest < DENOISE_N_RULES ? " (did you mean " : "",
                      nearest < DENOISE_N_RULES ? denoise_rule_names[nearest] : "",
                      nearest < DENOISE_N_RULES ? "?)" : "");
}

static bool parse_lambda(struct request *request, GError **error)
{
    bool wants_value = request->rule == DENOISE_FIXED || request->rule == DENOISE_RATIO;
    const char *name = denoise_rule_names[request->rule];
    if (!wants_value && request->lambda != NULL)
        return app_refuse(error, "--lambda: rule %s finds it by itself", name);
    if (!wants_value)
        return true;
    if (request->lambda == NULL)
        return app_refuse(error, "denoise: rule %s expects --lambda", name);
    char *end = NULL;
    request->value = g_ascii_strtod(request->lambda, &end);
    if (end != request->lambda && *end == '\0' && request->value > 0.0 && isfinite(request->value))
        return true;
    return app_refuse(error, "--lambda: expected a number above 0, found \"%s\"", request->lambda);
}

static bool check_length(const struct recording *recording, const struct request *request,
                         GError **error)
{
    bool wants_noise =
        request->rule == DENOISE_LUT || request->rule == DENOISE_MAD || request->rule == DENOISE_UT;
    size_t least = wants_noise ? NOISE_MIN_SAMPLES : 2;
    if (recording->n_time >= least)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected at least %zu samples for rule %s, found %zu", recording->path, least,
                denoise_rule_names[request->rule], recording->n_time);
    return false;
}

/** What stands in the side-car of what was done. */
static JsonObject *make_notes(const struct request *request, const struct series_result *results,
                              size_t n)
{
    JsonObject *denoising = json_object_new();
    json_object_set_string_member(denoising, "Method", "total variation");
    json_object_set_string_member(denoising, "LambdaRule", denoise_rule_names[request->rule]);
    JsonArray *lambdas = json_array_new();
    for (size_t v = 0; v < n; v++)
        json_array_add_double_element(lambdas, results[v].lambda);
    json_object_set_array_member(denoising, "Lambda", lambdas);
    JsonObject *notes = json_object_new();
    json_object_set_object_member(notes, "Denoising", denoising);
    return notes;
}

static void print_json(const struct recording *recording, const struct conversion *conversion,
                       const struct request *request, const struct outcome *outcome, double seconds)
{
    const unsigned all = SPREAD_MIN | SPREAD_MEDIAN | SPREAD_MAX;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "denoise");
    convert_describe(recording, conversion, object);
    json_object_set_string_member(object, "lambda_rule", denoise_rule_names[request->rule]);
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
                          const struct request *request, const struct outcome *outcome)
{
    convert_print(recording, request->output, conversion);
    printf("  solved %zu, constant %zu, nonfinite %zu, inaccurate %zu; left as they are %zu\n",
           outcome->counts[SERIES_SOLVED], outcome->counts[SERIES_CONSTANT],
           outcome->counts[SERIES_NONFINITE], outcome->counts[SERIES_INACCURATE],
           outcome->counts[SERIES_OUTSIDE]);
    printf("  lambda by %s; %g jumps in the median; largest relative gap %.2g\n",
           denoise_rule_names[request->rule], outcome->jumps.median, outcome->relative_gap.max);
}

static bool solve(struct app *app, struct recording *recording, const struct request *request,
                  struct series_result *results, GError **error)
{
    log_progress_begin(app->log, "solve");
    bool done =
        denoise_recording(recording, request->rule, request->value, results, app->host.team);
    log_progress_end(app->log);
    return done || !host_stopped(&app->host, error);
}

static bool run(struct app *app, const struct request *request, GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    if (!convert_check_output(&app->host, request->input, request->output, error))
        return false;
    g_autoptr(owned_recording) recording =
        convert_read(&app->host, request->input, request->output, request->part, error);
    if (recording == NULL)
        return false;
    if (recording->sensors == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected a sensor recording, found %s",
                    request->input, recording->format);
        return false;
    }
    if (!check_length(recording, request, error))
        return false;
    size_t n = recording->n_series;
    g_autofree struct series_result *results = g_new0(struct series_result, n);
    if (!solve(app, recording, request, results, error))
        return false;
    g_autoptr(JsonObject) notes = make_notes(request, results, n);
    g_auto(owned_conversion) conversion = {0};
    if (!convert_write(&app->host, recording, request->output, notes, &conversion, error))
        return false;
    log_accept(app->log);
    struct outcome outcome = outcome_of(results, n);
    if (app->json)
        print_json(recording, &conversion, request, &outcome,
                   1e-6 * (double) (g_get_monotonic_time() - begin_us));
    else
        print_summary(recording, &conversion, request, &outcome);
    return true;
}

bool cmd_denoise(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(owned_request) request = {0};
    const GOptionEntry options[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &request.output,
         "Recording to write: .bdf, .edf, .fif, .npy, .rf64 or .wav", "OUT"},
        {"lambda", 0, 0, G_OPTION_ARG_STRING, &request.lambda,
         "Fraction of each channel's lambda_max (ratio), or the value in its unit (fixed)", "R"},
        {"lambda-rule", 0, 0, G_OPTION_ARG_STRING, &request.rule_name,
         "How lambda is chosen (ratio with --lambda, else mad)", "fixed|lut|mad|ratio|ut"},
        {"part", 0, 0, G_OPTION_ARG_STRING, &request.part,
         "Part to denoise, from 1: a condition, a rate, a stretch (taut info lists them)", "N"},
        {0}};
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 1, 1, error))
        return false;
    request.input = argv[1];
    if (request.output == NULL)
        return app_refuse(error, "denoise: expected -o OUT");
    return parse_rule(&request, error) && parse_lambda(&request, error) &&
           run(app, &request, error);
}
