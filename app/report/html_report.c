// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_report.h"

#include "app/report/html_parts.h"
#include "app/report/plot.h"
#include "io/publish.h"
#include "io/sidecar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{--ink:#1d2330;--soft:#5a6376;--line:#d9dee7;--page:#fff;--panel:#f6f8fb;--data:#8a93a5;"
    "--fit:#0072b2;--act:#d55e00;--bar:#0072b2;color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--soft:#9aa4b8;--line:#343b48;"
    "--page:#14171d;--panel:#1b2028;--data:#7d879b;--fit:#56b4e9;--act:#e69f00;--bar:#56b4e9}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 'Source Sans 3','Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif}"
    "main{max-width:1120px;margin:0 auto;padding:32px 40px 64px}"
    "header{border-bottom:2px solid var(--ink);padding-bottom:14px;margin-bottom:22px}"
    "header p{margin:0;color:var(--soft);overflow-wrap:anywhere}"
    ".kind{text-transform:uppercase;letter-spacing:.09em;font-size:12px;font-weight:600}"
    "h1{font-size:27px;line-height:1.25;margin:4px 0 6px;overflow-wrap:anywhere}"
    "h2{font-size:18px;margin:38px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--line)}"
    "h3{font-size:14px;margin:20px 0 4px}"
    "p{max-width:78ch}sup{line-height:0}"
    ".tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:12px;margin:0}"
    ".tiles div{background:var(--panel);border-radius:8px;padding:12px 16px}"
    ".tiles dt{font-size:12px;color:var(--soft)}"
    ".tiles dd{margin:2px 0 0;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}"
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:36px;align-items:start}"
    ".caption,figcaption{font-size:13px;color:var(--soft);max-width:none;margin:4px 0 8px}"
    "figure{margin:0 0 22px;break-inside:avoid}"
    "svg{display:block;width:100%;height:auto}"
    "svg text{font:12px 'Source Sans 3','Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif;"
    "fill:var(--soft)}svg .strong{fill:var(--ink);font-weight:600}"
    ".grid{stroke:var(--line);stroke-width:.6}.axis,.zero{stroke:var(--soft);stroke-width:1}"
    ".marker{stroke:var(--act);stroke-width:1.5;stroke-dasharray:5 4}.bar{fill:var(--bar)}"
    ".data,.fit,.act{fill:none;stroke-linejoin:round;stroke-linecap:round}"
    ".data{stroke:var(--data);stroke-width:1}.fit{stroke:var(--fit);stroke-width:2}"
    ".act{stroke:var(--act);stroke-width:1.8}"
    "image{image-rendering:pixelated}"
    "table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}"
    "td,th{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line);"
    "vertical-align:top;overflow-wrap:anywhere}th{font-weight:600}"
    "td.number,th.number{text-align:right;white-space:nowrap;padding-left:10px}td:first-child{"
    "white-space:nowrap}"
    ".swatch{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:8px}"
    ".share{display:flex;height:14px;border-radius:3px;overflow:hidden;margin:6px 0 12px}"
    ".warn{border-left:3px solid var(--act);padding-left:12px}"
    "ul{columns:2;column-gap:36px;list-style:none;margin:0;padding:0}"
    "code{font:13px ui-monospace,'DejaVu Sans Mono',Consolas,monospace;overflow-wrap:anywhere}"
    "footer{margin-top:40px;border-top:1px solid var(--line);padding-top:10px;color:var(--soft);"
    "font-size:13px}"
    "@media screen and (max-width:760px){.tiles{grid-template-columns:1fr "
    "1fr}.pair{grid-template-columns:1fr}"
    "main{padding:20px}}"
    "@media print{:root{--ink:#000;--soft:#444;--line:#ccc;--page:#fff;--panel:#f4f4f4;"
    "--data:#888;--fit:#0072b2;--act:#d55e00;--bar:#0072b2}main{padding:0;max-width:none}"
    "body{font-size:9.5pt}h2,h3{break-after:avoid}.tiles dd{font-size:14pt}.pair{gap:20px}"
    ".grid{stroke-width:.4}@page{margin:14mm}}";

const char *const html_status_colours[SERIES_N_STATUS] = {"#00000000", "#009e73", "#999999",
                                                          "#d55e00",   "#e69f00", "#56b4e9"};
