// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_parts.h"

#include "app/report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{--ink:#1d2330;--soft:#5a6376;--line:#d9dee7;--page:#fff;--panel:#f6f8fb;--data:#8a93a5;"
    "--fit:#0072b2;--act:#d55e00;--bar:#0072b2;color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9f0;--soft:#9aa4b8;--line:#343b48;"
    "--page:#14171d;--panel:#1b2028;--data:#7d879b;--fit:#56b4e9;--act:#e69f00;--bar:#56b4e9}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 'Source Sans 3','Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif}"
    "main{max-width:1120px;margin:0 auto;padding:32px 40px 64px}"
    "header{border-bottom:2px solid var(--ink);padding-bottom:14px;margin-bottom:22px}"
    "header p{margin:0;color:var(--soft);overflow-wrap:anywhere}"
    ".kind{text-transform:uppercase;letter-spacing:.09em;font-size:12px;font-weight:600}"
    "h1{font-size:27px;line-height:1.25;margin:4px 0 6px;overflow-wrap:anywhere}"
    "h2{font-size:18px;margin:38px 0 10px;padding-bottom:4px;border-bottom:1px solid var(--line)}"
    "h3{font-size:14px;margin:20px 0 4px}"
    "p{max-width:78ch}sup{line-height:0}"
    ".tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:12px;margin:0}"
    ".tiles div{background:var(--panel);border-radius:8px;padding:12px 16px}"
    ".tiles dt{font-size:12px;color:var(--soft)}"
    ".tiles dd{margin:2px 0 0;font-size:22px;font-weight:600;font-variant-numeric:tabular-nums}"
    ".pair>*{min-width:0}.pair{display:grid;grid-template-columns:1fr "
    "1fr;gap:36px;align-items:start}"
    ".caption,figcaption{font-size:13px;color:var(--soft);max-width:none;margin:4px 0 8px}"
    "figure{margin:0 0 22px;break-inside:avoid}"
    ".headline{font-size:20px;line-height:1.4;margin:0 0 6px}"
    ".slices{display:grid;grid-template-columns:repeat(8,1fr);gap:10px 8px;margin:0 0 14px}"
    ".slices figure{margin:0}.slices div{position:relative}.axial div,.coronal div,.sagittal "
    "div{padding-top:15px}"
    ".slices img{display:block;width:100%;image-rendering:pixelated}"
    ".slices figcaption{margin:2px 0 0;font-size:12px;text-align:center}"
    ".slices div::before,.slices div::after{position:absolute;top:0;font-size:11px;"
    "font-weight:600;color:var(--soft)}.slices div::before{left:0}.slices div::after{right:0}"
    ".axial div::before,.coronal div::before{content:'L'}"
    ".axial div::after,.coronal div::after{content:'R'}"
    ".sagittal div::before{content:'P'}.sagittal div::after{content:'A'}"
    ".colours{display:flex;flex-wrap:wrap;align-items:flex-start;gap:4px 16px;margin:12px 0 6px;"
    "max-width:none}"
    ".colours span{font-size:13px;font-weight:600}.colours svg{width:250px}"
    ".shade{fill:var(--soft);opacity:.28}.whole{fill:none;stroke:var(--ink);"
    "stroke-width:1.2;stroke-linejoin:round}"
    "a{color:var(--fit)}"
    "svg{display:block;width:100%;height:auto}"
    "svg text{font:12px 'Source Sans 3','Segoe UI','Helvetica Neue',Helvetica,Arial,sans-serif;"
    "fill:var(--soft)}svg .strong{fill:var(--ink);font-weight:600}"
    ".grid{stroke:var(--line);stroke-width:.6}.axis,.zero{stroke:var(--soft);stroke-width:1}"
    ".marker{stroke:var(--act);stroke-width:1.5;stroke-dasharray:5 4}.bar{fill:var(--bar)}"
    ".data,.fit,.act{fill:none;stroke-linejoin:round;stroke-linecap:round}"
    ".data{stroke:var(--data);stroke-width:1}.fit{stroke:var(--fit);stroke-width:2}"
    ".act{stroke:var(--act);stroke-width:1.8}"
    "image{image-rendering:pixelated}"
    "table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}"
    "td,th{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line);"
    "vertical-align:top;overflow-wrap:anywhere}th{font-weight:600}"
    "td.place{white-space:nowrap}td.number,th.number{text-align:right;white-space:nowrap;padding-"
    "left:10px}td:first-child{"
    "white-space:nowrap}"
    ".swatch{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:8px}"
    ".share{display:flex;height:14px;border-radius:3px;overflow:hidden;margin:6px 0 12px}"
    ".warn{border-left:3px solid var(--act);padding-left:12px}"
    "ul{columns:2;column-gap:36px;list-style:none;margin:0;padding:0}"
    "ul.plain,details ul{columns:1}li{overflow-wrap:anywhere}"
    "summary{cursor:pointer;color:var(--soft);font-size:13px}"
    "code{font:13px ui-monospace,'DejaVu Sans Mono',Consolas,monospace;overflow-wrap:anywhere}"
    "footer{margin-top:40px;border-top:1px solid var(--line);padding-top:10px;color:var(--soft);"
    "font-size:13px}"
    "@media screen and (max-width:760px){main{padding:18px 14px}h1{font-size:21px}"
    ".tiles{grid-template-columns:1fr 1fr}.pair{grid-template-columns:1fr;gap:0}"
    ".slices{grid-template-columns:repeat(4,1fr)}ul{columns:1}.headline{font-size:17px}"
    ".wide{overflow-x:auto}figure.wide svg{width:880px}.wide td,.wide th{white-space:nowrap}}"
    "@media print{:root{--ink:#000;--soft:#444;--line:#ccc;--page:#fff;--panel:#f4f4f4;"
    "--data:#888;--fit:#0072b2;--act:#d55e00;--bar:#0072b2;color-scheme:light}"
    "main{padding:0;max-width:none}body{font-size:9.5pt;print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}h2,h3,h2+p{break-after:avoid}h2{margin-top:20px}"
    ".tiles dd{font-size:13pt}.pair{gap:20px}.grid{stroke-width:.4}.slices{gap:4px}"
    ".headline{font-size:13pt}tr{break-inside:avoid}@page{margin:14mm}}";

