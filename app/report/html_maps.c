// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/montage.h"
#include "app/report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SLICES = 24,  //
    NOT_SOLVED = 255, // palette entry of voxels without a solution
    N_SHADES = 254,   // palette entries 1 .. 254: values
};

/** A map as it is drawn: palette indices, and what its colours mean. */
struct shading {
    uint8_t *indices; // owned; 0: nothing
    double range[2];  // of the values that the colours span; values beyond get the end colours
    picture_colour palette[256];
};
typedef struct shading owned_shading;

static void shading_clear(struct shading *shading)
{
    g_free(shading->indices);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_shading, shading_clear)

// From the 1st to the 99th percentile.
static struct shading shade_map(const struct html_report *report, enum html_report_map map)
{
    struct shading shading = {.indices = g_new0(uint8_t, html_grid_size(report))};
    g_auto(owned_html_sorted) sorted = html_sort_map(report, map);
    double low = html_quantile(&sorted, 0.01);
    double high = html_quantile(&sorted, 0.99);
    shading.range[0] = high > low ? low : 0.0;
    shading.range[1] = high > shading.range[0] ? high : shading.range[0] + 1.0;
    for (size_t i = 0; i < html_grid_size(report); i++) {
        if (report->maps[HTML_REPORT_STATUS][i] == (float) SERIES_OUTSIDE)
            continue;
        double fraction =
            (report->maps[map][i] - shading.range[0]) / (shading.range[1] - shading.range[0]);
        long shade = 1 + lround((N_SHADES - 1) * CLAMP(fraction, 0.0, 1.0));
        shading.indices[i] = html_has_solution(report, i) ? (uint8_t) shade : NOT_SOLVED;
    }
    for (size_t c = 0; c < N_SHADES; c++)
        picture_colour_of((double) c / (N_SHADES - 1), shading.palette[c + 1]);
    memcpy(shading.palette[NOT_SOLVED], (picture_colour){153, 153, 153, 255},
           sizeof(picture_colour));
    return shading;
}

static struct shading shade_status(const struct html_report *report)
{
    struct shading shading = {.indices = g_new0(uint8_t, html_grid_size(report))};
    for (size_t i = 0; i < html_grid_size(report); i++) {
        float status = report->maps[HTML_REPORT_STATUS][i];
        if (status >= 0.0f && status < (float) SERIES_N_STATUS)
            shading.indices[i] = (uint8_t) status;
    }
    for (size_t s = SERIES_OUTSIDE + 1; s < SERIES_N_STATUS; s++) {
        unsigned long rgb = strtoul(html_status_colours[s] + 1, NULL, 16);
        for (size_t c = 0; c < 3; c++)
            shading.palette[s][c] = (uint8_t) (rgb >> (8 * (2 - c)));
        shading.palette[s][3] = 255;
    }
    return shading;
}

static void add_png(GString *html, const struct picture *picture, const struct shading *shading,
                    double width, double height)
{
    g_autoptr(GByteArray) png = picture_png(picture, shading->palette, 256);
    g_autofree char *base64 = g_base64_encode(png->data, png->len);
    g_string_append_printf(html,
                           "<image x='0' y='0' width='%.1f' height='%.1f' "
                           "preserveAspectRatio='none' href='data:image/png;base64,%s'/>",
                           width, height, base64);
}

// Superior coordinates on the slices; left and right on the first.
static void label_slices(GString *html, const struct montage *montage, double width, double height)
{
    if (!montage->oriented)
        return;
    for (size_t s = 0; s < montage->n_slices; s++) {
        size_t row = s / montage->n_columns;
        double left = (double) (s - row * montage->n_columns) * width;
        double top = (double) row * height;
        double mm = round(montage_slice_mm(montage, s));
        g_string_append_printf(html, "<text x='%.1f' y='%.1f'>%s%.0f mm</text>", left + 2.0,
                               top + height - 3.0, mm < 0.0 ? "−" : "", fabs(mm));
    }
    g_string_append_printf(html,
                           "<text class='strong' x='2' y='13'>L</text>"
                           "<text class='strong' x='%.1f' y='13' text-anchor='end'>R</text>",
                           width - 6.0);
}

