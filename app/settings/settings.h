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
    SETTING_CONFOUNDS,
    SETTING_CONFOUND_COLUMNS,
    SETTING_STANDARDIZE,
    SETTING_HRF,
    SETTING_CONV,
    SETTING_SOLVER,
    SETTING_NETWORK,
    SETTING_CERTIFY,
    SETTING_LAMBDA,
    SETTING_LAMBDA_RULE,
    SETTING_LAMBDA_SCOPE,
    SETTING_TOL,
    SETTING_MAX_ITER,
    SETTING_STRICT,
    SETTING_FOLDER,
    SETTING_SAVE,
    SETTING_DEBIAS,
    SETTING_COMPRESSION,
    N_SETTINGS
};

/** How the text of a value is read; what may stand there besides is in the row's choices. */
enum setting_type {
    SETTING_TYPE_BAND, // LO:HI, numbers; either may be left out
    SETTING_TYPE_CHOICE,
    SETTING_TYPE_CHOICES,  // several, separated by commas or blanks, or "all"
    SETTING_TYPE_COUNT,    // a whole number in low..high
    SETTING_TYPE_DETREND,  // a choice, or cosine:SECONDS
    SETTING_TYPE_FILES,    // a choice, or paths and patterns separated by semicolons
    SETTING_TYPE_FLAG,     // true or false
    SETTING_TYPE_FRAMES,   // A:N, whole numbers; N may be left out
    SETTING_TYPE_METHOD,   // a solver of the TV problem
    SETTING_TYPE_NUMBER,   // in low..high
    SETTING_TYPE_RESPONSE, // a model of the response with its parameters, or a file
    SETTING_TYPE_RULE,     // a choice, or map:FILE
    SETTING_TYPE_TEXT,     // anything but nothing
};

/** Where a setting may be given. */
enum setting_use {
    SETTING_IN_CONFIG = 1,
    SETTING_REQUIRED = 2, // there
    SETTING_IN_DECONV = 4,
    SETTING_IN_SOLVE = 8,
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

/** The choices of a row as "a|b|c", those of methods too; NULL where it has none. Owned. */
char *settings_choices(const struct setting *row);

/**
 * A value of every setting, and what is wrong with what was given. Values are checked as they are
 * given, problems are gathered, so that all of them are told at once.
 */
struct settings {
    // Owned; NULL where not set. Lists of files are kept as configurations have them: `\` takes
    // the meaning from the next character, and all else is as given.
    char *text[N_SETTINGS];
    char *folder[N_SETTINGS]; // owned; what its paths are relative to; NULL: the current folder
    GPtrArray *problems;      // owned, of owned lines
};

/** All defaults. */
struct settings *settings_new(void);
struct settings *settings_copy(const struct settings *settings);
void settings_free(struct settings *settings);
typedef struct settings owned_settings; // for g_autoptr(owned_settings)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_settings, settings_free)

/** What a value has to be and is not, `"0,1" is not a number`; NULL: nothing is wrong. Owned. */
char *settings_check(const struct setting *row, const char *text);

/** What is wrong with how series were cleaned (preprocessing.h), or NULL. Owned. */
char *settings_check_preprocessing(const char *text);

/**
 * Takes the values of a configuration file. False only if it cannot be read (APP_ERROR_INPUT);
 * what is wrong in it is added to the problems, each as `FILE:LINE: ...`.
 */
bool settings_load(struct settings *settings, const char *path, GError **error);

/** Takes "group.key=value", of --set. */
void settings_assign(struct settings *settings, const char *assignment);

/** Takes a value given outside of files: a path is one path, whatever its letters. */
void settings_give(struct settings *settings, enum setting_id id, const char *literal);

/**
 * False with all problems (APP_ERROR_CONFIG), if there are any. path: of the configuration; what
 * it requires and is not set is a problem, too. NULL: there is none.
 */
bool settings_end(const struct settings *settings, const char *path, GError **error);

/** Whether a setting has this very text. */
bool settings_is(const struct settings *settings, enum setting_id id, const char *text);

bool settings_flag(const struct settings *settings, enum setting_id id);
double settings_number(const struct settings *settings, enum setting_id id);
size_t settings_count(const struct settings *settings, enum setting_id id);

/** The ends of a range A:B; those that are left out keep what *a and *b hold. */
void settings_range(const struct settings *settings, enum setting_id id, double *a, double *b);

/** Whether one of several choices was made, by itself or by "all". */
bool settings_includes(const struct settings *settings, enum setting_id id, const char *choice);

/** A path relative to where the setting was given. Owned. */
char *settings_resolve(const struct settings *settings, enum setting_id id, const char *path);

/** Sets a value that was checked; folder: see struct settings. */
void settings_put(struct settings *settings, enum setting_id id, const char *text,
                  const char *folder);

/** A literal path as lists of files have it, a choice of the row as it is. Owned. */
char *settings_written(const struct setting *row, const char *literal);

/**
 * The paths of a setting, patterns replaced by what they match, in order. With a recording, {stem}
 * is its stem (stem.h), {folder} its folder, and {up1}, {up2}, {up3} are the names of that folder,
 * of the one it lies in, and so on. NULL: these are left as they are. Error: APP_ERROR_INPUT where
 * a pattern matches nothing.
 */
GPtrArray *settings_paths(const struct settings *settings, enum setting_id id,
                          const char *recording, GError **error);

/** Whether a list of files is set, and is not one of the choices that stand in for files. */
bool settings_names_file(const struct settings *settings, enum setting_id id);

/** Sets a list of files to one path. */
void settings_set_path(struct settings *settings, enum setting_id id, const char *path);

/** The value as a configuration has it, paths absolute. Owned. */
char *settings_quote(const struct settings *settings, enum setting_id id);

/** A configuration with these values, paths absolute, after a comment (or NULL). Owned. */
char *settings_dump(const struct settings *settings, const char *comment);

/** A configuration with every setting at its default and explained. Owned. */
char *settings_template(void);

/** The options of a command that come from the table, with entries for GOption. */
struct settings_options {
    GOptionEntry *entries;     // owned; ends with a {NULL} row
    char *text[N_SETTINGS];    // owned; as given
    gboolean flag[N_SETTINGS]; //
    char *help[N_SETTINGS];    // owned
};

/** Options for the rows of a use, after `own` (ends with a {NULL} row). */
struct settings_options *settings_options_new(enum setting_use use, const GOptionEntry *own);
void settings_options_free(struct settings_options *options);
typedef struct settings_options owned_settings_options;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_settings_options, settings_options_free)

/** Takes the options that were given. */
void settings_take_options(struct settings *settings, const struct settings_options *options);
