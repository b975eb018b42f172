// SPDX-License-Identifier: BSD-3-Clause
#include "app/reproduce/reproduction.h"

#include "app/report/figure.h"
#include "io/publish.h"
#include "io/sidecar.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

struct row {
    char *method;
    double step;
    uint64_t seed;
    const char *metric; // static
    double value;
};

struct check {
    char *name;
    bool passed;
    bool target;
    bool met; // what a target says; passed where it is not a target
    double value;
    double bound;
};

struct entry {
    char *key;
    char *value;
};

static void row_free(gpointer memory)
{
    struct row *row = memory;
    g_free(row->method);
    g_free(row);
}

static void check_free(gpointer memory)
{
    struct check *check = memory;
    g_free(check->name);
    g_free(check);
}

static void entry_free(gpointer memory)
{
    struct entry *entry = memory;
    g_free(entry->key);
    g_free(entry->value);
    g_free(entry);
}

struct reproduction *reproduction_new(const struct host *host, const struct experiment *experiment)
{
    struct reproduction *r = g_new0(struct reproduction, 1);
    r->host = host;
    r->experiment = experiment;
    r->rows = g_ptr_array_new_with_free_func(row_free);
    r->checks = g_ptr_array_new_with_free_func(check_free);
    r->settings = g_ptr_array_new_with_free_func(entry_free);
    r->notes = g_ptr_array_new_with_free_func(g_free);
    return r;
}

void reproduction_free(struct reproduction *r)
{
    if (r == NULL)
        return;
    g_ptr_array_unref(r->rows);
    g_ptr_array_unref(r->checks);
    g_ptr_array_unref(r->settings);
    g_ptr_array_unref(r->notes);
    g_free(r);
}

void reproduction_result(struct reproduction *r, const char *method, double step, uint64_t seed,
                         const char *metric, double value)
{
    struct row *row = g_new(struct row, 1);
    *row = (struct row){g_strdup(method), step, seed, metric, value};
    g_ptr_array_add(r->rows, row);
}

void reproduction_check(struct reproduction *r, const char *name, bool passed, double value,
                        double bound)
{
    struct check *check = g_new(struct check, 1);
    *check = (struct check){g_strdup(name), passed, false, passed, value, bound};
    g_ptr_array_add(r->checks, check);
}

void reproduction_target(struct reproduction *r, const char *name, bool met, double value,
                         double bound)
{
    struct check *check = g_new(struct check, 1);
    *check = (struct check){g_strdup(name), met || !r->full, true, met, value, bound};
    g_ptr_array_add(r->checks, check);
}

void reproduction_set(struct reproduction *r, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct entry *entry = g_new(struct entry, 1);
    *entry = (struct entry){g_strdup(key), g_strdup_vprintf(format, arguments)};
    va_end(arguments);
    g_ptr_array_add(r->settings, entry);
}

