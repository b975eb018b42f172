// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/report/html_report.h"

#include <json-glib/json-glib.h>

/** The sections of a page, each of html_parts.h alone. */
void html_add_answer(GString *html, const struct html_report *report);
void html_add_warnings(GString *html, const struct html_report *report);
void html_add_where(GString *html, const struct html_report *report);
void html_add_when(GString *html, const struct html_report *report);
void html_add_traces(GString *html, const struct html_report *report);
void html_add_noise(GString *html, const struct html_report *report);
void html_add_provenance(GString *html, const struct html_report *report);
void html_add_certificates(GString *html, const struct html_report *report);

/** All that the page shows but the maps. */
JsonObject *html_report_json(const struct html_report *report);

/** The whole page. */
GString *html_page(const struct html_report *report);