static const char *const status_meanings[SERIES_N_STATUS] = {
    "outside the mask",
    "relative duality gap within the tolerance",
    "the series does not vary",
    "NaN or infinity in the series",
    "best point found, gap above the tolerance",
    "not reached before the run was stopped",
};

size_t html_grid_size(const struct html_report *report)
{
    return report->grid->dim[0] * report->grid->dim[1] * report->grid->dim[2];
}

bool html_has_solution(const struct html_report *report, size_t i)
{
    float status = report->maps[HTML_REPORT_STATUS][i];
    return status == (float) SERIES_SOLVED || status == (float) SERIES_INACCURATE;
}

static int compare_floats(const void *a, const void *b)
{
    const float left = *(const float *) a;
    const float right = *(const float *) b;
    return (left > right) - (left < right);
}

void html_sorted_clear(struct html_sorted *sorted)
{
    g_free(sorted->values);
}

struct html_sorted html_sort_map(const struct html_report *report, enum html_report_map map)
{
    size_t n = html_grid_size(report);
    struct html_sorted sorted = {g_new(float, n), 0};
    for (size_t i = 0; i < n; i++)
        if (html_has_solution(report, i) && isfinite(report->maps[map][i]))
            sorted.values[sorted.n++] = report->maps[map][i];
    qsort(sorted.values, sorted.n, sizeof *sorted.values, compare_floats);
    return sorted;
}

double html_quantile(const struct html_sorted *sorted, double fraction)
{
    if (sorted->n == 0)
        return NAN;
    return sorted->values[(size_t) (fraction * (double) (sorted->n - 1) + 0.5)];
}

void html_open_svg(GString *html, double width, double height, const char *label)
{
    g_string_append_printf(html, "<svg viewBox='0 0 %.0f %.0f' role='img' aria-label='%s'>", width,
                           height, label);
}

static const char *setting(const struct html_report *report, const char *name)
{
    for (size_t i = 0; i < report->n_settings; i++)
        if (strcmp(report->settings[i].name, name) == 0)
            return report->settings[i].value;
    return "";
}

static void count_status(const struct html_report *report, size_t counts[SERIES_N_STATUS])
{
    memset(counts, 0, SERIES_N_STATUS * sizeof *counts);
    for (size_t i = 0; i < html_grid_size(report); i++) {
        float status = report->maps[HTML_REPORT_STATUS][i];
        if (status >= 0.0f && status < (float) SERIES_N_STATUS)
            counts[(size_t) status]++;
    }
}

static size_t count_inside(const size_t counts[SERIES_N_STATUS])
{
    size_t total = 0;
    for (size_t s = SERIES_OUTSIDE + 1; s < SERIES_N_STATUS; s++)
        total += counts[s];
    return total;
}

void html_add_tile(GString *html, const char *name, double value, const char *after)
{
    g_string_append_printf(html, "<div><dt>%s</dt><dd>", name);
    html_append_number(html, value);
    g_string_append_printf(html, "%s</dd></div>", after);
}

static void add_tiles(GString *html, const struct html_report *report)
{
    size_t counts[SERIES_N_STATUS];
    count_status(report, counts);
    size_t n_inside = count_inside(counts);
    size_t n_solvable = counts[SERIES_SOLVED] + counts[SERIES_INACCURATE] + counts[SERIES_SKIPPED];
    g_auto(owned_html_sorted) gaps = html_sort_map(report, HTML_REPORT_GAP);
    g_auto(owned_html_sorted) jumps = html_sort_map(report, HTML_REPORT_JUMPS);
    g_string_append_printf(
        html, "<dl class='tiles'><div><dt>Voxels in the mask</dt><dd>%zu</dd></div>", n_inside);
    double share =
        n_solvable == 0 ? NAN : 100.0 * (double) counts[SERIES_SOLVED] / (double) n_solvable;
    html_add_tile(html, "Solved, with certificate", share, "&#8239;%");
    html_add_tile(html, "Largest relative gap", html_quantile(&gaps, 1.0), "");
    html_add_tile(html, "Jumps of a series, median", html_quantile(&jumps, 0.5), "");
    html_add_tile(html, "Solver time per voxel",
                  report->microseconds > 0.0 ? report->microseconds : NAN, "&#8239;µs");
    g_string_append(html, "</dl>");
}