const char *const html_status_colours[SERIES_N_STATUS] = {"#00000000", "#009e73", "#999999",
                                                          "#d55e00",   "#e69f00", "#56b4e9"};

size_t html_grid_size(const struct html_report *report)
{
    return report->grid->dim[0] * report->grid->dim[1] * report->grid->dim[2];
}

bool html_has_solution(const struct html_report *report, size_t i)
{
    float status = report->maps[HTML_REPORT_STATUS][i];
    return status == (float) SERIES_SOLVED || status == (float) SERIES_INACCURATE;
}

// The order of floats as that of unsigned numbers, and back.
static uint32_t key_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

static float value_of(uint32_t key)
{
    uint32_t bits = key & 0x80000000U ? key & 0x7fffffffU : ~key;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// By digits of 11 bits, the lowest first: a map has some 100,000 values, and a page sorts ten.
static void sort_floats(float *values, size_t n)
{
    enum { N_DIGITS = 3, BITS = 11, N_BUCKETS = 1 << BITS };
    g_autofree uint32_t *keys = g_new(uint32_t, 2 * n + 1);
    uint32_t *from = keys, *to = keys + n;
    for (size_t i = 0; i < n; i++)
        from[i] = key_of(values[i]);
    for (unsigned digit = 0; digit < N_DIGITS; digit++) {
        size_t starts[N_BUCKETS] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++)
            starts[from[i] >> (BITS * digit) & (N_BUCKETS - 1)]++;
        for (size_t b = 0; b < N_BUCKETS; b++) {
            size_t count = starts[b];
            starts[b] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            to[starts[from[i] >> (BITS * digit) & (N_BUCKETS - 1)]++] = from[i];
        uint32_t *swapped = from;
        from = to;
        to = swapped;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = value_of(from[i]);
}

void html_sorted_clear(struct html_sorted *sorted)
{
    g_free(sorted->values);
}

struct html_sorted html_sort_map(const struct html_report *report, enum html_report_map map)
{
    size_t n = html_grid_size(report);
    struct html_sorted sorted = {g_new(float, MAX(n, 1)), 0};
    for (size_t i = 0; i < n; i++)
        if (html_has_solution(report, i) && isfinite(report->maps[map][i]))
            sorted.values[sorted.n++] = report->maps[map][i];
    sort_floats(sorted.values, sorted.n);
    return sorted;
}

double html_quantile(const struct html_sorted *sorted, double fraction)
{
    if (sorted->n == 0)
        return NAN;
    return sorted->values[(size_t) (fraction * (double) (sorted->n - 1) + 0.5)];
}

struct html_sorted html_sort_found(const struct html_report *report)
{
    size_t n = html_grid_size(report);
    struct html_sorted sorted = {g_new(float, MAX(n, 1)), 0};
    for (size_t i = 0; i < n; i++)
        if (html_is_found(report, i))
            sorted.values[sorted.n++] = report->maps[HTML_REPORT_EXPLAINED][i];
    sort_floats(sorted.values, sorted.n);
    return sorted;
}

const char *html_setting(const struct html_report *report, const char *name)
{
    for (size_t i = 0; i < report->n_settings; i++)
        if (strcmp(report->settings[i].name, name) == 0)
            return report->settings[i].value;
    return "";
}

void html_append_place(GString *html, const struct image_grid *grid, size_t voxel)
{
    const size_t index[3] = {voxel % grid->dim[0], voxel / grid->dim[0] % grid->dim[1],
                             voxel / grid->dim[0] / grid->dim[1]};
    if (!grid->affine_ok) {
        g_string_append_printf(html, "voxel (%zu, %zu, %zu)", index[0], index[1], index[2]);
        return;
    }
    for (size_t w = 0; w < 3; w++) {
        double mm = grid->affine[w][3];
        for (size_t d = 0; d < 3; d++)
            mm += grid->affine[w][d] * (double) index[d];
        g_string_append_printf(html, "%s%s%.0f", w == 0 ? "" : ", ", mm <= -0.5 ? "−" : "",
                               fabs(mm));
    }
    g_string_append(html, "&#8239;mm");
}

void html_add_rows(GString *html, const char *title, const struct html_report_row *rows, size_t n)
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

void html_open_svg(GString *html, double width, double height, const char *label)
{
    g_string_append_printf(html, "<svg viewBox='0 0 %.0f %.0f' role='img' aria-label='%s'>", width,
                           height, label);
}

void html_shade_censored(const struct plot *plot, const struct html_report *report)
{
    g_autofree double *begin_s = g_new(double, report->courses.n_censored + 1);
    for (size_t i = 0; i < report->courses.n_censored; i++)
        begin_s[i] = report->tr_s * report->courses.censored[i];
    plot_shade(plot, begin_s, report->courses.n_censored, report->tr_s);
}

void html_add_tile(GString *html, const char *name, double value, const char *after)
{
    g_string_append_printf(html, "<div><dt>%s</dt><dd>", name);
    html_append_number(html, value);
    g_string_append_printf(html, "%s</dd></div>", after);
}

GString *html_open_page(const char *title)
{
    GString *html = g_string_new("<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
                                 "<meta name='viewport' content='width=device-width'>"
                                 "<meta http-equiv='Content-Security-Policy' content=\""
                                 "default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
                                 "<title>");
    html_append_text(html, title);
    g_string_append_printf(html, " · Taut</title><style>%s</style></head><body><main>", style);
    return html;
}

void html_close_page(GString *html, const char *version)
{
    g_string_append(html, "<footer>Made by Taut ");
    html_append_text(html, version);
    g_string_append(html, ". This page needs no network and no other file.</footer>"
                          "</main></body></html>\n");
}

char *html_beside(const char *html_path, const char *ending)
{
    size_t n = strlen(html_path);
    if (g_str_has_suffix(html_path, ".html"))
        n -= strlen(".html");
    return g_strdup_printf("%.*s%s", (int) n, html_path, ending);
}
