// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_sections.h"

#include <math.h>

static void set_text(JsonObject *object, const char *name, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_object_set_string_member(object, name, valid);
}

static void set_numbers(JsonObject *object, const char *name, const double *values, size_t n)
{
    JsonArray *array = json_array_sized_new((guint) n);
    for (size_t i = 0; i < n; i++)
        json_array_add_double_element(array, values[i]);
    json_object_set_array_member(object, name, array);
}

static void set_rows(JsonObject *object, const char *name, const struct html_report_row *rows,
                     size_t n)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < n; i++) {
        JsonObject *row = json_object_new();
        set_text(row, "name", rows[i].name);
        set_text(row, "value", rows[i].value);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, name, array);
}

static void set_texts(JsonObject *object, const char *name, const char *const *texts)
{
    JsonArray *array = json_array_new();
    for (; texts != NULL && *texts != NULL; texts++) {
        g_autofree char *valid = g_utf8_make_valid(*texts, -1);
        json_array_add_string_element(array, valid);
    }
    json_object_set_array_member(object, name, array);
}

static void set_warnings(JsonObject *object, const struct html_report *report)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < report->n_warnings; i++) {
        JsonObject *warning = json_object_new();
        set_text(warning, "text", report->warnings[i].text);
        json_object_set_int_member(warning, "count", (gint64) report->warnings[i].count);
        json_array_add_object_element(array, warning);
    }
    json_object_set_array_member(object, "warnings", array);
}

static JsonObject *found_json(const struct html_report_found *found)
{
    JsonObject *object = json_object_new();
    set_numbers(object, "white", found->white, found->n_white);
    json_object_set_double_member(object, "white_point", found->white_point);
    json_object_set_double_member(object, "alpha", found->alpha);
    if (isfinite(found->sigma) && isfinite(found->ar))
        set_numbers(object, "noise", (double[]){found->sigma, found->ar}, 2);
    set_numbers(
        object, "swings",
        (double[]){(double) found->n_ends, (double) found->n_single, (double) found->n_spike}, 3);
    return object;
}

static JsonObject *courses_json(const struct html_report *report)
{
    const struct html_report_courses *courses = &report->courses;
    JsonObject *object = json_object_new();
    set_numbers(object, "rises", courses->rises, report->n_time);
    set_numbers(object, "falls", courses->falls, report->n_time);
    set_numbers(object, "global", courses->global, report->n_time);
    if (courses->displacement != NULL)
        set_numbers(object, "displacement", courses->displacement, report->n_time);
    set_numbers(object, "censored", courses->censored, courses->n_censored);
    return object;
}

static JsonObject *carpets_json(const struct html_report *report)
{
    JsonObject *object = json_object_new();
    JsonArray *array = json_array_new();
    for (size_t c = 0; c < HTML_REPORT_N_CARPETS && report->carpets[c].name != NULL; c++) {
        JsonObject *carpet = json_object_new();
        set_text(carpet, "name", report->carpets[c].name);
        set_text(carpet, "span", report->carpets[c].span);
        set_text(carpet, "png", report->carpets[c].png);
        json_array_add_object_element(array, carpet);
    }
    json_object_set_array_member(object, "images", array);
    set_numbers(object, "rows",
                (double[]){(double) report->carpet_rows, (double) report->carpet_found}, 2);
    return object;
}

static JsonObject *trace_json(const struct html_report *report,
                              const struct html_report_trace *trace)
{
    JsonObject *object = json_object_new();
    const struct series_result *result = &trace->result;
    set_text(object, "label", trace->label);
    set_numbers(
        object, "voxel",
        (double[]){(double) trace->index[0], (double) trace->index[1], (double) trace->index[2]},
        3);
    set_numbers(object, "result",
                (double[]){(double) result->status, result->lambda, result->lambda_max,
                           (double) result->n_jumps, result->relative_gap},
                5);
    set_numbers(object, "x", trace->x, report->n_time);
    set_numbers(object, "fitted", trace->fitted, report->n_time);
    set_numbers(object, "u", trace->u, report->n_activity);
    return object;
}

JsonObject *html_report_json(const struct html_report *report)
{
    JsonObject *object = json_object_new();
    set_text(object, "title", report->title);
    set_text(object, "input", report->input);
    set_text(object, "version", report->version);
    set_text(object, "unit", report->unit);
    set_rows(object, "settings", report->settings, report->n_settings);
    set_rows(object, "times", report->times, report->n_times);
    set_texts(object, "outputs", report->outputs);
    set_warnings(object, report);
    json_object_set_double_member(object, "tr", report->tr_s);
    json_object_set_int_member(object, "n_time", (gint64) report->n_time);
    json_object_set_int_member(object, "n_activity", (gint64) report->n_activity);
    json_object_set_double_member(object, "tol", report->tol);
    json_object_set_double_member(object, "microseconds", report->microseconds);
    set_numbers(object, "h", report->h, report->n_h);
    json_object_set_object_member(object, "found", found_json(&report->found));
    json_object_set_object_member(object, "courses", courses_json(report));
    json_object_set_object_member(object, "carpets", carpets_json(report));
    JsonArray *traces = json_array_new();
    for (size_t i = 0; i < report->n_traces; i++)
        json_array_add_object_element(traces, trace_json(report, &report->traces[i]));
    json_object_set_array_member(object, "traces", traces);
    return object;
}
