// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_maps.h"
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"

#include <math.h>

enum { SLICES = 8 };

static void add_response(GString *html, const struct html_report *report)
{
    if (report->n_h == 0)
        return;
    double end_s = (double) (report->n_h - 1) * report->tr_s;
    struct plot plot = {html, 62.0, 8.0, 430.0, 150.0, {0.0, end_s > 0.0 ? end_s : 1.0}, {0, 0}};
    plot_range(report->h, report->n_h, plot.y_range);
    g_string_append(html, "<figure><h3>Response h: ");
    html_append_text(html, html_setting(report, "hrf"));
    g_string_append_printf(html, ", %zu samples</h3>", report->n_h);
    html_open_svg(html, 500, 200, "Haemodynamic response");
    plot_axes(&plot, "time (s)", "h");
    plot_line(&plot, report->h, report->n_h, report->tr_s, "fit");
    g_string_append(html, "</svg></figure>");
}

static void add_fact(GString *html, const char *name, double value, const char *after)
{
    if (!isfinite(value))
        return;
    g_string_append_printf(html, "<tr><td>%s<td>", name);
    html_append_number(html, value);
    g_string_append_printf(html, "%s</tr>", after);
}

static double median_ratio(const struct html_report *report)
{
    g_auto(owned_html_sorted) lambda = html_sort_map(report, HTML_REPORT_LAMBDA);
    g_auto(owned_html_sorted) largest = html_sort_map(report, HTML_REPORT_LAMBDA_MAX);
    return html_quantile(&lambda, 0.5) / html_quantile(&largest, 0.5);
}

static void add_facts(GString *html, const struct html_report *report)
{
    g_auto(owned_html_sorted) lambda = html_sort_map(report, HTML_REPORT_LAMBDA);
    g_auto(owned_html_sorted) jumps = html_sort_map(report, HTML_REPORT_JUMPS);
    g_string_append(html, "<div><h3>Medians over the mask</h3><table>");
    add_fact(html, "λ", html_quantile(&lambda, 0.5), "");
    add_fact(html, "of λ<sub>max</sub>", 100.0 * median_ratio(report), "&#8239;%");
    add_fact(html, "Jumps of a series", html_quantile(&jumps, 0.5), "");
    add_fact(html, "Noise: standard deviation", report->found.sigma, "");
    add_fact(html, "Noise: autocorrelation, one frame", report->found.ar, "");
    add_fact(html, "White noise: explained variance, 99.9&#8239;%",
             100.0 * report->found.white_point, "&#8239;%");
    if (report->maps[HTML_REPORT_P] != NULL)
        add_fact(html, "A voxel is found up to p =", report->found.alpha, "");
    g_string_append(html, "</table><p class='caption'>λ weighs the changes of the activity; "
                          "λ<sub>max</sub> is the smallest at which there are none. Jumps at this "
                          "λ are no count of events: noise has them too.</p></div>");
}

// Whether lambda is one fraction of lambda_max everywhere: its map then shows nothing new.
static bool lambda_is_proportional(const struct html_report *report)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < html_grid_size(report); i++) {
        double lambda_max = (double) report->maps[HTML_REPORT_LAMBDA_MAX][i];
        if (!html_has_solution(report, i) || !(lambda_max > 0.0))
            continue;
        double ratio = (double) report->maps[HTML_REPORT_LAMBDA][i] / lambda_max;
        low = fmin(low, ratio);
        high = fmax(high, ratio);
    }
    return high - low <= 1e-5 * high;
}

static void add_map(GString *html, const struct html_report *report, enum html_report_map which,
                    const char *label)
{
    g_auto(owned_html_map) map = html_map_of_values(report, which);
    html_add_colours(html, &map, label);
    html_add_slices(html, report, &map, MONTAGE_AXIAL, SLICES);
}

void html_add_noise(GString *html, const struct html_report *report)
{
    g_string_append(html, "<section><h2>Noise and λ</h2><div class='pair'>");
    add_facts(html, report);
    add_response(html, report);
    g_string_append(html, "</div>");
    add_map(html, report, HTML_REPORT_LAMBDA_MAX, "λmax: slow variation of a voxel");
    add_map(html, report, HTML_REPORT_JUMPS, "jumps of the activity");
    if (!lambda_is_proportional(report))
        add_map(html, report, HTML_REPORT_LAMBDA, "λ used");
    g_string_append(html, "<p class='caption'>Colours span the 1st to the 99th percentile; grey: "
                          "no solution.</p></section>");
}
