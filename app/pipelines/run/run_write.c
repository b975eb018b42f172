// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run.h"

#include "app/pipelines/run/run_images.h"
#include "app/pipelines/run/run_parcels.h"
#include "io/publish.h"
#include "io/sidecar.h"
#include "io/staging.h"

#include <string.h>

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
    g_autofree char *name = g_strconcat(output->run->plan->files->stem, "_", ending, NULL);
    return staging_add(output->staging, name, output->run->plan->overwrites);
}

// The first painted voxel at or after one of the grid.
static size_t first_painted(const struct run *run, size_t voxel)
{
    size_t low = 0, high = run_n_painted(run);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run_painted_voxel(run, middle) < voxel)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/** The data of a fill callback. */
struct filling {
    const struct run *run;
    const struct run_series_image *image;
};

static void fill_series(void *data, size_t t, size_t first, size_t count, float *values)
{
    const struct filling *filling = data;
    const struct run *run = filling->run;
    size_t n = run_n_painted(run);
    memset(values, 0, count * sizeof *values);
    for (size_t i = first_painted(run, first); i < n && run_painted_voxel(run, i) < first + count;
         i++)
        values[run_painted_voxel(run, i) - first] =
            (float) filling->image->sample(run, t, run_painted_series(run, i));
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
    const struct host *host = output->run->plan->host;
    host_progress(host, ((double) output->n_images + fraction) / (double) output->n_all);
    return !atomic_load(host->stop);
}

