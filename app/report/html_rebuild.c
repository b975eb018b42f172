// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "io/input.h"
#include "io/json_text.h"
#include "io/publish.h"
#include "io/sidecar.h"

#include <math.h>
#include <string.h>

static const char *const map_names[HTML_REPORT_N_MAPS] = {"status", "lambda",    "lambdamax", "gap",
                                                          "jumps",  "explained", "mean",      "p"};

static const char html_ending[] = "_desc-taut_report.html";

/** A report read back: its arrays are owned here, its texts by `source`. */
struct stored {
    struct html_report report;
    JsonParser *source;
    GPtrArray *owned;         // arrays of all kinds
    struct recording *status; // holds the grid
    float *maps[HTML_REPORT_N_MAPS];
};
typedef struct stored owned_stored;

static void stored_clear(struct stored *stored)
{
    if (stored->source != NULL)
        g_object_unref(stored->source);
    if (stored->owned != NULL)
        g_ptr_array_unref(stored->owned);
    recording_free(stored->status);
    for (size_t m = 0; m < HTML_REPORT_N_MAPS; m++)
        g_free(stored->maps[m]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_stored, stored_clear)

static void *keep(struct stored *stored, void *memory)
{
    g_ptr_array_add(stored->owned, memory);
    return memory;
}

static bool refuse(GError **error, const char *what, const char *expected)
{
    g_set_error(error, IO_ERROR, IO_ERROR_INPUT, "%s: expected %s", what, expected);
    return false;
}

// A member that is an array; NULL and an error if it is anything else.
static JsonArray *find_array(JsonObject *object, const char *name, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);
    if (node != NULL && JSON_NODE_HOLDS_ARRAY(node))
        return json_node_get_array(node);
    refuse(error, name, "an array");
    return NULL;
}

static bool get_text(JsonObject *object, const char *name, const char **text, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING)
        return refuse(error, name, "a text");
    *text = json_node_get_string(node);
    return true;
}

static bool is_number(JsonNode *node)
{
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
           (json_node_get_value_type(node) == G_TYPE_DOUBLE ||
            json_node_get_value_type(node) == G_TYPE_INT64);
}

static bool get_number(JsonObject *object, const char *name, double low, double high,
                       double *number, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);
    *number = is_number(node) ? json_node_get_double(node) : NAN;
    if (*number >= low && *number <= high)
        return true;
    return refuse(error, name, "a number in its range");
}

// Finite numbers, as many as `n`, or as there are where n is 0.
static double *get_numbers(struct stored *stored, JsonObject *object, const char *name, size_t *n,
                           GError **error)
{
    JsonArray *array = find_array(object, name, error);
    if (array == NULL)
        return NULL;
    size_t count = json_array_get_length(array);
    if (*n != 0 && count != *n) {
        refuse(error, name, "as many numbers as samples");
        return NULL;
    }
    double *values = keep(stored, g_new(double, count + 1));
    for (size_t i = 0; i < count; i++) {
        JsonNode *node = json_array_get_element(array, (guint) i);
        values[i] = is_number(node) ? json_node_get_double(node) : NAN;
        if (!isfinite(values[i])) {
            refuse(error, name, "finite numbers");
            return NULL;
        }
    }
    *n = count;
    return values;
}

static JsonObject *element_object(JsonArray *array, size_t i, const char *name, GError **error)
{
    JsonNode *node = json_array_get_element(array, (guint) i);
    if (JSON_NODE_HOLDS_OBJECT(node))
        return json_node_get_object(node);
    refuse(error, name, "objects");
    return NULL;
}

static bool get_rows(struct stored *stored, JsonObject *object, const char *name,
                     const struct html_report_row **rows, size_t *n, GError **error)
{
    JsonArray *array = find_array(object, name, error);
    if (array == NULL)
        return false;
    *n = json_array_get_length(array);
    struct html_report_row *made = keep(stored, g_new0(struct html_report_row, *n + 1));
    *rows = made;
    for (size_t i = 0; i < *n; i++) {
        JsonObject *row = element_object(array, i, name, error);
        if (row == NULL || !get_text(row, "name", &made[i].name, error) ||
            !get_text(row, "value", &made[i].value, error))
            return false;
    }
    return true;
}

