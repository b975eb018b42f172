// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/settings.h"

#include "app/pipelines/inputs/preprocessing.h"

static const enum setting_id steps[PREPROCESSING_STEPS] = {SETTING_DETREND, SETTING_BANDPASS,
                                                           SETTING_STANDARDIZE};

static char *check_word(const char *word)
{
    const char *value;
    size_t step = preprocessing_step(word, &value);
    if (step == PREPROCESSING_STEPS)
        return g_strdup_printf("\"%s\" is none of detrend=VALUE, bandpass=VALUE, "
                               "standardize=VALUE",
                               word);
    return g_str_equal(value, "none") ? NULL : settings_check(settings_row(steps[step]), value);
}

char *settings_check_preprocessing(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        char *problem = check_word(*word);
        if (problem != NULL)
            return problem;
    }
    return *words == NULL ? g_strdup("\"\" is empty") : NULL;
}
