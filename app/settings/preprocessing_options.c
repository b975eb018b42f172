// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/deconv_options.h"

#include "app/pipelines/inputs/preprocessing.h"
#include "app/settings/tables.h"

static char *check_word(const char *word)
{
    const char *value;
    size_t step = preprocessing_step(word, &value);
    if (step == PREPROCESSING_STEPS)
        return g_strdup_printf("\"%s\" is none of detrend=VALUE, bandpass=VALUE, "
                               "standardize=VALUE",
                               word);
    g_autoptr(owned_options) options = options_new(&deconv_options);
    const struct option *row = options_find(options, preprocessing_names[step])->row;
    return g_str_equal(value, "none") ? NULL : options_check(row, value);
}

char *preprocessing_option_check(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    for (char **word = words; *word != NULL; word++) {
        char *problem = check_word(*word);
        if (problem != NULL)
            return problem;
    }
    return *words == NULL ? g_strdup("\"\" is empty") : NULL;
}