static bool get_texts(struct stored *stored, JsonObject *object, const char *name,
                      const char *const **texts, GError **error)
{
    JsonArray *array = find_array(object, name, error);
    if (array == NULL)
        return false;
    size_t n = json_array_get_length(array);
    const char **made = keep(stored, g_new0(const char *, n + 1));
    *texts = made;
    for (size_t i = 0; i < n; i++) {
        JsonNode *node = json_array_get_element(array, (guint) i);
        if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_STRING)
            return refuse(error, name, "texts");
        made[i] = json_node_get_string(node);
    }
    return true;
}

static bool get_trace(struct stored *stored, JsonObject *object, struct html_report_trace *trace,
                      GError **error)
{
    size_t n_time = stored->report.n_time;
    size_t n_activity = stored->report.n_activity;
    size_t n_voxel = 3;
    size_t n_result = 5;
    double *voxel = get_numbers(stored, object, "voxel", &n_voxel, error);
    double *result = voxel == NULL ? NULL : get_numbers(stored, object, "result", &n_result, error);
    if (result == NULL || !get_text(object, "label", &trace->label, error))
        return false;
    for (size_t d = 0; d < 3; d++)
        trace->index[d] = (size_t) CLAMP(voxel[d], 0.0, 1e9);
    trace->result = (struct series_result){
        .status = (enum series_status) CLAMP(result[0], 0.0, SERIES_N_STATUS - 1.0),
        .lambda = result[1],
        .lambda_max = result[2],
        .n_jumps = (size_t) CLAMP(result[3], 0.0, 1e9),
        .relative_gap = result[4]};
    return (trace->x = get_numbers(stored, object, "x", &n_time, error)) != NULL &&
           (trace->fitted = get_numbers(stored, object, "fitted", &n_time, error)) != NULL &&
           (trace->u = get_numbers(stored, object, "u", &n_activity, error)) != NULL;
}

static bool get_traces(struct stored *stored, JsonObject *object, GError **error)
{
    JsonArray *array = find_array(object, "traces", error);
    if (array == NULL)
        return false;
    stored->report.n_traces = json_array_get_length(array);
    struct html_report_trace *traces =
        keep(stored, g_new0(struct html_report_trace, stored->report.n_traces + 1));
    stored->report.traces = traces;
    for (size_t i = 0; i < stored->report.n_traces; i++) {
        JsonObject *trace = element_object(array, i, "traces", error);
        if (trace == NULL || !get_trace(stored, trace, &traces[i], error))
            return false;
    }
    return true;
}

static JsonObject *find_object(JsonObject *object, const char *name, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);
    if (node != NULL && JSON_NODE_HOLDS_OBJECT(node))
        return json_node_get_object(node);
    refuse(error, name, "an object");
    return NULL;
}

static bool get_warnings(struct stored *stored, JsonObject *object, GError **error)
{
    JsonArray *array = find_array(object, "warnings", error);
    if (array == NULL)
        return false;
    size_t n = json_array_get_length(array);
    struct html_report_warning *made = keep(stored, g_new0(struct html_report_warning, n + 1));
    stored->report.warnings = made;
    stored->report.n_warnings = n;
    for (size_t i = 0; i < n; i++) {
        JsonObject *warning = element_object(array, i, "warnings", error);
        double count = 0.0;
        if (warning == NULL || !get_text(warning, "text", &made[i].text, error) ||
            !get_number(warning, "count", 1.0, 1e9, &count, error))
            return false;
        made[i].count = (size_t) count;
    }
    return true;
}

