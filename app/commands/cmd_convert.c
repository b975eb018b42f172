// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/convert/convert.h"
#include "app/settings/tables.h"

static bool run(struct app *app, const struct convert_options *given, GError **error)
{
    const char *output = given->output;
    gint64 begin_us = g_get_monotonic_time();
    if (!convert_check_output(&app->host, given->input, output, error))
        return false;
    g_autoptr(owned_recording) recording =
        convert_open(&app->host, given->input, output, given->part, false, error);
    if (recording == NULL)
        return false;
    g_auto(owned_conversion) conversion = {0};
    if (!convert_write(&app->host, recording, output, NULL, &conversion, error))
        return false;
    log_accept(app->log);
    if (!app->json) {
        app_print(convert_summary(recording, output, &conversion));
        return true;
    }
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "convert");
    convert_describe(recording, &conversion, object);
    json_object_set_double_member(object, "seconds",
                                  1e-6 * (double) (g_get_monotonic_time() - begin_us));
    app_print_json(object);
    return true;
}

bool cmd_convert(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct convert_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &convert_options, &given, argc, argv, error);
    return options != NULL && run(app, &given, error);
}
