// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run.h"

#include <math.h>
#include <string.h>

void run_warn(struct run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    warnings_tell(&run->warnings, run->plan->host, "%s", text);
}

size_t run_n_painted(const struct run *run)
{
    return run->parcels == NULL ? run->n_series : run->parcels->n_members;
}

size_t run_painted_voxel(const struct run *run, size_t i)
{
    return run->parcels == NULL ? run->recording->voxel[i] : run->painted[i];
}

size_t run_painted_series(const struct run *run, size_t i)
{
    return run->parcels == NULL ? i : run->parcels->of[i];
}

double run_activity(const struct run *run, size_t t, size_t v)
{
    size_t at = t * run->activity.n_series + v;
    return run->activity.type == SAMPLE_FLOAT ? (double) run->activity.values.f[at]
                                              : run->activity.values.d[at];
}

static struct run *run_new(const struct run_plan *plan)
{
    struct run *run = g_new0(struct run, 1);
    run->plan = plan;
    run->mask = plan->mask;
    run->n_series = plan->n_inside;
    run->sha256 = g_new0(char *, plan->inputs->len + 1);
    run->sigma = NAN;
    run->outputs = g_ptr_array_new_with_free_func(g_free);
    warnings_copy(&run->warnings, &plan->warnings);
    return run;
}

void run_free(struct run *run)
{
    if (run == NULL)
        return;
    for (guint i = 0; i < run->plan->inputs->len; i++)
        g_free(run->sha256[i]);
    g_free(run->sha256);
    g_ptr_array_unref(run->outputs);
    warnings_clear(&run->warnings);
    recording_free(run->recording);
    g_free(run->made_mask);
    parcels_free(run->parcels);
    g_free(run->painted);
    g_free(run->activity.values.any);
    g_free(run->results);
    g_free(run->fitted);
    g_free(run->residual);
    g_free(run->debiased);
    g_free(run->spikes);
    g_free(run->explained);
    g_free(run->deviation);
    g_free(run->mean);
    g_free(run->swings);
    g_free(run->global);
    findings_free(run->findings);
    g_free(run->choices);
    g_free(run->traces);
    g_free(run->trace_x);
    g_free(run);
}

static double seconds_since(gint64 begin_us)
{
    return 1e-6 * (double) (g_get_monotonic_time() - begin_us);
}

static bool timed(struct run *run, bool (*stage)(struct run *run, GError **error), double *seconds,
                  GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    bool done = stage(run, error);
    *seconds = seconds_since(begin_us);
    return done;
}

struct run *run_execute(const struct run_plan *plan, GError **error)
{
    g_autoptr(owned_run) run = run_new(plan);
    if (!timed(run, run_read, &run->seconds.read, error))
        return NULL;
    host_accept(plan->host); // from here on the inputs are good
    bool done = timed(run, run_solve, &run->seconds.solve, error) &&
                timed(run, run_write, &run->seconds.write, error);
    run->seconds.total = seconds_since(plan->begin_us);
    return done ? g_steal_pointer(&run) : NULL;
}
