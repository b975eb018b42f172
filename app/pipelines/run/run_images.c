// SPDX-License-Identifier: BSD-3-Clause
// The outputs of a run: one table of 4-D images, one of maps. Their names follow from the tables.
#include "app/pipelines/run/run_images.h"

static double innovation(const struct run *run, size_t t, size_t v)
{
    return t == 0 ? 0.0 : run_activity(run, t, v) - run_activity(run, t - 1, v);
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

const struct run_series_image run_series_images[] = {
    {"activity", "Neural activity u, the minimiser of 1/2 ||y - h * u||^2 + lambda TV(u)",
     RUN_ACTIVITY, true, run_activity},
    {"debiased", "Activity with its levels refitted by least squares where u is constant",
     RUN_DEBIASED, true, debiased},
    {"innovation", "First difference of the activity, u(t) - u(t-1); 0 in the first frame",
     RUN_INNOVATION, true, innovation},
    {"fitted", "Response to the activity, h * u", RUN_FITTED, false, fitted},
    {"residual", "Cleaned series less the response to the activity, y - h * u", RUN_RESIDUAL, false,
     residual},
};

size_t run_n_series_images(void)
{
    return G_N_ELEMENTS(run_series_images);
}

static double status(const struct run *run, size_t v)
{
    return (double) run->results[v].status;
}

static double lambda(const struct run *run, size_t v)
{
    return run->results[v].lambda;
}

static double lambda_max(const struct run *run, size_t v)
{
    return run->results[v].lambda_max;
}

static double gap(const struct run *run, size_t v)
{
    return run->results[v].relative_gap;
}

static double jumps(const struct run *run, size_t v)
{
    return (double) run->results[v].n_jumps;
}

const struct run_map_image run_map_images[] = {
    {"gap", "Duality gap relative to the objective of the best constant", "1", HTML_REPORT_GAP,
     IMAGE_FLOAT32, gap, NULL},
    {"jumps", "Number of changes of the activity", "1", HTML_REPORT_JUMPS, IMAGE_FLOAT32, jumps,
     NULL},
    {"lambda", "Weight of the total variation", "arbitrary", HTML_REPORT_LAMBDA, IMAGE_FLOAT32,
     lambda, NULL},
    {"lambdamax", "Smallest lambda whose solution is constant", "arbitrary", HTML_REPORT_LAMBDA_MAX,
     IMAGE_FLOAT32, lambda_max, NULL},
    {"status", "0 outside, 1 solved, 2 constant, 3 nonfinite, 4 inaccurate", "1",
     HTML_REPORT_STATUS, IMAGE_INT16, status, NULL},
};

size_t run_n_maps(void)
{
    return G_N_ELEMENTS(run_map_images);
}

bool run_series_is_wanted(const struct run_options *options, const struct run_series_image *image)
{
    return (options->images & image->image) != 0;
}

bool run_map_is_wanted(const struct run_options *options, const struct run_map_image *map)
{
    return map->is_wanted == NULL || map->is_wanted(options);
}

static void add_pair(GPtrArray *names, const char *stem, const char *ending)
{
    g_ptr_array_add(names, g_strdup_printf("%s_%s.nii.gz", stem, ending));
    g_ptr_array_add(names, g_strdup_printf("%s_%s.json", stem, ending));
}

GPtrArray *run_image_names(const struct run_files *files)
{
    const struct run_options *options = files->options;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(run_series_images); i++) {
        g_autofree char *ending = g_strdup_printf("desc-%s_bold", run_series_images[i].name);
        if (run_series_is_wanted(options, &run_series_images[i]))
            add_pair(names, files->stem, ending);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(run_map_images); i++) {
        g_autofree char *ending = g_strdup_printf("stat-%s_boldmap", run_map_images[i].name);
        if (run_map_is_wanted(options, &run_map_images[i]))
            add_pair(names, files->stem, ending);
    }
    if (options->auto_mask)
        add_pair(names, files->stem, "desc-auto_mask");
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_config.ini", files->stem));
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_report.html", files->stem));
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_report.json", files->stem));
    g_ptr_array_add(names, record_name(files->stem));
    return names;
}
