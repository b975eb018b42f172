// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_shown.h"

#include "solvers/median.h"

#include <math.h>
#include <string.h>

static bool is_solved(const struct run *run, size_t v)
{
    return run->results[v].status == SERIES_SOLVED || run->results[v].status == SERIES_INACCURATE;
}

bool *run_shown_found(const struct run *run, double white_point)
{
    const struct findings *f = run->plan->options->finds ? run->findings : NULL;
    bool *found = g_new0(bool, MAX(run->n_series, 1));
    for (size_t v = 0; v < run->n_series; v++)
        found[v] = is_solved(run, v) && (f != NULL ? (double) f->p[v] <= f->options.alpha_voxel
                                                   : (double) run->explained[v] > white_point);
    return found;
}

static double step_at(const struct run *run, size_t t, size_t v)
{
    if (run->plan->options->finds && run->findings != NULL)
        return findings_innovation(run->findings, t, v);
    return run_activity(run, t, v) - run_activity(run, t - 1, v);
}

void run_shown_rises(const struct run *run, const bool *found, double *rises, double *falls)
{
    size_t n_time = run->plan->n_time, n = MIN(run->plan->op->n_in, n_time), n_found = 0;
    memset(rises, 0, n_time * sizeof *rises);
    memset(falls, 0, n_time * sizeof *falls);
    for (size_t v = 0; v < run->n_series; v++)
        n_found += found[v];
    double weight = 1.0 / (double) MAX(n_found, 1);
    for (size_t t = 1; t < n; t++)
        for (size_t v = 0; v < run->n_series; v++) {
            if (!found[v])
                continue;
            double step = weight * step_at(run, t, v);
            *(step > 0.0 ? &rises[t] : &falls[t]) += step;
        }
}

double *run_shown_displacement(const struct run *run)
{
    const struct run_plan *plan = run->plan;
    const struct frame_table *table = plan->table;
    if (table == NULL || table->names == NULL)
        return NULL;
    for (size_t c = 0; c < table->n_columns; c++) {
        if (strcmp(table->names[c], "framewise_displacement") != 0)
            continue;
        double *values = g_new0(double, plan->n_time);
        for (size_t t = 0; t < plan->n_time; t++) {
            size_t row = plan->n_drop + plan->first + t;
            double value = row < table->n_rows ? table->values[row * table->n_columns + c] : NAN;
            values[t] = isfinite(value) ? value : 0.0; // of the first frame there is none
        }
        return values;
    }
    return NULL;
}

struct run_curves run_curves_of(const struct run *run, size_t slot, struct workspace *ws)
{
    size_t n = run->plan->op->n_in, n_time = run->plan->n_time, series = run->traces[slot].series;
    struct run_curves curves = {g_new(double, n_time), g_new(double, n_time), g_new(double, n)};
    for (size_t t = 0; t < n_time; t++)
        curves.x[t] = (double) run->trace_x[slot * n_time + t];
    for (size_t t = 0; t < n; t++)
        curves.u[t] = run_activity(run, t, series);
    linop_apply_series(run->plan->op, curves.u, curves.fitted, ws);
    return curves;
}

void run_curves_clear(struct run_curves *curves)
{
    g_free(curves->x);
    g_free(curves->fitted);
    g_free(curves->u);
}

size_t run_n_slots(const struct run *run)
{
    return (run->n_series + RUN_ITEM_SERIES - 1) / RUN_ITEM_SERIES * run->n_kept;
}

// Of the series that count (chosen[v], or all that were solved), artefacts left out; NaN: none.
static double median_explained(const struct run *run, const bool *chosen)
{
    g_autofree double *values = g_new(double, MAX(run->n_series, 1));
    size_t n = 0;
    for (size_t v = 0; v < run->n_series; v++)
        if (is_solved(run, v) && (chosen == NULL || chosen[v]) && run->swings[v] == SWINGS_NONE)
            values[n++] = (double) run->explained[v];
    return n == 0 ? NAN : median(values, n);
}

/** What slots are looked through for: the kept series nearest to a value. */
struct wanted {
    const bool *chosen; // n_series, or NULL
    double explained;
};

static size_t find_nearest(const struct run *run, const struct wanted *wanted)
{
    size_t best = run_n_slots(run);
    double least = INFINITY;
    for (size_t slot = 0; slot < run_n_slots(run); slot++) {
        size_t series = run->traces[slot].series;
        if (!run->traces[slot].used || run->swings[series] != SWINGS_NONE ||
            (wanted->chosen != NULL && !wanted->chosen[series]))
            continue;
        double distance = fabs((double) run->explained[series] - wanted->explained);
        if (distance < least) {
            least = distance;
            best = slot;
        }
    }
    return best;
}

static size_t find_least_accurate(const struct run *run)
{
    size_t best = run_n_slots(run);
    double largest = 0.0;
    for (size_t slot = RUN_TRACE_GAP; slot < run_n_slots(run); slot += run->n_kept) {
        const struct series_result *result = &run->results[run->traces[slot].series];
        if (!run->traces[slot].used || result->status != SERIES_INACCURATE ||
            !(result->relative_gap > largest))
            continue;
        largest = result->relative_gap;
        best = slot;
    }
    return best;
}

size_t run_choose_exemplars(const struct run *run, const bool *found,
                            struct run_exemplar chosen[RUN_N_EXEMPLARS])
{
    const struct wanted best = {found, 1.0};
    const struct wanted typical = {found, median_explained(run, found)};
    const struct wanted common = {NULL, median_explained(run, NULL)};
    const struct run_exemplar candidates[RUN_N_EXEMPLARS] = {
        {find_nearest(run, &best), "The best explained of the voxels found"},
        {find_nearest(run, &typical), "A typical one of the voxels found"},
        {find_nearest(run, &common), "A typical voxel of the mask"},
        {find_least_accurate(run), "The least accurate voxel"},
    };
    size_t n = 0;
    for (size_t c = 0; c < RUN_N_EXEMPLARS; c++) {
        bool is_new = candidates[c].slot < run_n_slots(run);
        for (size_t i = 0; is_new && i < n; i++)
            is_new = run->traces[chosen[i].slot].series != run->traces[candidates[c].slot].series;
        if (is_new)
            chosen[n++] = candidates[c];
    }
    return n;
}
