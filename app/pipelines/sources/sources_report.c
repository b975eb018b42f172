// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/sources/sources.h"

#include "app/report/html_parts.h"
#include "app/report/plot.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_POINTS = 600, MOST_DOTS = 3000, MOST_COURSES = 8, MOST_ROWS = 40 };

// Okabe and Ito 2008, without the yellow.
static const char *const colours[MOST_COURSES] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#e69f00", "#56b4e9", "#785ef0", "#888888"};

/** An active position and its largest amplitude, A m. */
struct ranked {
    size_t i;
    double peak;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->peak != right->peak)
        return left->peak < right->peak ? 1 : -1;
    return (left->i > right->i) - (left->i < right->i);
}

/** The active positions, the strongest first; to be freed. */
static struct ranked *rank_sources(const struct sources *sources)
{
    size_t n = sources->result.estimate->n_active;
    struct ranked *ranked = g_new0(struct ranked, n + 1);
    for (size_t i = 0; i < n; i++) {
        ranked[i].i = i;
        for (size_t t = 0; t < sources->window.n_time; t++)
            ranked[i].peak = fmax(ranked[i].peak, sources_magnitude(sources, i, t));
    }
    qsort(ranked, n, sizeof *ranked, compare_ranked);
    return ranked;
}

static void add_header(GString *html, const struct sources *sources)
{
    const struct sources_window *window = &sources->window;
    g_string_append(html, "<header><p class='kind'>Sparse sources of MEG and EEG</p><h1>");
    html_append_text(html, sources->stem);
    if (*window->condition != '\0') {
        g_string_append(html, " · ");
        html_append_text(html, window->condition);
    }
    g_string_append(html, "</h1><p><code>");
    html_append_text(html, sources->options->recording);
    g_string_append_printf(html, "</code></p><p>%zu samples, %g to %g&#8239;s", window->n_time,
                           window->start_s,
                           window->start_s + (double) (window->n_time - 1) * window->interval_s);
    if (window->n_averaged > 0)
        g_string_append_printf(html, ", average of %d", window->n_averaged);
    g_string_append(html, " · Taut " TAUT_VERSION "</p></header>");
}

static void add_tiles(GString *html, const struct sources *sources)
{
    const struct sources_result *result = &sources->result;
    double explained = result->factors == NULL ? result->explained : result->explained_debiased;
    g_string_append(html, "<dl class='tiles'>");
    html_add_tile(html, "Active positions", (double) result->estimate->n_active, "");
    html_add_tile(html,
                  result->has_gap ? "Relative duality gap, at most" : "Gap of the first round",
                  result->gap[1], "");
    html_add_tile(html, "Explained variance, whitened", 100.0 * explained, "&#8239;%");
    html_add_tile(html, "Rank of the data", (double) sources->whitener->rank, "");
    html_add_tile(html, "Time to solve", 1e3 * result->solve_s, "&#8239;ms");
    g_string_append(html, "</dl>");
}

// At most MOST_POINTS of n samples, evenly spaced; returns how many, and the step.
static size_t thin(const double *row, size_t n, double scale, double *out, size_t *step)
{
    *step = (n + MOST_POINTS - 1) / MOST_POINTS;
    size_t n_out = 0;
    for (size_t t = 0; t < n; t += *step)
        out[n_out++] = scale * row[t];
    return n_out;
}

// plot_line begins at x = 0; times of a window do not.
static struct plot time_plot(const struct sources *sources, GString *html, double height)
{
    double end_s = (double) MAX(sources->window.n_time - 1, 1) * sources->window.interval_s;
    return (struct plot){html, 70.0, 10.0, HTML_WIDTH - 90.0, height, {0.0, end_s}, {0.0, 0.0}};
}

static void add_butterfly(GString *html, const struct sources *sources, enum sensor_kind kind,
                          const char *title, const char *unit, double scale)
{
    const struct sources_window *window = &sources->window;
    struct plot plot = time_plot(sources, html, 120.0);
    double points[MOST_POINTS];
    size_t n_channels = 0, step = 1;
    plot.y_range[0] = INFINITY;
    plot.y_range[1] = -INFINITY;
    for (size_t i = 0; i < window->n_channels; i++) {
        if (sources->choice->kind[i] != kind)
            continue;
        double range[2];
        size_t n = thin(window->data + i * window->n_time, window->n_time, scale, points, &step);
        plot_range(points, n, range);
        plot_range_join(plot.y_range, range);
        n_channels++;
    }
    if (n_channels == 0)
        return;
    g_string_append_printf(html, "<figure><h3>%zu %s</h3>", n_channels, title);
    html_open_svg(html, HTML_WIDTH, 176.0, title);
    plot_axes(&plot, "seconds from the beginning of the window", unit);
    for (size_t i = 0; i < window->n_channels; i++)
        if (sources->choice->kind[i] == kind) {
            size_t n =
                thin(window->data + i * window->n_time, window->n_time, scale, points, &step);
            plot_line(&plot, points, n, (double) step * window->interval_s, "thin");
        }
    g_string_append(html, "</svg></figure>");
}

