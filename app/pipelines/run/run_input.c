// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

static const double GRID_TOLERANCE_MM = 1e-3;

void run_add_input(struct run *run, const char *role, const char *path)
{
    struct run_input *input = g_new0(struct run_input, 1);
    input->role = role;
    input->path = g_strdup(path);
    struct stat status;
    if (g_stat(path, &status) == 0) {
        input->size = (guint64) status.st_size;
        input->mtime_ns =
            (gint64) status.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + status.st_mtim.tv_nsec;
    }
    g_ptr_array_add(run->inputs, input);
}

// What was left out is no input.
static void forget_sidecars(struct run *run)
{
    for (guint i = run->inputs->len; i-- > 0;) {
        const struct run_input *input = g_ptr_array_index(run->inputs, i);
        if (g_str_has_prefix(input->role, "sidecar"))
            g_ptr_array_remove_index(run->inputs, i);
    }
}

// Side-cars and repetition time.
static bool plan_metadata(struct run *run, GError **error)
{
    const struct settings *settings = run->settings;
    double given_s =
        settings->text[SETTING_TR] == NULL ? 0.0 : settings_number(settings, SETTING_TR);
    bool named = settings_names_file(settings, SETTING_SIDECAR);
    run->metadata =
        metadata_new(run->recording, named ? run_input_path(run, "sidecar") : NULL, given_s, error);
    if (run->metadata == NULL)
        return false;
    for (guint i = 0; i < run->metadata->warnings->len; i++)
        run_warn(run, "%s: %s", run->input,
                 (const char *) g_ptr_array_index(run->metadata->warnings, i));
    if (run->metadata->json == NULL)
        forget_sidecars(run);
    run->tr_s = run->metadata->tr_s;
    return true;
}

static bool plan_frames(struct run *run, GError **error)
{
    size_t n_file = run->recording->n_time;
    run->n_drop = settings_count(run->settings, SETTING_DROP);
    if (run->n_drop >= n_file) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: frames: expected more than the %zu to drop, found %zu", run->input,
                    run->n_drop, n_file);
        return false;
    }
    run->n_read = n_file - run->n_drop;
    double first = 0.0, count = -1.0;
    if (run->settings->text[SETTING_FRAMES] != NULL)
        settings_range(run->settings, SETTING_FRAMES, &first, &count);
    run->first = (size_t) first;
    bool fits = run->first < run->n_read;
    run->n_time = !fits ? 0 : count < 0.0 ? run->n_read - run->first : (size_t) count;
    if (!fits || run->n_time > run->n_read - run->first) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: frames: expected %s of them, found %zu",
                    run->input, run->settings->text[SETTING_FRAMES], run->n_read);
        return false;
    }
    if (run->n_time >= 2)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: frames: expected at least 2, found %zu",
                run->input, run->n_time);
    return false;
}

void run_warn_of_recording(struct run *run)
{
    const GPtrArray *warnings = run->recording->warnings;
    for (; run->n_warned < warnings->len; run->n_warned++)
        run_warn(run, "%s: %s", run->input,
                 (const char *) g_ptr_array_index(warnings, run->n_warned));
}

bool run_plan_input(struct run *run, GError **error)
{
    run->recording = recording_open(run->input, &run->host->io, error);
    if (run->recording == NULL)
        return false;
    if (run->recording->grid == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected an image, found an array (taut solve tv takes arrays)",
                    run->input);
        return false;
    }
    run->n_grid = run->recording->n_series;
    run_warn_of_recording(run);
    return plan_metadata(run, error) && plan_frames(run, error);
}

static bool grids_match(const struct run *run, const char *path, const struct recording *image,
                        GError **error)
{
    const size_t *want = run->recording->grid->dim;
    if (image->grid == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected an image, found an array",
                    path);
        return false;
    }
    const size_t *have = image->grid->dim;
    if (memcmp(want, have, sizeof image->grid->dim) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: grid: expected %zu x %zu x %zu as %s has, found %zu x %zu x %zu", path,
                    want[0], want[1], want[2], run->input, have[0], have[1], have[2]);
        return false;
    }
    if (image->n_time != 1) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected a 3-D image, found %zu frames",
                    path, image->n_time);
        return false;
    }
    if (!image_grid_equal(run->recording->grid, image->grid, GRID_TOLERANCE_MM)) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: affine: expected that of %s to 0.001 mm, found another", path, run->input);
        return false;
    }
    return true;
}

// The values of a 3-D image on the grid of the run. Owned.
static double *read_volume(const struct run *run, const char *path, GError **error)
{
    g_autoptr(owned_recording) image = recording_open(path, &run->host->io, error);
    if (image == NULL || !grids_match(run, path, image, error) ||
        !recording_read(image, NULL, 0, 1, &run->host->io, error))
        return NULL;
    double *values = g_try_new(double, run->n_grid);
    if (values == NULL)
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", path);
    else
        recording_values(image, 0, 0, run->n_grid, values);
    return values;
}

const char *run_input_path(const struct run *run, const char *role)
{
    for (guint i = 0; i < run->inputs->len; i++) {
        const struct run_input *input = g_ptr_array_index(run->inputs, i);
        if (g_str_equal(input->role, role))
            return input->path;
    }
    return NULL;
}

bool run_plan_mask(struct run *run, GError **error)
{
    run->n_series = run->n_grid;
    run->mask_is_made = settings_is(run->settings, SETTING_MASK, "auto");
    const char *path = run_input_path(run, "mask");
    if (path == NULL)
        return true;
    g_autofree double *values = read_volume(run, path, error);
    if (values == NULL)
        return false;
    // What is non-zero and finite is inside.
    run->mask = g_new(uint8_t, run->n_grid);
    run->n_series = 0;
    for (size_t i = 0; i < run->n_grid; i++) {
        run->mask[i] = isfinite(values[i]) && values[i] != 0.0;
        run->n_series += run->mask[i];
    }
    if (run->n_series > 0)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected voxels that are not zero, found none", path);
    return false;
}

bool run_plan_lambda_map(struct run *run, GError **error)
{
    const char *path = run_input_path(run, "lambda");
    if (path == NULL)
        return true;
    run->lambda_map = read_volume(run, path, error);
    return run->lambda_map != NULL;
}

bool run_check_lambda_map(const struct run *run, GError **error)
{
    const size_t *dim = run->recording->grid->dim;
    for (size_t v = 0; run->lambda_map != NULL && v < run->n_series; v++) {
        size_t i = run->recording->voxel[v];
        double lambda = run->lambda_map[i];
        if (isfinite(lambda) && lambda >= 0.0)
            continue;
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: voxel %zu,%zu,%zu: expected a lambda from 0 on, found %g",
                    run_input_path(run, "lambda"), i % dim[0], i / dim[0] % dim[1],
                    i / dim[0] / dim[1], lambda);
        return false;
    }
    return true;
}
