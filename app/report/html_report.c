// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/html_report.h"

#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"
#include "io/publish.h"
#include "io/sidecar.h"

static void add_header(GString *html, const struct html_report *report)
{
    const struct image_grid *grid = report->grid;
    g_string_append(html, "<header><p class='kind'>Deconvolution of fMRI</p><h1>");
    html_append_text(html, report->title);
    g_string_append(html, "</h1><p><code>");
    html_append_text(html, report->input);
    g_string_append_printf(html,
                           "</code></p><p>%zu × %zu × %zu voxels of %.3g × %.3g × %.3g mm, "
                           "%zu frames every %g s · Taut ",
                           grid->dim[0], grid->dim[1], grid->dim[2], grid->voxel_mm[0],
                           grid->voxel_mm[1], grid->voxel_mm[2], report->n_time, report->tr_s);
    html_append_text(html, report->version);
    g_string_append(html, "</p></header>");
}

GString *html_page(const struct html_report *report)
{
    GString *html = html_open_page(report->title);
    add_header(html, report);
    html_add_answer(html, report);
    html_add_warnings(html, report);
    html_add_where(html, report);
    html_add_when(html, report);
    html_add_traces(html, report);
    html_add_noise(html, report);
    html_add_provenance(html, report);
    html_add_certificates(html, report);
    html_close_page(html, report->version);
    return html;
}

bool html_report_write(const char *path, const struct html_report *report, bool overwrite,
                       GError **error)
{
    g_autofree char *json_path = html_beside(path, ".json");
    g_autoptr(JsonObject) json = html_report_json(report);
    if (!sidecar_write(json_path, json, overwrite, error))
        return false;
    g_autoptr(GString) html = html_page(report);
    return publish_bytes(path, html->str, html->len, overwrite, error);
}