static void add_data(GString *html, const struct sources *sources)
{
    g_string_append(html, "<section><h2>Data</h2>");
    add_butterfly(html, sources, SENSOR_GRAD, "gradiometers", "fT/cm", 1e13);
    add_butterfly(html, sources, SENSOR_MAG, "magnetometers", "fT", 1e15);
    add_butterfly(html, sources, SENSOR_EEG, "EEG channels", "µV", 1e6);
    g_string_append(html, "</section>");
}

static void add_courses(GString *html, const struct sources *sources, const struct ranked *ranked)
{
    const struct source_estimate *estimate = sources->result.estimate;
    size_t n = MIN(estimate->n_active, (size_t) MOST_COURSES), n_time = sources->window.n_time;
    if (n == 0)
        return;
    struct plot plot = time_plot(sources, html, 200.0);
    g_autofree double *row = g_new(double, n_time);
    double points[MOST_POINTS];
    size_t step = 1;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            g_string_append_printf(html, "<figure><h3>Time courses of the %zu strongest</h3>", n);
            html_open_svg(html, HTML_WIDTH, 256.0, "Time courses of sources");
            plot_axes(&plot, "seconds from the beginning of the window", "nA m");
        }
        for (size_t r = 0; r < n; r++) {
            for (size_t t = 0; t < n_time; t++)
                row[t] = estimate->n_orient == 1 ? sources_amplitude(sources, ranked[r].i)[t]
                                                 : sources_magnitude(sources, ranked[r].i, t);
            size_t n_points = thin(row, n_time, 1e9, points, &step);
            double range[2];
            plot_range(points, n_points, range);
            plot_range_join(plot.y_range, range);
            if (pass == 0)
                continue;
            g_string_append_printf(html, "<g style='stroke:%s'>", colours[r]);
            plot_line(&plot, points, n_points, (double) step * sources->window.interval_s,
                      "course");
            g_string_append(html, "</g>");
        }
    }
    g_string_append(html, "</svg></figure>");
}

/** A view along an axis: which coordinates run to the right and upwards. */
struct view {
    const char *title;
    int right, up;
};

// All positions within a common box, so that the views have one scale.
static void box_of(const struct sources *sources, double low[3], double high[3])
{
    for (int d = 0; d < 3; d++) {
        low[d] = INFINITY;
        high[d] = -INFINITY;
        for (size_t k = 0; k < sources->forward->n_sources; k++) {
            low[d] = fmin(low[d], sources->position[3 * k + (size_t) d]);
            high[d] = fmax(high[d], sources->position[3 * k + (size_t) d]);
        }
    }
}

static void add_view(GString *html, const struct sources *sources, const struct ranked *ranked,
                     const struct view *view, double left)
{
    double low[3], high[3];
    box_of(sources, low, high);
    double widest = 0.02;
    for (int d = 0; d < 3; d++)
        widest = fmax(widest, high[d] - low[d]);
    double scale = 280.0 / widest;
    double x0 = left + 150.0 - 0.5 * scale * (low[view->right] + high[view->right]);
    double y0 = 170.0 + 0.5 * scale * (low[view->up] + high[view->up]);
    g_string_append_printf(html,
                           "<text class='strong' x='%.0f' y='14'>%s</text><path class='dots' d='",
                           left, view->title);
    size_t stride = (sources->forward->n_sources + MOST_DOTS - 1) / MOST_DOTS;
    for (size_t k = 0; k < sources->forward->n_sources; k += MAX(stride, 1))
        g_string_append_printf(html, "M%.0f %.0fh0",
                               x0 + scale * sources->position[3 * k + (size_t) view->right],
                               y0 - scale * sources->position[3 * k + (size_t) view->up]);
    g_string_append(html, "'/>");
    // The strongest last, on top.
    for (size_t r = sources->result.estimate->n_active; r-- > 0;) {
        const double *at = sources->position + 3 * sources->result.estimate->position[ranked[r].i];
        double radius = 2.5 + 6.0 * sqrt(ranked[r].peak / fmax(ranked[0].peak, 1e-300));
        g_string_append_printf(
            html, "<circle cx='%.1f' cy='%.1f' r='%.1f' fill='%s' fill-opacity='.85'/>",
            x0 + scale * at[view->right], y0 - scale * at[view->up], radius,
            colours[MIN(r, (size_t) MOST_COURSES - 1)]);
    }
}

static void add_brain(GString *html, const struct sources *sources, const struct ranked *ranked)
{
    static const struct view views[] = {
        {"from above (front is up)", 0, 1}, {"from behind", 0, 2}, {"from the right", 1, 2}};
    g_string_append(html, "<figure><h3>Where</h3>");
    html_open_svg(html, HTML_WIDTH, 330.0, "Active positions on projections of the source space");
    for (size_t v = 0; v < G_N_ELEMENTS(views); v++)
        add_view(html, sources, ranked, &views[v], 20.0 + 345.0 * (double) v);
    g_string_append_printf(
        html,
        "</svg><figcaption>Dots: positions of the source space. Circles: active ones, their area "
        "by "
        "the largest amplitude, in the colours of their time courses (grey: the %s). Head frame, "
        "right is right.</figcaption></figure>",
        sources->result.estimate->n_active > MOST_COURSES ? "others" : "last");
}

