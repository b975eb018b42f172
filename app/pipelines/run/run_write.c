// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run.h"

#include "app/pipelines/outputs/record.h"
#include "app/pipelines/outputs/staging.h"
#include "app/report/html_report.h"
#include "io/publish.h"
#include "io/sidecar.h"
#include "io/writer_nifti.h"

#include <string.h>

/** A 4-D image: one sample a frame and series, from what a pass left. */
struct series_image {
    const char *name; // in --save and in the file's name
    const char *description;
    bool is_activity; // n_in frames, else n_time
    double (*sample)(const struct run *run, size_t t, size_t v);
};

static double activity(const struct run *run, size_t t, size_t v)
{
    const struct recording *recording = run->recording;
    size_t at = t * run->n_series + v;
    return recording->type == SAMPLE_FLOAT ? (double) recording->samples.f[at]
                                           : recording->samples.d[at];
}

static double innovation(const struct run *run, size_t t, size_t v)
{
    return t == 0 ? 0.0 : activity(run, t, v) - activity(run, t - 1, v);
}

static double fitted(const struct run *run, size_t t, size_t v)
{
    return (double) run->fitted[t * run->n_series + v];
}

static double residual(const struct run *run, size_t t, size_t v)
{
    return (double) run->residual[t * run->n_series + v];
}

static double debiased(const struct run *run, size_t t, size_t v)
{
    return (double) run->debiased[t * run->n_series + v];
}

static const struct series_image series_images[] = {
    {"activity", "Neural activity u, the minimiser of 1/2 ||y - h * u||^2 + lambda TV(u)", true,
     activity},
    {"debiased", "Activity with its levels refitted by least squares where u is constant", true,
     debiased},
    {"innovation", "First difference of the activity, u(t) - u(t-1); 0 in the first frame", true,
     innovation},
    {"fitted", "Response to the activity, h * u", false, fitted},
    {"residual", "Cleaned series less the response to the activity, y - h * u", false, residual},
};

static bool is_wanted(const struct run *run, const struct series_image *image)
{
    if (image->sample == debiased)
        return settings_flag(run->settings, SETTING_DEBIAS);
    return settings_includes(run->settings, SETTING_SAVE, image->name);
}

/** A 3-D map: one number a series. */
struct map_image {
    const char *name;
    const char *description;
    const char *unit;
    enum html_report_map map;
    enum image_type type;
    double (*value)(const struct series_result *result);
};

static double map_status(const struct series_result *result)
{
    return (double) result->status;
}

static double map_lambda(const struct series_result *result)
{
    return result->lambda;
}

static double map_lambda_max(const struct series_result *result)
{
    return result->lambda_max;
}

static double map_gap(const struct series_result *result)
{
    return result->relative_gap;
}

static double map_jumps(const struct series_result *result)
{
    return (double) result->n_jumps;
}

static const struct map_image map_images[] = {
    {"gap", "Duality gap relative to the objective of the best constant", "1", HTML_REPORT_GAP,
     IMAGE_FLOAT32, map_gap},
    {"jumps", "Number of changes of the activity", "1", HTML_REPORT_JUMPS, IMAGE_FLOAT32,
     map_jumps},
    {"lambda", "Weight of the total variation", "arbitrary", HTML_REPORT_LAMBDA, IMAGE_FLOAT32,
     map_lambda},
    {"lambdamax", "Smallest lambda whose solution is constant", "arbitrary", HTML_REPORT_LAMBDA_MAX,
     IMAGE_FLOAT32, map_lambda_max},
    {"status", "0 outside, 1 solved, 2 constant, 3 nonfinite, 4 inaccurate", "1",
     HTML_REPORT_STATUS, IMAGE_INT16, map_status},
};

static void add_pair(GPtrArray *names, const struct run *run, const char *ending)
{
    g_ptr_array_add(names, g_strdup_printf("%s_%s.nii.gz", run->stem, ending));
    g_ptr_array_add(names, g_strdup_printf("%s_%s.json", run->stem, ending));
}

