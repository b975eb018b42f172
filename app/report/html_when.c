// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"

#include <math.h>

enum { CARPET_HEIGHT = 150, GAP = 20 };

/** Panels that stand on one axis of time, one below the other. */
struct panels {
    GString *html;
    const struct html_report *report;
    double top; // of the next one
};

static struct plot begin_panel(struct panels *panels, double height)
{
    double end_s = (double) panels->report->n_time * panels->report->tr_s;
    struct plot plot = {panels->html, 62.0,         panels->top, HTML_WIDTH - 78.0,
                        height,       {0.0, end_s}, {0.0, 0.0}};
    panels->top += height + GAP;
    return plot;
}

static void add_rises(struct panels *panels)
{
    const struct html_report *report = panels->report;
    struct plot plot = begin_panel(panels, 110.0);
    double falls[2];
    plot_range(report->courses.rises, report->n_time, plot.y_range);
    plot_range(report->courses.falls, report->n_time, falls);
    plot_range_join(plot.y_range, falls);
    plot_axes(&plot, NULL, "u a frame");
    html_shade_censored(&plot, report);
    plot_steps(&plot, report->courses.rises, report->n_time, report->tr_s, "act");
    plot_steps(&plot, report->courses.falls, report->n_time, report->tr_s, "fit");
    g_string_append_printf(panels->html,
                           "<text class='strong' x='66' y='%.0f'>rises and falls, "
                           "mean of the voxels found</text>",
                           plot.top - 4.0);
}

static void add_course(struct panels *panels, const double *values, const char *name,
                       const char *unit)
{
    const struct html_report *report = panels->report;
    struct plot plot = begin_panel(panels, 64.0);
    plot_range(values, report->n_time, plot.y_range);
    plot_axes(&plot, NULL, "");
    html_shade_censored(&plot, report);
    plot_line(&plot, values, report->n_time, report->tr_s, "whole");
    g_string_append_printf(panels->html, "<text class='strong' x='66' y='%.0f'>%s (%s)</text>",
                           plot.top - 4.0, name, unit);
}

static void add_carpet(struct panels *panels, const struct html_report_carpet *carpet, bool is_last)
{
    const struct html_report *report = panels->report;
    struct plot plot = begin_panel(panels, CARPET_HEIGHT);
    double rows = (double) MAX(report->carpet_rows, 1);
    double edge = plot.top + CARPET_HEIGHT * (double) report->carpet_found / rows;
    plot_picture(&plot, carpet->png);
    plot_time_axis(&plot, is_last ? "time (s)" : NULL);
    html_shade_censored(&plot, report);
    if (report->carpet_found > 0 && report->carpet_found < report->carpet_rows)
        g_string_append_printf(
            panels->html,
            "<path class='axis' d='M56 %.1fh6'/><text x='54' y='%.1f' text-anchor='end'>found"
            "</text><text x='54' y='%.1f' text-anchor='end'>others</text>",
            edge, edge - 6.0, edge + 16.0);
    g_string_append_printf(panels->html, "<text class='strong' x='66' y='%.0f'>", plot.top - 4.0);
    html_append_text(panels->html, carpet->name);
    g_string_append(panels->html, "</text>");
}

void html_add_when(GString *html, const struct html_report *report)
{
    const struct html_report_courses *courses = &report->courses;
    size_t n_carpets = 0;
    while (n_carpets < HTML_REPORT_N_CARPETS && report->carpets[n_carpets].name != NULL)
        n_carpets++;
    double height = 16.0 + 110.0 + GAP + 64.0 + GAP +
                    (courses->displacement != NULL ? 64.0 + GAP : 0.0) +
                    (double) n_carpets * (CARPET_HEIGHT + GAP) + 24.0;
    g_string_append(html, "<section><h2>When</h2><figure class='wide'>");
    html_open_svg(html, HTML_WIDTH, height, "Rises, global signal and carpets over time");
    struct panels panels = {html, report, 16.0};
    add_rises(&panels);
    add_course(&panels, courses->global, "global signal: mean of all series, cleaned",
               report->unit);
    if (courses->displacement != NULL)
        add_course(&panels, courses->displacement, "framewise displacement", "mm");
    for (size_t c = 0; c < n_carpets; c++)
        add_carpet(&panels, &report->carpets[c], c + 1 == n_carpets);
    g_string_append(html, "</svg><figcaption>");
    if (n_carpets > 0)
        g_string_append_printf(html,
                               "Carpets: a row a voxel, %zu of them, the same in all; those that "
                               "were found first, by their explained variance.",
                               report->carpet_rows);
    for (size_t c = 0; c < n_carpets; c++) {
        g_string_append(html, c == 0 ? " Colours: " : "; ");
        html_append_text(html, report->carpets[c].span);
    }
    if (courses->n_censored > 0)
        g_string_append_printf(html, ". Shaded: the %zu frames that are censored",
                               courses->n_censored);
    g_string_append(html, ".</figcaption></figure></section>");
}
