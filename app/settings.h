// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** Every setting: a row of the one table in settings.c, in the order of templates and dumps. */
enum setting_id {
    SETTING_BOLD,
    SETTING_MASK,
    SETTING_SIDECAR,
    SETTING_TR,
    SETTING_DROP,
    SETTING_FRAMES,
    SETTING_DETREND,
    SETTING_BANDPASS,
    SETTING_STANDARDIZE,
    SETTING_HRF,
    SETTING_CONV,
    SETTING_SOLVER,
    SETTING_LAMBDA,
    SETTING_LAMBDA_RULE,
    SETTING_LAMBDA_SCOPE,
    SETTING_TOL,
    SETTING_MAX_ITER,
    SETTING_STRICT,
    SETTING_FOLDER,
    SETTING_SAVE,
    SETTING_COMPRESSION,
    N_SETTINGS
};

/** How the text of a value is read; what may stand there besides is in the row's choices. */
enum setting_type {
    SETTING_TYPE_CHOICE,
    SETTING_TYPE_CHOICES,  // several, separated by commas or blanks, or "all"
    SETTING_TYPE_COUNT,    // a whole number in low..high
    SETTING_TYPE_DETREND,  // a choice, or cosine:SECONDS
    SETTING_TYPE_FILE,     // a choice, or a path
    SETTING_TYPE_FILES,    // a choice, or paths and patterns separated by semicolons
    SETTING_TYPE_FLAG,     // true or false
    SETTING_TYPE_NUMBER,   // in low..high
    SETTING_TYPE_RANGE,    // A:B, numbers in low..high; either may be left out
    SETTING_TYPE_RESPONSE, // a model of the response with its parameters, or a file
    SETTING_TYPE_RULE,     // a choice, or map:FILE
};

/** The commands that have a setting as an option; SETTING_IN_CONFIG: files have it. */
enum setting_use {
    SETTING_IN_CONFIG = 1,
    SETTING_IN_DECONV = 2,
};

struct setting {
    const char *group;
    const char *key;
    const char *option; // "lambda-rule" of --lambda-rule; NULL: no option
    enum setting_type type;
    unsigned uses; // of enum setting_use
    double low;
    double high;
    const char *choices;  // "a|b|c" or NULL
    const char *unit;     // or NULL
    const char *metavar;  // "FILE" in --mask FILE
    const char *fallback; // the default; NULL: none
    const char *help;     // one sentence without its full stop
};

const struct setting *settings_row(enum setting_id id);

/**
 * A configuration with every setting at its default and explained; `taut run` takes it once the
 * inputs are named. Owned by the caller.
 */
char *settings_template(void);
