// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/commands/info_fif.h"
#include "app/commands/info_sensors.h"
#include "app/report/montage.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"
#include "io/metadata.h"
#include "io/recording.h"
#include "io/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    RESPONSE_S = 32, // length of the default response
};

/** What is said of one file. */
struct findings {
    struct recording *recording;      // owned
    double interval_s;                // the one in force; 0: not known
    const char *interval_from;        // "sidecar", "header"; NULL: not known
    GPtrArray *warnings;              // owned, of owned strings
    GArray *codes;                    // owned; of the trigger channel of sensors
    bool checked;                     //
    struct recording_summary summary; // where checked
};
typedef struct findings owned_findings;

static void findings_clear(struct findings *findings)
{
    recording_free(findings->recording);
    if (findings->warnings != NULL)
        g_ptr_array_unref(findings->warnings);
    if (findings->codes != NULL)
        g_array_unref(findings->codes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_findings, findings_clear)

static void G_GNUC_PRINTF(3, 4)
    warn(struct findings *findings, const char *flag, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(findings->warnings, g_strdup_vprintf(format, arguments));
    va_end(arguments);
    g_ptr_array_add(findings->recording->flags, (gpointer) flag);
}

// That of the side-cars is preferred to the header's; what a solve would refuse is told.
static void find_interval(struct findings *findings)
{
    struct recording *recording = findings->recording;
    findings->interval_s = recording->interval_s;
    findings->interval_from = recording->interval_s > 0.0 ? "header" : NULL;
    if (recording->grid == NULL)
        return;
    g_autoptr(GError) problem = NULL;
    // A repetition time is given where none is to be found, of a single volume.
    double given_s = recording->n_time > 1 ? 0.0 : 1.0;
    g_autoptr(owned_metadata) metadata = metadata_new(recording, NULL, given_s, &problem);
    if (metadata == NULL)
        warn(findings, "tr", "%s", problem->message);
    for (guint i = 0; metadata != NULL && i < metadata->warnings->len; i++)
        warn(findings, "tr", "%s", (const char *) metadata->warnings->pdata[i]);
    if (metadata == NULL || given_s > 0.0)
        return;
    findings->interval_s = metadata->tr_s;
    findings->interval_from = metadata->source;
}

// What is readable and yet not what a deconvolution wants.
static void judge_length(struct findings *findings)
{
    size_t n_time = findings->recording->n_time;
    double length_s = (double) n_time * findings->interval_s;
    if (findings->recording->sensors == NULL && n_time > 1 && findings->interval_s > 0.0 &&
        length_s < RESPONSE_S)
        warn(findings, "short", "frames: %zu, %g s, are shorter than a response", n_time, length_s);
}

static void judge_samples(struct findings *findings)
{
    const struct recording_summary *summary = &findings->summary;
    bool is_series = findings->recording->n_time > 1 && summary->series_counted;
    bool has_series = summary->n_series > 0; // a file may hold events alone
    if (summary->n_nonfinite_samples > 0)
        warn(findings, "nonfinite", "data: %zu samples are NaN or infinite",
             summary->n_nonfinite_samples);
    if (is_series && has_series && summary->n_constant == summary->n_series)
        warn(findings, "constant", "data: no series varies");
}

static bool examine(const char *path, bool check, const struct io_context *io,
                    struct findings *findings, GError **error)
{
    findings->warnings = g_ptr_array_new_with_free_func(g_free);
    findings->recording = recording_open(path, io, error);
    if (findings->recording == NULL)
        return false;
    if (findings->recording->sensors != NULL) {
        findings->codes = info_sensors_codes(findings->recording, io, error);
        if (findings->codes == NULL)
            return false;
    }
    find_interval(findings);
    judge_length(findings);
    findings->checked = check;
    if (!check)
        return true;
    struct recording *recording = findings->recording;
    bool read = recording->sensors != NULL
                    ? info_sensors_scan(recording, &findings->summary, io, error)
                    : recording_scan(recording, &findings->summary, NULL, io, error);
    if (!read)
        return false;
    judge_samples(findings);
    return true;
}

// "LAS": where each voxel axis runs to.
static void orientation_of(const struct image_grid *grid, char letters[4])
{
    size_t axis[3];
    bool flipped[3];
    montage_axes(grid, axis, flipped);
    for (size_t w = 0; w < 3; w++)
        letters[axis[w]] = (flipped[w] ? "LPI" : "RAS")[w];
    letters[3] = '\0';
}

static void print_grid(const struct image_grid *grid)
{
    printf("  grid         %zu x %zu x %zu voxels of %g x %g x %g mm\n", grid->dim[0], grid->dim[1],
           grid->dim[2], grid->voxel_mm[0], grid->voxel_mm[1], grid->voxel_mm[2]);
    if (!grid->affine_ok) {
        puts("  orientation  not usable");
        return;
    }
    char letters[4];
    orientation_of(grid, letters);
    printf("  orientation  %s (qform code %d, sform code %d)\n", letters, grid->qform_code,
           grid->sform_code);
    for (size_t w = 0; w < 3; w++) {
        printf("  %-12s", w == 0 ? "affine" : "");
        for (size_t d = 0; d < 4; d++)
            printf(" %10.4f", grid->affine[w][d] + 0.0); // 0, not -0
        putchar('\n');
    }
}

static void print_check(const struct findings *findings)
{
    const struct recording_summary *summary = &findings->summary;
    if (summary->minimum <= summary->maximum)
        printf("  values       %g .. %g\n", summary->minimum, summary->maximum);
    if (summary->series_counted && findings->recording->n_time > 1)
        printf("  series       %zu: %zu constant, %zu with NaN or infinity\n", summary->n_series,
               summary->n_constant, summary->n_nonfinite);
    size_t n_members = findings->recording->n_members;
    if (n_members > 0)
        printf("  gzip         %zu member%s, checked to the end\n", n_members,
               n_members == 1 ? "" : "s");
}

static void print_series(const struct findings *findings)
{
    const struct recording *recording = findings->recording;
    if (recording->grid != NULL)
        print_grid(recording->grid);
    else
        printf("  series       %zu\n", recording->n_series);
    printf("  %s       %zu", recording->grid != NULL ? "frames" : "length", recording->n_time);
    if (findings->interval_from != NULL)
        printf(", one every %g s (%s)", findings->interval_s, findings->interval_from);
    putchar('\n');
}

static void print_findings(const struct findings *findings)
{
    const struct recording *recording = findings->recording;
    g_autofree char *name = text_escape(recording->path);
    printf("%s\n  format       %s%s\n", name, recording->format,
           recording->compressed ? ", gzip" : "");
    if (recording->sensors != NULL)
        info_sensors_print(recording, findings->codes);
    else
        print_series(findings);
    printf("  samples      %s", recording->datatype);
    if (recording->scale != 1.0 || recording->offset != 0.0)
        printf(", times %g plus %g", recording->scale, recording->offset);
    putchar('\n');
    if (findings->checked)
        print_check(findings);
    for (size_t i = 0; i < recording->warnings->len; i++)
        app_tell("  warning      %s\n", (char *) recording->warnings->pdata[i]);
    for (size_t i = 0; i < findings->warnings->len; i++)
        app_tell("  warning      %s\n", (char *) findings->warnings->pdata[i]);
}

static void set_numbers(JsonObject *object, const char *name, const double *values, size_t n)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < n; i++)
        json_array_add_double_element(array, isfinite(values[i]) ? values[i] : 0.0);
    json_object_set_array_member(object, name, array);
}

