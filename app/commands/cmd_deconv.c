// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/run/run.h"
#include "app/settings/settings_run.h"

#include <stdio.h>
#include <string.h>

static void print_summary(const struct run *run)
{
    const struct run_plan *plan = run->plan;
    const struct outcome *outcome = &run->outcome;
    const size_t *counts = outcome->counts;
    const char *stem = plan->files->stem;
    printf("%s: %zu voxels, %zu frames every %g s (%s)\n", stem, run->n_series, plan->n_time,
           plan->tr_s, plan->metadata->source);
    printf("  solved %zu, constant %zu, nonfinite %zu, inaccurate %zu; largest relative gap %.2g\n",
           counts[SERIES_SOLVED], counts[SERIES_CONSTANT], counts[SERIES_NONFINITE],
           counts[SERIES_INACCURATE], outcome->relative_gap.max);
    printf("  lambda %.4g to %.4g, median %.4g; %g jumps in the median series\n",
           outcome->lambda.min, outcome->lambda.max, outcome->lambda.median, outcome->jumps.median);
    printf("  read %.2f s, solved in %.2f s, written in %.2f s, %.2f s in all\n", run->seconds.read,
           run->seconds.solve, run->seconds.write, run->seconds.total);
    printf("  %s/%s_desc-taut_report.html\n", plan->options->folder, stem);
}

static bool deconvolve(struct app *app, const struct settings *settings, GError **error)
{
    g_auto(owned_run_options) options = {0};
    if (!settings_run_options(settings, &options, error))
        return false;
    g_autoptr(owned_run_files) files = run_files_new(&options);
    g_autoptr(owned_run_plan) plan = run_plan_new(&app->host, files, app->host.force, error);
    g_autoptr(owned_run) run = plan == NULL ? NULL : run_execute(plan, error);
    if (run == NULL)
        return false;
    if (settings_flag(settings, SETTING_STRICT) && run->outcome.counts[SERIES_INACCURATE] > 0)
        app->outcome = EXIT_STRICT;
    if (app->json) {
        JsonObject *object = run_to_json(run);
        json_object_set_string_member(object, "command", "deconv");
        app_print_json(object);
    } else
        print_summary(run);
    return true;
}

// TSV[:COLUMNS], split at the first colon of the file's name, unless a file has that whole name.
static void give_confounds(struct settings *settings, const char *text)
{
    const char *slash = strrchr(text, '/');
    const char *colon = strchr(slash == NULL ? text : slash, ':');
    if (colon == NULL || g_file_test(text, G_FILE_TEST_EXISTS)) {
        settings_give(settings, SETTING_CONFOUNDS, text);
        return;
    }
    g_autofree char *path = g_strndup(text, (gsize) (colon - text));
    settings_give(settings, SETTING_CONFOUNDS, path);
    settings_give(settings, SETTING_CONFOUND_COLUMNS, colon + 1);
}

bool cmd_deconv(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_autofree char *folder = NULL;
    g_autofree char *confounds = NULL;
    const GOptionEntry own[] = {{"output", 'o', 0, G_OPTION_ARG_FILENAME, &folder,
                                 "Folder of the outputs, made if it is not there", "DIR"},
                                {"confounds", 0, 0, G_OPTION_ARG_FILENAME, &confounds,
                                 "Table to be regressed out; of its columns, names or 6p, 12p, "
                                 "24p, acompcor, wmcsf, gsr (default: all)",
                                 "TSV[:PRESET|:NAME,...]"},
                                {0}};
    g_autoptr(owned_settings_options) options = settings_options_new(SETTING_IN_DECONV, own);
    if (!app_parse(app, self, options->entries, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 1, 1, error))
        return false;
    if (folder == NULL) {
        g_set_error_literal(error, APP_ERROR, APP_ERROR_USAGE,
                            "deconv: expected -o DIR, the folder of the outputs");
        return false;
    }
    g_autoptr(owned_settings) settings = settings_new();
    settings_set_path(settings, SETTING_BOLD, argv[1]);
    settings_set_path(settings, SETTING_FOLDER, folder);
    if (confounds != NULL)
        give_confounds(settings, confounds);
    settings_take_options(settings, options);
    return settings_end(settings, NULL, error) && deconvolve(app, settings, error);
}
