// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources_map.h"
#include "app/pipelines/sources/sources_network.h"

#include "app/pipelines/outputs/input_file.h"
#include "io/array.h"
#include "io/fif.h"
#include "io/publish.h"
#include "io/sidecar.h"
#include "io/staging.h"
#include "io/writer_stc.h"

#include <cblas.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static const char *const orientation_names[] = {"fixed", "loose", "free"};

static const struct {
    const char *ending;
    int32_t space;
} hemispheres[] = {{"-lh.stc", SOURCE_LEFT}, {"-rh.stc", SOURCE_RIGHT}};

// Only surfaces of hemispheres have a file that a viewer puts on a brain.
static bool is_cortex(const struct sources *sources)
{
    for (size_t s = 0; s < sources->forward->n_spaces; s++)
        if (sources->forward->space[s].id != SOURCE_LEFT &&
            sources->forward->space[s].id != SOURCE_RIGHT)
            return false;
    return true;
}

static const char *const map_names[] = {
    [SOURCE_MAP_NONE] = "none", [SOURCE_MAP_MNE] = "mne", [SOURCE_MAP_DSPM] = "dspm"};

static char *map_name(const struct sources *sources, const char *ending)
{
    return g_strconcat(sources->stem, "_desc-", map_names[sources->options->map], ending, NULL);
}

GPtrArray *sources_output_names(const struct sources *sources)
{
    static const char *const endings[] = {"_sources.tsv", "_sources.npy", "_sources.json",
                                          "_desc-taut_report.html"};
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        g_ptr_array_add(names, g_strconcat(sources->stem, endings[i], NULL));
    for (size_t h = 0; h < G_N_ELEMENTS(hemispheres) && is_cortex(sources); h++)
        g_ptr_array_add(names, g_strconcat(sources->stem, hemispheres[h].ending, NULL));
    for (size_t h = 0; h < G_N_ELEMENTS(hemispheres) && sources->options->map != SOURCE_MAP_NONE;
         h++)
        g_ptr_array_add(names, map_name(sources, hemispheres[h].ending));
    return names;
}

static const char *hemisphere_of(const struct source_space *space)
{
    return space->id == SOURCE_LEFT ? "lh" : space->id == SOURCE_RIGHT ? "rh" : "n/a";
}

static size_t peak_of(const struct sources *sources, size_t i)
{
    size_t peak = 0;
    for (size_t t = 1; t < sources->window.n_time; t++)
        if (sources_magnitude(sources, i, t) > sources_magnitude(sources, i, peak))
            peak = t;
    return peak;
}

// The direction of the moment at the peak: a unit vector in head frame, or of the normal.
static void direction_of(const struct sources *sources, size_t i, size_t peak, double direction[3])
{
    const struct source_estimate *estimate = sources->result.estimate;
    size_t n_orient = estimate->n_orient;
    const double *axes = sources->leadfield->axes + 3 * n_orient * estimate->position[i];
    memset(direction, 0, 3 * sizeof *direction);
    for (size_t o = 0; o < n_orient; o++) {
        double moment = sources_amplitude(sources, i)[o * estimate->n_time + peak];
        cblas_daxpy(3, n_orient == 1 ? 1.0 : moment, axes + 3 * o, 1, direction, 1);
    }
    const struct forward *forward = sources->forward;
    if (forward->frame == FIF_FRAME_MRI && forward->has_mri_to_head)
        leadfield_turn_vectors(forward->mri_to_head, direction, 1);
    double length = cblas_dnrm2(3, direction, 1);
    if (length > 0.0)
        cblas_dscal(3, 1.0 / length, direction, 1);
}

static bool write_table(const struct sources *sources, const char *path, GError **error)
{
    const struct source_estimate *estimate = sources->result.estimate;
    g_autoptr(GString) text =
        g_string_new("column\themisphere\tvertex\tx\ty\tz\torientation\tpeak_amplitude\tpeak_time\t"
                     "explained_variance\n");
    for (size_t i = 0; i < estimate->n_active; i++) {
        size_t k = estimate->position[i], vertex = 0, peak = peak_of(sources, i);
        const struct source_space *space = sources_space_of(sources, k, &vertex);
        const double *at = sources->position + 3 * k;
        double direction[3];
        direction_of(sources, i, peak, direction);
        g_string_append_printf(
            text, "%zu\t%s\t%zu\t%.6f\t%.6f\t%.6f\t%.6f,%.6f,%.6f\t%.6g\t%.6f\t%.6f\n",
            k * estimate->n_orient, hemisphere_of(space), vertex, at[0], at[1], at[2], direction[0],
            direction[1], direction[2], sources_magnitude(sources, i, peak),
            sources->window.start_s + (double) peak * sources->window.interval_s,
            sources->result.share[i]);
    }
    return publish_bytes(path, text->str, text->len, true, error);
}

