// SPDX-License-Identifier: BSD-3-Clause
// Warnings, method, settings, files: what was done to what, and by what.
#include "app/report/html_parts.h"
#include "app/report/html_sections.h"
#include "app/report/plot.h"

#include <string.h>

/** Warnings of one kind: the same words, but for names before the first colon and numbers. */
struct kind {
    char *key;    // owned
    size_t count; // with repetitions
    size_t first; // warning
    size_t n;     // different texts
};

// What a warning says, without what it is about and without numbers. Owned.
static char *key_of(const char *text)
{
    const char *colon = strstr(text, ": ");
    GString *key = g_string_new(NULL);
    for (const char *c = colon == NULL ? text : colon; *c != '\0'; c++)
        if (!g_ascii_isdigit(*c) && *c != '.')
            g_string_append_c(key, *c);
    return g_string_free(key, FALSE);
}

// The text, the input by the last part of its path: the page says above where it is.
static void append_warning(GString *html, const struct html_report *report, const char *text)
{
    g_autofree char *name = g_path_get_basename(report->input);
    bool is_of_input = *report->input != '\0' && g_str_has_prefix(text, report->input);
    if (is_of_input)
        html_append_text(html, name);
    html_append_text(html, is_of_input ? text + strlen(report->input) : text);
}

static size_t find_kind(const struct kind *kinds, size_t n, const char *key)
{
    size_t k = 0;
    while (k < n && strcmp(kinds[k].key, key) != 0)
        k++;
    return k;
}

static void add_kind(GString *html, const struct html_report *report, const struct kind *kinds,
                     size_t k, const size_t *kind_of)
{
    const struct kind *kind = &kinds[k];
    g_string_append(html, "<li>");
    if (kind->count > 1)
        g_string_append_printf(html, "<b>%zu ×</b> ", kind->count);
    append_warning(html, report, report->warnings[kind->first].text);
    if (kind->n > 1) {
        g_string_append_printf(html, "<details><summary>and %zu like it</summary><ul>",
                               kind->n - 1);
        for (size_t i = kind->first + 1; i < report->n_warnings; i++) {
            if (kind_of[i] != k)
                continue;
            g_string_append(html, "<li>");
            append_warning(html, report, report->warnings[i].text);
            g_string_append(html, "</li>");
        }
        g_string_append(html, "</ul></details>");
    }
    g_string_append(html, "</li>");
}

void html_add_warnings(GString *html, const struct html_report *report)
{
    size_t n = report->n_warnings, n_kinds = 0, total = 0;
    if (n == 0)
        return;
    g_autofree struct kind *kinds = g_new0(struct kind, n);
    g_autofree size_t *kind_of = g_new0(size_t, n);
    for (size_t i = 0; i < n; i++) {
        char *key = key_of(report->warnings[i].text);
        size_t k = kind_of[i] = find_kind(kinds, n_kinds, key);
        if (k == n_kinds)
            kinds[n_kinds++] = (struct kind){g_steal_pointer(&key), 0, i, 0};
        kinds[k].count += report->warnings[i].count;
        kinds[k].n++;
        total += report->warnings[i].count;
        g_free(key);
    }
    g_string_append_printf(html, "<section class='warn'><h2>%zu warning%s</h2><ul class='plain'>",
                           total, total == 1 ? "" : "s");
    for (size_t k = 0; k < n_kinds; k++) {
        add_kind(html, report, kinds, k, kind_of);
        g_free(kinds[k].key);
    }
    g_string_append(html, "</ul></section>");
}

// A file beside the page: names are any bytes, and none is taken for a scheme.
static void add_link(GString *html, const char *name)
{
    g_autofree char *escaped = g_uri_escape_string(name, NULL, FALSE);
    g_string_append(html, "<li><a href='./");
    html_append_text(html, escaped);
    g_string_append(html, "'><code>");
    html_append_text(html, name);
    g_string_append(html, "</code></a></li>");
}

static void add_files(GString *html, const struct html_report *report)
{
    if (report->outputs == NULL || report->outputs[0] == NULL)
        return;
    g_string_append(html, "<h3>Files beside this page</h3><ul>");
    for (const char *const *name = report->outputs; *name != NULL; name++)
        add_link(html, *name);
    g_string_append(html, "</ul>");
}

static void add_phrase(GString *html, const char *before, const char *value, const char *after)
{
    if (*value == '\0')
        return;
    g_string_append(html, before);
    html_append_text(html, value);
    g_string_append(html, after);
}

// A paragraph for the methods section of a paper.
static void add_methods(GString *html, const struct html_report *report)
{
    g_string_append(html, "<p>");
    g_string_append_printf(html,
                           "%zu frames, one every %g&#8239;s, were deconvolved voxel by voxel with "
                           "Taut ",
                           report->n_time, report->tr_s);
    html_append_text(html, report->version);
    g_string_append(html, ". For each series x the activity u minimises "
                          "½&#8239;‖x − h ∗ u‖² + λ&#8239;Σ|u<sub>t+1</sub> − u<sub>t</sub>|, ");
    add_phrase(html, "h being the response <i>", html_setting(report, "hrf"), "</i>");
    add_phrase(html, " (", html_setting(report, "conv"), " convolution)");
    add_phrase(html, "; λ by the rule <i>", html_setting(report, "lambda-rule"), "</i>");
    add_phrase(html, " with value ", html_setting(report, "lambda"), "");
    add_phrase(html, ", scope ", html_setting(report, "lambda-scope"), "");
    add_phrase(html, ". Drifts: ", html_setting(report, "detrend"), "");
    add_phrase(html, "; scaling: ", html_setting(report, "standardize"), "");
    add_phrase(html, ". Solver: <i>", html_setting(report, "solver"), "</i>");
    g_string_append(html,
                    ". The duality gap of every solution was computed in double precision by "
                    "code that the solver does not use: it bounds, from the data and the solution "
                    "alone, how far the objective is from its minimum. λ<sub>max</sub> is the "
                    "smallest λ for which no activity changes are found.</p>");
}

void html_add_provenance(GString *html, const struct html_report *report)
{
    g_string_append(html, "<section><h2>Preprocessing and provenance</h2>");
    add_methods(html, report);
    g_string_append(html, "<div class='pair'>");
    html_add_rows(html, "Options in force", report->settings, report->n_settings);
    html_add_rows(html, "Time and memory", report->times, report->n_times);
    g_string_append(html, "</div>");
    add_files(html, report);
    g_string_append(html, "</section>");
}
