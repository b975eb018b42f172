// SPDX-License-Identifier: BSD-3-Clause
#include "sources/models.h"

#include <glib.h>

static const struct source_model *const models[] = {
    &source_model_lasso,
    &source_model_l21,
    &source_model_irl21,
};

const struct source_model *const *source_models(size_t *n)
{
    *n = G_N_ELEMENTS(models);
    return models;
}

char *source_models_names(void)
{
    GString *names = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        g_string_append_printf(names, "%s%s", i > 0 ? "|" : "", models[i]->name);
    return g_string_free(names, FALSE);
}
