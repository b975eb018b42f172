// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/settings/settings.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"

#include <stdio.h>

bool cmd_config(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct config_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &config_options, &given, argc, argv, error);
    if (options == NULL)
        return false;
    if (!given.template)
        return app_refuse(error, "config: expected --template, the one thing it does");
    g_autofree char *text = settings_template();
    fputs(text, stdout);
    return true;
}
