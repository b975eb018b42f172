// SPDX-License-Identifier: BSD-3-Clause
#include "app/batch/batch.h"
#include "app/command.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"

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
        app_tell("%-8s  %s -> %s\n", words[unit->state], unit->input, unit->output);
    }
}

// A batch of one ends as the run itself would; of several, failures are counted and named.
static bool conclude(struct app *app, const struct batch *batch, GError **error)
{
    const struct batch_unit *first = g_ptr_array_index(batch->units, 0);
    if (batch->units->len == 1 && first->state == BATCH_FAILED) {
        g_propagate_error(error, g_error_copy(first->error));
        return false;
    }
    g_autoptr(GString) failed = g_string_new(NULL);
    for (guint i = 0; i < batch->units->len; i++) {
        const struct batch_unit *unit = g_ptr_array_index(batch->units, i);
        if (unit->missed)
            app->outcome = EXIT_STRICT;
        if (unit->state == BATCH_FAILED)
            g_string_append_printf(failed, " %s", unit->input);
    }
    if (failed->len > 0) {
        log_error(app->log, "%zu of %u runs failed:%s", batch_count(batch, BATCH_FAILED),
                  batch->units->len, failed->str);
        app->outcome = EXIT_PARTIAL;
    }
    return true;
}

// The configuration, with what --set changes.
static struct options *load(const struct run_command_options *given, GError **error)
{
    const struct option_table *table = options_table_of(given->config, run_tables, error);
    g_autoptr(owned_options) options = table == NULL ? NULL : options_new(table);
    if (options == NULL || !options_load(options, given->config, error))
        return NULL;
    for (char **set = given->set; set != NULL && *set != NULL; set++)
        options_assign(options, *set);
    return options_end(options, given->config, error) ? g_steal_pointer(&options) : NULL;
}

bool cmd_run(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct run_command_options given = {0};
    g_autoptr(owned_options) own =
        app_options(app, self, &run_command_options, &given, argc, argv, error);
    g_autoptr(owned_options) options = own == NULL ? NULL : load(&given, error);
    g_autoptr(owned_batch) batch = options == NULL ? NULL : batch_new(options, app->json, error);
    app->host.paranoid = given.paranoid;
    if (batch == NULL || !batch_run(&app->host, batch, given.dry_run, error) ||
        !conclude(app, batch, error))
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
