// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_maps.h"

#include "app/report/html_parts.h"
#include "app/report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_COLOUR = 121, // of findings; before them, greys of the mean
    LAST_COLOUR = 254,  //
    NOT_SOLVED = 255,   // palette entry of voxels without a solution
};

void html_map_clear(struct html_map *map)
{
    g_free(map->indices);
}

static double fraction_of(const double range[2], double value)
{
    return CLAMP((value - range[0]) / (range[1] - range[0]), 0.0, 1.0);
}

static struct html_map new_map(const struct html_report *report, size_t first_colour)
{
    return (struct html_map){.indices = g_new0(uint8_t, html_grid_size(report)),
                             .first_colour = first_colour,
                             .range = {0.0, 1.0}};
}

// Colours of values, from `low` of the scale on.
static void set_colours(struct html_map *map, double low)
{
    size_t n = LAST_COLOUR - map->first_colour;
    for (size_t c = 0; c <= n; c++)
        picture_colour_of(low + (1.0 - low) * (double) c / (double) n,
                          map->palette[map->first_colour + c]);
    memcpy(map->palette[NOT_SOLVED], (picture_colour){153, 153, 153, 255}, sizeof(picture_colour));
}

static void set_range(struct html_map *map, const struct html_sorted *sorted, double from,
                      double to)
{
    double low = html_quantile(sorted, from), high = html_quantile(sorted, to);
    map->range[0] = high > low ? low : 0.0;
    map->range[1] = high > map->range[0] ? high : map->range[0] + 1.0;
}

static uint8_t colour_of(const struct html_map *map, double value)
{
    double n = (double) (LAST_COLOUR - map->first_colour);
    return (uint8_t) (map->first_colour + (size_t) lround(n * fraction_of(map->range, value)));
}

static bool is_inside(const struct html_report *report, size_t i)
{
    return report->maps[HTML_REPORT_STATUS][i] != (float) SERIES_OUTSIDE;
}

struct html_map html_map_of_values(const struct html_report *report, enum html_report_map which)
{
    struct html_map map = new_map(report, 1);
    g_auto(owned_html_sorted) sorted = html_sort_map(report, which);
    set_range(&map, &sorted, 0.01, 0.99);
    set_colours(&map, 0.0);
    for (size_t i = 0; i < html_grid_size(report); i++)
        if (is_inside(report, i))
            map.indices[i] = html_has_solution(report, i)
                                 ? colour_of(&map, (double) report->maps[which][i])
                                 : NOT_SOLVED;
    return map;
}

// Greys of the mean; one grey where it says nothing, as of data that were standardised.
static void set_greys(struct html_map *map, const struct html_report *report)
{
    g_auto(owned_html_sorted) sorted = html_sort_map(report, HTML_REPORT_MEAN);
    double range[2] = {html_quantile(&sorted, 0.01), html_quantile(&sorted, 0.995)};
    bool shows = range[0] >= 0.0 && range[1] > 1e-3 && range[1] > range[0];
    size_t n = FIRST_COLOUR - 1;
    for (size_t c = 1; c <= n; c++) {
        uint8_t grey = (uint8_t) (20 + 215 * (c - 1) / (n - 1));
        memcpy(map->palette[c], (picture_colour){grey, grey, grey, 255}, sizeof(picture_colour));
    }
    for (size_t i = 0; i < html_grid_size(report); i++) {
        double fraction =
            shows ? fraction_of(range, (double) report->maps[HTML_REPORT_MEAN][i]) : 0.4;
        if (is_inside(report, i))
            map->indices[i] = (uint8_t) (1 + lround((double) (n - 1) * fraction));
    }
}

struct html_map html_map_of_findings(const struct html_report *report)
{
    const double red = 0.42; // of the scale: what stands out of grey
    struct html_map map = new_map(report, FIRST_COLOUR);
    const float *explained = report->maps[HTML_REPORT_EXPLAINED];
    set_greys(&map, report);
    set_colours(&map, red);
    g_auto(owned_html_sorted) sorted = html_sort_map(report, HTML_REPORT_EXPLAINED);
    map.range[0] = report->found.white_point;
    map.range[1] = fmax(html_quantile(&sorted, 0.999), map.range[0] + 0.01);
    for (size_t i = 0; i < html_grid_size(report); i++)
        if (html_is_found(report, i))
            map.indices[i] = colour_of(&map, (double) explained[i]);
    return map;
}

