// SPDX-License-Identifier: BSD-3-Clause
// The first question: did it find anything, where, when.
#include "app/report/clusters.h"
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"

#include <math.h>
#include <string.h>

static size_t count_solved(const struct html_report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < html_grid_size(report); i++)
        n += html_has_solution(report, i);
    return n;
}

bool html_is_found(const struct html_report *report, size_t i)
{
    if (!html_has_solution(report, i))
        return false;
    if (report->maps[HTML_REPORT_P] != NULL)
        return (double) report->maps[HTML_REPORT_P][i] <= report->found.alpha;
    return (double) report->maps[HTML_REPORT_EXPLAINED][i] > report->found.white_point;
}

size_t html_count_found(const struct html_report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < html_grid_size(report); i++)
        n += html_is_found(report, i);
    return n;
}

double html_expected_of_noise(const struct html_report *report)
{
    const double white_share = 0.001; // beyond white_point
    bool tested = report->maps[HTML_REPORT_P] != NULL;
    return (tested ? report->found.alpha : white_share) * (double) count_solved(report);
}

// Voxels of noise are no independent draws, so that chance alone may well find twice as many.
static bool finds_something(double n_found, double expected)
{
    return n_found > 2.0 * expected + 3.0 * sqrt(expected) + 1.0;
}

static void add_sentence(GString *html, const struct html_report *report, size_t n_found)
{
    double n = (double) count_solved(report), expected = html_expected_of_noise(report);
    const char *noise =
        report->maps[HTML_REPORT_P] != NULL ? "noise of their autocorrelation" : "white noise";
    bool found = finds_something((double) n_found, expected);
    g_string_append_printf(
        html,
        "<p class='headline'><b>%s</b> %zu of %.0f voxels (%.3g&#8239;%%) follow the response "
        "%s %s would; it alone would give %.*f.</p>",
        found ? "Activity is found." : "No activity is found.", n_found, n,
        n > 0.0 ? 100.0 * (double) n_found / n : 0.0,
        found ? "better than" : "as well as, or better than,", noise, expected < 10.0 ? 1 : 0,
        expected);
}

static void add_largest(GString *html, const struct html_report *report, const uint8_t *found)
{
    struct cluster largest;
    if (clusters_find(report->grid, found, report->maps[HTML_REPORT_EXPLAINED], &largest, 1) == 0)
        return;
    g_string_append_printf(html, "The largest cluster has %zu voxels, with its peak at ",
                           largest.n_voxels);
    html_append_place(html, report->grid, largest.peak);
    g_string_append(html, ". ");
}

// The three frames at which most rises together, at least 8 s apart, in the order of time.
static void add_rises(GString *html, const struct html_report *report)
{
    enum { N_SHOWN = 3 };
    const double apart_s = 8.0;
    size_t shown[N_SHOWN], n_shown = 0;
    for (; n_shown < N_SHOWN; n_shown++) {
        size_t best = report->n_time;
        for (size_t t = 1; t < report->n_time; t++) {
            bool near = false;
            for (size_t i = 0; i < n_shown; i++)
                near = near || fabs((double) t - (double) shown[i]) * report->tr_s < apart_s;
            if (!near && report->courses.rises[t] > 0.0 &&
                (best == report->n_time || report->courses.rises[t] > report->courses.rises[best]))
                best = t;
        }
        if (best == report->n_time)
            break;
        size_t i = n_shown;
        for (; i > 0 && shown[i - 1] > best; i--)
            shown[i] = shown[i - 1];
        shown[i] = best;
    }
    if (n_shown == 0)
        return;
    g_string_append(html, "They rise together most at ");
    for (size_t i = 0; i < n_shown; i++)
        g_string_append_printf(html, "%s%.4g",
                               i == 0             ? ""
                               : i + 1 == n_shown ? " and "
                                                  : ", ",
                               report->tr_s * (double) shown[i]);
    g_string_append(html, "&#8239;s.");
}

// To three digits.
static double rounded(double value)
{
    double unit = value > 0.0 ? pow(10.0, floor(log10(value)) - 2.0) : 1.0;
    return unit * round(value / unit);
}

static void add_tiles(GString *html, const struct html_report *report, const uint8_t *found,
                      size_t n_found)
{
    g_auto(owned_html_sorted) own = html_sort_found(report);
    double solved = (double) count_solved(report);
    g_string_append(html, "<dl class='tiles'>");
    html_add_tile(html, "Voxels found", (double) n_found, "");
    html_add_tile(html, "Share of the mask",
                  solved > 0.0 ? rounded(100.0 * (double) n_found / solved) : NAN, "&#8239;%");
    html_add_tile(html, "Noise alone would give", rounded(html_expected_of_noise(report)), "");
    html_add_tile(html, "Explained variance there, median",
                  rounded(100.0 * html_quantile(&own, 0.5)), "&#8239;%");
    html_add_tile(
        html, "Clusters",
        (double) clusters_find(report->grid, found, report->maps[HTML_REPORT_EXPLAINED], NULL, 0),
        "");
    g_string_append(html, "</dl>");
}

static void add_caution(GString *html, const struct html_report *report)
{
    size_t n_odd = report->found.n_ends + report->found.n_single + report->found.n_spike;
    g_string_append(html, "<p class='caption'>");
    if (n_odd > 0)
        g_string_append_printf(
            html,
            "Of them, %zu have much of their variation at the ends of the run, %zu in one swing, "
            "%zu one frame far from all others: these are no examples of activity. ",
            report->found.n_ends, report->found.n_single, report->found.n_spike);
    g_string_append(html,
                    report->maps[HTML_REPORT_P] != NULL
                        ? "Veins, drifts and motion are slow as activity is, and are found too "
                          "where they were not cleaned. "
                        : "White noise is the least there is: drifts, motion and veins are slow as "
                          "activity is. <code>--null analytic</code> tests against noise of each "
                          "voxel’s autocorrelation, and lists the jumps. ");
    g_string_append(html, "</p>");
}

void html_add_answer(GString *html, const struct html_report *report)
{
    size_t n = html_grid_size(report), n_found = 0;
    g_autofree uint8_t *found = g_new(uint8_t, n);
    for (size_t i = 0; i < n; i++)
        n_found += found[i] = html_is_found(report, i);
    g_string_append(html, "<section class='answer'>");
    add_sentence(html, report, n_found);
    if (n_found > 0) {
        g_string_append(html, "<p>");
        add_largest(html, report, found);
        add_rises(html, report);
        g_string_append(html, "</p>");
    }
    add_tiles(html, report, found, n_found);
    add_caution(html, report);
    g_string_append(html, "</section>");
}
