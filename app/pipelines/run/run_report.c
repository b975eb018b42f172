// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_shown.h"

#include "app/report/html_report.h"

#include <math.h>
#include <string.h>

static struct html_report_trace trace_of(const struct run *run, const struct run_exemplar *exemplar,
                                         const struct run_curves *curves)
{
    const size_t *dim = run->plan->grid.dim;
    size_t series = run->traces[exemplar->slot].series, voxel = run->recording->voxel[series];
    return (struct html_report_trace){
        .label = exemplar->label,
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

// Owned; the texts stay the run's.
static struct html_report_warning *list_warnings(const struct run *run)
{
    guint n = run->warnings.all->len;
    struct html_report_warning *list = g_new(struct html_report_warning, n + 1);
    for (guint i = 0; i < n; i++) {
        const struct warning *warning = g_ptr_array_index(run->warnings.all, i);
        list[i] = (struct html_report_warning){warning->text, warning->count};
    }
    return list;
}

/** What is made for a report alone; owned. */
struct shown {
    struct run_white white;
    bool *found;
    double *rises, *falls, *displacement, *censored;
    size_t n_censored;
    struct run_carpets carpets;
    struct run_curves curves[RUN_N_EXEMPLARS];
    struct html_report_trace traces[RUN_N_EXEMPLARS];
    size_t n_traces;
};

static void shown_clear(struct shown *shown)
{
    run_white_clear(&shown->white);
    g_free(shown->found);
    g_free(shown->rises);
    g_free(shown->falls);
    g_free(shown->displacement);
    g_free(shown->censored);
    run_carpets_clear(&shown->carpets);
    for (size_t i = 0; i < shown->n_traces; i++)
        run_curves_clear(&shown->curves[i]);
}
typedef struct shown owned_shown;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_shown, shown_clear)

static void list_censored(const struct run *run, struct shown *shown)
{
    const bool *censored = run_plan_censored(run->plan);
    shown->censored = g_new(double, run->plan->n_time);
    for (size_t t = 0; censored != NULL && t < run->plan->n_time; t++)
        if (censored[t])
            shown->censored[shown->n_censored++] = (double) t;
}

static void choose_traces(const struct run *run, struct shown *shown)
{
    struct run_exemplar chosen[RUN_N_EXEMPLARS];
    g_autoptr(owned_workspace) ws = workspace_new();
    shown->n_traces = run_choose_exemplars(run, shown->found, chosen);
    for (size_t i = 0; i < shown->n_traces; i++) {
        shown->curves[i] = run_curves_of(run, chosen[i].slot, ws);
        shown->traces[i] = trace_of(run, &chosen[i], &shown->curves[i]);
    }
}

static bool show(const struct run *run, struct shown *shown)
{
    if (!run_white_draw(run, &shown->white))
        return false;
    shown->found = run_shown_found(run, shown->white.point);
    shown->rises = g_new(double, run->plan->n_time);
    shown->falls = g_new(double, run->plan->n_time);
    run_shown_rises(run, shown->found, shown->rises, shown->falls);
    shown->displacement = run_shown_displacement(run);
    list_censored(run, shown);
    run_carpets_draw(run, shown->found, &shown->carpets);
    choose_traces(run, shown);
    return true;
}

static struct html_report_found found_of(const struct run *run, const struct shown *shown)
{
    const struct findings *f = run->findings;
    size_t counts[SWINGS_N_KINDS] = {0};
    for (size_t v = 0; v < run->n_series; v++)
        counts[run->swings[v]] += shown->found[v];
    return (struct html_report_found){
        .white = shown->white.explained,
        .n_white = shown->white.n,
        .white_point = shown->white.point,
        .alpha = f != NULL && run->plan->options->finds ? f->options.alpha_voxel : 0.0,
        .sigma = f == NULL ? run->sigma : f->sigma_median,
        .ar = f == NULL ? NAN : f->ar_median,
        .n_ends = counts[SWINGS_ENDS],
        .n_single = counts[SWINGS_SINGLE],
        .n_spike = counts[SWINGS_SPIKE]};
}

static void set_shown(const struct run *run, const struct shown *shown, struct html_report *report)
{
    static const char *const names[HTML_REPORT_N_CARPETS] = {"x: observed, cleaned",
                                                             "fitted: h ∗ u", "u: activity"};
    report->found = found_of(run, shown);
    report->courses =
        (struct html_report_courses){shown->rises,        shown->falls,    run->global,
                                     shown->displacement, shown->censored, shown->n_censored};
    for (size_t c = 0; c < HTML_REPORT_N_CARPETS && shown->carpets.n_rows > 0; c++)
        report->carpets[c] =
            (struct html_report_carpet){names[c], shown->carpets.png[c], shown->carpets.span[c]};
    report->carpet_rows = shown->carpets.n_rows;
    report->carpet_found = shown->carpets.n_found;
    report->traces = shown->traces;
    report->n_traces = shown->n_traces;
}

bool run_write_report(const struct run *run, const char *path, const float *const maps[],
                      const GPtrArray *names, GError **error)
{
    g_auto(owned_shown) shown = {0};
    if (!show(run, &shown)) {
        host_stopped(run->plan->host, error);
        return false;
    }
    size_t n_settings;
    g_autofree struct html_report_row *settings = list_settings(run->plan->options, &n_settings);
    struct html_report_row times[N_TIMES];
    char *time_texts[N_TIMES];
    list_times(run, times, time_texts);
    g_autoptr(GPtrArray) outputs = terminated(names);
    g_autofree struct html_report_warning *warnings = list_warnings(run);
    struct html_report report = {.title = run->plan->files->stem,
                                 .input = run->plan->options->bold,
                                 .version = TAUT_VERSION,
                                 .settings = settings,
                                 .n_settings = n_settings,
                                 .times = times,
                                 .n_times = N_TIMES,
                                 .outputs = (const char *const *) outputs->pdata,
                                 .warnings = warnings,
                                 .n_warnings = run->warnings.all->len,
                                 .tr_s = run->plan->tr_s,
                                 .n_time = run->plan->n_time,
                                 .n_activity = run->plan->op->n_in,
                                 .unit = run_plan_unit(run->plan),
                                 .h = run->plan->response->h,
                                 .n_h = run->plan->response->n,
                                 .tol = run_plan_solver(run->plan)->options.tol,
                                 .microseconds =
                                     1e6 * run->solve_cpu_seconds / (double) run->n_series,
                                 .grid = &run->plan->grid};
    set_shown(run, &shown, &report);
    for (size_t i = 0; i < HTML_REPORT_N_MAPS; i++)
        report.maps[i] = maps[i];
    bool written = html_report_write(path, &report, true, error);
    for (size_t i = 0; i < N_TIMES; i++)
        g_free(time_texts[i]);
    return written;
}
