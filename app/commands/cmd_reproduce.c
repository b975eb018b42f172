// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/reproduce/experiments.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"
#include "io/sidecar.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

struct request {
    struct app *app;
    struct reproduce_options options;
    JsonArray *summaries;
    bool failed; // a check
};

static void report(const struct reproduction *r, double seconds)
{
    const struct experiment *experiment = r->experiment;
    size_t n_failed = reproduction_n_failed(r);
    printf("%-18s %3u checks, %zu failed, %.1f s\n", experiment->id, r->checks->len, n_failed,
           seconds);
    app_print(reproduction_checks(r));
}

// What has its summary, made with the same seed and size, is done.
// Files that are given are taken whole unless --quick is asked for; else quick is the default.
static const char *size_of(const struct request *request)
{
    if (request->options.full)
        return "full";
    return request->options.quick || request->options.data == NULL ? "quick" : "all data";
}

static const char *setting_of(JsonObject *settings, const char *name)
{
    return json_object_get_string_member_with_default(settings, name, NULL);
}

static bool is_done(const struct request *request, const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "summary.json", NULL);
    g_autofree char *seed = g_strdup_printf("%zu", request->options.seed);
    g_autoptr(JsonObject) summary = request->app->host.force ? NULL : sidecar_read_file(path, NULL);
    JsonNode *node = summary == NULL ? NULL : json_object_get_member(summary, "settings");
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node))
        return false;
    JsonObject *settings = json_node_get_object(node);
    return g_strcmp0(setting_of(settings, "size"), size_of(request)) == 0 &&
           g_strcmp0(setting_of(settings, "seed"), seed) == 0 &&
           g_strcmp0(setting_of(settings, "files"), request->options.data) == 0;
}

static bool check_data(const struct experiment *experiment, size_t n, GError **error)
{
    if (n == 0 || n == experiment->n_data)
        return true;
    if (experiment->data == NULL)
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "reproduce: --data: %s takes none",
                    experiment->id);
    else
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE,
                    "reproduce: --data: %s expects %s, found %zu of %zu files", experiment->id,
                    experiment->data, n, experiment->n_data);
    return false;
}

static bool run_one(struct request *request, const struct experiment *experiment, GError **error)
{
    g_autofree char *folder = g_build_filename(request->options.output, experiment->id, NULL);
    if (is_done(request, folder)) {
        log_info(request->app->log, "%s: done already (--force does it again)", experiment->id);
        return true;
    }
    g_auto(GStrv) data =
        g_strsplit(request->options.data == NULL ? "" : request->options.data, ",", -1);
    if (!check_data(experiment, g_strv_length(data), error))
        return false;
    g_autoptr(owned_reproduction) r = reproduction_new(&request->app->host, experiment);
    r->seed = request->options.seed;
    r->full = request->options.full;
    r->quick = strcmp(size_of(request), "quick") == 0;
    r->data = (const char *const *) data;
    reproduction_set(r, "size", "%s", size_of(request));
    if (request->options.data != NULL)
        reproduction_set(r, "files", "%s", request->options.data);
    reproduction_set(r, "seed", "%" G_GUINT64_FORMAT, r->seed);
    r->folder = folder;
    gint64 begin_us = g_get_monotonic_time();
    log_progress_begin(request->app->log, experiment->id);
    bool ran = experiment->run(r, error);
    log_progress_end(request->app->log);
    double seconds = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    if (!ran || host_stopped(&request->app->host, error))
        return false;
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot make this folder", folder);
        return false;
    }
    if (!reproduction_write(r, folder, seconds, error))
        return false;
    request->failed |= reproduction_n_failed(r) > 0;
    if (request->app->json)
        json_array_add_object_element(request->summaries, reproduction_to_json(r, seconds));
    else
        report(r, seconds);
    return true;
}

static bool run_all(struct request *request, const char *id, GError **error)
{
    size_t n;
    const struct experiment *const *all = experiments_all(&n);
    if (strcmp(id, "all") != 0) {
        const struct experiment *experiment = experiments_find(id);
        if (experiment != NULL)
            return run_one(request, experiment, error);
        g_autoptr(GString) ids = g_string_new(NULL);
        for (size_t i = 0; i < n; i++)
            g_string_append_printf(ids, "%s%s", i == 0 ? "" : "|", all[i]->id);
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "reproduce: expected %s|all, found \"%s\"",
                    ids->str, id);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!run_one(request, all[i], error))
            return false;
    return true;
}

bool cmd_reproduce(struct app *app, const struct command *self, int argc, char **argv,
                   GError **error)
{
    struct request request = {.app = app};
    const struct reproduce_options *given = &request.options;
    g_autoptr(owned_options) options =
        app_options(app, self, &reproduce_options, &request.options, argc, argv, error);
    if (options == NULL)
        return false;
    if (given->data != NULL && strcmp(given->id, "all") == 0)
        return app_refuse(error,
                          "reproduce: --data: expected the name of one experiment, found all");
    if (given->quick && given->full)
        return app_refuse(error, "reproduce: expected --quick or --full, found both");
    log_accept(app->log);
    g_autoptr(JsonObject) object = json_object_new();
    request.summaries = json_array_new();
    json_object_set_string_member(object, "command", "reproduce");
    json_object_set_array_member(object, "experiments", request.summaries);
    if (!run_all(&request, given->id, error))
        return false;
    if (request.failed)
        app->outcome = EXIT_PARTIAL;
    if (app->json)
        app_print_json(g_steal_pointer(&object));
    return true;
}
