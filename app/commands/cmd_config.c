// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/settings/small_options.h"
#include "app/settings/tables.h"

#include <stdio.h>
#include <string.h>

static void print_options(void)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    for (size_t i = 0; option_tables[i] != NULL; i++)
        options_list(option_tables[i], lines);
    options_list(&common_options, lines);
    fputs(lines->str, stdout);
}

// The template of a command whose options a configuration may hold.
static char *template_of(const char *command, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; run_tables[i] != NULL; i++) {
        if (strcmp(run_tables[i]->command, command) == 0)
            return options_template(run_tables[i]);
        g_string_append_printf(known, "%s%s", i == 0 ? "" : "|", run_tables[i]->command);
    }
    app_refuse(error, "config: \"%s\" is none of %s", command, known->str);
    return NULL;
}

bool cmd_config(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct config_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &config_options, &given, argc, argv, error);
    if (options == NULL)
        return false;
    if (given.template == given.options)
        return app_refuse(error, "config: expected --template or --options");
    if (given.options) {
        print_options();
        return true;
    }
    g_autofree char *text = template_of(given.command, error);
    if (text != NULL)
        fputs(text, stdout);
    return text != NULL;
}
