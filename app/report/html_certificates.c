// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_maps.h"
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"

#include <math.h>
#include <string.h>

static const char *const status_meanings[SERIES_N_STATUS] = {
    "outside the mask",
    "relative duality gap within the tolerance",
    "the series does not vary",
    "NaN or infinity in the series",
    "best point found, gap above the tolerance",
    "not reached before the run was stopped",
};

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

static void add_status_map(GString *html, const struct html_report *report,
                           const size_t counts[SERIES_N_STATUS])
{
    if (counts[SERIES_SOLVED] == count_inside(counts))
        return;
    g_auto(owned_html_map) map = html_map_of_status(report);
    html_add_slices(html, report, &map, MONTAGE_AXIAL, 8);
}

static void add_facts(GString *html, const struct html_report *report,
                      const size_t counts[SERIES_N_STATUS])
{
    size_t n = counts[SERIES_SOLVED] + counts[SERIES_INACCURATE] + counts[SERIES_SKIPPED];
    g_auto(owned_html_sorted) gaps = html_sort_map(report, HTML_REPORT_GAP);
    g_string_append(html, "<dl class='tiles'>");
    html_add_tile(html, "Voxels in the mask", (double) count_inside(counts), "");
    html_add_tile(html, "Solved, with certificate",
                  n == 0 ? NAN : 100.0 * (double) counts[SERIES_SOLVED] / (double) n, "&#8239;%");
    html_add_tile(html, "Largest relative gap", html_quantile(&gaps, 1.0), "");
    html_add_tile(html, "Solver time per voxel",
                  report->microseconds > 0.0 ? report->microseconds : NAN, "&#8239;µs");
    g_string_append(html, "</dl>");
}

void html_add_certificates(GString *html, const struct html_report *report)
{
    size_t counts[SERIES_N_STATUS];
    count_status(report, counts);
    g_string_append(html, "<section><h2>Certificates</h2>");
    add_facts(html, report, counts);
    g_string_append(html, "<div class='pair'>");
    add_status_table(html, report);
    add_gap_histogram(html, report);
    g_string_append(html, "</div>");
    add_status_map(html, report, counts);
    g_string_append(html, "</section>");
}
