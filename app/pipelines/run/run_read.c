// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run.h"

#include "app/host/hash.h"
#include "deconv/automask.h"

#include <sys/stat.h>

/** Reading and hashing of the input, side by side. */
struct reading {
    struct run *run;
    double *mean;    // for the mask: one a voxel of the grid, else NULL
    uint8_t *varies; //
    bool read;
    GError *error; // owned until taken
};

static bool pass_over_samples(struct reading *reading)
{
    struct run *run = reading->run;
    const struct io_context *io = &run->host->io;
    if (reading->mean == NULL)
        return recording_read(run->recording, run->mask, run->n_drop, run->n_read, io,
                              &reading->error);
    struct recording_summary summary;
    return recording_scan(run->recording, &summary, reading->mean, reading->varies, io,
                          &reading->error);
}

static void read_or_hash(void *data, size_t index, G_GNUC_UNUSED struct workspace *ws)
{
    struct reading *reading = data;
    struct run_input *bold = g_ptr_array_index(reading->run->inputs, 0);
    if (index == 0)
        reading->read = pass_over_samples(reading);
    else
        bold->sha256 = hash_file(bold->path, reading->run->host->stop);
}

// The first pass over the file: one thread reads it, another one hashes it.
static bool first_pass(struct reading *reading, GError **error)
{
    const struct host *host = reading->run->host;
    g_autoptr(owned_parallel) pair = parallel_new(MIN(host->jobs, 2), host->stop);
    parallel_for(pair, 2, read_or_hash, reading);
    if (reading->error != NULL) {
        g_propagate_error(error, reading->error);
        return false;
    }
    return !host_stopped(host, error);
}

static bool make_mask(struct run *run, GError **error)
{
    g_autofree double *mean = g_try_new(double, run->n_grid);
    g_autofree uint8_t *varies = g_try_new(uint8_t, run->n_grid);
    if (mean == NULL || varies == NULL) {
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", run->input);
        return false;
    }
    host_progress_begin(run->host, "mask");
    struct reading reading = {.run = run, .mean = mean, .varies = varies};
    if (!first_pass(&reading, error))
        return false;
    run->mask = g_new(uint8_t, run->n_grid);
    run->n_series = automask(mean, varies, run->recording->grid->dim, run->mask);
    if (run->n_series == 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected voxels that vary, found none for a mask (--mask none takes all)",
                    run->input);
        return false;
    }
    double share = (double) run->n_series / (double) run->n_grid;
    if (share > 0.95 || share < 0.01)
        run_warn(run, "%s: the mask that was made has %.3g %% of the grid", run->input,
                 100.0 * share);
    return true;
}

static bool unchanged(const struct run_input *input, GError **error)
{
    struct stat status;
    bool same =
        stat(input->path, &status) == 0 && (guint64) status.st_size == input->size &&
        (gint64) status.st_mtim.tv_sec * G_GINT64_CONSTANT(1000000000) + status.st_mtim.tv_nsec ==
            input->mtime_ns;
    if (!same)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected it to stay as it is, found it changed while it was read",
                    input->path);
    return same;
}

bool run_read(struct run *run, GError **error)
{
    if (run->mask_is_made && (!make_mask(run, error) || !run_check_memory(run, error)))
        return false;
    host_progress_begin(run->host, "read");
    struct reading reading = {.run = run};
    bool read = run->mask_is_made ? recording_read(run->recording, run->mask, run->n_drop,
                                                   run->n_read, &run->host->io, error)
                                  : first_pass(&reading, error);
    host_progress_end(run->host);
    if (read)
        run_warn_of_recording(run);
    if (!read || !run_check_lambda_map(run, error))
        return false;
    for (guint i = 0; i < run->inputs->len; i++) {
        struct run_input *input = g_ptr_array_index(run->inputs, i);
        if (input->sha256 == NULL)
            input->sha256 = hash_file(input->path, run->host->stop);
        if (!unchanged(input, error))
            return false;
    }
    return !host_stopped(run->host, error);
}