static void add_table(GString *html, const struct sources *sources, const struct ranked *ranked)
{
    const struct source_estimate *estimate = sources->result.estimate;
    size_t n = MIN(estimate->n_active, (size_t) MOST_ROWS);
    g_string_append(html, "<table><tr><th>Hemisphere, vertex<th class='number'>x, y, z (mm)"
                          "<th class='number'>Peak (nA m)<th class='number'>Explains alone</tr>");
    for (size_t r = 0; r < n; r++) {
        size_t k = estimate->position[ranked[r].i], vertex = 0;
        const struct source_space *space = sources_space_of(sources, k, &vertex);
        const double *at = sources->position + 3 * k;
        const char *side = space->id == SOURCE_LEFT    ? "left"
                           : space->id == SOURCE_RIGHT ? "right"
                                                       : "volume";
        g_string_append_printf(html,
                               "<tr><td><span class='swatch' style='background:%s'></span>%s %zu"
                               "<td class='number'>%.0f, %.0f, %.0f<td class='number'>",
                               colours[MIN(r, (size_t) MOST_COURSES - 1)], side, vertex,
                               1e3 * at[0], 1e3 * at[1], 1e3 * at[2]);
        html_append_number(html, 1e9 * ranked[r].peak);
        g_string_append_printf(html, "<td class='number'>%.1f&#8239;%%</tr>",
                               100.0 * sources->result.share[ranked[r].i]);
    }
    g_string_append(html, "</table>");
    if (estimate->n_active > n)
        g_string_append_printf(html, "<p class='caption'>and %zu more in the table of sources</p>",
                               estimate->n_active - n);
}

static void add_row(GString *html, const char *name, const char *value)
{
    g_string_append(html, "<tr><td>");
    html_append_text(html, name);
    g_string_append(html, "<td>");
    html_append_text(html, value);
    g_string_append(html, "</tr>");
}

static void G_GNUC_PRINTF(3, 4) add_fact(GString *html, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *value = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    add_row(html, name, value);
}

static void add_settings(GString *html, const struct sources *sources)
{
    static const char *const orientations[] = {"fixed", "loose", "free"};
    const struct sources_options *options = sources->options;
    const struct whitener *whitener = sources->whitener;
    g_string_append(html, "<section><h2>Settings</h2><table>");
    add_fact(html, "model", "%s: %s", sources->model->name, sources->model->summary);
    add_fact(html, "lambda", "%g of alpha_max = %.4g", sources->lambda, sources->result.alpha_max);
    if (sources->orientation == ORIENTATION_LOOSE)
        add_fact(html, "orientation", "loose, tangents weigh %g", sources->loose);
    else
        add_row(html, "orientation", orientations[sources->orientation]);
    add_fact(html, "depth weighting", "%g", options->depth);
    add_row(html, "baseline", options->baseline.text == NULL ? "none" : options->baseline.text);
    for (size_t g = 0; g < SENSOR_GROUPS; g++)
        if (whitener->n_of_group[g] > 0)
            add_fact(html, sensor_group_name((enum sensor_group) g),
                     "%zu channels, rank %zu (noise %zu, data %zu by %s)", whitener->n_of_group[g],
                     whitener->rank_of_group[g], whitener->rank_of_noise[g],
                     sources->space->rank[g], rank_origin_name(sources->space->origin[g]));
    const char *reference = sources_reference_text(sources);
    if (reference != NULL)
        add_fact(html, "reference of EEG", "%s", reference);
    add_fact(html, "projected out", "%zu directions", sources->projector->n_vectors);
    add_fact(html, "positions", "%zu, %zu column%s each", sources->leadfield->n_positions,
             sources->leadfield->n_orient, sources->leadfield->n_orient == 1 ? "" : "s");
    if (sources->network_file != NULL)
        add_fact(html, "network", "%s, %zu layers, %.2g ms a block of %zu samples (median)",
                 options->network, sources->network.layers, 1e3 * sources->network.latency_s[0],
                 sources->network.block_samples);
    add_row(html, "noise covariance", options->noise_cov);
    add_row(html, "forward solution", options->forward);
    g_string_append(html, "</table></section>");
}

GString *sources_report(const struct sources *sources)
{
    g_autofree struct ranked *ranked = rank_sources(sources);
    GString *html = html_open_page(sources->stem);
    g_string_append(html, "<style>.thin{fill:none;stroke:var(--data);stroke-width:.7;opacity:.6}"
                          ".course{fill:none;stroke-width:1.8;stroke-linejoin:round}"
                          ".dots{stroke:var(--data);stroke-width:3;stroke-linecap:round;"
                          "opacity:.6}</style>");
    add_header(html, sources);
    add_tiles(html, sources);
    g_string_append(html, "<section><h2>Sources</h2>");
    add_brain(html, sources, ranked);
    add_courses(html, sources, ranked);
    add_table(html, sources, ranked);
    g_string_append(html, "</section>");
    add_data(html, sources);
    add_settings(html, sources);
    html_close_page(html, TAUT_VERSION);
    return html;
}
