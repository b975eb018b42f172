// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/bench_report.h"

#include "app/report/figure.h"
#include "io/publish.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

// The targets of the printed table: relative gaps of 1e-3, 1e-6 and 1e-10.
static const size_t shown[] = {2, 4, 6};

static void append_cell(GString *text, double value)
{
    if (isfinite(value))
        g_string_append_printf(text, " %9.*f", value < 10.0 ? 2 : value < 100.0 ? 1 : 0, value);
    else
        g_string_append_printf(text, " %9s", "-");
}

// The farthest target that a row was timed on and did not miss.
static const struct bench_timing *last_timing(const struct bench_row *row)
{
    const struct bench_timing *last = NULL;
    for (size_t k = 0; k < BENCH_N_TARGETS; k++)
        if (row->timings[k].n_series > 0 && (last == NULL || !row->timings[k].missed))
            last = &row->timings[k];
    return last;
}

static void append_row(GString *text, const struct bench_row *row,
                       const struct bench_row *reference)
{
    g_string_append_printf(text, "%-20s", row->method->name);
    if (row->refusal != NULL) {
        // Refusals begin with the name of the method.
        const char *why = strchr(row->refusal, ':');
        g_string_append_printf(text, "%s\n", why != NULL ? why + 1 : row->refusal);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(shown); i++)
        append_cell(text, bench_us(row, shown[i]));
    const struct bench_timing *last = last_timing(row);
    if (last != NULL)
        g_string_append_printf(text, " %10.1e %10.0f", last->worst_gap,
                               (double) last->n_iterations / (double) last->n_series);
    for (size_t i = 0; reference != NULL && i < G_N_ELEMENTS(shown); i++)
        append_cell(text, bench_ratio(row, reference, shown[i]));
    g_string_append_c(text, '\n');
}

char *bench_table(const struct bench *bench, const struct bench_row *reference)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(
        text,
        "%zu series of %zu samples, %zu unknowns, lambda %g lambda_max; CPU microseconds a "
        "series, one thread, to a relative gap\n\n",
        bench->n_series, bench->problem->op->n_out, bench->problem->op->n_in,
        bench->options.lambda_ratio);
    g_string_append_printf(text, "%-20s %9s %9s %9s %10s %10s", "solver", "1e-3", "1e-6", "1e-10",
                           "worst gap", "iterations");
    if (reference != NULL)
        g_string_append_printf(text, "   times %s's: 1e-3, 1e-6, 1e-10", reference->method->name);
    g_string_append_c(text, '\n');
    for (size_t i = 0; i < bench->n_rows; i++)
        append_row(text, &bench->rows[i], reference);
    return g_string_free(text, FALSE);
}

static void set_number(JsonObject *object, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_double_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}

static JsonObject *target_json(const struct bench_row *row, const struct bench_row *reference,
                               size_t target)
{
    const struct bench_timing *timing = &row->timings[target];
    JsonObject *object = json_object_new();
    set_number(object, "relative_gap", bench_targets[target]);
    set_number(object, "us", bench_us(row, target));
    if (reference != NULL)
        set_number(object, "ratio", bench_ratio(row, reference, target));
    if (timing->n_series == 0)
        return object;
    set_number(object, "worst_gap", timing->worst_gap);
    set_number(object, "iterations", (double) timing->n_iterations / (double) timing->n_series);
    json_object_set_int_member(object, "n_series", (gint64) timing->n_series);
    json_object_set_boolean_member(object, "reached", !timing->missed);
    return object;
}

void bench_set_json(JsonObject *object, const struct bench *bench,
                    const struct bench_row *reference)
{
    JsonArray *rows = json_array_new();
    for (size_t i = 0; i < bench->n_rows; i++) {
        const struct bench_row *row = &bench->rows[i];
        JsonObject *entry = json_object_new();
        json_object_set_string_member(entry, "solver", row->method->name);
        json_array_add_object_element(rows, entry);
        if (row->refusal != NULL) {
            json_object_set_string_member(entry, "refused", row->refusal);
            continue;
        }
        set_number(entry, "prepare_seconds", row->prepare_s);
        JsonArray *targets = json_array_new();
        for (size_t k = 0; k < BENCH_N_TARGETS; k++)
            json_array_add_object_element(targets, target_json(row, reference, k));
        json_object_set_array_member(entry, "targets", targets);
    }
    if (reference != NULL)
        json_object_set_string_member(object, "compare", reference->method->name);
    json_object_set_array_member(object, "solvers", rows);
}

