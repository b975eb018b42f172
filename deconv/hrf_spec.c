// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf_spec.h"

#include "deconv/nearest.h"

#include <string.h>

static const char *const norms[] = {"none", "peak", "sum", NULL};

// What every model takes, after its own parameters.
static const struct hrf_parameter common[] = {
    {"length", 0.0, 0.001, 10000.0, "end of the last sample, s", NULL},
    {"norm", 0.0, 0.0, 2.0, "what the samples are divided by", norms},
};
enum { LENGTH, NORM, N_COMMON };

enum { MAX_NAMES = HRF_MAX_PARAMETERS + N_COMMON };

static const struct hrf_parameter *parameter_at(const struct hrf_model *model, size_t i)
{
    return i < model->n_parameters ? &model->parameters[i] : &common[i - model->n_parameters];
}

static bool find_parameter(const struct hrf_model *model, const char *key, size_t *index,
                           GError **error)
{
    const char *names[MAX_NAMES];
    size_t n = model->n_parameters + N_COMMON;
    for (size_t i = 0; i < n; i++) {
        names[i] = parameter_at(model, i)->name;
        if (strcmp(key, names[i]) == 0) {
            *index = i;
            return true;
        }
    }
    size_t i = nearest_name(key, names, n);
    g_autofree char *all = NULL;
    if (i == n) {
        names[n] = NULL;
        all = g_strjoinv(", ", (char **) names);
    }
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_NAME, "hrf: %s: no parameter \"%s\" (%s%s%s)",
                model->name, key, i < n ? "did you mean \"" : "it takes ", i < n ? names[i] : all,
                i < n ? "\"?" : "");
    return false;
}

static bool parse_choice(const struct hrf_model *model, const struct hrf_parameter *parameter,
                         const char *text, double *value, GError **error)
{
    for (size_t i = 0; parameter->choices[i] != NULL; i++) {
        if (strcmp(text, parameter->choices[i]) == 0) {
            *value = (double) i;
            return true;
        }
    }
    g_autofree char *all = g_strjoinv("|", (char **) parameter->choices);
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE, "hrf: %s: %s = \"%s\" is none of %s",
                model->name, parameter->name, text, all);
    return false;
}

static bool parse_value(const struct hrf_model *model, const struct hrf_parameter *parameter,
                        const char *text, double *value, GError **error)
{
    if (parameter->choices != NULL)
        return parse_choice(model, parameter, text, value, error);
    char *end = NULL;
    *value = g_ascii_strtod(text, &end);
    if (end == text || *end != '\0') {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE, "hrf: %s: %s = \"%s\" is not a number",
                    model->name, parameter->name, text);
        return false;
    }
    if (!(*value >= parameter->min && *value <= parameter->max)) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "hrf: %s: %s = %s is outside %g..%g (%s)", model->name, parameter->name, text,
                    parameter->min, parameter->max, parameter->meaning);
        return false;
    }
    return true;
}

static bool parse_item(const char *item, struct hrf_request *request, bool *norm_given,
                       GError **error)
{
    const struct hrf_model *model = request->model;
    g_auto(GStrv) sides = g_strsplit(item, "=", 2);
    if (g_strv_length(sides) != 2) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "hrf: %s: expected parameter=value, got \"%s\"", model->name, item);
        return false;
    }
    size_t index = 0;
    double value = 0.0;
    if (!find_parameter(model, g_strstrip(sides[0]), &index, error) ||
        !parse_value(model, parameter_at(model, index), g_strstrip(sides[1]), &value, error))
        return false;
    if (index < model->n_parameters) {
        request->p[index] = value;
    } else if (index == model->n_parameters + LENGTH) {
        request->length_s = value;
    } else {
        request->norm = (enum hrf_norm) value;
        *norm_given = true;
    }
    return true;
}

// Derivatives are of responses of sum 1, and have a sum near 0.
static bool is_derivative(const struct hrf_request *request)
{
    for (size_t i = 0; i < request->model->n_parameters; i++)
        if (strcmp(request->model->parameters[i].name, "derivative") == 0)
            return request->p[i] != 0.0;
    return false;
}

bool hrf_spec_parse(const char *spec, struct hrf_request *request, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(spec, ":", 2);
    const struct hrf_model *model =
        hrf_model_find(parts[0] == NULL ? "" : g_strstrip(parts[0]), error);
    if (model == NULL)
        return false;

    *request = (struct hrf_request){.model = model};
    for (size_t i = 0; i < model->n_parameters; i++)
        request->p[i] = model->parameters[i].value;
    bool norm_given = false;
    g_auto(GStrv) items = g_strsplit_set(parts[1] == NULL ? "" : parts[1], ",:", -1);
    for (size_t i = 0; items[i] != NULL; i++)
        if (!parse_item(items[i], request, &norm_given, error))
            return false;
    if (!norm_given)
        request->norm = is_derivative(request) ? HRF_NORM_NONE : model->norm;
    return true;
}

// The shortest of %.15g, %.16g, %.17g that reads back as the same number.
static void append_number(GString *text, double value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    static const char *const formats[] = {"%.15g", "%.16g", "%.17g"};
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        g_ascii_formatd(digits, sizeof digits, formats[i], value);
        if (g_ascii_strtod(digits, NULL) == value)
            break;
    }
    g_string_append(text, digits);
}

char *hrf_spec_print(const struct hrf_request *request)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < request->model->n_parameters; i++) {
        const struct hrf_parameter *parameter = &request->model->parameters[i];
        g_string_append_printf(text, "%s=", parameter->name);
        if (parameter->choices != NULL)
            g_string_append(text, parameter->choices[(size_t) request->p[i]]);
        else
            append_number(text, request->p[i]);
        g_string_append_c(text, ',');
    }
    if (request->length_s > 0.0) {
        g_string_append(text, "length=");
        append_number(text, request->length_s);
        g_string_append_c(text, ',');
    }
    g_string_append_printf(text, "norm=%s", norms[request->norm]);
    return g_string_free(text, FALSE);
}

bool hrf_norm_parse(const char *word, enum hrf_norm *norm, GError **error)
{
    for (size_t i = 0; norms[i] != NULL; i++) {
        if (strcmp(word, norms[i]) == 0) {
            *norm = (enum hrf_norm) i;
            return true;
        }
    }
    g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                "hrf: norm = \"%s\" is none of none|peak|sum", word);
    return false;
}