static void add_colour_bar(GString *html, const struct shading *shading, double top,
                           const char *label)
{
    const struct plot bar = {
        html, 0.0, top, 320.0, 12.0, {shading->range[0], shading->range[1]}, {0.0, 1.0}};
    for (size_t c = 0; c < 64; c++) {
        const uint8_t *colour = shading->palette[1 + c * (N_SHADES - 1) / 63];
        g_string_append_printf(html,
                               "<rect x='%.2f' y='%.1f' width='5.2' height='12' "
                               "fill='#%02x%02x%02x'/>",
                               5.0 * (double) c, top, colour[0], colour[1], colour[2]);
    }
    double ticks[PLOT_MAX_TICKS];
    size_t n = plot_ticks(bar.x_range, 6, ticks);
    for (size_t i = 0; i < n; i++) {
        double x = bar.width * (ticks[i] - bar.x_range[0]) / (bar.x_range[1] - bar.x_range[0]);
        g_string_append_printf(html,
                               "<line class='axis' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>"
                               "<text x='%.1f' y='%.1f' text-anchor='%s'>%.4g</text>",
                               x, top + 12.0, x, top + 16.0, x, top + 29.0,
                               x < 8.0 ? "start" : "middle", ticks[i]);
    }
    g_string_append_printf(html, "<text class='strong' x='340' y='%.1f'>", top + 11.0);
    html_append_text(html, label);
    g_string_append(html, "</text>");
}

static void add_map(GString *html, const struct montage *montage, const struct shading *shading,
                    const char *label)
{
    size_t size[2];
    double voxel_mm[2];
    montage_tile(montage, size, voxel_mm);
    double width = fmin((double) HTML_WIDTH / (double) montage->n_columns, 172.0);
    double height = width * (double) size[1] * voxel_mm[1] / ((double) size[0] * voxel_mm[0]);
    double bottom = height * (double) montage->n_rows;
    bool has_bar = shading->range[1] > shading->range[0];
    g_autoptr(owned_picture) picture = montage_draw(montage, shading->indices);
    g_string_append(html, "<figure>");
    html_open_svg(html, HTML_WIDTH, bottom + (has_bar ? 50.0 : 6.0), label);
    add_png(html, picture, shading, width * (double) montage->n_columns, bottom);
    label_slices(html, montage, width, height);
    if (has_bar)
        add_colour_bar(html, shading, bottom + 14.0, label);
    g_string_append(html, "</svg></figure>");
}

// Whether lambda is one fraction of lambda_max everywhere: its map then shows nothing new.
static bool lambda_is_proportional(const struct html_report *report)
{
    double low = INFINITY;
    double high = -INFINITY;
    for (size_t i = 0; i < html_grid_size(report); i++) {
        float lambda_max = report->maps[HTML_REPORT_LAMBDA_MAX][i];
        if (!html_has_solution(report, i) || !(lambda_max > 0.0f))
            continue;
        double ratio = (double) report->maps[HTML_REPORT_LAMBDA][i] / lambda_max;
        low = fmin(low, ratio);
        high = fmax(high, ratio);
    }
    return high - low <= 1e-5 * high;
}

static void add_value_map(GString *html, const struct html_report *report,
                          const struct montage *montage, enum html_report_map map,
                          const char *label)
{
    g_auto(owned_shading) shading = shade_map(report, map);
    add_map(html, montage, &shading, label);
}

static bool all_solved(const struct html_report *report)
{
    for (size_t i = 0; i < html_grid_size(report); i++) {
        float status = report->maps[HTML_REPORT_STATUS][i];
        if (status != (float) SERIES_OUTSIDE && status != (float) SERIES_SOLVED)
            return false;
    }
    return true;
}

static void add_status_map(GString *html, const struct html_report *report,
                           const struct montage *montage)
{
    g_auto(owned_shading) shading = shade_status(report);
    add_map(html, montage, &shading, "Status");
    g_string_append(html, "<p class='caption'>Status of every voxel: ");
    for (size_t s = SERIES_OUTSIDE + 1; s < SERIES_N_STATUS; s++)
        g_string_append_printf(html, "<span class='swatch' style='background:%s'></span>%s&emsp;",
                               html_status_colours[s], series_status_name((enum series_status) s));
    g_string_append(html, "</p>");
}

void html_add_maps(GString *html, const struct html_report *report)
{
    size_t n = html_grid_size(report);
    g_autofree uint8_t *inside = g_new(uint8_t, n);
    for (size_t i = 0; i < n; i++)
        inside[i] = report->maps[HTML_REPORT_STATUS][i] != (float) SERIES_OUTSIDE;
    g_autoptr(owned_montage) montage = montage_new(report->grid, inside, MAX_SLICES);
    g_string_append(html, "<section><h2>Maps</h2><p class='caption'>Axial slices, inferior to "
                          "superior");
    g_string_append(html, montage->oriented
                              ? "; left is the subject’s left, top is anterior"
                              : ", in the order of the file (it has no usable orientation)");
    g_string_append(html, ". Colours span the 1st to the 99th percentile; grey: no solution.</p>");
    add_value_map(html, report, montage, HTML_REPORT_LAMBDA_MAX, "λₘₐₓ: strength of the response");
    add_value_map(html, report, montage, HTML_REPORT_JUMPS, "jumps of the activity");
    if (!lambda_is_proportional(report))
        add_value_map(html, report, montage, HTML_REPORT_LAMBDA, "λ used");
    if (!all_solved(report))
        add_status_map(html, report, montage);
    g_string_append(html, "</section>");
}