GPtrArray *run_output_names(const struct run *run)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(series_images); i++) {
        g_autofree char *ending = g_strdup_printf("desc-%s_bold", series_images[i].name);
        if (is_wanted(run, &series_images[i]))
            add_pair(names, run, ending);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(map_images); i++) {
        g_autofree char *ending = g_strdup_printf("stat-%s_boldmap", map_images[i].name);
        add_pair(names, run, ending);
    }
    if (settings_is(run->settings, SETTING_MASK, "auto"))
        add_pair(names, run, "desc-auto_mask");
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_config.ini", run->stem));
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_report.html", run->stem));
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_report.json", run->stem));
    g_ptr_array_add(names, record_name(run->stem));
    return names;
}

/** What writes the images of a run. */
struct output {
    struct run *run;
    struct staging *staging;
    size_t n_images; // written so far
    size_t n_all;
    float *maps[HTML_REPORT_N_MAPS]; // owned; each n_grid
};

// Where the output STEM_ENDING is to be written.
static const char *stage(struct output *output, const char *ending)
{
    g_autofree char *name = g_strconcat(output->run->stem, "_", ending, NULL);
    return staging_add(output->staging, name);
}

// The first series at or after a voxel of the grid.
static size_t first_series(const struct run *run, size_t voxel)
{
    size_t low = 0, high = run->n_series;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->recording->voxel[middle] < voxel)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/** The data of a fill callback. */
struct filling {
    const struct run *run;
    const struct series_image *image;
};

static void fill_series(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct filling *filling = data;
    const struct run *run = filling->run;
    const size_t *voxel = run->recording->voxel;
    memset(values, 0, count * sizeof *values);
    for (size_t v = first_series(run, first); v < run->n_series && voxel[v] < first + count; v++)
        values[voxel[v] - first] = (float) filling->image->sample(run, t, v);
}

static void fill_volume(void *data, G_GNUC_UNUSED size_t t, size_t first, size_t count,
                        float *values)
{
    memcpy(values, (const float *) data + first, count * sizeof *values);
}

// io's view of the progress of one image becomes that of all.
static bool go_on(void *data, double fraction)
{
    const struct output *output = data;
    const struct host *host = output->run->host;
    host_progress(host, ((double) output->n_images + fraction) / (double) output->n_all);
    return !atomic_load(host->stop);
}

static bool write_image(struct output *output, const char *path, const struct image *image,
                        GError **error)
{
    struct io_context io = output->run->host->io;
    io.compression = (int) settings_count(output->run->settings, SETTING_COMPRESSION);
    io.go_on = go_on;
    io.progress = output;
    bool written = writer_nifti_write(path, image, true, &io, error);
    output->n_images++;
    return written;
}

static bool write_sidecar(const char *path, JsonObject *object, GError **error)
{
    g_autoptr(JsonObject) owned = object;
    return sidecar_write(path, owned, true, error);
}

static bool write_series(struct output *output, const struct series_image *which, GError **error)
{
    struct run *run = output->run;
    struct filling filling = {run, which};
    struct image_grid grid = *run->recording->grid;
    grid.toffset_s += (double) (run->n_drop + run->first) * run->tr_s;
    struct image image = {.grid = &grid,
                          .n_frames = which->is_activity ? run->op->n_in : run->n_time,
                          .interval_s = run->tr_s,
                          .type = IMAGE_FLOAT32,
                          .scale = 1.0,
                          .fill = fill_series,
                          .data = &filling};
    g_autofree char *file = g_strdup_printf("desc-%s_bold.nii.gz", which->name);
    g_autofree char *sidecar = g_strdup_printf("desc-%s_bold.json", which->name);
    return write_image(output, stage(output, file), &image, error) &&
           write_sidecar(stage(output, sidecar),
                         run_series_sidecar(run, which->description, run_unit(run)), error);
}

static bool write_volume(struct output *output, const char *ending, const char *description,
                         const char *unit, const float *values, enum image_type type,
                         GError **error)
{
    struct run *run = output->run;
    struct image image = {.grid = run->recording->grid,
                          .n_frames = 1,
                          .type = type,
                          .scale = 1.0,
                          .fill = fill_volume,
                          .data = (void *) values};
    g_autofree char *file = g_strconcat(ending, ".nii.gz", NULL);
    g_autofree char *sidecar = g_strconcat(ending, ".json", NULL);
    return write_image(output, stage(output, file), &image, error) &&
           write_sidecar(stage(output, sidecar), run_map_sidecar(run, description, unit), error);
}