static void add_status_table(GString *html, const struct html_report *report)
{
    size_t counts[SERIES_N_STATUS];
    count_status(report, counts);
    size_t n_inside = MAX(count_inside(counts), 1);
    g_string_append(html, "<div><h3>Status of every voxel</h3><div class='share'>");
    for (size_t s = SERIES_OUTSIDE + 1; s < SERIES_N_STATUS; s++)
        if (counts[s] > 0)
            g_string_append_printf(html, "<span style='background:%s;flex:%zu'></span>",
                                   html_status_colours[s], counts[s]);
    g_string_append(html, "</div><table><tr><th>Status<th>Meaning<th class='number'>Voxels"
                          "<th class='number'>Share</tr>");
    for (size_t s = SERIES_OUTSIDE + 1; s < SERIES_N_STATUS; s++) {
        if (counts[s] == 0 && s != SERIES_SOLVED)
            continue;
        g_string_append_printf(html,
                               "<tr><td><span class='swatch' style='background:%s'></span>%s"
                               "<td>%s<td class='number'>%zu<td class='number'>%.2f&#8239;%%</tr>",
                               html_status_colours[s], series_status_name((enum series_status) s),
                               status_meanings[s], counts[s],
                               100.0 * (double) counts[s] / (double) n_inside);
    }
    g_string_append(html, "</table></div>");
}

// Half decades from 1e-18 to 10; gaps of zero count as the smallest.
static void add_gap_histogram(GString *html, const struct html_report *report)
{
    enum { N_BINS = 38 };
    const double first = -18.0;
    const double width = 0.5;
    size_t counts[N_BINS] = {0};
    size_t most = 1;
    g_auto(owned_html_sorted) gaps = html_sort_map(report, HTML_REPORT_GAP);
    for (size_t i = 0; i < gaps.n; i++) {
        double place =
            gaps.values[i] > 0.0f ? (log10((double) gaps.values[i]) - first) / width : 0.0;
        size_t bin = (size_t) CLAMP(place, 0.0, N_BINS - 1.0);
        counts[bin]++;
        most = MAX(most, counts[bin]);
    }
    g_string_append(html, "<figure><h3>Certificate: relative duality gap</h3>");
    html_open_svg(html, 500, 230, "Histogram of the relative duality gap");
    struct plot plot = {html,
                        62.0,
                        8.0,
                        430.0,
                        180.0,
                        {first, first + width * N_BINS},
                        {0.0, 1.05 * (double) most}};
    plot_axes(&plot, "log₁₀ of the relative gap", "voxels");
    plot_bars(&plot, counts, N_BINS, first, width);
    if (report->tol > 0.0)
        plot_marker(&plot, log10(report->tol), "tolerance");
    g_string_append(html, "</svg><figcaption>The objective of each solution exceeds the smallest "
                          "possible one by at most this fraction of the best constant’s objective."
                          "</figcaption></figure>");
}

static void add_certificates(GString *html, const struct html_report *report)
{
    g_string_append(html, "<section><h2>Solutions and certificates</h2><div class='pair'>");
    add_status_table(html, report);
    add_gap_histogram(html, report);
    g_string_append(html, "</div></section>");
}

static void add_rows(GString *html, const char *title, const struct html_report_row *rows, size_t n)
{
    if (n == 0)
        return;
    g_string_append_printf(html, "<div><h3>%s</h3><table>", title);
    for (size_t i = 0; i < n; i++) {
        g_string_append(html, "<tr><td>");
        html_append_text(html, rows[i].name);
        g_string_append(html, "<td>");
        html_append_text(html, rows[i].value);
        g_string_append(html, "</tr>");
    }
    g_string_append(html, "</table></div>");
}

static void add_list(GString *html, const char *title, const char *const *names)
{
    if (names == NULL || names[0] == NULL)
        return;
    g_string_append_printf(html, "<h3>%s</h3><ul>", title);
    for (; *names != NULL; names++) {
        g_string_append(html, "<li><code>");
        html_append_text(html, *names);
        g_string_append(html, "</code></li>");
    }
    g_string_append(html, "</ul>");
}