static bool get_found(struct stored *stored, JsonObject *parent, GError **error)
{
    struct html_report_found *found = &stored->report.found;
    JsonObject *object = find_object(parent, "found", error);
    size_t n_swings = 3, n_noise = 2;
    found->sigma = found->ar = NAN;
    if (object == NULL ||
        (found->white = get_numbers(stored, object, "white", &found->n_white, error)) == NULL ||
        !get_number(object, "white_point", 0.0, 1.0, &found->white_point, error) ||
        !get_number(object, "alpha", 0.0, 1.0, &found->alpha, error))
        return false;
    const double *swings = get_numbers(stored, object, "swings", &n_swings, error);
    if (swings == NULL)
        return false;
    found->n_ends = (size_t) CLAMP(swings[0], 0.0, 1e9);
    found->n_single = (size_t) CLAMP(swings[1], 0.0, 1e9);
    found->n_spike = (size_t) CLAMP(swings[2], 0.0, 1e9);
    if (!json_object_has_member(object, "noise"))
        return true;
    const double *noise = get_numbers(stored, object, "noise", &n_noise, error);
    if (noise == NULL)
        return false;
    found->sigma = noise[0];
    found->ar = noise[1];
    return true;
}

static bool get_courses(struct stored *stored, JsonObject *parent, GError **error)
{
    struct html_report_courses *courses = &stored->report.courses;
    size_t n = stored->report.n_time;
    JsonObject *object = find_object(parent, "courses", error);
    if (object == NULL)
        return false;
    if (json_object_has_member(object, "displacement") &&
        (courses->displacement = get_numbers(stored, object, "displacement", &n, error)) == NULL)
        return false;
    return (courses->rises = get_numbers(stored, object, "rises", &n, error)) != NULL &&
           (courses->falls = get_numbers(stored, object, "falls", &n, error)) != NULL &&
           (courses->global = get_numbers(stored, object, "global", &n, error)) != NULL &&
           (courses->censored =
                get_numbers(stored, object, "censored", &courses->n_censored, error)) != NULL;
}

// It goes into the page as it is.
static bool is_base64(const char *text)
{
    return *text != '\0' && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789+/=") == strlen(text);
}

static bool get_carpets(struct stored *stored, JsonObject *parent, GError **error)
{
    struct html_report *report = &stored->report;
    JsonObject *object = find_object(parent, "carpets", error);
    JsonArray *images = object == NULL ? NULL : find_array(object, "images", error);
    size_t n_rows = 2;
    const double *rows =
        images == NULL ? NULL : get_numbers(stored, object, "rows", &n_rows, error);
    if (rows == NULL)
        return false;
    report->carpet_rows = (size_t) CLAMP(rows[0], 0.0, 1e6);
    report->carpet_found = (size_t) CLAMP(rows[1], 0.0, rows[0]);
    for (size_t c = 0; c < MIN(json_array_get_length(images), (guint) HTML_REPORT_N_CARPETS); c++) {
        struct html_report_carpet *carpet = &report->carpets[c];
        JsonObject *image = element_object(images, c, "images", error);
        if (image == NULL || !get_text(image, "name", &carpet->name, error) ||
            !get_text(image, "span", &carpet->span, error) ||
            !get_text(image, "png", &carpet->png, error))
            return false;
        if (!is_base64(carpet->png))
            return refuse(error, "png", "base64");
    }
    return true;
}

