// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/inputs/preprocessing.h"

#include <glib.h>
#include <string.h>

const char *const preprocessing_names[PREPROCESSING_STEPS] = {"detrend", "bandpass", "standardize"};

size_t preprocessing_step(const char *word, const char **value)
{
    for (size_t i = 0; i < PREPROCESSING_STEPS; i++) {
        size_t n = strlen(preprocessing_names[i]);
        *value = word + n + 1;
        if (strncmp(word, preprocessing_names[i], n) == 0 && word[n] == '=')
            return i;
    }
    return PREPROCESSING_STEPS;
}

char *preprocessing_mismatch(const char *text, const struct preprocessing *found)
{
    const char *const texts[] = {found->detrend, found->bandpass, found->standardize};
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        const char *expected;
        size_t step = preprocessing_step(*word, &expected);
        if (step == PREPROCESSING_STEPS)
            continue; // of a later version
        const char *is = texts[step] == NULL ? "none" : texts[step];
        if (!g_str_equal(expected, is))
            return g_strdup_printf("%s: expected %s as in training, found %s",
                                   preprocessing_names[step], expected, is);
    }
    return NULL;
}