struct html_map html_map_of_status(const struct html_report *report)
{
    struct html_map map = new_map(report, 1);
    for (size_t i = 0; i < html_grid_size(report); i++) {
        float status = report->maps[HTML_REPORT_STATUS][i];
        if (status >= 0.0F && status < (float) SERIES_N_STATUS)
            map.indices[i] = (uint8_t) status;
    }
    for (size_t s = 0; s < SERIES_N_STATUS; s++) {
        unsigned long rgb = strtoul(html_status_colours[s] + 1, NULL, 16);
        for (size_t c = 0; c < 3; c++)
            map.palette[s][c] = (uint8_t) (rgb >> (8 * (2 - c)));
        map.palette[s][3] = s == SERIES_OUTSIDE ? 0 : 255;
    }
    return map;
}

// "z = 12 mm"; the number of the slice where there is no orientation. Owned.
static char *place_of(const struct montage *montage, size_t s)
{
    if (!montage->oriented)
        return g_strdup_printf("slice %zu", montage->slices[s]);
    double mm = montage_slice_mm(montage, s);
    return g_strdup_printf("%c = %s%.0f mm", "xyz"[montage->plane], mm <= -0.5 ? "−" : "",
                           fabs(mm));
}

static void add_slice(GString *html, const struct montage *montage, size_t s,
                      const struct html_map *map)
{
    size_t size[2];
    double voxel_mm[2];
    montage_tile(montage, size, voxel_mm);
    g_autoptr(owned_picture) picture = montage_draw(montage, s, map->indices);
    g_autoptr(GByteArray) png = picture_png(picture, map->palette, 256);
    g_autofree char *text = g_base64_encode(png->data, png->len);
    g_autofree char *place = place_of(montage, s);
    bool sized = voxel_mm[0] > 0.0 && voxel_mm[1] > 0.0;
    double width = (double) size[0] * (sized ? voxel_mm[0] : 1.0);
    double height = (double) size[1] * (sized ? voxel_mm[1] : 1.0);
    g_string_append_printf(html,
                           "<figure><div><img alt='%s' style='aspect-ratio:%.4g/%.4g' "
                           "src='data:image/png;base64,%s'></div><figcaption>%s</figcaption>"
                           "</figure>",
                           place, width, height, text, place);
}

void html_add_slices(GString *html, const struct html_report *report, const struct html_map *map,
                     enum montage_plane plane, size_t max_slices)
{
    static const char *const names[] = {"sagittal", "coronal", "axial"};
    size_t n = html_grid_size(report), size[2];
    double voxel_mm[2];
    g_autofree uint8_t *inside = g_new(uint8_t, n);
    for (size_t i = 0; i < n; i++)
        inside[i] = is_inside(report, i);
    g_autoptr(owned_montage) montage = montage_new(report->grid, inside, plane, max_slices);
    montage_tile(montage, size, voxel_mm);
    if (plane != MONTAGE_AXIAL && MIN(size[0], size[1]) < 4) // of a few slices it shows nothing
        return;
    g_string_append_printf(html, "<div class='slices %s'>", montage->oriented ? names[plane] : "");
    for (size_t s = 0; s < montage->n_slices; s++)
        add_slice(html, montage, s, map);
    g_string_append(html, "</div>");
}

void html_add_colours(GString *html, const struct html_map *map, const char *label)
{
    enum { N_STEPS = 48, WIDTH = 240 };
    const struct plot bar = {html, 4.0, 0.0, WIDTH, 12.0, {map->range[0], map->range[1]}, {0, 1}};
    g_string_append(html, "<p class='colours'><span>");
    html_append_text(html, label);
    g_string_append_printf(html, "</span><svg viewBox='0 0 %d 34' role='img' aria-label='Colours'>",
                           WIDTH + 8);
    for (size_t c = 0; c < N_STEPS; c++) {
        size_t n = LAST_COLOUR - map->first_colour;
        const uint8_t *colour = map->palette[map->first_colour + c * n / (N_STEPS - 1)];
        g_string_append_printf(html,
                               "<rect x='%.2f' width='%.2f' height='12' fill='#%02x%02x%02x'/>",
                               4.0 + (double) (WIDTH * c) / N_STEPS, (double) WIDTH / N_STEPS + 0.3,
                               colour[0], colour[1], colour[2]);
    }
    double ticks[PLOT_MAX_TICKS];
    size_t n = plot_ticks(bar.x_range, 5, ticks);
    for (size_t i = 0; i < n; i++) {
        double x = 4.0 + WIDTH * (ticks[i] - bar.x_range[0]) / (bar.x_range[1] - bar.x_range[0]);
        g_string_append_printf(html,
                               "<line class='axis' x1='%.1f' y1='12' x2='%.1f' y2='16'/>"
                               "<text x='%.1f' y='29' text-anchor='%s'>%.4g</text>",
                               x, x, x,
                               x < 16.0         ? "start"
                               : x > WIDTH - 12 ? "end"
                                                : "middle",
                               ticks[i]);
    }
    g_string_append(html, "</svg></p>");
}
