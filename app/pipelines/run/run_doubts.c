// SPDX-License-Identifier: BSD-3-Clause
// What makes a run doubtful as a whole, though each of its series is solved as it should be.
#include "app/pipelines/run/run_doubts.h"

#include "solvers/median.h"
#include "solvers/sort.h"

#include <math.h>

struct run_doubts *run_doubts_new(const struct run *run, GError **error)
{
    g_autoptr(owned_run_doubts) doubts = g_new0(struct run_doubts, 1);
    doubts->n_read = run->plan->n_read;
    doubts->n_nonfinite = g_try_new0(atomic_size_t, doubts->n_read);
    doubts->largest = g_try_malloc0(run->n_series);
    if (doubts->n_nonfinite != NULL && doubts->largest != NULL)
        return g_steal_pointer(&doubts);
    g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", run->plan->options->bold);
    return NULL;
}

void run_doubts_free(struct run_doubts *doubts)
{
    if (doubts == NULL)
        return;
    g_free(doubts->n_nonfinite);
    g_free(doubts->largest);
    g_free(doubts);
}

/* Percent of a mean */

bool run_lacks_base(const double *y, size_t n)
{
    double mean = 0.0, squares = 0.0;
    for (size_t t = 0; t < n; t++)
        mean += y[t] / (double) n;
    for (size_t t = 0; t < n; t++)
        squares += (y[t] - mean) * (y[t] - mean);
    return !(mean * mean * (double) (n - 1) >= squares);
}

// |mean| / SD of a series of the recording; NaN where it does not vary or is not finite.
static double base_ratio(const struct run *run, size_t series)
{
    size_t n = run->plan->n_read;
    double sum = 0.0, squares = 0.0, value, first = 0.0;
    for (size_t t = 0; t < n; t++) {
        recording_values(run->recording, t, series, 1, &value);
        first = t == 0 ? value : first;
        sum += value - first; // about a value of its own, against cancellation
        squares += (value - first) * (value - first);
    }
    double mean = sum / (double) n, variance = (squares - sum * mean) / (double) (n - 1);
    return variance > 0.0 ? fabs(first + mean) / sqrt(variance) : NAN;
}

bool run_check_base(const struct run *run, GError **error)
{
    enum { MOST = 512 };
    if (run->plan->options->clean.standardize != STANDARDIZE_PSC)
        return true;
    double ratios[MOST];
    size_t n = 0, n_looked = MIN(run->n_series, MOST);
    for (size_t i = 0; i < n_looked; i++) {
        double ratio = base_ratio(run, i * run->n_series / n_looked);
        if (isfinite(ratio))
            ratios[n++] = ratio;
    }
    double typical = n == 0 ? 1.0 : median(ratios, n);
    if (typical >= 1.0)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: standardize: expected a mean above the standard deviation, to be percent of "
                "it, found %.2g of it in the median voxel (data without their mean? zscore and "
                "none take them)",
                run->plan->options->bold, typical);
    return false;
}

static void tell_baseless(struct run *run, const struct run_doubts *doubts)
{
    size_t n = atomic_load(&doubts->n_baseless);
    if (n > 0)
        run_warn(run,
                 "%s: %zu of %zu voxels have a mean below their standard deviation, and no percent "
                 "of it: they are taken as constant",
                 run->plan->options->bold, n, run->n_series);
}

/* Frames that are not finite */

void run_doubts_note_nonfinite(struct run_doubts *doubts, const double *y)
{
    for (size_t t = 0; t < doubts->n_read; t++)
        if (!isfinite(y[t]))
            atomic_fetch_add_explicit(&doubts->n_nonfinite[t], 1, memory_order_relaxed);
}

// "frame 20" or "frames 3, 20-25" for those in which most of n series are not finite; NULL: there
// are none. Frames count from 0, those that are dropped too. Owned.
static char *list_nonfinite(const struct run_doubts *doubts, size_t n, size_t n_drop)
{
    enum { MOST = 8 };
    g_autoptr(GString) list = g_string_new(NULL);
    size_t n_spans = 0, n_frames = 0;
    for (size_t t = 0; t < doubts->n_read; t++) {
        size_t begin = t;
        while (t < doubts->n_read && 2 * atomic_load(&doubts->n_nonfinite[t]) > n)
            t++;
        if (t == begin)
            continue;
        n_frames += t - begin;
        if (n_spans++ < MOST)
            g_string_append_printf(list, "%s%zu", n_spans > 1 ? ", " : "", n_drop + begin);
        if (n_spans <= MOST && t > begin + 1)
            g_string_append_printf(list, "-%zu", n_drop + t - 1);
    }
    if (n_frames == 0)
        return NULL;
    return g_strdup_printf("frame%s %s%s (from 0)", n_frames > 1 ? "s" : "", list->str,
                           n_spans > MOST ? ", ..." : "");
}

