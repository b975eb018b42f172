// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/inputs/preprocessing.h"

#include <string.h>

static const enum setting_id steps[] = {SETTING_DETREND, SETTING_BANDPASS, SETTING_STANDARDIZE};

// The step of a word KEY=VALUE and its value, or N_SETTINGS.
static enum setting_id step_of(const char *word, const char **value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        const char *key = settings_row(steps[i])->key;
        size_t n = strlen(key);
        *value = word + n + 1;
        if (strncmp(word, key, n) == 0 && word[n] == '=')
            return steps[i];
    }
    return N_SETTINGS;
}

static char *check_word(const char *word)
{
    const char *value;
    enum setting_id id = step_of(word, &value);
    if (id == N_SETTINGS)
        return g_strdup_printf("\"%s\" is none of detrend=VALUE, bandpass=VALUE, "
                               "standardize=VALUE",
                               word);
    return g_str_equal(value, "none") ? NULL : settings_check(settings_row(id), value);
}

char *preprocessing_check(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        char *problem = check_word(*word);
        if (problem != NULL)
            return problem;
    }
    return *words == NULL ? g_strdup("\"\" is empty") : NULL;
}

char *preprocessing_mismatch(const char *text, const struct settings *settings)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        const char *expected;
        enum setting_id id = step_of(*word, &expected);
        if (id == N_SETTINGS)
            continue; // of a later version
        const char *found = settings->text[id] == NULL ? "none" : settings->text[id];
        if (!g_str_equal(expected, found))
            return g_strdup_printf("%s: expected %s as in training, found %s",
                                   settings_row(id)->key, expected, found);
    }
    return NULL;
}
