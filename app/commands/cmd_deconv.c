// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/run/run.h"
#include "app/settings/deconv_options.h"
#include "app/settings/tables.h"
#include "io/staging.h"

#include <stdio.h>

static void print_summary(const struct run *run)
{
    const struct run_plan *plan = run->plan;
    const struct outcome *outcome = &run->outcome;
    const size_t *counts = outcome->counts;
    const char *stem = plan->files->stem;
    app_tell("%s: %zu %s, %zu frames every %g s (%s)\n", stem, run->n_series,
             run->parcels == NULL ? "voxels" : "parcels", plan->n_time, plan->tr_s,
             plan->metadata->source);
    printf("  solved %zu, constant %zu, nonfinite %zu, inaccurate %zu; largest relative gap %.2g\n",
           counts[SERIES_SOLVED], counts[SERIES_CONSTANT], counts[SERIES_NONFINITE],
           counts[SERIES_INACCURATE], outcome->relative_gap.max);
    printf("  lambda %.4g to %.4g, median %.4g; %g jumps in the median series\n",
           outcome->lambda.min, outcome->lambda.max, outcome->lambda.median, outcome->jumps.median);
    printf("  read %.2f s, solved in %.2f s, written in %.2f s, %.2f s in all\n", run->seconds.read,
           run->seconds.solve, run->seconds.write, run->seconds.total);
    app_tell("  %s/%s_desc-taut_report.html\n", plan->options->folder, stem);
}

static bool deconvolve(struct app *app, const struct run_options *options, GError **error)
{
    staging_sweep(options->folder);
    g_autoptr(owned_run_files) files = run_files_new(options);
    g_autoptr(owned_run_plan) plan = run_plan_new(&app->host, files, app->host.force, error);
    g_autoptr(owned_run) run = plan == NULL ? NULL : run_execute(plan, error);
    if (run == NULL)
        return false;
    if (options->strict && run->outcome.counts[SERIES_INACCURATE] > 0)
        app->outcome = EXIT_STRICT;
    if (app->json) {
        JsonObject *object = run_to_json(run);
        json_object_set_string_member(object, "command", "deconv");
        app_print_json(object);
    } else
        print_summary(run);
    return true;
}

bool cmd_deconv(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct run_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &deconv_options, NULL, argc, argv, error);
    return options != NULL && deconv_options_fill(options, &given, error) &&
           deconvolve(app, &given, error);
}
