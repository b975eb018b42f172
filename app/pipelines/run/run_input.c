// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_plan.h"

#include "deconv/mask.h"
#include "io/volume.h"

#include <math.h>
#include <string.h>

// What was left out is no input.
static void forget_sidecars(struct run_plan *plan)
{
    for (guint i = plan->inputs->len; i-- > 0;) {
        const struct input_file *input = g_ptr_array_index(plan->inputs, i);
        if (g_str_has_prefix(input->role, "sidecar"))
            g_ptr_array_remove_index(plan->inputs, i);
    }
}

// Side-cars and repetition time.
static bool plan_metadata(struct run_plan *plan, const struct recording *recording, GError **error)
{
    const struct run_options *options = plan->options;
    plan->metadata = metadata_new(recording, options->sidecar, options->tr_s, error);
    if (plan->metadata == NULL)
        return false;
    for (guint i = 0; i < plan->metadata->warnings->len; i++)
        run_plan_warn(plan, "%s: %s", options->bold,
                      (const char *) g_ptr_array_index(plan->metadata->warnings, i));
    if (plan->metadata->json == NULL)
        forget_sidecars(plan);
    plan->tr_s = plan->metadata->tr_s;
    return true;
}

struct confounds_table run_plan_table(const struct run_plan *plan)
{
    const struct frame_table *table = plan->table;
    return (struct confounds_table){plan->options->confounds,
                                    table->n_rows,
                                    table->n_columns,
                                    table->values,
                                    (const char *const *) table->names,
                                    (const char *const *) table->text};
}

static bool read_table(struct run_plan *plan, GError **error)
{
    const struct run_options *options = plan->options;
    if (options->confounds == NULL)
        return true;
    if (options->confound_columns == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "%s: confounds: expected a choice of columns, found none (names, patterns, or "
                    "%s)",
                    options->confounds, confounds_presets);
        return false;
    }
    plan->table = frame_table_read(options->confounds, &plan->host->io, error);
    return plan->table != NULL;
}

static bool plan_frames(struct run_plan *plan, size_t n_file, GError **error)
{
    const struct run_options *options = plan->options;
    plan->n_drop = options->n_drop;
    if (options->drops_unsteady && plan->table != NULL) {
        const struct confounds_table table = run_plan_table(plan);
        plan->n_drop = confounds_count_non_steady(&table);
    }
    if (plan->n_drop >= n_file) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: frames: expected more than the %zu to drop, found %zu",
                    plan->options->bold, plan->n_drop, n_file);
        return false;
    }
    plan->n_read = n_file - plan->n_drop;
    plan->first = options->first;
    bool fits = plan->first < plan->n_read;
    size_t n_left = fits ? plan->n_read - plan->first : 0;
    plan->n_time = options->n_time == 0 ? n_left : options->n_time;
    if (!fits || plan->n_time > n_left) {
        g_autofree char *count =
            options->n_time == 0 ? g_strdup("") : g_strdup_printf("%zu", options->n_time);
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: frames: expected %zu:%s of them, found %zu", options->bold, options->first,
                    count, plan->n_read);
        return false;
    }
    if (plan->n_time >= 2)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: frames: expected at least 2, found %zu",
                plan->options->bold, plan->n_time);
    return false;
}

bool run_plan_input(struct run_plan *plan, GError **error)
{
    const char *path = plan->options->bold;
    g_autoptr(owned_recording) recording = recording_open(path, &plan->host->io, error);
    if (recording == NULL)
        return false;
    if (recording->grid == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected an image, found %s", path,
                    recording->sensors != NULL ? "a recording of sensors (taut sources takes those)"
                                               : "an array (taut solve tv takes arrays)");
        return false;
    }
    if (recording->n_time == 1) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected a run of many frames (4-D), found a single volume (3-D)", path);
        return false;
    }
    plan->grid = *recording->grid;
    plan->type = recording->type;
    plan->n_grid = recording->n_series;
    plan->n_warnings = recording->warnings->len;
    for (guint i = 0; i < plan->n_warnings; i++)
        run_plan_warn(plan, "%s: %s", path,
                      (const char *) g_ptr_array_index(recording->warnings, i));
    return plan_metadata(plan, recording, error) && read_table(plan, error) &&
           plan_frames(plan, recording->n_time, error);
}

// The values of a 3-D image on the grid of the run. Owned.
static double *read_volume(struct run_plan *plan, const char *path, bool resample, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    double *values = volume_read(path, plan->options->bold, &plan->grid, resample, warnings,
                                 &plan->host->io, error);
    for (guint i = 0; values != NULL && i < warnings->len; i++)
        run_plan_warn(plan, "%s: %s", path, (const char *) g_ptr_array_index(warnings, i));
    return values;
}

bool run_plan_mask(struct run_plan *plan, GError **error)
{
    const struct run_options *options = plan->options;
    const char *path = options->mask;
    plan->makes_mask = options->auto_mask;
    plan->n_inside = plan->n_grid;
    if (path == NULL)
        return true;
    g_autofree double *values = read_volume(plan, path, options->resamples_mask, error);
    if (values == NULL)
        return false;
    plan->mask = g_new(uint8_t, plan->n_grid);
    plan->n_inside = mask_of_values(values, plan->n_grid, options->mask_threshold, plan->mask);
    if (plan->n_inside == 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected voxels that are %s, found none", path,
                    isnan(options->mask_threshold) ? "not zero" : "above --mask-threshold");
        return false;
    }
    if (options->mask_is_found)
        host_info(plan->host, "%s: the mask beside it, of %zu voxels (--mask FILE|none)", path,
                  plan->n_inside);
    g_autofree char *doubt =
        isnan(options->mask_threshold) ? mask_doubt(values, plan->n_grid) : NULL;
    if (doubt != NULL)
        run_plan_warn(plan,
                      "%s: expected 0 and 1, or labels, found %s: the %zu voxels that are not zero "
                      "are taken (--mask-threshold T)",
                      path, doubt, plan->n_inside);
    return true;
}

bool run_plan_lambda_map(struct run_plan *plan, GError **error)
{
    const char *path = plan->options->lambda_map;
    if (path == NULL)
        return true;
    plan->lambda_map = read_volume(plan, path, false, error);
    return plan->lambda_map != NULL;
}
