// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run.h"

#include "app/report/html_report.h"

#include <math.h>

/** A kept series, with what was made of it. */
struct curves {
    double *x;      // owned
    double *fitted; // owned
    double *u;      // owned
};

static void curves_clear(struct curves *curves)
{
    g_free(curves->x);
    g_free(curves->fitted);
    g_free(curves->u);
}

static size_t count_slots(const struct run *run)
{
    return (run->n_series + RUN_ITEM_SERIES - 1) / RUN_ITEM_SERIES * RUN_N_TRACES;
}

// The slot of the kept series nearest to one in lambda_max: that series itself where it was kept.
static size_t find_slot(const struct run *run, size_t series)
{
    size_t best = count_slots(run);
    double least = INFINITY;
    for (size_t slot = 0; slot < count_slots(run); slot++) {
        if (!run->traces[slot].used)
            continue;
        if (run->traces[slot].series == series)
            return slot;
        double distance = fabs(run->results[run->traces[slot].series].lambda_max -
                               run->results[series].lambda_max);
        if (slot % RUN_N_TRACES == RUN_TRACE_FIRST && distance < least) {
            least = distance;
            best = slot;
        }
    }
    return best;
}

static struct curves curves_of(const struct run *run, size_t slot, struct workspace *ws)
{
    size_t n = run->plan->op->n_in, series = run->traces[slot].series;
    struct curves curves = {g_new(double, run->plan->n_time), g_new(double, run->plan->n_time),
                            g_new(double, n)};
    for (size_t t = 0; t < run->plan->n_time; t++)
        curves.x[t] = (double) run->trace_x[slot * run->plan->n_time + t];
    for (size_t t = 0; t < n; t++)
        curves.u[t] = run_activity(run, t, series);
    linop_apply_series(run->plan->op, curves.u, curves.fitted, ws);
    return curves;
}

static struct html_report_trace trace_of(const struct run *run, size_t series, const char *label,
                                         const struct curves *curves)
{
    const size_t *dim = run->plan->grid.dim;
    size_t voxel = run->recording->voxel[series];
    return (struct html_report_trace){
        .label = label,
        .index = {voxel % dim[0], voxel / dim[0] % dim[1], voxel / dim[0] / dim[1]},
        .result = run->results[series],
        .x = curves->x,
        .fitted = curves->fitted,
        .u = curves->u};
}

// A row for each option; the text stays the options'. Owned.
static struct html_report_row *list_settings(const struct run_options *options, size_t *n)
{
    *n = g_strv_length(options->asked) / 2;
    struct html_report_row *rows = g_new(struct html_report_row, *n + 1);
    for (size_t i = 0; i < *n; i++)
        rows[i] = (struct html_report_row){options->asked[2 * i], options->asked[2 * i + 1]};
    return rows;
}

enum { N_TIMES = 3 };

static void list_times(const struct run *run, struct html_report_row *rows, char **texts)
{
    const char *const names[N_TIMES] = {"read", "prepare", "solve"};
    const double seconds[N_TIMES] = {run->seconds.read, run->plan->seconds, run->seconds.solve};
    for (size_t i = 0; i < N_TIMES; i++) {
        texts[i] = g_strdup_printf("%.3g s", seconds[i]);
        rows[i] = (struct html_report_row){names[i], texts[i]};
    }
}

// Borrowed strings, then NULL.
static GPtrArray *terminated(const GPtrArray *strings)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < strings->len; i++)
        g_ptr_array_add(list, g_ptr_array_index(strings, i));
    g_ptr_array_add(list, NULL);
    return list;
}

bool run_write_report(const struct run *run, const char *path, const float *const maps[],
                      const GPtrArray *names, GError **error)
{
    size_t chosen[HTML_REPORT_N_TRACES];
    const char *labels[HTML_REPORT_N_TRACES];
    struct curves curves[HTML_REPORT_N_TRACES];
    struct html_report_trace traces[HTML_REPORT_N_TRACES];
    g_autoptr(owned_workspace) ws = workspace_new();
    size_t n_chosen = html_report_choose(run->results, run->n_series, chosen, labels);
    size_t n_traces = 0;
    for (size_t i = 0; i < n_chosen; i++) {
        size_t slot = find_slot(run, chosen[i]);
        if (slot == count_slots(run))
            continue;
        curves[n_traces] = curves_of(run, slot, ws);
        traces[n_traces] = trace_of(run, run->traces[slot].series, labels[i], &curves[n_traces]);
        n_traces++;
    }
    size_t n_settings;
    g_autofree struct html_report_row *settings = list_settings(run->plan->options, &n_settings);
    struct html_report_row times[N_TIMES];
    char *time_texts[N_TIMES];
    list_times(run, times, time_texts);
    g_autoptr(GPtrArray) outputs = terminated(names);
    g_autoptr(GPtrArray) warnings = warnings_texts(&run->warnings);
    struct html_report report = {.title = run->plan->files->stem,
                                 .input = run->plan->options->bold,
                                 .version = TAUT_VERSION,
                                 .settings = settings,
                                 .n_settings = n_settings,
                                 .times = times,
                                 .n_times = N_TIMES,
                                 .outputs = (const char *const *) outputs->pdata,
                                 .warnings = (const char *const *) warnings->pdata,
                                 .tr_s = run->plan->tr_s,
                                 .n_time = run->plan->n_time,
                                 .n_activity = run->plan->op->n_in,
                                 .unit = run_plan_unit(run->plan),
                                 .h = run->plan->response->h,
                                 .n_h = run->plan->response->n,
                                 .tol = run->plan->solver->options.tol,
                                 .microseconds =
                                     1e6 * run->solve_cpu_seconds / (double) run->n_series,
                                 .grid = &run->plan->grid,
                                 .traces = traces,
                                 .n_traces = n_traces};
    for (size_t i = 0; i < HTML_REPORT_N_MAPS; i++)
        report.maps[i] = maps[i];
    bool written = html_report_write(path, &report, true, error);
    for (size_t i = 0; i < n_traces; i++)
        curves_clear(&curves[i]);
    for (size_t i = 0; i < N_TIMES; i++)
        g_free(time_texts[i]);
    return written;
}
