// SPDX-License-Identifier: BSD-3-Clause
// What is activity and what noise alone would have shown.
#include "app/pipelines/run/run_parcels.h"

#include "app/host/app_error.h"

#include <math.h>
#include <string.h>

// The frequencies that cleaning leaves.
static struct noise_fit_options noise_options_of(const struct run_plan *plan)
{
    const struct clean_options *clean = &plan->options->clean;
    bool cosines = clean->detrend == DETREND_COSINE || clean->detrend == DETREND_LINEAR_COSINE;
    return (struct noise_fit_options){
        .h = plan->response->h,
        .n_h = plan->response->n,
        .n_time = plan->n_time,
        .tr_s = plan->tr_s,
        .low_hz = fmax(clean->low_hz, cosines ? 1.0 / clean->cosine_s : 0.0),
        .high_hz = clean->high_hz};
}

bool run_plan_noise(struct run_plan *plan, GError **error)
{
    if (!plan->options->finds && plan->options->noise_factor == 0.0)
        return true;
    struct noise_fit_options options = noise_options_of(plan);
    g_autoptr(GError) problem = NULL;
    plan->noise_fit = noise_fit_new(&options, &problem);
    if (plan->noise_fit != NULL)
        return true;
    const char *bold = plan->options->bold;
    if (plan->options->noise_factor > 0.0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", bold, problem->message);
        return false;
    }
    run_plan_warn(plan, "%s: nothing is tested against noise: %s", bold, problem->message);
    return true;
}

void run_begin_findings(struct run *run, size_t n_items)
{
    const struct run_plan *plan = run->plan;
    if (plan->noise_fit != NULL)
        run->findings = findings_new(&plan->options->found, plan->noise_fit, plan->problem->op,
                                     run->n_series, n_items);
}

bool run_learn_noise(struct run *run, const float *likelihoods, size_t n, GError **error)
{
    const struct run_plan *plan = run->plan;
    struct null_source source = {plan->clean, plan->n_read, plan->first, plan->problem, NULL};
    if (findings_learn(run->findings, likelihoods, n, &source, plan->host->team))
        return true;
    host_stopped(plan->host, error);
    return false;
}

// Seconds from the first frame of the file, of what is between two frames.
static double onset_s(const struct run *run, double place)
{
    const struct run_plan *plan = run->plan;
    return plan->tr_s * (place - 0.5 + (double) (plan->n_drop + plan->first));
}

static void append_event(const struct run *run, const struct found_jump *jump,
                         const struct found_jump *next, GString *table)
{
    const struct image_grid *grid = &run->plan->grid;
    size_t voxel = run->recording->voxel[jump->series];
    size_t index[3] = {voxel % grid->dim[0], voxel / grid->dim[0] % grid->dim[1],
                       voxel / grid->dim[0] / grid->dim[1]};
    g_autofree char *duration =
        next == NULL ? g_strdup("n/a")
                     : g_strdup_printf("%.3f", run->plan->tr_s * (next->place - jump->place));
    g_string_append_printf(table, "%.3f\t%s\t%s\t%.5g\t%.3f", onset_s(run, jump->place), duration,
                           jump->size > 0.0 ? "rise" : "fall", jump->size, jump->z);
    for (size_t i = 0; i < 3; i++) {
        double mm = grid->affine[i][3];
        for (size_t j = 0; j < 3; j++)
            mm += grid->affine[i][j] * (double) index[j];
        g_string_append_printf(table, "\t%.2f", mm);
    }
    g_string_append_printf(table, "\t%zu,%zu,%zu", index[0], index[1], index[2]);
    g_autofree char *name = run->parcels == NULL ? NULL : run_parcel_name(run, jump->series);
    g_string_append_printf(table, "%s%s\n", name == NULL ? "" : "\t", name == NULL ? "" : name);
}

char *run_events_table(const struct run *run)
{
    const struct findings *f = run->findings;
    GString *table = g_string_new("onset\tduration\ttrial_type\tamplitude\tz\tx\ty\tz_mm\tindex");
    g_string_append(table, run->parcels == NULL ? "\n" : "\tparcel\n");
    for (size_t i = 0; f != NULL && i < f->n_jumps; i++) {
        if (!((double) f->p[f->jumps[i].series] <= f->options.alpha_voxel))
            continue;
        bool has_next = i + 1 < f->n_jumps && f->jumps[i + 1].series == f->jumps[i].series;
        append_event(run, &f->jumps[i], has_next ? &f->jumps[i + 1] : NULL, table);
    }
    return g_string_free(table, FALSE);
}

void run_describe_findings(const struct run *run, JsonObject *object)
{
    const struct findings *f = run->findings;
    JsonObject *null = json_object_new();
    json_object_set_object_member(object, "null", null);
    json_object_set_string_member(null, "kind",
                                  f == NULL || !run->plan->options->finds ? "none"
                                  : f->options.null.has_tail              ? "analytic"
                                                                          : "counted");
    if (f == NULL)
        return;
    json_object_set_double_member(null, "alpha", f->options.alpha_voxel);
    json_object_set_double_member(null, "alpha_jumps", f->options.alpha_jump);
    json_object_set_int_member(null, "draws", (gint64) f->options.null.n_draws);
    json_object_set_int_member(null, "seed", (gint64) f->options.null.seed);
    JsonObject *noise = json_object_new();
    json_object_set_double_member(noise, "sigma_median", f->sigma_median);
    json_object_set_double_member(noise, "ar_median", f->ar_median);
    json_object_set_object_member(object, "noise", noise);
    if (!run->plan->options->finds)
        return;
    JsonObject *significant = json_object_new();
    json_object_set_int_member(significant, "voxels", (gint64) f->n_voxels);
    json_object_set_int_member(significant, "jumps", (gint64) f->n_jumps);
    json_object_set_object_member(object, "significant", significant);
}
