// SPDX-License-Identifier: BSD-3-Clause
// The outputs of a run: one table of 4-D images, one of maps. Their names follow from the tables.
#include "app/pipelines/run/run_images.h"

#include "app/pipelines/run/run_parcels.h"

static double innovation(const struct run *run, size_t t, size_t v)
{
    const struct run_joined *joined = run->plan->joined;
    bool is_start = joined == NULL ? t == 0 : run_joined_is_start(joined, t);
    return is_start ? 0.0 : run_activity(run, t, v) - run_activity(run, t - 1, v);
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

static double spikes(const struct run *run, size_t t, size_t v)
{
    return (double) run->spikes[t * run->n_series + v];
}

static double significant(const struct run *run, size_t t, size_t v)
{
    return run->findings == NULL ? 0.0 : findings_significant(run->findings, t, v);
}

static double innovations(const struct run *run, size_t t, size_t v)
{
    return run->findings == NULL ? 0.0 : findings_innovation(run->findings, t, v);
}

const struct run_series_image run_series_images[] = {
    {"activity", "Neural activity u, the minimiser of the objective that Model names", RUN_ACTIVITY,
     true, run_activity},
    {"debiased", "Activity with its levels refitted by least squares where u is constant",
     RUN_DEBIASED, true, debiased},
    {"innovation", "First difference of the activity, u(t) - u(t-1); 0 in the first frame of a run",
     RUN_INNOVATION, true, innovation},
    {"innovations",
     "Jumps of the activity that noise would not have shown, by their refitted levels; 0 elsewhere",
     RUN_INNOVATIONS, true, innovations},
    {"significant", "Activity of those jumps alone, levels refitted; 0 in voxels without",
     RUN_SIGNIFICANT, true, significant},
    {"spikes", "The part of the activity that is spikes", RUN_SPIKES, true, spikes},
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

static double explained(const struct run *run, size_t v)
{
    return (double) run->explained[v];
}

static double deviation(const struct run *run, size_t v)
{
    return (double) run->deviation[v];
}

static double mean(const struct run *run, size_t v)
{
    return (double) run->mean[v];
}

static double sigma(const struct run *run, size_t v)
{
    return run->findings == NULL ? 0.0 : (double) run->findings->sigma[v];
}

static double ar(const struct run *run, size_t v)
{
    return run->findings == NULL ? 0.0 : (double) run->findings->ar[v];
}

static double p(const struct run *run, size_t v)
{
    return run->findings == NULL ? 1.0 : (double) run->findings->p[v];
}

static double q(const struct run *run, size_t v)
{
    return run->findings == NULL ? 1.0 : (double) run->findings->q[v];
}

static double z(const struct run *run, size_t v)
{
    return p(run, v) < 1.0 ? null_z(p(run, v)) : 0.0;
}

static bool finds(const struct run_options *options)
{
    return options->finds;
}

const struct run_map_image run_map_images[] = {
    {"ar", "Autocorrelation of the noise from one frame to the next", "1", HTML_REPORT_N_MAPS,
     IMAGE_FLOAT32, ar, finds, 0},
    {"explained", "Part of the variance that the response to the activity explains", "1",
     HTML_REPORT_EXPLAINED, IMAGE_FLOAT32, explained, NULL, 0},
    {"mean", "Mean of the recording over time, before cleaning", "arbitrary", HTML_REPORT_MEAN,
     IMAGE_FLOAT32, mean, NULL, 0},
    {"p", "Probability in noise of a lambda_max at least as large; 1 outside", "1", HTML_REPORT_P,
     IMAGE_FLOAT32, p, finds, 1},
    {"q", "False discovery rate at which stat-p finds the voxel; 1 outside", "1",
     HTML_REPORT_N_MAPS, IMAGE_FLOAT32, q, finds, 1},
    {"sd", "Standard deviation of the activity", "arbitrary", HTML_REPORT_N_MAPS, IMAGE_FLOAT32,
     deviation, NULL, 0},
    {"sigma", "Standard deviation of the noise", "arbitrary", HTML_REPORT_N_MAPS, IMAGE_FLOAT32,
     sigma, finds, 0},
    {"z", "stat-p as the value that a standard normal variable exceeds with it", "1",
     HTML_REPORT_N_MAPS, IMAGE_FLOAT32, z, finds, 0},
    {"gap", "Duality gap relative to the objective of the best constant", "1", HTML_REPORT_GAP,
     IMAGE_FLOAT32, gap, NULL, 0},
    {"jumps", "Number of changes of the activity", "1", HTML_REPORT_JUMPS, IMAGE_FLOAT32, jumps,
     NULL, 0},
    {"lambda", "Weight of the total variation", "arbitrary", HTML_REPORT_LAMBDA, IMAGE_FLOAT32,
     lambda, NULL, 0},
    {"lambdamax", "Smallest lambda whose solution is constant", "arbitrary", HTML_REPORT_LAMBDA_MAX,
     IMAGE_FLOAT32, lambda_max, NULL, 0},
    {"status", "0 outside, 1 solved, 2 constant, 3 nonfinite, 4 inaccurate", "1",
     HTML_REPORT_STATUS, IMAGE_INT16, status, NULL, 0},
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

static void add_pair(GPtrArray *names, const char *stem, const char *ending, const char *extension)
{
    g_ptr_array_add(names, g_strdup_printf("%s_%s.%s", stem, ending, extension));
    g_ptr_array_add(names, g_strdup_printf("%s_%s.json", stem, ending));
}

GPtrArray *run_image_names(const struct run_files *files)
{
    const struct run_options *options = files->options;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *entity = options->atlas == NULL ? NULL : run_atlas_entity(options);
    for (size_t i = 0; i < G_N_ELEMENTS(run_series_images); i++) {
        const char *name = run_series_images[i].name;
        g_autofree char *ending = entity == NULL
                                      ? g_strdup_printf("desc-%s_bold", name)
                                      : g_strdup_printf("%s_desc-%s_timeseries", entity, name);
        if (run_series_is_wanted(options, &run_series_images[i]))
            add_pair(names, files->stem, ending, entity == NULL ? "nii.gz" : "tsv");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(run_map_images); i++) {
        g_autofree char *ending = g_strdup_printf("stat-%s_boldmap", run_map_images[i].name);
        if (run_map_is_wanted(options, &run_map_images[i]))
            add_pair(names, files->stem, ending, "nii.gz");
    }
    if (options->finds)
        g_ptr_array_add(names, g_strdup_printf("%s_events.tsv", files->stem));
    if (options->auto_mask && options->atlas == NULL)
        add_pair(names, files->stem, "desc-auto_mask", "nii.gz");
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_config.ini", files->stem));
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_report.html", files->stem));
    g_ptr_array_add(names, g_strdup_printf("%s_desc-taut_report.json", files->stem));
    g_ptr_array_add(names, record_name(files->stem));
    return names;
}