static bool write_map(struct output *output, const struct map_image *which, GError **error)
{
    const struct run *run = output->run;
    float *values = g_try_new0(float, run->n_grid);
    output->maps[which->map] = values;
    if (values == NULL) {
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", run->input);
        return false;
    }
    for (size_t v = 0; v < run->n_series; v++)
        values[run->recording->voxel[v]] = (float) which->value(&run->results[v]);
    g_autofree char *ending = g_strdup_printf("stat-%s_boldmap", which->name);
    return write_volume(output, ending, which->description, which->unit, values, which->type,
                        error);
}

static bool write_mask(struct output *output, GError **error)
{
    const struct run *run = output->run;
    g_autofree float *values = g_new0(float, run->n_grid);
    for (size_t v = 0; v < run->n_series; v++)
        values[run->recording->voxel[v]] = 1.0F;
    return write_volume(output, "desc-auto_mask", "Voxels that were deconvolved", "1", values,
                        IMAGE_INT16, error);
}

char *run_config(const struct run *run)
{
    g_autofree char *comment =
        g_strdup_printf("The settings of %s, taut %s. `taut run` on this file makes it again.\n"
                        "The repetition time was %g s, from the %s.",
                        run->stem, TAUT_VERSION, run->tr_s, run->metadata->source);
    return settings_dump(run->settings, comment);
}

static bool write_config(struct output *output, GError **error)
{
    g_autofree char *text = run_config(output->run);
    const char *path = stage(output, "desc-taut_config.ini");
    return publish_bytes(path, text, strlen(text), true, error);
}

static bool write_images(struct output *output, GError **error)
{
    const struct run *run = output->run;
    for (size_t i = 0; i < G_N_ELEMENTS(series_images); i++)
        if (is_wanted(run, &series_images[i]) && !write_series(output, &series_images[i], error))
            return false;
    for (size_t i = 0; i < G_N_ELEMENTS(map_images); i++)
        if (!write_map(output, &map_images[i], error))
            return false;
    return !run->mask_is_made || write_mask(output, error);
}

static bool write_report(struct output *output, GError **error)
{
    const char *path = stage(output, "desc-taut_report.html");
    stage(output, "desc-taut_report.json"); // written with it
    return run_write_report(output->run, path, (const float *const *) output->maps,
                            staging_names(output->staging), error);
}

static bool publish(struct output *output, GError **error)
{
    struct run *run = output->run;
    const GPtrArray *names = staging_names(output->staging);
    if (host_stopped(run->host, error) || !record_write(run, false, names, error) ||
        !staging_commit(output->staging, error) || !record_write(run, true, names, error))
        return false;
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(run->outputs,
                        g_build_filename(run->folder, g_ptr_array_index(names, i), NULL));
    g_autofree char *record = record_name(run->stem);
    g_ptr_array_add(run->outputs, g_build_filename(run->folder, record, NULL));
    return true;
}

bool run_write(struct run *run, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(owned_staging) staging = staging_new(run->folder, error);
    if (staging == NULL)
        return false;
    publish_sweep(run->folder);
    struct output output = {.run = run, .staging = staging};
    for (size_t i = 0; i < G_N_ELEMENTS(series_images); i++)
        output.n_all += is_wanted(run, &series_images[i]);
    output.n_all += G_N_ELEMENTS(map_images) + run->mask_is_made;
    host_progress_begin(run->host, "write");
    bool written = write_images(&output, &problem) && write_config(&output, &problem) &&
                   write_report(&output, &problem) && publish(&output, &problem);
    host_progress_end(run->host);
    for (size_t i = 0; i < HTML_REPORT_N_MAPS; i++)
        g_free(output.maps[i]);
    if (!written)
        staging_propagate(staging, error, g_steal_pointer(&problem));
    return written;
}
