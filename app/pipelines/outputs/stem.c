// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/outputs/stem.h"

#include <glib.h>
#include <string.h>

char *stem_of(const char *path)
{
    static const char *const endings[] = {".nii.gz", ".nii", ".hdr", ".img", "_bold"};
    g_autofree char *name = g_path_get_basename(path);
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        if (g_str_has_suffix(name, endings[i]) && strlen(name) > strlen(endings[i]))
            name[strlen(name) - strlen(endings[i])] = '\0';
    char *desc = strstr(name, "_desc-");
    if (desc == NULL)
        return g_steal_pointer(&name);
    const char *rest = desc + 1 + strcspn(desc + 1, "_");
    *desc = '\0';
    return g_strconcat(name, rest, NULL);
}