void reproduction_note(struct reproduction *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(r->notes, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

double reproduction_mean(const struct reproduction *r, const char *method, double step,
                         const char *metric)
{
    double sum = 0.0;
    size_t n = 0;
    for (guint i = 0; i < r->rows->len; i++) {
        const struct row *row = r->rows->pdata[i];
        if (row->step != step || strcmp(row->metric, metric) != 0 ||
            strcmp(row->method, method) != 0)
            continue;
        sum += row->value;
        n++;
    }
    return n == 0 ? NAN : sum / (double) n;
}

size_t reproduction_n_failed(const struct reproduction *r)
{
    size_t n_failed = 0;
    for (guint i = 0; i < r->checks->len; i++)
        n_failed += !((const struct check *) r->checks->pdata[i])->passed;
    return n_failed;
}

static void append_number(GString *text, double value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append(text, isfinite(value) ? g_ascii_dtostr(digits, sizeof digits, value) : "n/a");
}

static GString *results_text(const struct reproduction *r)
{
    GString *text = g_string_new("method\tstep\tseed\tmetric\tvalue\n");
    for (guint i = 0; i < r->rows->len; i++) {
        const struct row *row = r->rows->pdata[i];
        g_string_append_printf(text, "%s\t", row->method);
        append_number(text, row->step);
        g_string_append_printf(text, "\t%" G_GUINT64_FORMAT "\t%s\t", row->seed, row->metric);
        append_number(text, row->value);
        g_string_append_c(text, '\n');
    }
    return text;
}

// The methods that have results of a metric, in the order in which they came. Borrowed.
static GPtrArray *methods_with(const struct reproduction *r, const char *metric)
{
    GPtrArray *methods = g_ptr_array_new();
    for (guint i = 0; i < r->rows->len; i++) {
        const struct row *row = r->rows->pdata[i];
        if (strcmp(row->metric, metric) == 0 &&
            !g_ptr_array_find_with_equal_func(methods, row->method, g_str_equal, NULL))
            g_ptr_array_add(methods, row->method);
    }
    return methods;
}

// A data block of gnuplot: step and the mean over seeds, in the order of the results. Returns the
// number of points.
static guint append_curve(GString *script, const struct reproduction *r, const char *method,
                          const struct panel *panel, guint number)
{
    long place = (long) (panel - r->experiment->panels);
    g_string_append_printf(script, "$panel%ld_%u << EOD\n", place, number);
    g_autoptr(GHashTable) done = g_hash_table_new(g_double_hash, g_double_equal);
    for (guint i = 0; i < r->rows->len; i++) {
        struct row *row = r->rows->pdata[i];
        if (strcmp(row->metric, panel->metric) != 0 || strcmp(row->method, method) != 0 ||
            !g_hash_table_add(done, &row->step))
            continue;
        double mean = reproduction_mean(r, method, row->step, panel->metric);
        if (!isfinite(mean) || (panel->log_y && !(mean > panel->y_least)) ||
            (panel->log_x && !(row->step > 0.0)))
            continue;
        append_number(script, row->step);
        g_string_append_c(script, ' ');
        append_number(script, mean);
        g_string_append_c(script, '\n');
    }
    g_string_append(script, "EOD\n");
    return g_hash_table_size(done);
}

// The colours of Okabe and Ito, which the colour-blind tell apart.
static const char *const colours[] = {"#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                      "#e69f00", "#56b4e9", "#7f7f7f", "#8b5a2b", "#6a3d9a"};

// Curves of more points are lines without marks.
enum { MOST_MARKS = 60 };

// A method keeps its colour and mark in all panels.
static guint style_of(const struct reproduction *r, const char *method)
{
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    for (guint i = 0; i < r->rows->len; i++) {
        const struct row *row = r->rows->pdata[i];
        if (g_str_equal(row->method, method))
            break;
        if (!g_ptr_array_find_with_equal_func(seen, row->method, g_str_equal, NULL))
            g_ptr_array_add(seen, row->method);
    }
    return seen->len;
}

// Steps of a panel with some air on both sides.
static void append_range(GString *script, const struct reproduction *r, const struct panel *panel)
{
    double low = INFINITY, high = -INFINITY;
    for (guint i = 0; i < r->rows->len; i++) {
        const struct row *row = r->rows->pdata[i];
        if (strcmp(row->metric, panel->metric) != 0 || (panel->log_x && !(row->step > 0.0)))
            continue;
        low = fmin(low, row->step);
        high = fmax(high, row->step);
    }
    if (!(low < high))
        return;
    double air = panel->log_x ? pow(high / low, 0.03) : 0.02 * (high - low);
    g_string_append(script, "set xrange [");
    append_number(script, panel->log_x ? low / air : low - air);
    g_string_append_c(script, ':');
    append_number(script, panel->log_x ? high * air : high + air);
    g_string_append(script, "]\n");
}

static void append_panel(GString *script, const struct reproduction *r, const struct panel *panel)
{
    g_autoptr(GPtrArray) methods = methods_with(r, panel->metric);
    guint most = 0;
    for (guint m = 0; m < methods->len; m++)
        most = MAX(most, append_curve(script, r, methods->pdata[m], panel, m));
    const char *style = panel->points ? "points" : most > MOST_MARKS ? "lines" : "linespoints";
    // The empty line keeps the key off the label.
    g_string_append_printf(
        script, "set title \"%s\"\nset xlabel \"%s\\n \" offset 0,0.5\nset ylabel \"%s\"\n",
        panel->title, panel->x_label, panel->y_label);
    append_range(script, r, panel);
    g_string_append(script, panel->log_x ? "set logscale x\n" : "unset logscale x\n");
    g_string_append(script, panel->log_y ? "set logscale y\nset format y \"10^{%T}\"\n"
                                         : "unset logscale y\nset format y \"%g\"\n");
    for (guint m = 0; m < methods->len; m++) {
        guint number = style_of(r, methods->pdata[m]);
        g_string_append_printf(
            script,
            "%s$panel%ld_%u using 1:2 with %s lc rgb \"%s\" lw 2 pt %u ps 0.6 dt %u title \"%s\"",
            m == 0 ? "plot " : ", ", (long) (panel - r->experiment->panels), m, style,
            colours[number % G_N_ELEMENTS(colours)], 4 + number % 10,
            1 + number / (guint) G_N_ELEMENTS(colours), (const char *) methods->pdata[m]);
    }
    g_string_append(script, methods->len > 0 ? "\n" : "");
}

static size_t n_panels(const struct experiment *experiment)
{
    size_t n = 0;
    while (experiment->panels[n].metric != NULL)
        n++;
    return n;
}

// The notes in lines of at most `width` characters; *n_lines: how many.
static char *wrapped_notes(const struct reproduction *r, size_t width, size_t *n_lines)
{
    GString *text = g_string_new(NULL);
    *n_lines = r->notes->len;
    for (guint i = 0; i < r->notes->len; i++) {
        g_auto(GStrv) words = g_strsplit(r->notes->pdata[i], " ", -1);
        size_t column = 0;
        g_string_append(text, i > 0 ? "\\n" : "");
        for (size_t w = 0; words[w] != NULL; w++) {
            size_t length = (size_t) g_utf8_strlen(words[w], -1);
            bool breaks = column > 0 && column + 1 + length > width;
            g_string_append_printf(text, "%s%s", breaks ? "\\n" : column > 0 ? " " : "", words[w]);
            *n_lines += breaks;
            column = (breaks || column == 0 ? 0 : column + 1) + length;
        }
    }
    return g_string_free(text, FALSE);
}

// Title above, caption below, panels between them, each with its key below.
static void append_figure(GString *script, const struct reproduction *r, const char *terminal,
                          const char *file)
{
    size_t n = n_panels(r->experiment);
    size_t n_columns = n == 3 ? 3 : CLAMP(n, (size_t) 1, (size_t) 2);
    size_t n_rows = (n + n_columns - 1) / n_columns;
    size_t width = n_columns * 680 + (n == 1 ? 120 : 0);
    size_t n_lines = 0;
    g_autofree char *caption = wrapped_notes(r, width / 7, &n_lines);
    size_t caption_height = 12 + 18 * n_lines;
    size_t height = n_rows * 560 + 40 + caption_height;
    g_string_append_printf(script, "set terminal %s size %zu,%zu background \"white\"\n", terminal,
                           width, height);
    g_string_append_printf(script, "set output hidden.\"%s\"\nset multiplot\n", file);
    g_string_append_printf(script,
                           "set label 99 \"{/:Bold %s}\" at screen 0.5,%g center font \",15\"\n",
                           r->experiment->title, 1.0 - 20.0 / (double) height);
    g_string_append_printf(script,
                           "set label 100 \"%s\" at screen 0.02,%g left noenhanced font \",10\" "
                           "textcolor rgb \"#444444\"\n",
                           caption, (double) (caption_height - 10) / (double) height);
    for (size_t i = 0; i < n; i++) {
        size_t below = n_rows - 1 - i / n_columns;
        double bottom = (double) (caption_height + 560 * below) / (double) height;
        g_string_append_printf(script, "set origin %g,%g\nset size %g,%g\n",
                               (double) (i % n_columns) / (double) n_columns, bottom,
                               1.0 / (double) n_columns, 560.0 / (double) height);
        append_panel(script, r, &r->experiment->panels[i]);
        g_string_append(script, "unset label 99\nunset label 100\n");
    }
    g_string_append(script, "unset multiplot\nunset output\n");
}

static GString *script_text(const struct reproduction *r)
{
    GString *script =
        g_string_new(FIGURE_PREAMBLE "set encoding utf8\nset border 3\nset tics nomirror\n"
                                     "set grid lc rgb \"#dddddd\"\n"
                                     "set key below font \",10\" samplen 2 maxrows 4\n");
    append_figure(script, r, "svg enhanced font \"sans,12\"", "figure.svg");
    append_figure(script, r, "pngcairo enhanced font \"sans,12\"", "figure.png");
    return script;
}

static JsonArray *checks_json(const struct reproduction *r)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < r->checks->len; i++) {
        const struct check *check = r->checks->pdata[i];
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "name", check->name);
        json_object_set_boolean_member(object, "passed", check->passed);
        if (check->target)
            json_object_set_boolean_member(object, "target_met", check->met);
        json_object_set_double_member(object, "value", check->value);
        json_object_set_double_member(object, "bound", check->bound);
        json_array_add_object_element(array, object);
    }
    return array;
}

