// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch.h"
#include "app/command.h"
#include "app/settings/settings.h"

#include <stdio.h>

static void print_units(const struct batch *batch)
{
    static const char *const words[] = {[BATCH_PENDING] = "pending",
                                        [BATCH_READY] = "to do",
                                        [BATCH_DONE] = "done",
                                        [BATCH_SKIPPED] = "was done",
                                        [BATCH_FAILED] = "failed"};
    for (guint i = 0; i < batch->units->len; i++) {
        const struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        g_autofree char *folder = settings_quote(unit->settings, SETTING_FOLDER);
        printf("%-8s  %s -> %s\n", words[unit->state], unit->input, folder);
    }
}

// A batch of one ends as the run itself would; of several, failures are counted and named.
static bool conclude(struct app *app, const struct batch *batch, bool strict, GError **error)
{
    const struct batch_unit *first = g_ptr_array_index(batch->units, 0);
    if (batch->units->len == 1 && first->state == BATCH_FAILED) {
        g_propagate_error(error, g_error_copy(first->error));
        return false;
    }
    g_autoptr(GString) failed = g_string_new(NULL);
    size_t inaccurate = 0;
    for (guint i = 0; i < batch->units->len; i++) {
        const struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        inaccurate += unit->inaccurate;
        if (unit->state == BATCH_FAILED)
            g_string_append_printf(failed, " %s", unit->input);
    }
    if (strict && inaccurate > 0)
        app->outcome = EXIT_STRICT;
    if (failed->len > 0) {
        log_error(app->log, "%zu of %u runs failed:%s", batch_count(batch, BATCH_FAILED),
                  batch->units->len, failed->str);
        app->outcome = EXIT_PARTIAL;
    }
    return true;
}

bool cmd_run(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(GStrv) assignments = NULL;
    gboolean dry_run = FALSE;
    const GOptionEntry options[] = {
        {"set", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &assignments,
         "Another value than the file's; may be given again", "GROUP.KEY=VALUE"},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Check all, do nothing", NULL},
        {0}};
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 1, 1, error))
        return false;
    g_autoptr(owned_settings) settings = settings_new();
    if (!settings_load(settings, argv[1], error))
        return false;
    for (char **assignment = assignments; assignments != NULL && *assignment != NULL; assignment++)
        settings_assign(settings, *assignment);
    if (!settings_end(settings, argv[1], error))
        return false;
    g_autoptr(owned_batch) batch = batch_new(settings, error);
    if (batch == NULL || !batch_run(&app->host, batch, dry_run, error) ||
        !conclude(app, batch, settings_flag(settings, SETTING_STRICT), error))
        return false;
    if (app->json) {
        JsonObject *object = batch_to_json(batch);
        json_object_set_string_member(object, "command", "run");
        json_object_set_string_member(object, "version", TAUT_VERSION);
        app_print_json(object);
    } else
        print_units(batch);
    return true;
}
