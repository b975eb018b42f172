// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"

#include <math.h>

// 1 - ||x - fitted||^2 / ||x - mean x||^2
static double explained_variance(const double *x, const double *fitted, size_t n)
{
    double mean = 0.0;
    double residual = 0.0;
    double total = 0.0;
    for (size_t t = 0; t < n; t++)
        mean += x[t] / (double) n;
    for (size_t t = 0; t < n; t++) {
        residual += (x[t] - fitted[t]) * (x[t] - fitted[t]);
        total += (x[t] - mean) * (x[t] - mean);
    }
    return 1.0 - residual / total;
}

static void add_fact(GString *html, const char *name, double value)
{
    g_string_append_printf(html, " · %s&#8239;", name);
    html_append_number(html, value);
}

static void add_heading(GString *html, const struct html_report *report,
                        const struct html_report_trace *trace)
{
    const struct image_grid *grid = report->grid;
    g_string_append(html, "<h3>");
    html_append_text(html, trace->label);
    g_string_append_printf(html, "</h3><p class='caption'>voxel (%zu, %zu, %zu)", trace->index[0],
                           trace->index[1], trace->index[2]);
    if (grid->affine_ok) {
        g_string_append(html, " at ");
        html_append_place(html, grid,
                          trace->index[0] +
                              grid->dim[0] * (trace->index[1] + grid->dim[1] * trace->index[2]));
    }
    add_fact(html, "λ/λ<sub>max</sub> =", trace->result.lambda / trace->result.lambda_max);
    add_fact(html, "jumps", (double) trace->result.n_jumps);
    g_string_append_printf(html, " · explained variance %.0f&#8239;%%",
                           100.0 * explained_variance(trace->x, trace->fitted, report->n_time));
    add_fact(html, "relative gap", trace->result.relative_gap);
    g_string_append_printf(html, " · %s</p>", series_status_name(trace->result.status));
}

static void add_legend(GString *html, double right)
{
    static const struct {
        const char *class;
        const char *name;
    } entries[] = {{"data", "observed x"}, {"fit", "fitted h ∗ u"}, {"act", "activity u"}};
    for (size_t i = 0; i < G_N_ELEMENTS(entries); i++) {
        size_t n_from_right = G_N_ELEMENTS(entries) - i;
        double left = right - 110.0 * (double) n_from_right;
        g_string_append_printf(html,
                               "<path class='%s' d='M%.0f 8h20'/>"
                               "<text class='strong' x='%.0f' y='12'>%s</text>",
                               entries[i].class, left, left + 26.0, entries[i].name);
    }
}

static void add_trace(GString *html, const struct html_report *report,
                      const struct html_report_trace *trace)
{
    double end_s = (double) report->n_time * report->tr_s;
    struct plot top = {html, 62.0, 20.0, HTML_WIDTH - 78.0, 150.0, {0.0, end_s}, {0.0, 0.0}};
    struct plot bottom = {html, 62.0, 184.0, HTML_WIDTH - 78.0, 84.0, {0.0, end_s}, {0.0, 0.0}};
    double fitted_range[2];
    plot_range(trace->x, report->n_time, top.y_range);
    plot_range(trace->fitted, report->n_time, fitted_range);
    plot_range_join(top.y_range, fitted_range);
    plot_range(trace->u, report->n_activity, bottom.y_range);
    plot_range_join(bottom.y_range, (double[]){0.0, 0.0});

    g_string_append(html, "<figure class='wide'>");
    add_heading(html, report, trace);
    html_open_svg(html, HTML_WIDTH, 306.0, "Time courses of a voxel");
    add_legend(html, HTML_WIDTH - 16.0);
    plot_axes(&top, NULL, report->unit);
    html_shade_censored(&top, report);
    plot_line(&top, trace->x, report->n_time, report->tr_s, "data");
    plot_line(&top, trace->fitted, report->n_time, report->tr_s, "fit");
    plot_axes(&bottom, "time (s)", "u");
    html_shade_censored(&bottom, report);
    plot_steps(&bottom, trace->u, report->n_activity, report->tr_s, "act");
    g_string_append(html, "</svg></figure>");
}

void html_add_traces(GString *html, const struct html_report *report)
{
    if (report->n_traces == 0)
        return;
    g_string_append(
        html, "<section><h2>Voxels</h2><p class='caption'>Observed series after cleaning, the "
              "response to the activity, and the activity itself. Voxels are chosen by "
              "their results alone, of those that are no artefact: not the ends of the run, "
              "not one swing, not one frame.</p>");
    for (size_t i = 0; i < report->n_traces; i++)
        add_trace(html, report, &report->traces[i]);
    g_string_append(html, "</section>");
}