static char *table_text(const struct bench *bench)
{
    GString *text = g_string_new("solver\tus\trelative_gap\n");
    for (size_t i = 0; i < bench->n_rows; i++) {
        const struct bench_row *row = &bench->rows[i];
        for (size_t k = 0; k < BENCH_N_TARGETS; k++) {
            const struct bench_timing *timing = &row->timings[k];
            if (timing->n_series == 0 || timing->missed)
                continue;
            g_string_append_printf(text, "%s\t%.6g\t%.6g\n", row->method->name, bench_us(row, k),
                                   fmax(timing->worst_gap, 1e-16));
        }
    }
    return g_string_free(text, FALSE);
}

static char *script_text(const struct bench *bench, const char *name)
{
    GString *solvers = g_string_new(NULL);
    for (size_t i = 0; i < bench->n_rows; i++)
        if (last_timing(&bench->rows[i]) != NULL && !last_timing(&bench->rows[i])->missed)
            g_string_append_printf(solvers, "%s%s", solvers->len > 0 ? " " : "",
                                   bench->rows[i].method->name);
    char *script = g_strdup_printf(
        "# gnuplot %s.gp\n" FIGURE_PREAMBLE "set datafile separator tab\n"
        "set logscale xy\n"
        "set format x '10^{%%T}'\n"
        "set format y '10^{%%T}'\n"
        "set xlabel 'CPU time of a series (µs)'\n"
        "set ylabel 'largest relative duality gap'\n"
        "set grid lc rgb '#dddddd'\n"
        "set key outside right top Left reverse noenhanced\n"
        "set style data linespoints\n"
        "set linetype cycle 8\n"
        "do for [i = 1:8] { set linetype i lw 2 ps 0.8 pt (i <= 4 ? i + 3 : i + 5) lc rgb "
        "word('#000000 #e69f00 #56b4e9 #009e73 #d55e00 #0072b2 #cc79a7 #999999', i) }\n"
        "solvers = '%s'\n"
        "set terminal svg size 800,480 font 'Helvetica,14' background '#ffffff'\n"
        "set output hidden.'%s.svg'\n"
        "plot for [s in solvers] '%s.tsv' using (strcol(1) eq s ? $2 : 1/0):3 title s\n"
        "set terminal pngcairo size 1200,720 font 'Helvetica,18'\n"
        "set output hidden.'%s.png'\n"
        "replot\n",
        name, solvers->str, name, name, name);
    g_string_free(solvers, TRUE);
    return script;
}

static bool write_text(const char *folder, const char *name, const char *ending, const char *text,
                       bool overwrite, GError **error)
{
    g_autofree char *file = g_strconcat(name, ending, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    return publish_bytes(path, text, strlen(text), overwrite, error);
}

bool bench_draw(const struct host *host, const struct bench *bench, const char *folder,
                const char *name, GError **error)
{
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot write: %s", folder,
                    g_strerror(errno));
        return false;
    }
    g_autofree char *table = table_text(bench);
    g_autofree char *script = script_text(bench, name);
    g_autofree char *file = g_strconcat(name, ".gp", NULL);
    if (!write_text(folder, name, ".tsv", table, host->force, error) ||
        !write_text(folder, name, ".gp", script, host->force, error))
        return false;
    g_autofree char *svg = g_strconcat(name, ".svg", NULL);
    g_autofree char *png = g_strconcat(name, ".png", NULL);
    const char *const images[] = {svg, png, NULL};
    enum figure_outcome outcome = figure_draw(folder, file, images, host->force, error);
    if (outcome == FIGURE_NO_GNUPLOT)
        host_info(host, "%s: gnuplot is not installed: %s is there to be drawn elsewhere", folder,
                  file);
    return outcome != FIGURE_FAILED;
}
