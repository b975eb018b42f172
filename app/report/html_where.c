// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/clusters.h"
#include "app/report/html_maps.h"
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"

#include <math.h>

enum { AXIAL_SLICES = 16, OTHER_SLICES = 8, MOST_CLUSTERS = 10 };

static void add_maps(GString *html, const struct html_report *report)
{
    g_auto(owned_html_map) map = html_map_of_findings(report);
    bool tested = report->maps[HTML_REPORT_P] != NULL;
    html_add_colours(html, &map, "explained variance");
    html_add_slices(html, report, &map, MONTAGE_AXIAL, AXIAL_SLICES);
    html_add_slices(html, report, &map, MONTAGE_CORONAL, OTHER_SLICES);
    html_add_slices(html, report, &map, MONTAGE_SAGITTAL, OTHER_SLICES);
    g_string_append(html, "<p class='caption'>In colour: voxels ");
    if (tested)
        g_string_append_printf(html, "with p ≤ %g", report->found.alpha);
    else
        g_string_append_printf(html,
                               "of which the response to the activity explains more than "
                               "%.1f&#8239;%%, the 99.9&#8239;%% point of white noise",
                               100.0 * report->found.white_point);
    g_string_append(html, "; in grey, the mean of the recording");
    g_string_append(html, report->grid->affine_ok
                              ? ". L, R: the subject’s left and right; A, P: anterior and "
                                "posterior.</p>"
                              : ". Slices as they are stored: the file has no usable "
                                "orientation.</p>");
}

static void add_cluster(GString *html, const struct html_report *report,
                        const struct cluster *cluster)
{
    const double *mm = report->grid->voxel_mm;
    double ml = 1e-3 * (double) cluster->n_voxels * mm[0] * mm[1] * mm[2];
    g_string_append_printf(html,
                           "<tr><td class='number'>%zu<td class='number'>%.2f<td class='place'>",
                           cluster->n_voxels, ml);
    html_append_place(html, report->grid, cluster->peak);
    g_string_append_printf(html, "<td class='number'>%.1f&#8239;%%<td class='number'>%.0f",
                           100.0 * (double) report->maps[HTML_REPORT_EXPLAINED][cluster->peak],
                           (double) report->maps[HTML_REPORT_JUMPS][cluster->peak]);
    if (report->maps[HTML_REPORT_P] != NULL) {
        g_string_append(html, "<td class='number'>");
        html_append_number(html, (double) report->maps[HTML_REPORT_P][cluster->peak]);
    }
    g_string_append(html, "</tr>");
}

static void add_clusters(GString *html, const struct html_report *report)
{
    size_t n = html_grid_size(report);
    g_autofree uint8_t *found = g_new(uint8_t, n);
    for (size_t i = 0; i < n; i++)
        found[i] = html_is_found(report, i);
    struct cluster clusters[MOST_CLUSTERS];
    size_t n_clusters = clusters_find(report->grid, found, report->maps[HTML_REPORT_EXPLAINED],
                                      clusters, MOST_CLUSTERS);
    if (n_clusters == 0)
        return;
    g_string_append(html, "<div><h3>Clusters</h3><div class='wide'><table><tr>"
                          "<th class='number'>Voxels<th class='number'>Volume (ml)<th>Peak"
                          "<th class='number'>Explained<th class='number'>Jumps");
    if (report->maps[HTML_REPORT_P] != NULL)
        g_string_append(html, "<th class='number'>p");
    g_string_append(html, "</tr>");
    for (size_t c = 0; c < MIN(n_clusters, (size_t) MOST_CLUSTERS); c++)
        add_cluster(html, report, &clusters[c]);
    g_string_append(html, "</table></div>");
    if (n_clusters > MOST_CLUSTERS)
        g_string_append_printf(html, "<p class='caption'>and %zu more</p>",
                               n_clusters - MOST_CLUSTERS);
    g_string_append(html, "</div>");
}

enum { N_BINS = 40 };

static void count_bins(const struct html_report *report, size_t counts[N_BINS],
                       double noise[N_BINS])
{
    g_auto(owned_html_sorted) sorted = html_sort_map(report, HTML_REPORT_EXPLAINED);
    const struct html_report_found *found = &report->found;
    for (size_t i = 0; i < sorted.n; i++)
        counts[(size_t) CLAMP((double) sorted.values[i] * N_BINS, 0.0, N_BINS - 1.0)]++;
    for (size_t i = 0; i < found->n_white; i++)
        noise[(size_t) CLAMP(found->white[i] * N_BINS, 0.0, N_BINS - 1.0)] +=
            (double) sorted.n / (double) found->n_white;
}

static void add_histogram(GString *html, const struct html_report *report)
{
    size_t counts[N_BINS] = {0};
    double noise[N_BINS] = {0.0}, most = 1.0;
    count_bins(report, counts, noise);
    for (size_t i = 0; i < N_BINS; i++)
        most = fmax(most, fmax((double) counts[i], noise[i]));
    g_string_append(html, "<figure><h3>Explained variance: voxels, and white noise</h3>");
    html_open_svg(html, 500, 236, "Histogram of explained variance beside that of white noise");
    struct plot plot = {html, 62.0, 10.0, 418.0, 184.0, {0.0, 100.0}, {0.0, 1.05 * most}};
    plot_axes(&plot, "explained variance (%)", "voxels");
    plot_bars(&plot, counts, N_BINS, 0.0, 100.0 / N_BINS);
    plot_steps(&plot, noise, N_BINS, 100.0 / N_BINS, "act");
    if (report->found.n_white > 0)
        plot_marker(&plot, 100.0 * report->found.white_point, "99.9 % of noise");
    g_string_append(html, "</svg><figcaption>Bars: voxels of the mask. Line: as many series of "
                          "white noise, cleaned and solved as they were.</figcaption></figure>");
}

void html_add_where(GString *html, const struct html_report *report)
{
    g_string_append(html, "<section><h2>Where</h2>");
    add_maps(html, report);
    g_string_append(html, "<div class='pair'>");
    add_clusters(html, report);
    add_histogram(html, report);
    g_string_append(html, "</div></section>");
}
