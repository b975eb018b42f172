// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/outputs/stem.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

// Cuts an ending off a name that is longer.
static void cut(char *name, const char *ending, bool any_case)
{
    size_t n = strlen(name), n_ending = strlen(ending);
    if (n <= n_ending)
        return;
    char *at = name + n - n_ending;
    if ((any_case ? g_ascii_strcasecmp(at, ending) : strcmp(at, ending)) == 0)
        *at = '\0';
}

char *stem_of(const char *path)
{
    static const char *const endings[] = {".gz", ".nii", ".hdr", ".img"};
    static const char *const suffixes[] = {"_bold", "_cbv"};
    g_autofree char *name = g_path_get_basename(path);
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        cut(name, endings[i], true);
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
        cut(name, suffixes[i], false);
    char *desc = strstr(name, "_desc-");
    if (desc == NULL)
        return g_steal_pointer(&name);
    const char *rest = desc + 1 + strcspn(desc + 1, "_");
    *desc = '\0';
    return g_strconcat(name, rest, NULL);
}