// Of one orientation the signed amplitude, of three its norm.
static bool write_hemisphere(const struct sources *sources, int32_t id, const char *path,
                             GError **error)
{
    const struct source_estimate *estimate = sources->result.estimate;
    size_t n_time = estimate->n_time, n = 0;
    g_autofree uint32_t *vertices = g_new(uint32_t, estimate->n_active + 1);
    g_autofree double *values = g_new(double, estimate->n_active *n_time + 1);
    for (size_t i = 0; i < estimate->n_active; i++) {
        size_t vertex = 0;
        if (sources_space_of(sources, estimate->position[i], &vertex)->id != id)
            continue;
        for (size_t t = 0; t < n_time; t++)
            values[n * n_time + t] = estimate->n_orient == 1 ? sources_amplitude(sources, i)[t]
                                                             : sources_magnitude(sources, i, t);
        vertices[n++] = (uint32_t) vertex;
    }
    struct source_courses courses = {.start_s = sources->window.start_s,
                                     .interval_s = sources->window.interval_s,
                                     .n_vertices = n,
                                     .vertex = vertices,
                                     .n_time = n_time,
                                     .values = values};
    return writer_stc_write(path, &courses, true, error);
}

// A map of all positions.
static bool write_map(const struct sources *sources, const double *map, int32_t id,
                      const char *path, GError **error)
{
    size_t n = sources->leadfield->n_positions, first = 0, count = 0;
    g_autofree uint32_t *vertices = g_new(uint32_t, n + 1);
    for (size_t k = 0; k < n; k++) {
        size_t vertex = 0;
        if (sources_space_of(sources, k, &vertex)->id != id)
            continue;
        first = count == 0 ? k : first; // those of one space are neighbours
        vertices[count++] = (uint32_t) vertex;
    }
    struct source_courses courses = {.start_s = sources->window.start_s,
                                     .interval_s = sources->window.interval_s,
                                     .n_vertices = count,
                                     .vertex = vertices,
                                     .n_time = sources->window.n_time,
                                     .values = map + first * sources->window.n_time};
    return writer_stc_write(path, &courses, true, error);
}

static bool write_maps(const struct sources *sources, struct staging *staging, GError **error)
{
    g_autofree double *map = sources_map(sources);
    for (size_t h = 0; h < G_N_ELEMENTS(hemispheres) && map != NULL; h++) {
        g_autofree char *name = map_name(sources, hemispheres[h].ending);
        const char *path = staging_add(staging, name, sources->overwrites);
        if (!write_map(sources, map, hemispheres[h].space, path, error))
            return false;
    }
    return true;
}

static JsonArray *inputs_json(const struct sources *sources)
{
    JsonArray *inputs = json_array_new();
    for (guint i = 0; i < sources->inputs->len; i++) {
        const struct input_file *file = sources->inputs->pdata[i];
        JsonObject *object = json_object_new();
        g_autofree char *name = g_path_get_basename(file->path);
        json_object_set_string_member(object, "role", file->role);
        json_object_set_string_member(object, "name", name);
        json_object_set_int_member(object, "size", (gint64) file->size);
        json_object_set_string_member(object, "sha256", sources->sha256[i]);
        json_array_add_object_element(inputs, object);
    }
    return inputs;
}

static JsonObject *channels_json(const struct sources *sources)
{
    const struct sensors *sensors = sources->recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    JsonObject *channels = json_object_new();
    JsonArray *used = json_array_new();
    JsonObject *left_out = json_object_new();
    for (size_t i = 0; i < part->n_channels; i++) {
        const char *name = sensors->channel[part->channel[i]].name;
        enum channel_fate fate = sources->choice->fate[i];
        if (fate == CHANNEL_USED)
            json_array_add_string_element(used, name);
        else
            json_object_set_string_member(left_out, name, channel_fate_name(fate));
    }
    json_object_set_array_member(channels, "used", used);
    json_object_set_object_member(channels, "left_out", left_out);
    return channels;
}

