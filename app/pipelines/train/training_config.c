// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/train/training.h"

#include <string.h>

static const char GROUP[] = "train";

G_GNUC_PRINTF(3, 4)
static bool refuse(const char *path, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "%s: %s", path, text);
    return false;
}

static const GOptionEntry *find_option(const GOptionEntry *options, const char *name)
{
    while (options->long_name != NULL && !g_str_equal(options->long_name, name))
        options++;
    return options->long_name == NULL || g_str_equal(name, "config") ? NULL : options;
}

// Files are found from the folder of the configuration.
static char *resolve(const char *path, const GOptionEntry *option, const char *value)
{
    bool is_file = option->arg == G_OPTION_ARG_FILENAME;
    if (g_str_equal(option->long_name, "hrf"))
        is_file = response_is_file(value);
    if (!is_file || g_path_is_absolute(value))
        return g_strdup(value);
    g_autofree char *folder = g_path_get_dirname(path);
    return g_build_filename(folder, value, NULL);
}

static bool add_words(const char *path, GKeyFile *values, const GOptionEntry *options,
                      GPtrArray *words, char **network, GError **error)
{
    g_auto(GStrv) keys = g_key_file_get_keys(values, GROUP, NULL, error);
    for (char **key = keys; key != NULL && *key != NULL; key++) {
        g_autofree char *value = g_key_file_get_string(values, GROUP, *key, NULL);
        const GOptionEntry *option = find_option(options, *key);
        if (value == NULL)
            return refuse(path, error, "[%s] %s: expected a text in UTF-8", GROUP, *key);
        if (g_str_equal(*key, "network")) {
            g_free(*network);
            *network = g_steal_pointer(&value);
            continue;
        }
        if (option == NULL)
            return refuse(path, error, "[%s] %s: expected \"network\" or an option of train", GROUP,
                          *key);
        g_autofree char *resolved = resolve(path, option, value);
        g_ptr_array_add(words, g_strdup_printf("--%s=%s", *key, resolved));
    }
    return keys != NULL;
}

bool training_read_config(const char *path, const GOptionEntry *options, GPtrArray *words,
                          char **network, GError **error)
{
    g_autoptr(GKeyFile) values = g_key_file_new();
    g_autoptr(GError) reason = NULL;
    if (!g_key_file_load_from_file(values, path, G_KEY_FILE_NONE, &reason)) {
        bool unreadable = reason->domain == G_FILE_ERROR;
        g_set_error(error, APP_ERROR, unreadable ? APP_ERROR_INPUT : APP_ERROR_USAGE, "%s: %s",
                    path, reason->message);
        return false;
    }
    g_auto(GStrv) groups = g_key_file_get_groups(values, NULL);
    for (char **group = groups; *group != NULL; group++)
        if (!g_str_equal(*group, GROUP))
            return refuse(path, error, "[%s]: expected the group [%s] alone", *group, GROUP);
    if (*groups == NULL)
        return refuse(path, error, "expected the group [%s], found none", GROUP);
    return add_words(path, values, options, words, network, error);
}
