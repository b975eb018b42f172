// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/inputs/response.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"
#include "deconv/hrf.h"

#include <math.h>
#include <stdio.h>

// JSON has no NaN: what does not exist is null.
static void set_number(JsonObject *object, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_double_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}

static JsonObject *describe(const struct hrf *hrf)
{
    struct hrf_shape shape = hrf_measure(hrf);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "name", hrf->name);
    json_object_set_string_member(object, "parameters", hrf->parameters);
    json_object_set_string_member(object, "summary", hrf->model == NULL ? "" : hrf->model->summary);
    json_object_set_string_member(object, "source", hrf->model == NULL ? "" : hrf->model->source);
    set_number(object, "time_to_peak", shape.time_to_peak_s);
    set_number(object, "fwhm", shape.fwhm_s);
    set_number(object, "undershoot_time", shape.undershoot_s);
    set_number(object, "undershoot_ratio", shape.undershoot_ratio);
    set_number(object, "sum", shape.sum);
    JsonArray *samples = json_array_sized_new((guint) hrf->n);
    for (size_t k = 0; k < hrf->n; k++)
        json_array_add_double_element(samples, hrf->h[k]);
    json_object_set_array_member(object, "samples", samples);
    return object;
}

static void print_heading(void)
{
    printf("%-16s %8s %8s %11s %11s %9s %7s  %s\n", "name", "peak (s)", "FWHM (s)", "undershoot",
           "ratio", "sum", "samples", "what it is");
}

static void print_cell(double value, int width)
{
    if (isfinite(value))
        printf(" %*.4g", width, value);
    else
        printf(" %*s", width, "-");
}

static void print_shape(const struct hrf *hrf)
{
    struct hrf_shape shape = hrf_measure(hrf);
    printf("%-16s", hrf->name);
    print_cell(shape.time_to_peak_s, 8);
    print_cell(shape.fwhm_s, 8);
    print_cell(shape.undershoot_s, 11);
    print_cell(shape.undershoot_ratio, 11);
    print_cell(shape.sum, 9);
    printf(" %7zu  %s\n", hrf->n, hrf->model == NULL ? "" : hrf->model->summary);
}

// A response asked for by name: its shape, then a table that --hrf reads back.
static void print_samples(const struct hrf *hrf)
{
    struct hrf_shape shape = hrf_measure(hrf);
    printf("# %s%s%s, every %g s\n", hrf->name, *hrf->parameters == '\0' ? "" : ": ",
           hrf->parameters, hrf->tr_s);
    printf("# time to peak %.4g s, FWHM %.4g s, sum %.6g\n", shape.time_to_peak_s, shape.fwhm_s,
           shape.sum);
    if (isfinite(shape.undershoot_s))
        printf("# undershoot at %.4g s, %.4g of the peak\n", shape.undershoot_s,
               shape.undershoot_ratio);
    for (size_t k = 0; k < hrf->n; k++)
        printf("%.17g\n", hrf->h[k]);
}

// The responses asked for, or all models.
static GPtrArray *make_responses(const struct hrf_options *given, const struct io_context *io,
                                 GError **error)
{
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func((GDestroyNotify) hrf_free);
    size_t n_models = 0;
    const struct hrf_model *const *models = hrf_models(&n_models);
    size_t n = given->names != NULL ? g_strv_length(given->names) : n_models;
    for (size_t i = 0; i < n; i++) {
        const char *name = given->names != NULL ? given->names[i] : models[i]->name;
        struct hrf *hrf = response_load(name, given->tr_s, io, error);
        if (hrf == NULL)
            return NULL;
        g_ptr_array_add(made, hrf);
    }
    return g_steal_pointer(&made);
}

static void print_all(const GPtrArray *responses, bool with_samples)
{
    if (!with_samples)
        print_heading();
    for (size_t i = 0; i < responses->len; i++) {
        if (with_samples)
            print_samples(responses->pdata[i]);
        else
            print_shape(responses->pdata[i]);
    }
}

static void print_json(const GPtrArray *responses, double tr_s)
{
    JsonArray *models = json_array_new();
    for (size_t i = 0; i < responses->len; i++)
        json_array_add_object_element(models, describe(responses->pdata[i]));
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "hrf");
    json_object_set_double_member(object, "tr", tr_s);
    json_object_set_array_member(object, "responses", models);
    app_print_json(object);
}

bool cmd_hrf(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct hrf_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &hrf_options, &given, argc, argv, error);
    g_autoptr(GPtrArray) responses =
        options == NULL ? NULL : make_responses(&given, &app->host.io, error);
    if (responses == NULL)
        return false;
    for (size_t i = 0; i < responses->len && given.names != NULL; i++) {
        g_auto(GStrv) warnings = hrf_warnings(responses->pdata[i]);
        for (char **warning = warnings; *warning != NULL; warning++)
            log_warning(app->log, "%s", *warning);
    }
    if (app->json)
        print_json(responses, given.tr_s);
    else
        print_all(responses, given.names != NULL);
    return true;
}