static JsonObject *ranks_json(const struct sources *sources)
{
    JsonObject *ranks = json_object_new();
    for (size_t g = 0; g < SENSOR_GROUPS; g++)
        if (sources->whitener->n_of_group[g] > 0)
            json_object_set_int_member(ranks, sensor_group_name((enum sensor_group) g),
                                       (gint64) sources->whitener->rank_of_group[g]);
    return ranks;
}

// What is known of the data's own rank, and how.
static void set_space(const struct sources *sources, JsonObject *object)
{
    if (sources->space == NULL)
        return;
    JsonObject *noise = json_object_new();
    JsonObject *data = json_object_new();
    JsonObject *origin = json_object_new();
    for (size_t g = 0; g < SENSOR_GROUPS; g++) {
        if (sources->whitener->n_of_group[g] == 0)
            continue;
        const char *name = sensor_group_name((enum sensor_group) g);
        json_object_set_int_member(noise, name, (gint64) sources->whitener->rank_of_noise[g]);
        json_object_set_int_member(data, name, (gint64) sources->space->rank[g]);
        json_object_set_string_member(origin, name, rank_origin_name(sources->space->origin[g]));
    }
    json_object_set_object_member(object, "rank_of_noise", noise);
    json_object_set_object_member(object, "rank_of_data", data);
    json_object_set_object_member(object, "rank_of_data_from", origin);
}

static JsonArray *numbers_json(const double *values, size_t n)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < n; i++)
        json_array_add_double_element(array, values[i]);
    return array;
}

static void set_result(const struct sources *sources, JsonObject *object)
{
    const struct sources_result *result = &sources->result;
    JsonObject *gap = json_object_new();
    json_object_set_double_member(gap, "median", result->gap[0]);
    json_object_set_double_member(gap, "max", result->gap[1]);
    json_object_set_double_member(object, "alpha_max", result->alpha_max);
    json_object_set_double_member(object, "lambda", result->alpha);
    json_object_set_double_member(object, "lambda_ratio", sources->lambda);
    json_object_set_int_member(object, "n_active", (gint64) result->estimate->n_active);
    json_object_set_double_member(object, "objective", result->objective);
    json_object_set_object_member(object, "relative_gap", gap);
    json_object_set_string_member(object, "relative_gap_of",
                                  result->has_gap ? "result" : "first round (not convex)");
    json_object_set_boolean_member(object, "converged", result->converged);
    json_object_set_int_member(object, "passes", (gint64) result->n_passes);
    json_object_set_double_member(object, "explained_variance", result->explained);
    if (result->factors == NULL)
        return;
    json_object_set_double_member(object, "explained_variance_debiased",
                                  result->explained_debiased);
    json_object_set_array_member(object, "debiasing_factors",
                                 numbers_json(result->factors, result->estimate->n_active));
}

static void set_epochs(const struct sources_window *window, JsonObject *object)
{
    const struct epoch_counts *counts = &window->counts;
    JsonObject *epochs = json_object_new();
    json_object_set_int_member(object, "n_rejected", (gint64) counts->n_rejected);
    json_object_set_int_member(epochs, "events", (gint64) counts->n_events);
    json_object_set_int_member(epochs, "averaged", window->n_averaged);
    json_object_set_int_member(epochs, "outside", (gint64) counts->n_outside);
    json_object_set_int_member(epochs, "repeated", (gint64) counts->n_repeated);
    json_object_set_int_member(epochs, "bad_spans", (gint64) counts->n_bad);
    json_object_set_int_member(epochs, "rejected", (gint64) counts->n_rejected);
    json_object_set_object_member(object, "epochs", epochs);
}

static void set_settings(const struct sources *sources, JsonObject *object)
{
    const struct sources_options *options = sources->options;
    json_object_set_string_member(object, "model", sources->model->name);
    json_object_set_string_member(object, "orientation", orientation_names[sources->orientation]);
    if (sources->orientation == ORIENTATION_LOOSE)
        json_object_set_double_member(object, "loose", sources->loose);
    json_object_set_double_member(object, "depth", options->depth);
    json_object_set_double_member(object, "tol", options->tol);
    json_object_set_string_member(object, "condition", sources->window.condition);
    if (options->baseline.text != NULL)
        json_object_set_string_member(object, "baseline", options->baseline.text);
    json_object_set_double_member(object, "tmin", sources->window.start_s);
    json_object_set_double_member(object, "tmax",
                                  sources->window.start_s + (double) (sources->window.n_time - 1) *
                                                                sources->window.interval_s);
    json_object_set_int_member(object, "n_times", (gint64) sources->window.n_time);
    json_object_set_double_member(object, "sampling_frequency", 1.0 / sources->window.interval_s);
    json_object_set_int_member(object, "nave", sources->window.n_averaged);
    bool is_epochs = sources->recording != NULL && sources->recording->sensors->is_epochs;
    if (options->epoch.text != NULL || options->events != NULL || is_epochs)
        set_epochs(&sources->window, object);
    if (options->band.text != NULL)
        json_object_set_string_member(object, "band", options->band.text);
    if (sources_noise_is_of_baseline(sources)) {
        json_object_set_int_member(object, "noise_samples", sources->covariance->n_free);
        json_object_set_double_member(object, "noise_shrinkage", sources->noise_shrinkage);
    }
    json_object_set_string_member(object, "noise_scale",
                                  "covariance as given, not divided by nave");
}

