// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * How the text of a value is read, and what stands for it in the command's struct of options. What
 * is behind pointers belongs to the struct options that it came from.
 */
enum option_type {
    OPTION_BAND,     // LO:HI, LO < HI; either may be left out: struct interval
    OPTION_BOUNDS,   // CHOICE=V,... with V > 0: struct bounds, in the order of the choices
    OPTION_BYTES,    // 8G, 500M: size_t; not given: 0
    OPTION_CHOICE,   // int, its place among the choices; not given: -1
    OPTION_CHOICES,  // several, separated by commas or blanks, or "all": unsigned, a bit a choice
    OPTION_CONFIG,   // a file with options, read before all others: const char *
    OPTION_COUNT,    // a whole number in low..high: size_t; not given, or a choice: OPTION_NO_COUNT
    OPTION_FILE,     // a path, or one of the choices: const char *
    OPTION_FLAG,     // bool
    OPTION_FRAMES,   // A:N, whole numbers, N may be left out: size_t[2]; N not given: 0
    OPTION_INTERVAL, // T0:T1, T0 <= T1; either may be left out: struct interval
    OPTION_METHOD,   // a solver of the TV problem: const char *
    OPTION_NUMBER,   // finite and in low..high: double; not given: NaN, which no text gives
    OPTION_RANGE,    // R or LEAST:MOST, in low..high: struct number_range
    OPTION_REPEATED, // given again and again; in files separated by semicolons: char **
    OPTION_RESPONSE, // a model of the response with its parameters, or a file: const char *
    OPTION_SIZE,     // NXxNYxNZ, each in low..high: size_t[3]
    OPTION_TEXT,     // anything but nothing: const char *
    OPTION_WORD,     // a choice, which may end in a number (in low..high) or FILE: struct word
    OPTION_WORDS,    // separated by commas: char **
    OPTION_N_TYPES
};
#define OPTION_NO_COUNT G_MAXSIZE

enum option_flag {
    OPTION_ARGUMENT = 1, // given by its place, not by a name
    OPTION_REQUIRED = 2,
    OPTION_NO_KEY = 4, // not in configurations
    OPTION_ABOVE = 8,  // `low` itself is too low
    OPTION_BELOW = 16, // `high` itself is too high
    OPTION_EACH = 32,  // of several files there is a run each
};

/**
 * A row drives the option, the key of configurations, the check, the suggestion, the help, the
 * manual page, the completion, the template and the dump.
 */
struct option {
    const char *name; // "lambda-rule" of --lambda-rule; NULL: no option, or an argument
    enum option_type type;
    size_t offset;    // of the value in the struct
    const char *help; // one sentence without its full stop; the row after the last has none
    unsigned flags;   // of enum option_flag
    char letter;      // 'o' of -o
    double low;
    double high;
    const char *choices;               // "a|b|c", "a|b:SECONDS|c:FILE" of words; or NULL
    const char *unit;                  // or NULL
    const char *metavar;               // "FILE" in --mask FILE; NULL: the choices
    const char *fallback;              // the default; NULL: none
    const char *group;                 // of its key; NULL: that of the table
    const char *key;                   // NULL: the name, with _ for -
    char *(*check)(const char *value); // what is wrong besides: owned; or NULL
    char *(*names)(void);              // of a choice from a table: its choices, owned; or NULL
};

/** Rows for a part of the struct; so commands share them. */
struct option_part {
    const struct option *rows; // ends with one that is all 0
    size_t offset;             // of that part
};

struct options;

/** The options of a command, or of one kind of its work. */
struct option_table {
    const char *command;
    const char *kind;                // "fmri" of simulate; NULL: there is one
    const char *group;               // of its configurations; NULL: rows name theirs, or have none
    size_t size;                     // of the struct
    const struct option_part *parts; // ends with {NULL}
    void (*given)(struct options *options); // after a command line was taken; or NULL
};

/** A row with its value, as text. */
struct option_slot {
    const struct option *row;
    size_t offset; // of the value
    // Owned; NULL: not set. Files and what is given again are kept as configurations have them:
    // `\` takes the meaning from the next character, and all else is as given.
    char *text;
    char *folder; // owned; what its paths are relative to; NULL: the current folder
};

/**
 * A value for every row of a table, and what is wrong with what was given. Values are checked as
 * they are given, problems are gathered, so that all of them are told at once.
 */
struct options {
    const struct option_table *table; // borrowed
    struct option_slot *slots;        // owned
    size_t n;
    GPtrArray *problems; // owned, of owned lines
    GPtrArray *values;   // owned; what structs point to
};

/** All defaults. */
struct options *options_new(const struct option_table *table);
struct options *options_copy(const struct options *options);
void options_free(struct options *options);
typedef struct options owned_options; // for g_autoptr(owned_options)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_options, options_free)

/** The group and the key of a row in configurations; NULL where it has none. key: owned. */
const char *options_group(const struct option_table *table, const struct option *row);
char *options_key(const struct option *row);

/** The slot of that option; NULL where there is none. */
struct option_slot *options_find(const struct options *options, const char *name);