static void add_response(GString *html, const struct html_report *report)
{
    if (report->n_h == 0)
        return;
    double end_s = (double) (report->n_h - 1) * report->tr_s;
    struct plot plot = {html, 62.0, 8.0, 430.0, 150.0, {0.0, end_s > 0.0 ? end_s : 1.0}, {0, 0}};
    plot_range(report->h, report->n_h, plot.y_range);
    g_string_append(html, "<figure><h3>Response h: ");
    html_append_text(html, setting(report, "hrf"));
    g_string_append_printf(html, ", %zu samples</h3>", report->n_h);
    html_open_svg(html, 500, 200, "Haemodynamic response");
    plot_axes(&plot, "time (s)", "h");
    plot_line(&plot, report->h, report->n_h, report->tr_s, "fit");
    g_string_append(html, "</svg></figure>");
}

static void add_settings(GString *html, const struct html_report *report)
{
    g_string_append(html, "<section><h2>Settings</h2><div class='pair'>");
    add_rows(html, "Options in force", report->settings, report->n_settings);
    g_string_append(html, "<div>");
    add_response(html, report);
    add_rows(html, "Time and memory", report->times, report->n_times);
    g_string_append(html, "</div></div>");
    add_list(html, "Files beside this page", report->outputs);
    g_string_append(html, "</section>");
}

static void add_warnings(GString *html, const struct html_report *report)
{
    if (report->warnings == NULL || report->warnings[0] == NULL)
        return;
    g_string_append(html, "<section class='warn'><h2>Warnings</h2>");
    for (const char *const *warning = report->warnings; *warning != NULL; warning++) {
        g_string_append(html, "<p>");
        html_append_text(html, *warning);
        g_string_append(html, "</p>");
    }
    g_string_append(html, "</section>");
}

static void add_phrase(GString *html, const char *before, const char *value, const char *after)
{
    if (*value == '\0')
        return;
    g_string_append(html, before);
    html_append_text(html, value);
    g_string_append(html, after);
}

// A paragraph for the methods section of a paper.
static void add_methods(GString *html, const struct html_report *report)
{
    g_string_append(html, "<section><h2>Method</h2><p>");
    g_string_append_printf(html,
                           "%zu frames, one every %g&#8239;s, were deconvolved voxel by voxel with "
                           "Taut ",
                           report->n_time, report->tr_s);
    html_append_text(html, report->version);
    g_string_append(html, ". For each series x the activity u minimises "
                          "½&#8239;‖x − h ∗ u‖² + λ&#8239;Σ|u<sub>t+1</sub> − u<sub>t</sub>|, ");
    add_phrase(html, "h being the response <i>", setting(report, "hrf"), "</i>");
    add_phrase(html, " (", setting(report, "conv"), " convolution)");
    add_phrase(html, "; λ by the rule <i>", setting(report, "lambda-rule"), "</i>");
    add_phrase(html, " with value ", setting(report, "lambda"), "");
    add_phrase(html, ", scope ", setting(report, "lambda-scope"), "");
    add_phrase(html, ". Drifts: ", setting(report, "detrend"), "");
    add_phrase(html, "; scaling: ", setting(report, "standardize"), "");
    add_phrase(html, ". Solver: <i>", setting(report, "solver"), "</i>");
    g_string_append(html,
                    ". The duality gap of every solution was computed in double precision by "
                    "code that the solver does not use: it bounds, from the data and the solution "
                    "alone, how far the objective is from its minimum. λ<sub>max</sub> is the "
                    "smallest λ for which no activity changes are found.</p></section>");
}

static void add_header(GString *html, const struct html_report *report)
{
    const struct image_grid *grid = report->grid;
    g_string_append(html, "<header><p class='kind'>Certified deconvolution</p><h1>");
    html_append_text(html, report->title);
    g_string_append(html, "</h1><p><code>");
    html_append_text(html, report->input);
    g_string_append_printf(html,
                           "</code></p><p>%zu × %zu × %zu voxels of %.3g × %.3g × %.3g mm, "
                           "%zu frames every %g s · Taut ",
                           grid->dim[0], grid->dim[1], grid->dim[2], grid->voxel_mm[0],
                           grid->voxel_mm[1], grid->voxel_mm[2], report->n_time, report->tr_s);
    html_append_text(html, report->version);
    g_string_append(html, "</p></header>");
}

