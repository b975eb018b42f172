// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/convert/convert.h"

static bool run(struct app *app, const char *input, const char *output, const char *part,
                GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    if (!convert_check_output(&app->host, input, output, error))
        return false;
    g_autoptr(owned_recording) recording = convert_read(&app->host, input, output, part, error);
    if (recording == NULL)
        return false;
    g_auto(owned_conversion) conversion = {0};
    if (!convert_write(&app->host, recording, output, NULL, &conversion, error))
        return false;
    log_accept(app->log);
    if (!app->json) {
        convert_print(recording, output, &conversion);
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
    g_autofree char *part = NULL;
    const GOptionEntry options[] = {
        {"part", 0, 0, G_OPTION_ARG_STRING, &part,
         "Part to write, from 1: a condition, a rate, a stretch (taut info lists them)", "N"},
        {0}};
    return app_parse(app, self, options, &argc, &argv, error) &&
           app_expect_arguments(self, argc, argv, 2, 2, error) &&
           run(app, argv[1], argv[2], part, error);
}