static bool get_report(struct stored *stored, JsonObject *object, GError **error)
{
    struct html_report *report = &stored->report;
    double n_time = 0.0;
    double n_activity = 0.0;
    bool ok = get_text(object, "title", &report->title, error) &&
              get_text(object, "input", &report->input, error) &&
              get_text(object, "version", &report->version, error) &&
              get_text(object, "unit", &report->unit, error) &&
              get_rows(stored, object, "settings", &report->settings, &report->n_settings, error) &&
              get_rows(stored, object, "times", &report->times, &report->n_times, error) &&
              get_texts(stored, object, "outputs", &report->outputs, error) &&
              get_warnings(stored, object, error) &&
              get_number(object, "tr", 1e-6, 1e6, &report->tr_s, error) &&
              get_number(object, "n_time", 1.0, 1e9, &n_time, error) &&
              get_number(object, "n_activity", 1.0, 1e9, &n_activity, error) &&
              get_number(object, "tol", 0.0, 1e9, &report->tol, error) &&
              get_number(object, "microseconds", 0.0, 1e12, &report->microseconds, error);
    report->n_time = (size_t) n_time;
    report->n_activity = (size_t) n_activity;
    return ok && (report->h = get_numbers(stored, object, "h", &report->n_h, error)) != NULL &&
           get_found(stored, object, error) && get_courses(stored, object, error) &&
           get_carpets(stored, object, error) && get_traces(stored, object, error);
}

static bool read_json(struct stored *stored, const char *path, GError **error)
{
    enum { MAX_BYTES = 64 << 20, MAX_LEVELS = 64 };
    size_t n = 0;
    g_autofree char *text = input_text(path, MAX_BYTES, &n, error);
    if (text == NULL)
        return false;
    stored->source = json_parser_new_immutable();
    stored->owned = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = NULL;
    bool parsed = n > 0 && json_text_check(text, n, MAX_LEVELS) == NULL &&
                  json_parser_load_from_data(stored->source, text, (gssize) n, &problem);
    JsonNode *root = parsed ? json_parser_get_root(stored->source) : NULL;
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, IO_ERROR, IO_ERROR_INPUT,
                    "%s: expected a JSON object, found something else", path);
        return false;
    }
    if (get_report(stored, json_node_get_object(root), error))
        return true;
    g_prefix_error(error, "%s: ", path);
    return false;
}

static float *volume_values(const struct recording *volume)
{
    float *values = g_new(float, volume->n_series);
    g_autofree double *row = g_new(double, volume->n_series);
    recording_values(volume, 0, 0, volume->n_series, row);
    for (size_t i = 0; i < volume->n_series; i++)
        values[i] = (float) row[i];
    return values;
}

static bool read_maps(struct stored *stored, const char *stem, const struct io_context *io,
                      GError **error)
{
    for (size_t m = 0; m < HTML_REPORT_N_MAPS; m++) {
        g_autofree char *path = g_strdup_printf("%s_stat-%s_boldmap.nii.gz", stem, map_names[m]);
        if (m == HTML_REPORT_P && !(stored->report.found.alpha > 0.0)) // not tested
            continue;
        g_autoptr(owned_recording) map = recording_open(path, io, error);
        if (map == NULL || !recording_read(map, NULL, 0, 1, io, error))
            return false;
        if (m > 0 && !image_grid_equal(map->grid, stored->status->grid, 1e-3)) {
            g_set_error(error, IO_ERROR, IO_ERROR_INPUT,
                        "%s: grid: expected that of the status map, found another", path);
            return false;
        }
        stored->maps[m] = volume_values(map);
        stored->report.maps[m] = stored->maps[m];
        if (m == HTML_REPORT_STATUS)
            stored->status = g_steal_pointer(&map);
    }
    stored->report.grid = stored->status->grid;
    return true;
}

bool html_report_rebuild(const char *path, const struct io_context *io, GError **error)
{
    g_auto(owned_stored) stored = {0};
    g_autofree char *json_path = html_beside(path, ".json");
    size_t n_stem = strlen(path) - strlen(html_ending);
    if (!g_str_has_suffix(path, html_ending)) {
        g_set_error(error, IO_ERROR, IO_ERROR_INPUT, "%s: expected a name that ends in %s", path,
                    html_ending);
        return false;
    }
    g_autofree char *stem = g_strndup(path, n_stem);
    if (!read_json(&stored, json_path, error) || !read_maps(&stored, stem, io, error))
        return false;
    g_autoptr(GString) html = html_page(&stored.report);
    return publish_bytes(path, html->str, html->len, true, error);
}