GString *html_open_page(const char *title)
{
    GString *html = g_string_new("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
                                 "<meta name='viewport' content='width=device-width'>"
                                 "<meta http-equiv='Content-Security-Policy' content=\""
                                 "default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
                                 "<title>");
    html_append_text(html, title);
    g_string_append_printf(html, " · Taut</title><style>%s</style></head><body><main>", style);
    return html;
}

void html_close_page(GString *html, const char *version)
{
    g_string_append(html, "<footer>Made by Taut ");
    html_append_text(html, version);
    g_string_append(html, ". This page needs no network and no other file.</footer>"
                          "</main></body></html>\n");
}

GString *html_page(const struct html_report *report)
{
    GString *html = html_open_page(report->title);
    add_header(html, report);
    add_tiles(html, report);
    add_warnings(html, report);
    add_certificates(html, report);
    html_add_maps(html, report);
    html_add_traces(html, report);
    add_methods(html, report);
    add_settings(html, report);
    html_close_page(html, report->version);
    return html;
}

static double key_lambda_max(const struct series_result *result)
{
    return result->lambda_max;
}

static double key_jumps(const struct series_result *result)
{
    return (double) result->n_jumps;
}

static double key_gap(const struct series_result *result)
{
    return result->status == SERIES_INACCURATE ? result->relative_gap : -1.0;
}

// The series with the largest key, the lowest index among equals; n if none has a solution.
static size_t find_largest(const struct series_result *results, size_t n,
                           double (*key)(const struct series_result *result))
{
    size_t best = n;
    for (size_t v = 0; v < n; v++) {
        bool solved = results[v].status == SERIES_SOLVED || results[v].status == SERIES_INACCURATE;
        if (solved && key(&results[v]) >= 0.0 &&
            (best == n || key(&results[v]) > key(&results[best])))
            best = v;
    }
    return best;
}

struct strength {
    double lambda_max;
    size_t index;
};

static int compare_strengths(const void *a, const void *b)
{
    const struct strength *left = a;
    const struct strength *right = b;
    if (left->lambda_max != right->lambda_max)
        return left->lambda_max < right->lambda_max ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

static size_t find_median(const struct series_result *results, size_t n)
{
    g_autofree struct strength *order = g_new(struct strength, n);
    size_t count = 0;
    for (size_t v = 0; v < n; v++)
        if (results[v].status == SERIES_SOLVED)
            order[count++] = (struct strength){results[v].lambda_max, v};
    qsort(order, count, sizeof *order, compare_strengths);
    return count == 0 ? n : order[count / 2].index;
}

size_t html_report_choose(const struct series_result *results, size_t n,
                          size_t chosen[HTML_REPORT_N_TRACES],
                          const char *labels[HTML_REPORT_N_TRACES])
{
    const struct {
        size_t index;
        const char *label;
    } candidates[HTML_REPORT_N_TRACES] = {
        {find_largest(results, n, key_lambda_max), "Strongest response (largest λₘₐₓ)"},
        {find_median(results, n), "Typical voxel (median λₘₐₓ)"},
        {find_largest(results, n, key_jumps), "Hardest voxel (most jumps)"},
        {find_largest(results, n, key_gap), "Least accurate voxel (largest gap)"},
    };
    size_t count = 0;
    for (size_t c = 0; c < HTML_REPORT_N_TRACES; c++) {
        bool is_new = candidates[c].index < n;
        for (size_t i = 0; i < count; i++)
            is_new = is_new && chosen[i] != candidates[c].index;
        if (!is_new)
            continue;
        chosen[count] = candidates[c].index;
        labels[count++] = candidates[c].label;
    }
    return count;
}

char *html_beside(const char *html_path, const char *ending)
{
    size_t n = strlen(html_path);
    if (g_str_has_suffix(html_path, ".html"))
        n -= strlen(".html");
    return g_strdup_printf("%.*s%s", (int) n, html_path, ending);
}

bool html_report_write(const char *path, const struct html_report *report, bool overwrite,
                       GError **error)
{
    g_autofree char *json_path = html_beside(path, ".json");
    g_autoptr(JsonObject) json = html_report_json(report);
    if (!sidecar_write(json_path, json, overwrite, error))
        return false;
    g_autoptr(GString) html = html_page(report);
    return publish_bytes(path, html->str, html->len, overwrite, error);
}