JsonObject *sources_to_json(const struct sources *sources)
{
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "version", TAUT_VERSION);
    json_object_set_array_member(object, "inputs", inputs_json(sources));
    set_settings(sources, object);
    json_object_set_int_member(object, "n_channels", (gint64) sources->choice->n);
    json_object_set_object_member(object, "channels", channels_json(sources));
    json_object_set_int_member(object, "n_projectors", (gint64) sources->n_projections);
    const char *reference = sources_reference_text(sources);
    if (reference != NULL)
        json_object_set_string_member(object, "reference", reference);
    json_object_set_int_member(object, "projected_directions",
                               (gint64) sources->projector->n_vectors);
    json_object_set_int_member(object, "rank", (gint64) sources->whitener->rank);
    json_object_set_object_member(object, "rank_by_type", ranks_json(sources));
    set_space(sources, object);
    json_object_set_int_member(object, "n_positions", (gint64) sources->leadfield->n_positions);
    json_object_set_int_member(object, "n_orient", (gint64) sources->leadfield->n_orient);
    set_result(sources, object);
    if (sources->network_file != NULL)
        json_object_set_object_member(object, "network", sources_network_json(sources));
    JsonObject *seconds = json_object_new();
    json_object_set_double_member(seconds, "read", sources->read_s);
    json_object_set_double_member(seconds, "prepare", sources->prepare_s);
    json_object_set_double_member(seconds, "solve", sources->result.solve_s);
    json_object_set_double_member(seconds, "total",
                                  1e-6 * (double) (g_get_monotonic_time() - sources->begin_us));
    json_object_set_object_member(object, "seconds", seconds);
    return object;
}

static const char *stage(struct staging *staging, const struct sources *sources, const char *ending)
{
    g_autofree char *name = g_strconcat(sources->stem, ending, NULL);
    return staging_add(staging, name, sources->overwrites);
}

static bool write_all(const struct sources *sources, struct staging *staging, GError **error)
{
    const struct source_estimate *estimate = sources->result.estimate;
    size_t shape[2] = {estimate->n_active * estimate->n_orient, estimate->n_time};
    g_autoptr(GString) page = sources_report(sources);
    g_autoptr(JsonObject) sidecar = sources_to_json(sources);
    if (!write_table(sources, stage(staging, sources, "_sources.tsv"), error) ||
        !array_write_npy(stage(staging, sources, "_sources.npy"), sources->result.amplitude, shape,
                         2, true, error) ||
        !sidecar_write(stage(staging, sources, "_sources.json"), sidecar, true, error) ||
        !publish_bytes(stage(staging, sources, "_desc-taut_report.html"), page->str, page->len,
                       true, error))
        return false;
    for (size_t h = 0; h < G_N_ELEMENTS(hemispheres) && is_cortex(sources); h++)
        if (!write_hemisphere(sources, hemispheres[h].space,
                              stage(staging, sources, hemispheres[h].ending), error))
            return false;
    return write_maps(sources, staging, error);
}

bool sources_write(struct sources *sources, GError **error)
{
    sources->inputs = sources_inputs(sources->options);
    sources->sha256 = input_files_sha256(sources->inputs, sources->host, error);
    g_autoptr(owned_staging) staging =
        sources->sha256 == NULL ? NULL : staging_new(sources->options->folder, error);
    if (staging == NULL)
        return false;
    g_autoptr(GError) problem = NULL;
    if (!write_all(sources, staging, &problem)) {
        staging_propagate(staging, error, g_steal_pointer(&problem));
        return false;
    }
    return staging_commit(staging, error);
}
