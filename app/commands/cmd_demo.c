// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/run/run.h"
#include "app/settings/deconv_options.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"
#include "app/simulate/phantom.h"
#include "solvers/median.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>

static const char run_name[] = "sub-sim_task-phantom_bold.nii.gz";
static const char mask_name[] = "sub-sim_task-phantom_desc-brain_mask.nii.gz";

static bool draw(struct app *app, const char *folder, uint64_t seed, struct phantom **phantom,
                 GError **error)
{
    g_autofree char *path = g_build_filename(folder, run_name, NULL);
    g_autoptr(GPtrArray) outputs = g_ptr_array_new_with_free_func(g_free);
    struct phantom_law law = phantom_law_default();
    law.snr_db = 6.0; // a good scan
    law.seed = seed;
    if (!phantom_check_outputs(path, app->host.force, error))
        return false;
    *phantom = phantom_new(&law, app->host.team, app->host.mem_limit, error);
    return *phantom != NULL && phantom_write(*phantom, path, IMAGE_INT16, app->host.force,
                                             &app->host.io, outputs, error);
}

// Of the run that was drawn.
static struct options *options_of(const char *folder)
{
    g_autofree char *bold = g_build_filename(folder, run_name, NULL);
    g_autofree char *mask = g_build_filename(folder, mask_name, NULL);
    struct options *options = options_new(&deconv_options);
    options_put_path(options_find_key(options, "input", "bold"), bold);
    options_put_path(options_find(options, "mask"), mask);
    options_put_path(options_find(options, "output"), folder);
    // as the truth: percent of the baseline
    options_put(options_find(options, "standardize"), "psc", NULL);
    return options;
}

// Pearson's correlation of the activity found in a series with the one that was drawn.
static double correlation(const struct run *run, size_t series, const double *truth)
{
    size_t n = run->plan->n_time;
    double sums[5] = {0.0};
    for (size_t t = 0; t < n; t++) {
        double u = run_activity(run, t, series);
        sums[0] += u;
        sums[1] += truth[t];
        sums[2] += u * u;
        sums[3] += truth[t] * truth[t];
        sums[4] += u * truth[t];
    }
    double covariance = sums[4] - sums[0] * sums[1] / (double) n;
    double variances =
        (sums[2] - sums[0] * sums[0] / (double) n) * (sums[3] - sums[1] * sums[1] / (double) n);
    return variances > 0.0 ? covariance / sqrt(variances) : 0.0;
}

/** How well activity was found in a region. */
struct match {
    const char *region;
    size_t n_voxels;
    double correlation; // the median of its voxels
};

static struct match match_region(const struct run *run, const struct phantom *phantom, size_t r)
{
    g_autofree double *found = g_new(double, run->n_series);
    size_t n = 0;
    for (size_t v = 0; v < run->n_series; v++)
        if (phantom->region[run->recording->voxel[v]] == r + 1)
            found[n++] = correlation(run, v, phantom->activity[r]);
    return (struct match){phantom_regions[r].name, n, median(found, n)};
}

static void print_tour(const struct run *run, const struct match *matches)
{
    const struct outcome *outcome = &run->outcome;
    app_tell("%s/%s_desc-taut_report.html\n", run->plan->options->folder, run->plan->files->stem);
    puts("\nOpen it and look at");
    printf("  the certificates: %zu of %zu voxels solved, largest relative gap %.1e\n",
           outcome->counts[SERIES_SOLVED], run->n_series, outcome->relative_gap.max);
    printf("  the maps: the response is strongest in the %d regions that were given activity\n",
           PHANTOM_N_REGIONS);
    printf("  the time courses: the activity found, beside what was drawn, correlates");
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++)
        printf("%s %.2f (%s)", r == 0 ? "" : ",", matches[r].correlation, matches[r].region);
    putchar('\n');
}

static void print_json(const struct run *run, const struct match *matches)
{
    JsonObject *object = run_to_json(run);
    g_autofree char *report = g_strdup_printf("%s/%s_desc-taut_report.html",
                                              run->plan->options->folder, run->plan->files->stem);
    json_object_set_string_member(object, "command", "demo");
    json_object_set_string_member(object, "report", report);
    JsonArray *regions = json_array_new();
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++) {
        JsonObject *region = json_object_new();
        json_object_set_string_member(region, "name", matches[r].region);
        json_object_set_int_member(region, "n_voxels", (gint64) matches[r].n_voxels);
        json_object_set_double_member(region, "correlation", matches[r].correlation);
        json_array_add_object_element(regions, region);
    }
    json_object_set_array_member(object, "regions", regions);
    app_print_json(object);
}

static bool deconvolve(struct app *app, const struct run_options *options,
                       const struct phantom *phantom, GError **error)
{
    g_autoptr(owned_run_files) files = run_files_new(options);
    g_autoptr(owned_run_plan) plan = run_plan_new(&app->host, files, app->host.force, error);
    g_autoptr(owned_run) run = plan == NULL ? NULL : run_execute(plan, error);
    if (run == NULL)
        return false;
    struct match matches[PHANTOM_N_REGIONS];
    for (size_t r = 0; r < PHANTOM_N_REGIONS; r++)
        matches[r] = match_region(run, phantom, r);
    if (app->json)
        print_json(run, matches);
    else
        print_tour(run, matches);
    return true;
}

bool cmd_demo(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct demo_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &demo_options, &given, argc, argv, error);
    g_autoptr(owned_phantom) phantom = NULL;
    if (options == NULL || !draw(app, given.output, given.seed, &phantom, error))
        return false;
    g_autoptr(owned_options) of_run = options_of(given.output);
    struct run_options run;
    return deconv_options_fill(of_run, &run, error) && deconvolve(app, &run, phantom, error);
}