JsonObject *reproduction_to_json(const struct reproduction *r, double seconds)
{
    JsonObject *summary = json_object_new();
    JsonObject *settings = json_object_new();
    for (guint i = 0; i < r->settings->len; i++) {
        const struct entry *entry = r->settings->pdata[i];
        json_object_set_string_member(settings, entry->key, entry->value);
    }
    json_object_set_string_member(summary, "id", r->experiment->id);
    json_object_set_string_member(summary, "version", TAUT_VERSION);
    json_object_set_object_member(summary, "settings", settings);
    json_object_set_array_member(summary, "checks", checks_json(r));
    json_object_set_double_member(summary, "seconds", seconds);
    return summary;
}

static GString *config_text(const struct reproduction *r)
{
    GString *text = g_string_new(NULL);
    const char *size = r->full ? " --full" : r->quick ? " --quick" : "";
    g_string_append_printf(text, "# taut reproduce %s%s --seed %" G_GUINT64_FORMAT "\n[%s]\n",
                           r->experiment->id, size, r->seed, r->experiment->id);
    for (guint i = 0; i < r->settings->len; i++) {
        const struct entry *entry = r->settings->pdata[i];
        g_string_append_printf(text, "%s = %s\n", entry->key, entry->value);
    }
    return text;
}

static bool write_text(const char *folder, const char *name, GString *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    bool written = publish_bytes(path, text->str, text->len, true, error);
    g_string_free(text, TRUE);
    return written;
}

