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
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:36px;align-items:start}"
    ".caption,figcaption{font-size:13px;color:var(--soft);max-width:none;margin:4px 0 8px}"
    "figure{margin:0 0 22px;break-inside:avoid}"
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
    "td.number,th.number{text-align:right;white-space:nowrap;padding-left:10px}td:first-child{"
    "white-space:nowrap}"
    ".swatch{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:8px}"
    ".share{display:flex;height:14px;border-radius:3px;overflow:hidden;margin:6px 0 12px}"
    ".warn{border-left:3px solid var(--act);padding-left:12px}"
    "ul{columns:2;column-gap:36px;list-style:none;margin:0;padding:0}"
    "code{font:13px ui-monospace,'DejaVu Sans Mono',Consolas,monospace;overflow-wrap:anywhere}"
    "footer{margin-top:40px;border-top:1px solid var(--line);padding-top:10px;color:var(--soft);"
    "font-size:13px}"
    "@media screen and (max-width:760px){.tiles{grid-template-columns:1fr "
    "1fr}.pair{grid-template-columns:1fr}"
    "main{padding:20px}}"
    "@media print{:root{--ink:#000;--soft:#444;--line:#ccc;--page:#fff;--panel:#f4f4f4;"
    "--data:#888;--fit:#0072b2;--act:#d55e00;--bar:#0072b2}main{padding:0;max-width:none}"
    "body{font-size:9.5pt}h2,h3{break-after:avoid}.tiles dd{font-size:14pt}.pair{gap:20px}"
    ".grid{stroke-width:.4}@page{margin:14mm}}";

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

static int compare_floats(const void *a, const void *b)
{
    const float left = *(const float *) a;
    const float right = *(const float *) b;
    return (left > right) - (left < right);
}

void html_sorted_clear(struct html_sorted *sorted)
{
    g_free(sorted->values);
}

struct html_sorted html_sort_map(const struct html_report *report, enum html_report_map map)
{
    size_t n = html_grid_size(report);
    struct html_sorted sorted = {g_new(float, n), 0};
    for (size_t i = 0; i < n; i++)
        if (html_has_solution(report, i) && isfinite(report->maps[map][i]))
            sorted.values[sorted.n++] = report->maps[map][i];
    qsort(sorted.values, sorted.n, sizeof *sorted.values, compare_floats);
    return sorted;
}

double html_quantile(const struct html_sorted *sorted, double fraction)
{
    if (sorted->n == 0)
        return NAN;
    return sorted->values[(size_t) (fraction * (double) (sorted->n - 1) + 0.5)];
}

void html_open_svg(GString *html, double width, double height, const char *label)
{
    g_string_append_printf(html, "<svg viewBox='0 0 %.0f %.0f' role='img' aria-label='%s'>", width,
                           height, label);
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
