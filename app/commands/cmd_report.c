// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/report/html_report.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"

#include <stdio.h>
#include <string.h>

static const char ending[] = "_desc-taut_report.json";

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

// The pages that a folder can have, by what is kept for them there, in order of their names.
static GPtrArray *find_pages(const char *folder, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &problem);
    if (dir == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: cannot open: %s", folder,
                    problem->message);
        return NULL;
    }
    g_autoptr(GPtrArray) pages = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_suffix(name, ending) || *name == '.')
            continue;
        g_autofree char *page =
            g_strdup_printf("%.*s.html", (int) (strlen(name) - strlen(".json")), name);
        g_ptr_array_add(pages, g_build_filename(folder, page, NULL));
    }
    g_ptr_array_sort(pages, compare_names);
    if (pages->len > 0)
        return g_steal_pointer(&pages);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                "%s: expected results of taut deconv (*%s), found none", folder, ending);
    return NULL;
}

bool cmd_report(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct report_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &report_options, &given, argc, argv, error);
    g_autoptr(GPtrArray) pages = options == NULL ? NULL : find_pages(given.folder, error);
    if (pages == NULL)
        return false;
    JsonArray *outputs = json_array_new();
    g_autoptr(JsonObject) object = json_object_new();
    json_object_set_string_member(object, "command", "report");
    json_object_set_array_member(object, "outputs", outputs);
    for (guint i = 0; i < pages->len; i++) {
        if (host_stopped(&app->host, error) ||
            !html_report_rebuild(pages->pdata[i], &app->host.io, error))
            return false;
        if (!app->json)
            app_tell("%s\n", (char *) pages->pdata[i]);
        json_array_add_string_element(outputs, pages->pdata[i]);
    }
    if (app->json)
        app_print_json(g_steal_pointer(&object));
    return true;
}