bool reproduction_write(struct reproduction *r, const char *folder, double seconds, GError **error)
{
    if (!write_text(folder, "results.tsv", results_text(r), error) ||
        !write_text(folder, "config.ini", config_text(r), error) ||
        !write_text(folder, "figure.gp", script_text(r), error))
        return false;
    static const char *const images[] = {"figure.svg", "figure.png", NULL};
    enum figure_outcome outcome = figure_draw(folder, "figure.gp", images, true, error);
    if (outcome == FIGURE_FAILED)
        return false;
    if (outcome == FIGURE_NO_GNUPLOT)
        host_info(r->host,
                  "%s: gnuplot is not installed: figure.gp is there to be drawn "
                  "elsewhere",
                  folder);
    // The summary comes last: an experiment without it is not done.
    g_autoptr(JsonObject) summary = reproduction_to_json(r, seconds);
    g_autofree char *path = g_build_filename(folder, "summary.json", NULL);
    return sidecar_write(path, summary, true, error);
}

char *reproduction_checks(const struct reproduction *r)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < r->checks->len; i++) {
        const struct check *check = r->checks->pdata[i];
        const char *word = !check->passed ? "FAIL" : check->met ? "PASS" : "MISS";
        g_string_append_printf(text, "  %s  %s%s: %.4g (bound %.4g)\n", word,
                               check->target ? "target: " : "", check->name, check->value,
                               check->bound);
    }
    return g_string_free(text, FALSE);
}