static bool write_image(struct output *output, const char *path, const struct image *image,
                        GError **error)
{
    struct io_context io = output->run->plan->host->io;
    io.compression = output->run->plan->options->compression;
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

// The series of parcels are a table in the place of an image.
static bool write_table(struct output *output, const struct run_series_image *which, GError **error)
{
    struct run *run = output->run;
    size_t n_frames = which->is_activity ? run->plan->op->n_in : run->plan->n_time;
    g_autofree char *entity = run_atlas_entity(run->plan->options);
    g_autofree char *file = g_strdup_printf("%s_desc-%s_timeseries.tsv", entity, which->name);
    g_autofree char *sidecar = g_strdup_printf("%s_desc-%s_timeseries.json", entity, which->name);
    g_autofree char *text = run_parcels_table(run, n_frames, which->sample);
    return publish_bytes(stage(output, file), text, strlen(text), true, error) &&
           write_sidecar(stage(output, sidecar),
                         run_series_sidecar(run, which->description, run_plan_unit(run->plan)),
                         error);
}

static bool write_series(struct output *output, const struct run_series_image *which,
                         GError **error)
{
    if (output->run->parcels != NULL)
        return write_table(output, which, error);
    struct run *run = output->run;
    struct filling filling = {run, which};
    const struct run_plan *plan = run->plan;
    struct image_grid grid = plan->grid;
    grid.toffset_s += (double) (plan->n_drop + plan->first) * plan->tr_s;
    struct image image = {.grid = &grid,
                          .n_frames = which->is_activity ? plan->op->n_in : plan->n_time,
                          .is_series = true,
                          .interval_s = plan->tr_s,
                          .type = IMAGE_FLOAT32,
                          .scale = 1.0,
                          .fill = fill_series,
                          .data = &filling};
    g_autofree char *file = g_strdup_printf("desc-%s_bold.nii.gz", which->name);
    g_autofree char *sidecar = g_strdup_printf("desc-%s_bold.json", which->name);
    return write_image(output, stage(output, file), &image, error) &&
           write_sidecar(stage(output, sidecar),
                         run_series_sidecar(run, which->description, run_plan_unit(run->plan)),
                         error);
}

static bool write_volume(struct output *output, const char *ending, const char *description,
                         const char *unit, const float *values, enum image_type type,
                         GError **error)
{
    struct run *run = output->run;
    struct image image = {.grid = &run->plan->grid,
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

static bool write_map(struct output *output, const struct run_map_image *which, GError **error)
{
    const struct run *run = output->run;
    g_autofree float *values = g_try_new0(float, run->plan->n_grid);
    if (values == NULL) {
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory",
                    run->plan->options->bold);
        return false;
    }
    for (size_t i = 0; i < run->plan->n_grid && which->outside != 0.0F; i++)
        values[i] = which->outside;
    for (size_t i = 0; i < run_n_painted(run); i++)
        values[run_painted_voxel(run, i)] = (float) which->value(run, run_painted_series(run, i));
    g_autofree char *ending = g_strdup_printf("stat-%s_boldmap", which->name);
    bool written =
        write_volume(output, ending, which->description, which->unit, values, which->type, error);
    if (which->shown < HTML_REPORT_N_MAPS)
        output->maps[which->shown] = g_steal_pointer(&values);
    return written;
}

static bool write_mask(struct output *output, GError **error)
{
    const struct run *run = output->run;
    g_autofree float *values = g_new0(float, run->plan->n_grid);
    for (size_t v = 0; v < run->n_series; v++)
        values[run->recording->voxel[v]] = 1.0F;
    return write_volume(output, "desc-auto_mask", "Voxels that were deconvolved", "1", values,
                        IMAGE_INT16, error);
}

static bool write_config(struct output *output, GError **error)
{
    g_autofree char *text = run_plan_config(output->run->plan);
    const char *path = stage(output, "desc-taut_config.ini");
    return publish_bytes(path, text, strlen(text), true, error);
}

static bool write_events(struct output *output, GError **error)
{
    if (!output->run->plan->options->finds)
        return true;
    g_autofree char *text = run_events_table(output->run);
    return publish_bytes(stage(output, "events.tsv"), text, strlen(text), true, error);
}

static bool write_images(struct output *output, GError **error)
{
    const struct run_options *options = output->run->plan->options;
    for (size_t i = 0; i < run_n_series_images(); i++)
        if (run_series_is_wanted(options, &run_series_images[i]) &&
            !write_series(output, &run_series_images[i], error))
            return false;
    for (size_t i = 0; i < run_n_maps(); i++)
        if (run_map_is_wanted(options, &run_map_images[i]) &&
            !write_map(output, &run_map_images[i], error))
            return false;
    return !output->run->plan->makes_mask || write_mask(output, error);
}

static size_t count_images(const struct run_plan *plan)
{
    size_t n = plan->makes_mask;
    for (size_t i = 0; i < run_n_series_images() && plan->labels == NULL; i++)
        n += run_series_is_wanted(plan->options, &run_series_images[i]);
    for (size_t i = 0; i < run_n_maps(); i++)
        n += run_map_is_wanted(plan->options, &run_map_images[i]);
    return n;
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
    const struct run_plan *plan = run->plan;
    const GPtrArray *names = staging_names(output->staging);
    struct record record = run_files_record(plan->files, plan->inputs);
    g_autofree char *name = record_name(plan->files->stem);
    g_autoptr(GPtrArray) outputs = g_ptr_array_copy((GPtrArray *) names, NULL, NULL);
    const char *path = staging_add(output->staging, name, true); // the last to take its name
    g_autofree char *where = g_path_get_dirname(path);
    struct record_end end = {run->sha256, where, outputs, &run->outcome};
    if (host_stopped(plan->host, error) || !record_write(&record, path, &end, plan->host, error) ||
        !staging_commit(output->staging, error))
        return false;
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(run->outputs,
                        g_build_filename(plan->options->folder, g_ptr_array_index(names, i), NULL));
    return true;
}

bool run_write(struct run *run, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(owned_staging) staging = staging_new(run->plan->options->folder, error);
    if (staging == NULL)
        return false;
    struct output output = {.run = run, .staging = staging, .n_all = count_images(run->plan)};
    host_progress_begin(run->plan->host, "write");
    bool written = write_images(&output, &problem) && write_events(&output, &problem) &&
                   write_config(&output, &problem) && write_report(&output, &problem) &&
                   publish(&output, &problem);
    host_progress_end(run->plan->host);
    for (size_t i = 0; i < HTML_REPORT_N_MAPS; i++)
        g_free(output.maps[i]);
    if (!written)
        staging_propagate(staging, error, g_steal_pointer(&problem));
    return written;
}
