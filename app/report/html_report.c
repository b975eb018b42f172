// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_report.h"

#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"
#include "io/publish.h"
#include "io/sidecar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const status_meanings[SERIES_N_STATUS] = {
    "outside the mask",
    "relative duality gap within the tolerance",
    "the series does not vary",
    "NaN or infinity in the series",
    "best point found, gap above the tolerance",
    "not reached before the run was stopped",
};

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