static void set_grid(JsonObject *object, const struct image_grid *grid)
{
    JsonArray *dim = json_array_new();
    for (size_t d = 0; d < 3; d++)
        json_array_add_int_element(dim, (gint64) grid->dim[d]);
    json_object_set_array_member(object, "dim", dim);
    set_numbers(object, "voxel_mm", grid->voxel_mm, 3);
    json_object_set_boolean_member(object, "affine_ok", grid->affine_ok);
    json_object_set_int_member(object, "qform_code", grid->qform_code);
    json_object_set_int_member(object, "sform_code", grid->sform_code);
    if (!grid->affine_ok)
        return;
    char letters[4];
    orientation_of(grid, letters);
    json_object_set_string_member(object, "orientation", letters);
    set_numbers(object, "affine", &grid->affine[0][0], 12);
}

static void set_count(JsonObject *object, const char *name, size_t count)
{
    json_object_set_int_member(object, name, (gint64) count);
}

static JsonObject *check_json(const struct findings *findings)
{
    const struct recording_summary *summary = &findings->summary;
    JsonObject *object = json_object_new();
    set_count(object, "n_series", summary->n_series);
    if (summary->series_counted) {
        set_count(object, "n_constant", summary->n_constant);
        set_count(object, "n_nonfinite", summary->n_nonfinite);
    }
    set_count(object, "n_nonfinite_samples", summary->n_nonfinite_samples);
    if (summary->minimum <= summary->maximum) {
        json_object_set_double_member(object, "minimum", summary->minimum);
        json_object_set_double_member(object, "maximum", summary->maximum);
    }
    set_count(object, "gzip_members", findings->recording->n_members);
    return object;
}