static bool tell_nonfinite(struct run *run, const struct run_doubts *doubts, GError **error)
{
    const char *path = run->plan->options->bold;
    const size_t *counts = run->outcome.counts;
    size_t n = counts[SERIES_NONFINITE];
    g_autofree char *frames = list_nonfinite(doubts, MAX(n, 1), run->plan->n_drop);
    g_autofree char *where =
        frames == NULL ? g_strdup("") : g_strconcat(": those in ", frames, NULL);
    if (run->outcome.n_solved > 0) {
        if (n > 0 && 20 * n >= run->n_series)
            run_warn(run, "%s: %zu of %zu voxels hold NaN or infinity%s", path, n, run->n_series,
                     where);
        return true;
    }
    g_set_error(error, APP_ERROR, APP_ERROR_UNSOLVED,
                "%s: expected voxels that can be solved, found none of %zu: %zu constant, %zu with "
                "NaN or infinity%s",
                path, run->n_series, counts[SERIES_CONSTANT], n, where);
    return false;
}

/* A beginning that is not steady */

enum { BEGINNING = 3, MOST_UNSTEADY = 10, LEAST_STRONG = 30, LEAST_HITS = 6 };

void run_doubts_note_largest(struct run_doubts *doubts, size_t series, const double *x, size_t n)
{
    size_t largest = 0;
    for (size_t t = 1; t < n; t++)
        if (fabs(x[t]) > fabs(x[largest]))
            largest = t;
    doubts->largest[series] = (uint8_t) MIN(largest, UINT8_MAX);
}

// lambda_max from which on a voxel is among the strongest hundredth, or the strongest few.
static double strongest_from(const struct run *run)
{
    g_autofree double *values = g_new(double, run->n_series);
    size_t n = 0;
    for (size_t v = 0; v < run->n_series; v++)
        if (run->results[v].lambda_max > 0.0)
            values[n++] = run->results[v].lambda_max;
    size_t n_strong = MIN(MAX(n / 100, LEAST_STRONG), n);
    sort_doubles(values, n);
    return n == 0 ? INFINITY : values[n - n_strong];
}

// Frames from the first on that have the largest value of more voxels than chance would give them.
static size_t count_unsteady(const size_t hits[MOST_UNSTEADY], size_t n_strong, size_t n_time)
{
    double many = 5.0 * (double) n_strong / (double) n_time;
    size_t count = 0;
    for (size_t t = 0; t < MOST_UNSTEADY; t++)
        if ((double) hits[t] > many)
            count = t + 1;
    return count;
}

static void tell_unsteady(struct run *run, const struct run_doubts *doubts)
{
    size_t hits[MOST_UNSTEADY] = {0}, n_strong = 0, n_time = run->plan->n_time, n_first = 0;
    double from = strongest_from(run);
    for (size_t v = 0; v < run->n_series; v++) {
        if (!(run->results[v].lambda_max >= from))
            continue;
        n_strong++;
        if (doubts->largest[v] < MOST_UNSTEADY)
            hits[doubts->largest[v]]++;
    }
    for (size_t t = 0; t < BEGINNING; t++)
        n_first += hits[t];
    double share = (double) n_first / (double) MAX(n_strong, 1);
    bool rules = share > 0.2 && share > 5.0 * BEGINNING / (double) n_time && n_first >= LEAST_HITS;
    if (run->plan->first > 0 || !rules)
        return;
    run_warn(run,
             "%s: %.0f %% of the strongest voxels have their largest value in the first %d frames, "
             "as before magnetisation is steady: they rule the maps (--drop %zu)",
             run->plan->options->bold, 100.0 * share, BEGINNING,
             run->plan->n_drop + count_unsteady(hits, n_strong, n_time));
}

bool run_tell_doubts(struct run *run, const struct run_doubts *doubts, GError **error)
{
    tell_baseless(run, doubts);
    tell_unsteady(run, doubts);
    return tell_nonfinite(run, doubts, error);
}
