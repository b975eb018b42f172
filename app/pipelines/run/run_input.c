// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_plan.h"

#include <math.h>
#include <string.h>

static const double GRID_TOLERANCE_MM = 1e-3;

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

static bool plan_frames(struct run_plan *plan, size_t n_file, GError **error)
{
    const struct run_options *options = plan->options;
    plan->n_drop = options->n_drop;
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
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected an image, found an array (taut solve tv takes arrays)", path);
        return false;
    }
    plan->grid = *recording->grid;
    plan->type = recording->type;
    plan->n_grid = recording->n_series;
    plan->n_warnings = recording->warnings->len;
    for (guint i = 0; i < plan->n_warnings; i++)
        run_plan_warn(plan, "%s: %s", path,
                      (const char *) g_ptr_array_index(recording->warnings, i));
    return plan_metadata(plan, recording, error) && plan_frames(plan, recording->n_time, error);
}

static bool grids_match(const struct run_plan *plan, const char *path,
                        const struct recording *image, GError **error)
{
    const size_t *want = plan->grid.dim;
    if (image->grid == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected an image, found an array",
                    path);
        return false;
    }
    const size_t *have = image->grid->dim;
    if (memcmp(want, have, sizeof image->grid->dim) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: grid: expected %zu x %zu x %zu as %s has, found %zu x %zu x %zu", path,
                    want[0], want[1], want[2], plan->options->bold, have[0], have[1], have[2]);
        return false;
    }
    if (image->n_time != 1) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected a 3-D image, found %zu frames",
                    path, image->n_time);
        return false;
    }
    if (!image_grid_equal(&plan->grid, image->grid, GRID_TOLERANCE_MM)) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: affine: expected that of %s to 0.001 mm, found another", path,
                    plan->options->bold);
        return false;
    }
    return true;
}

// The values of a 3-D image on the grid of the run. Owned.
static double *read_volume(const struct run_plan *plan, const char *path, GError **error)
{
    g_autoptr(owned_recording) image = recording_open(path, &plan->host->io, error);
    if (image == NULL || !grids_match(plan, path, image, error) ||
        !recording_read(image, NULL, 0, 1, &plan->host->io, error))
        return NULL;
    double *values = g_try_new(double, plan->n_grid);
    if (values == NULL)
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", path);
    else
        recording_values(image, 0, 0, plan->n_grid, values);
    return values;
}

bool run_plan_mask(struct run_plan *plan, GError **error)
{
    const char *path = plan->options->mask;
    plan->makes_mask = plan->options->auto_mask;
    plan->n_inside = plan->n_grid;
    if (path == NULL)
        return true;
    g_autofree double *values = read_volume(plan, path, error);
    if (values == NULL)
        return false;
    // What is non-zero and finite is inside.
    plan->mask = g_new(uint8_t, plan->n_grid);
    plan->n_inside = 0;
    for (size_t i = 0; i < plan->n_grid; i++) {
        plan->mask[i] = isfinite(values[i]) && values[i] != 0.0;
        plan->n_inside += plan->mask[i];
    }
    if (plan->n_inside > 0)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected voxels that are not zero, found none", path);
    return false;
}

bool run_plan_lambda_map(struct run_plan *plan, GError **error)
{
    const char *path = plan->options->lambda_map;
    if (path == NULL)
        return true;
    plan->lambda_map = read_volume(plan, path, error);
    return plan->lambda_map != NULL;
}
