// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/settings/settings.h"

#include <stdio.h>

bool cmd_config(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    gboolean template = FALSE;
    const GOptionEntry options[] = {{"template", 0, 0, G_OPTION_ARG_NONE, &template,
                                     "Print a configuration with every setting explained", NULL},
                                    {0}};
    if (!app_parse(app, self, options, &argc, &argv, error) ||
        !app_expect_arguments(self, argc, argv, 0, 0, error))
        return false;
    if (!template) {
        g_set_error_literal(error, APP_ERROR, APP_ERROR_USAGE,
                            "config: expected --template, the one thing it does");
        return false;
    }
    g_autofree char *text = settings_template();
    fputs(text, stdout);
    return true;
}