static void set_texts(JsonArray *array, const GPtrArray *texts)
{
    for (size_t i = 0; i < texts->len; i++) {
        g_autofree char *valid = text_escape(texts->pdata[i]);
        json_array_add_string_element(array, valid);
    }
}

static JsonObject *findings_json(const struct findings *findings)
{
    const struct recording *recording = findings->recording;
    JsonObject *object = json_object_new();
    g_autofree char *name = text_escape(recording->path);
    json_object_set_string_member(object, "path", name);
    json_object_set_boolean_member(object, "usable", TRUE);
    json_object_set_string_member(object, "format", recording->format);
    json_object_set_boolean_member(object, "compressed", recording->compressed);
    json_object_set_string_member(object, "datatype", recording->datatype);
    json_object_set_double_member(object, "scale", recording->scale);
    json_object_set_double_member(object, "offset", recording->offset);
    set_count(object, "n_series", recording->n_series);
    set_count(object, "n_time", recording->n_time);
    if (findings->interval_from != NULL && recording->sensors == NULL) {
        json_object_set_double_member(object, "tr", findings->interval_s);
        json_object_set_string_member(object, "tr_source", findings->interval_from);
    }
    if (recording->grid != NULL)
        set_grid(object, recording->grid);
    if (recording->sensors != NULL)
        info_sensors_json(recording, findings->codes, object);
    JsonArray *flags = json_array_new();
    JsonArray *warnings = json_array_new();
    set_texts(flags, recording->flags);
    set_texts(warnings, recording->warnings);
    set_texts(warnings, findings->warnings);
    json_object_set_array_member(object, "flags", flags);
    json_object_set_array_member(object, "warnings", warnings);
    if (findings->checked)
        json_object_set_object_member(object, "check", check_json(findings));
    return object;
}

static JsonObject *refusal_json(const char *path, const GError *error)
{
    g_autofree char *name = text_escape(path);
    g_autofree char *message = text_escape(error->message);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "path", name);
    json_object_set_boolean_member(object, "usable", FALSE);
    json_object_set_string_member(object, "error", message);
    return object;
}

// Tells of a FIF file that is no recording; false, and *problem as it was, where it is none.
static bool tell_fif(struct app *app, const char *path, JsonArray *files, GError **problem)
{
    if (!g_error_matches(*problem, IO_ERROR, IO_ERROR_INPUT))
        return false;
    g_autoptr(owned_info_fif) info = info_fif_read(path, &app->host.io, problem);
    if (info == NULL)
        return false;
    g_clear_error(problem);
    if (app->json)
        json_array_add_object_element(files, info_fif_json(info));
    else
        info_fif_print(info);
    return true;
}

// Tells all of one file; what is wrong with it goes to the log, the last of it to *error.
static bool tell(struct app *app, const char *path, bool check, JsonArray *files, GError **error)
{
    g_auto(owned_findings) findings = {0};
    g_autoptr(GError) problem = NULL;
    bool usable = examine(path, check, &app->host.io, &findings, &problem);
    if (usable && app->json)
        json_array_add_object_element(files, findings_json(&findings));
    else if (usable)
        print_findings(&findings);
    if (usable || tell_fif(app, path, files, &problem))
        return true;
    if (app->json)
        json_array_add_object_element(files, refusal_json(path, problem));
    if (*error != NULL)
        log_error(app->log, "%s", (*error)->message);
    g_clear_error(error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool cmd_info(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct info_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &info_options, &given, argc, argv, error);
    if (options == NULL)
        return false;
    g_autoptr(GError) problem = NULL;
    g_autoptr(JsonArray) files = json_array_new();
    for (char **file = given.files; *file != NULL && !host_stopped(&app->host, NULL); file++)
        tell(app, *file, given.check, files, &problem);
    if (host_stopped(&app->host, error))
        return false;
    if (app->json) {
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "command", "info");
        json_object_set_array_member(object, "files", g_steal_pointer(&files));
        app_print_json(object);
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}
