// SPDX-License-Identifier: BSD-3-Clause
// Carpets of x, fitted and u: rows are voxels, columns are frames.
#include "app/pipelines/run/run_shown.h"
#include "app/report/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_ROWS = 160,
    MOST_FOUND = 96,    // of them
    MOST_COLUMNS = 800, // frames beyond are averaged
    N_SHADES = 64,
    NOTHING = N_SHADES, // palette entry of frames without activity
};

/** A kept series. */
struct row {
    size_t slot;
    double explained;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    if (left->explained != right->explained)
        return left->explained < right->explained ? 1 : -1;
    return (left->slot > right->slot) - (left->slot < right->slot);
}

// Kept series that are found, or not, the best explained first; each once. Those that are not are
// of the ones that are spread evenly.
static size_t gather_rows(const struct run *run, const bool *found, bool is_found, struct row *rows)
{
    size_t n = 0;
    for (size_t slot = 0; slot < run_n_slots(run); slot++) {
        const struct run_trace *trace = &run->traces[slot];
        size_t kind = slot % run->n_kept, best = slot - kind + RUN_TRACE_EXPLAINED;
        if (!trace->used || found[trace->series] != is_found || kind == RUN_TRACE_GAP ||
            (kind == RUN_TRACE_EXPLAINED && !is_found))
            continue;
        if (kind >= RUN_TRACE_SPREAD && is_found && run->traces[best].used &&
            run->traces[best].series == trace->series)
            continue;
        rows[n++] = (struct row){slot, (double) run->explained[trace->series]};
    }
    qsort(rows, n, sizeof *rows, compare_rows);
    return n;
}

// At most `most` of n rows, evenly; returns how many.
static size_t thin_rows(struct row *rows, size_t n, size_t most)
{
    if (n <= most)
        return n;
    for (size_t i = 0; i < most; i++)
        rows[i] = rows[i * n / most];
    return most;
}

/** A carpet of numbers; NaN: nothing. */
struct carpet {
    double *values; // owned; n_rows x n_columns, a row after the other
    size_t n_rows, n_columns;
    size_t n_averaged; // frames a column
};

static void set_row(struct carpet *carpet, size_t row, const double *values, size_t n)
{
    for (size_t c = 0; c < carpet->n_columns; c++) {
        size_t first = c * carpet->n_averaged, end = MIN(first + carpet->n_averaged, n);
        double sum = 0.0;
        for (size_t t = first; t < end; t++)
            sum += values[t];
        carpet->values[row * carpet->n_columns + c] =
            end > first ? sum / (double) (end - first) : NAN;
    }
}

// Twice the root of the mean square.
static double span_of(const struct carpet *carpet)
{
    double sum2 = 0.0, n = 0.0;
    for (size_t i = 0; i < carpet->n_rows * carpet->n_columns; i++)
        if (!isnan(carpet->values[i])) {
            sum2 += carpet->values[i] * carpet->values[i];
            n += 1.0;
        }
    return sum2 > 0.0 ? 2.0 * sqrt(sum2 / n) : 1.0;
}

// Black to white; or blue over near white to orange, as of Okabe and Ito.
static void make_palette(bool diverges, picture_colour palette[N_SHADES + 1])
{
    static const double blue[3] = {0.0, 80.0, 140.0}, orange[3] = {190.0, 75.0, 0.0};
    for (size_t c = 0; c < N_SHADES; c++) {
        double place = 2.0 * (double) c / (N_SHADES - 1) - 1.0;
        const double *end = place < 0.0 ? blue : orange;
        for (size_t i = 0; i < 3; i++) {
            double grey = 255.0 * (double) c / (N_SHADES - 1);
            double mixed = 244.0 + (end[i] - 244.0) * fabs(place);
            palette[c][i] = (uint8_t) lround(diverges ? mixed : grey);
        }
        palette[c][3] = 255;
    }
    memset(palette[NOTHING], 0, sizeof(picture_colour));
}

static char *draw(const struct carpet *carpet, double span, bool diverges)
{
    picture_colour palette[N_SHADES + 1];
    make_palette(diverges, palette);
    g_autoptr(owned_picture) picture = picture_new(carpet->n_columns, carpet->n_rows);
    for (size_t i = 0; i < carpet->n_rows * carpet->n_columns; i++) {
        double place = 0.5 + 0.5 * carpet->values[i] / span;
        picture->pixels[i] =
            isnan(place) ? NOTHING : (uint8_t) lround((N_SHADES - 1) * CLAMP(place, 0.0, 1.0));
    }
    g_autoptr(GByteArray) png = picture_png(picture, palette, N_SHADES + 1);
    return g_base64_encode(png->data, png->len);
}

static void fill(const struct run *run, const struct row *rows,
                 struct carpet carpets[HTML_REPORT_N_CARPETS])
{
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t r = 0; r < carpets[0].n_rows; r++) {
        struct run_curves curves = run_curves_of(run, rows[r].slot, ws);
        set_row(&carpets[0], r, curves.x, run->plan->n_time);
        set_row(&carpets[1], r, curves.fitted, run->plan->n_time);
        set_row(&carpets[2], r, curves.u, run->plan->op->n_in);
        run_curves_clear(&curves);
    }
}

void run_carpets_draw(const struct run *run, const bool *found, struct run_carpets *drawn)
{
    g_autofree struct row *rows = g_new(struct row, 2 * run_n_slots(run) + 1);
    size_t n_found = gather_rows(run, found, true, rows);
    n_found = thin_rows(rows, n_found, MOST_FOUND);
    size_t n_others = gather_rows(run, found, false, rows + n_found);
    size_t n_rows = n_found + thin_rows(rows + n_found, n_others, MOST_ROWS - n_found);
    *drawn = (struct run_carpets){.n_rows = n_rows, .n_found = n_found};
    if (n_rows == 0)
        return;
    size_t n_time = run->plan->n_time, step = (n_time + MOST_COLUMNS - 1) / MOST_COLUMNS;
    struct carpet carpets[HTML_REPORT_N_CARPETS];
    for (size_t c = 0; c < HTML_REPORT_N_CARPETS; c++) {
        size_t n_columns = (n_time + step - 1) / step;
        carpets[c] = (struct carpet){g_new(double, n_rows *n_columns), n_rows, n_columns, step};
    }
    fill(run, rows, carpets);
    double span = span_of(&carpets[0]), span_u = span_of(&carpets[2]);
    const char *unit = run_plan_unit(run->plan);
    for (size_t c = 0; c < HTML_REPORT_N_CARPETS; c++) {
        drawn->png[c] = draw(&carpets[c], c == 2 ? span_u : span, c == 2);
        g_free(carpets[c].values);
    }
    drawn->span[0] =
        g_strdup_printf("x and fitted, black −%.3g, white %.3g (%s)", span, span, unit);
    drawn->span[2] = g_strdup_printf("u, blue −%.3g, orange %.3g", span_u, span_u);
    drawn->span[1] = g_strdup("the same");
}

void run_carpets_clear(struct run_carpets *carpets)
{
    for (size_t c = 0; c < HTML_REPORT_N_CARPETS; c++) {
        g_free(carpets->png[c]);
        g_free(carpets->span[c]);
    }
}