/** The slot of that key, whether its words are joined by - or _; NULL where there is none. */
struct option_slot *options_find_key(const struct options *options, const char *group,
                                     const char *key);

/** The slot that there is a run for each file of; NULL where there is none. */
struct option_slot *options_each(const struct options *options);

/** The choices of a row as "a|b|c", those of methods too; NULL where it has none. Owned. */
char *options_choices(const struct option *row);

/** What a value has to be and is not, `"0,1" is not a number`; NULL: nothing is wrong. Owned. */
char *options_check(const struct option *row, const char *text);

/**
 * Takes the values of a configuration file. False only if it cannot be read (APP_ERROR_INPUT);
 * what is wrong in it is added to the problems, each as `FILE:LINE: ...`.
 */
bool options_load(struct options *options, const char *path, GError **error);

/**
 * The first of the tables (ends with NULL) that has the first group of a configuration; the first
 * one where there is none. Error: APP_ERROR_INPUT.
 */
const struct option_table *options_table_of(const char *path,
                                            const struct option_table *const *tables,
                                            GError **error);

/** Takes "group.key=value", of --set. */
void options_assign(struct options *options, const char *assignment);

/** Takes a value given outside of files: a path is one path, whatever its letters. */
void options_give(struct options *options, struct option_slot *slot, const char *literal);

/** Takes n of them; more than one for what may be given again. */
void options_give_all(struct options *options, struct option_slot *slot, size_t n,
                      char *const *literals);

/** Adds a problem, "where: problem". */
void options_tell(struct options *options, const char *where, const char *problem);

/**
 * False with all problems (APP_ERROR_CONFIG), if there are any. path: of the configuration; what
 * is required and not set is a problem, too. NULL: there is none, and where nothing else is wrong
 * one line names all that is required (APP_ERROR_USAGE).
 */
bool options_end(const struct options *options, const char *path, GError **error);

/**
 * Fills a struct in. What it points to lives as long as options. Errors: APP_ERROR_INPUT (a
 * pattern that matches nothing), APP_ERROR_USAGE (several files where one is expected).
 */
bool options_fill(struct options *options, void *values, GError **error);

/** Sets a value that was checked, of a table's slot; folder: see struct option_slot. */
void options_put(struct option_slot *slot, const char *text, const char *folder);

/** Sets a list of files to one path. */
void options_put_path(struct option_slot *slot, const char *path);

/** Whether text is one of the choices of a row as it stands. */
bool options_is_choice(const struct option *row, const char *text);

/** Whether the text of a row's values is kept as files have it. */
bool options_is_written(const struct option *row);

/** A literal text as files have it, a choice of the row as it is. Owned. */
char *options_written(const struct option *row, const char *literal);

/** The parts of a text that is kept as files have it, between semicolons. Owned. */
GPtrArray *options_parts(const char *text);

/**
 * The paths of a slot, patterns replaced by what they match, in order. With a recording, {stem}
 * is its stem (stem.h), {folder} its folder, and {up1}, {up2}, {up3} are the names of that folder,
 * of the one it lies in, and so on. NULL: these are left as they are. Error: APP_ERROR_INPUT where
 * a pattern matches nothing.
 */
GPtrArray *options_paths(const struct option_slot *slot, const char *recording, GError **error);

/** A path relative to the folder (NULL: the current one). Owned. */
char *options_resolve(const char *folder, const char *path);

/** The value as a configuration has it, paths absolute. Owned. */
char *options_quote(const struct option_slot *slot);

/** A configuration with these values, paths absolute, after a comment of lines or NULL. Owned. */
char *options_dump(const struct options *options, const char *comment);

/**
 * The SHA-256 of all values that configurations have, in hexadecimal: files count by what they
 * hold, not by their names. Owned.
 */
char *options_sha256(const struct options *options);

/** A configuration with every key of a table at its default and explained. Owned. */
char *options_template(const struct option_table *table);

/** "0.001..20 s", "a|b", "FILE": what a value may be. Owned. */
char *options_describe(const struct option *row);
/** "0..1", "above 0", "from 0": where a number has to be. Owned. */
char *options_range(const struct option *row);

/** The help of a row with its default. Owned. */
char *options_help(const struct option *row);

/**
 * Adds a line for every option and argument of a table, of cells between tabs: command, kind,
 * --option (empty: an argument), -o, what stands for its value, its choices, help.
 */
void options_list(const struct option_table *table, GString *out);

/** The words of a command line that are options. */
struct option_words {
    GOptionEntry *entries; // owned; for GOption; end with a {NULL} row
    size_t n;
    char **text;    // owned, n; as given
    char ***list;   // owned, n; what may be given again
    gboolean *flag; // owned, n
    char **help;    // owned, n
};
struct option_words *option_words_new(const struct options *options);
void option_words_free(struct option_words *words);
typedef struct option_words owned_option_words;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_option_words, option_words_free)

/** Takes what was given, after what a file of an OPTION_CONFIG says. Error: APP_ERROR_INPUT. */
bool options_take_words(struct options *options, const struct option_words *words, GError **error);

/** Takes the arguments, n words. Error: APP_ERROR_USAGE where there are too many. */
bool options_take_arguments(struct options *options, int n, char *const *arguments, GError **error);
