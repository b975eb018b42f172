// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run.h"

#include "app/pipelines/inputs/response.h"
#include "app/pipelines/outputs/stem.h"
#include "deconv/debias.h"
#include "io/sidecar.h"

#include <string.h>

void run_warn(struct run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    warnings_tell(&run->warnings, run->host, "%s", text);
}

static void input_free(void *data)
{
    struct run_input *input = data;
    g_free(input->path);
    g_free(input->sha256);
    g_free(input);
}

// The one path of a setting; NULL and an error where there is none or several. Owned.
static char *one_path(const struct settings *settings, enum setting_id id, GError **error)
{
    g_autoptr(GPtrArray) paths = settings_paths(settings, id, NULL, error);
    if (paths == NULL)
        return NULL;
    if (paths->len == 1)
        return g_strdup(g_ptr_array_index(paths, 0));
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "[%s] %s: expected one path, found %u",
                settings_row(id)->group, settings_row(id)->key, paths->len);
    return NULL;
}

// Notes the files beside the recording that the result depends on.
static bool add_inputs(struct run *run, GError **error)
{
    static const struct {
        enum setting_id id;
        const char *role;
    } others[] = {
        {SETTING_MASK, "mask"}, {SETTING_SIDECAR, "sidecar"}, {SETTING_CONFOUNDS, "confounds"}};
    run_add_input(run, "bold", run->input);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        if (!settings_names_file(run->settings, others[i].id))
            continue;
        g_autofree char *path = one_path(run->settings, others[i].id, error);
        if (path == NULL)
            return false;
        run_add_input(run, others[i].role, path);
    }
    if (settings_is(run->settings, SETTING_SIDECAR, "auto")) {
        static const char *const roles[] = {"sidecar",  "sidecar2", "sidecar3", "sidecar4",
                                            "sidecar5", "sidecar6", "sidecar7", "sidecar8"};
        g_autoptr(GPtrArray) paths = sidecar_find(run->input);
        for (guint j = 0; j < MIN(paths->len, G_N_ELEMENTS(roles)); j++)
            run_add_input(run, roles[j], g_ptr_array_index(paths, j));
    }
    g_autofree char *response = response_path(run->settings->text[SETTING_HRF]);
    if (response != NULL) {
        g_autofree char *path = settings_resolve(run->settings, SETTING_HRF, response);
        run_add_input(run, "response", path);
    }
    if (run->settings->text[SETTING_NETWORK] != NULL) {
        run->network.path = one_path(run->settings, SETTING_NETWORK, error);
        if (run->network.path == NULL)
            return false;
        run_add_input(run, "network", run->network.path);
    }
    const char *rule = run->settings->text[SETTING_LAMBDA_RULE];
    if (g_str_has_prefix(rule, "map:")) {
        g_autofree char *path =
            settings_resolve(run->settings, SETTING_LAMBDA_RULE, rule + strlen("map:"));
        run_add_input(run, "lambda", path);
    }
    return true;
}

struct run *run_new(const struct host *host, const struct settings *settings, GError **error)
{
    g_autoptr(owned_run) run = g_new0(struct run, 1);
    run->host = host;
    run->settings = settings;
    run->begin_us = g_get_monotonic_time();
    run->inputs = g_ptr_array_new_with_free_func(input_free);
    run->outputs = g_ptr_array_new_with_free_func(g_free);
    warnings_init(&run->warnings);
    run->input = one_path(settings, SETTING_BOLD, error);
    run->folder = run->input == NULL ? NULL : one_path(settings, SETTING_FOLDER, error);
    if (run->folder == NULL)
        return NULL;
    run->stem = stem_of(run->input);
    return add_inputs(run, error) ? g_steal_pointer(&run) : NULL;
}

void run_free(struct run *run)
{
    if (run == NULL)
        return;
    g_free(run->input);
    g_free(run->folder);
    g_free(run->stem);
    g_ptr_array_unref(run->inputs);
    g_ptr_array_unref(run->outputs);
    warnings_clear(&run->warnings);
    recording_free(run->recording);
    metadata_free(run->metadata);
    g_free(run->mask);
    solver_free(run->solver);
    solver_free(run->network.exact);
    network_free(run->network.network);
    g_free(run->network.path);
    problem_free(run->problem);
    lambda_rule_free(run->rule);
    clean_free(run->clean);
    confounds_free(run->confounds);
    linop_free(run->seen);
    linop_free(run->op);
    hrf_free(run->response);
    g_free(run->results);
    g_free(run->fitted);
    g_free(run->residual);
    g_free(run->debiased);
    debias_free(run->levels);
    g_free(run->choices);
    g_free(run->lambda_map);
    g_free(run->traces);
    g_free(run->trace_x);
    g_free(run);
}

static double seconds_since(gint64 begin_us)
{
    return 1e-6 * (double) (g_get_monotonic_time() - begin_us);
}

static bool timed(struct run *run, bool (*stage)(struct run *run, GError **error), double *seconds,
                  GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    bool done = stage(run, error);
    *seconds = seconds_since(begin_us);
    return done;
}

bool run_execute(struct run *run, GError **error)
{
    if (!timed(run, run_read, &run->seconds.read, error))
        return false;
    host_accept(run->host); // from here on the inputs are good
    bool done = timed(run, run_solve, &run->seconds.solve, error) &&
                timed(run, run_write, &run->seconds.write, error);
    run->seconds.total = seconds_since(run->begin_us);
    return done;
}
