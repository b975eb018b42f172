// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_doubts.h"
#include "app/pipelines/run/run_parcels.h"

#include "app/host/hash.h"
#include "deconv/automask.h"

#include <math.h>

/** Reading and hashing of the input, side by side. */
struct reading {
    struct run *run;
    const struct recording_moments *moments; // for the mask; else NULL
    bool read;
    GError *error;      // owned until taken
    GError *hash_error; // owned until taken
};

static bool pass_over_samples(struct reading *reading)
{
    struct run *run = reading->run;
    const struct io_context *io = &run->plan->host->io;
    if (reading->moments == NULL)
        return recording_read(run->recording, run->mask, run->plan->n_drop, run->plan->n_read, io,
                              &reading->error);
    struct recording_summary summary;
    return recording_scan(run->recording, &summary, reading->moments, io, &reading->error);
}

static void read_or_hash(void *data, size_t index, G_GNUC_UNUSED struct workspace *ws)
{
    struct reading *reading = data;
    struct run *run = reading->run;
    if (index == 0)
        reading->read = pass_over_samples(reading);
    else
        run->sha256[0] =
            hash_file(run->plan->options->bold, run->plan->host->stop, &reading->hash_error);
}

// The first pass over the file: one thread reads it, another one hashes it.
static bool first_pass(struct reading *reading, GError **error)
{
    const struct host *host = reading->run->plan->host;
    g_autoptr(owned_parallel) pair = parallel_new(MIN(host->jobs, 2), host->stop);
    parallel_for(pair, 2, read_or_hash, reading);
    if (reading->error != NULL) {
        g_clear_error(&reading->hash_error);
        g_propagate_error(error, reading->error);
        return false;
    }
    if (reading->hash_error != NULL) {
        g_propagate_error(error, reading->hash_error);
        return false;
    }
    return !host_stopped(host, error);
}

static void warn_of_basis(struct run *run, enum automask_basis basis)
{
    static const char *const reasons[] = {
        [AUTOMASK_NO_MEAN] = "the mean is small beside the variation, as of data that were "
                             "standardised or are residuals",
        [AUTOMASK_NO_BACKGROUND] = "nothing around a brain is darker than it"};
    if (basis != AUTOMASK_MEAN)
        run_warn(run, "%s: %s: all %zu voxels of %zu that vary are taken (--mask FILE)",
                 run->plan->options->bold, reasons[basis], run->n_series, run->plan->n_grid);
}

static bool make_mask(struct run *run, GError **error)
{
    const struct run_plan *plan = run->plan;
    g_autofree double *mean = g_try_new(double, plan->n_grid);
    g_autofree double *sd = g_try_new(double, plan->n_grid);
    g_autofree uint8_t *varies = g_try_new(uint8_t, plan->n_grid);
    const struct recording_moments moments = {mean, sd, varies};
    if (mean == NULL || sd == NULL || varies == NULL) {
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", plan->options->bold);
        return false;
    }
    host_progress_begin(plan->host, "mask");
    struct reading reading = {.run = run, .moments = &moments};
    if (!first_pass(&reading, error))
        return false;
    run->made_mask = g_new(uint8_t, plan->n_grid);
    run->mask = run->made_mask;
    const struct automask_input input = {plan->grid.dim, mean, sd, varies};
    enum automask_basis basis;
    run->n_series = automask(&input, run->made_mask, &basis);
    if (run->n_series == 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected voxels that vary, found none for a mask (--mask none takes all)",
                    run->plan->options->bold);
        return false;
    }
    warn_of_basis(run, basis);
    double share = (double) run->n_series / (double) plan->n_grid;
    if (basis == AUTOMASK_MEAN && (share > 0.95 || share < 0.01))
        run_warn(run, "%s: the mask that was made has %.3g %% of the grid", plan->options->bold,
                 100.0 * share);
    return true;
}

static bool check_lambda_map(const struct run *run, GError **error)
{
    const struct run_plan *plan = run->plan;
    const size_t *dim = plan->grid.dim;
    for (size_t v = 0; plan->lambda_map != NULL && v < run->n_series; v++) {
        size_t i = run->recording->voxel[v];
        double lambda = plan->lambda_map[i];
        if (isfinite(lambda) && lambda >= 0.0)
            continue;
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: voxel %zu,%zu,%zu: expected a lambda from 0 on, found %g",
                    plan->options->lambda_map, i % dim[0], i / dim[0] % dim[1], i / dim[0] / dim[1],
                    lambda);
        return false;
    }
    return true;
}

static bool read_samples(struct run *run, GError **error)
{
    const struct run_plan *plan = run->plan;
    host_progress_begin(plan->host, "read");
    struct reading reading = {.run = run};
    bool read = plan->makes_mask ? recording_read(run->recording, run->mask, plan->n_drop,
                                                  plan->n_read, &plan->host->io, error)
                                 : first_pass(&reading, error);
    host_progress_end(plan->host);
    // Those of the header were told while planning.
    const GPtrArray *warnings = run->recording->warnings;
    for (guint i = plan->n_warnings; read && i < warnings->len; i++)
        run_warn(run, "%s: %s", plan->options->bold, (const char *) g_ptr_array_index(warnings, i));
    return read;
}

bool run_read(struct run *run, GError **error)
{
    const struct run_plan *plan = run->plan;
    run->recording = recording_open(plan->options->bold, &plan->host->io, error);
    if (run->recording == NULL ||
        (plan->makes_mask &&
         (!make_mask(run, error) || !run_plan_check_memory(plan, run->n_series, error))) ||
        !read_samples(run, error) || !run_pool(run, error) || !run_check_base(run, error) ||
        !check_lambda_map(run, error))
        return false;
    for (guint i = 0; i < plan->inputs->len; i++) {
        const struct input_file *input = g_ptr_array_index(plan->inputs, i);
        if (run->sha256[i] == NULL)
            run->sha256[i] = hash_file(input->path, plan->host->stop, error);
        if (run->sha256[i] == NULL || !input_file_unchanged(input, error))
            return false;
    }
    return !host_stopped(plan->host, error);
}
