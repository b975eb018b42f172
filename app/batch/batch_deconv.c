// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch.h"
#include "app/pipelines/outputs/stem.h"
#include "app/pipelines/run/run.h"
#include "app/pipelines/run/run_images.h"
#include "app/settings/deconv_options.h"
#include "app/settings/tables.h"

static bool is_done(const struct host *host, const struct run_files *files)
{
    struct record record = run_files_record(files, files->inputs);
    g_autoptr(GPtrArray) names = run_image_names(files);
    return record_is_current(&record, names, host);
}

// What stands beside a record is ours: a redo replaces it.
static bool may_overwrite(const struct host *host, const struct run_files *files)
{
    struct record record = run_files_record(files, files->inputs);
    return host->force || record_exists(&record);
}

static void tell(const struct host *host, struct batch_unit *unit, const struct run *run)
{
    batch_unit_tell(unit, run_to_json(run));
    unit->missed = run->plan->options->strict && run->outcome.counts[SERIES_INACCURATE] > 0;
    host_info(host, "%s: %zu of %zu series solved, largest relative gap %.2g, %.2f s",
              run->plan->files->stem, run->outcome.counts[SERIES_SOLVED], run->n_series,
              run->outcome.relative_gap.max, run->seconds.total);
}

static bool run_unit(const struct host *host, struct batch_unit *unit, bool dry_run, GError **error)
{
    struct run_options options;
    if (!deconv_options_fill(unit->options, &options, error))
        return false;
    g_autoptr(owned_run_files) files = run_files_new(&options);
    if (!host->force && is_done(host, files)) {
        unit->state = BATCH_SKIPPED;
        return true;
    }
    g_autoptr(owned_run_plan) plan = run_plan_new(host, files, may_overwrite(host, files), error);
    if (plan == NULL)
        return false;
    unit->state = BATCH_READY;
    if (dry_run)
        return true;
    g_autoptr(owned_run) run = run_execute(plan, error);
    if (run == NULL)
        return false;
    unit->state = BATCH_DONE;
    tell(host, unit, run);
    return true;
}

const struct batch_job batch_deconv = {&deconv_options, stem_of, run_unit};
