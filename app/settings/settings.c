// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/settings.h"

#include "app/host/app_error.h"
#include "io/text.h"
#include "solvers/methods.h"

#include <stdlib.h>
#include <string.h>

enum {
    BOTH = SETTING_IN_CONFIG | SETTING_IN_DECONV,
    ALL = BOTH | SETTING_IN_SOLVE,
    NEEDED = SETTING_IN_CONFIG | SETTING_REQUIRED
};

// One row drives the key of a file, the option, the check, the help, the template and the dump:
// group, key, option, type, uses, low, high, choices, unit, metavar, default, help.
static const struct setting rows[N_SETTINGS] = {
    [SETTING_BOLD] = {"input", "bold", NULL, SETTING_TYPE_FILES, NEEDED, 0, 0, NULL, NULL, "FILES",
                      NULL,
                      "Recordings: paths and patterns, relative to this file, separated by "
                      "semicolons"},
    [SETTING_MASK] = {"input", "mask", "mask", SETTING_TYPE_FILES, BOTH, 0, 0, "auto|none", NULL,
                      "FILE|auto|none", "auto",
                      "3-D image of the same grid, non-zero inside; auto computes and saves one"},
    [SETTING_SIDECAR] = {"input", "sidecar", NULL, SETTING_TYPE_FILES, SETTING_IN_CONFIG, 0, 0,
                         "auto", NULL, "FILE|auto", "auto",
                         "JSON that describes the recording; auto: beside it, under its name"},
    [SETTING_TR] = {"input", "tr", "tr", SETTING_TYPE_NUMBER, ALL, 0.001, 20, NULL, "s", "S", NULL,
                    "Repetition time; unset: the sidecar's, then the header's"},
    [SETTING_DROP] = {"input", "drop", "drop", SETTING_TYPE_COUNT, BOTH, 0, 1e9, NULL, "frames",
                      "N", "0", "Leading frames to leave out"},
    [SETTING_FRAMES] = {"input", "frames", "frames", SETTING_TYPE_FRAMES, BOTH, 0, 1e9, NULL,
                        "frames", "A:N", NULL,
                        "First frame (from 0, of those not dropped) and count of what is "
                        "deconvolved, after all were cleaned"},
    [SETTING_DETREND] = {"clean", "detrend", "detrend", SETTING_TYPE_DETREND, BOTH, 0, 0,
                         "none|constant|linear", NULL, "none|constant|linear|cosine:SECONDS",
                         "cosine:128", "Drift to take out; cosine: periods longer than SECONDS"},
    [SETTING_BANDPASS] = {"clean", "bandpass", "bandpass", SETTING_TYPE_BAND, BOTH, 0, 1e6, NULL,
                          "Hz", "LO:HI", NULL, "Frequencies to keep; either end may be left out"},
    [SETTING_CONFOUNDS] = {"clean", "confounds", NULL, SETTING_TYPE_FILES, SETTING_IN_CONFIG, 0, 0,
                           NULL, NULL, "FILE", NULL,
                           "Table (.tsv with names of columns) to be regressed out, a row a frame "
                           "of the recording; {folder}, {stem} as in mask"},
    [SETTING_CONFOUND_COLUMNS] = {"clean", "confound_columns", NULL, SETTING_TYPE_TEXT,
                                  SETTING_IN_CONFIG, 0, 0, NULL, NULL, "NAME,...", "all",
                                  "Which of them: names, or 6p, 12p, 24p, acompcor, wmcsf, gsr, "
                                  "none, all"},
    [SETTING_STANDARDIZE] = {"clean", "standardize", "standardize", SETTING_TYPE_CHOICE, BOTH, 0, 0,
                             "none|zscore|psc", NULL, "none|zscore|psc", "zscore",
                             "Unit of a series: as stored, standard deviations, percent of the "
                             "mean"},
    [SETTING_HRF] = {"response", "hrf", "hrf", SETTING_TYPE_RESPONSE, BOTH, 0, 0, NULL, NULL,
                     "NAME|FILE", "spm",
                     "Haemodynamic response: a model (`taut hrf` lists them) or a one-column text "
                     "file sampled at the TR"},
    [SETTING_CONV] = {"response", "conv", "conv", SETTING_TYPE_CHOICE, ALL, 0, 0, "causal|full",
                      NULL, "causal|full", "causal",
                      "causal: as many unknowns as frames; full: T-K+1 unknowns"},
    [SETTING_SOLVER] = {"solver", "name", "solver", SETTING_TYPE_METHOD, BOTH, 0, 0, NULL, NULL,
                        "NAME", "exact", "Method"},
    [SETTING_NETWORK] = {"solver", "network", "network", SETTING_TYPE_FILES, BOTH, 0, 0, NULL, NULL,
                         "FILE", NULL, "A trained network in the place of the method"},
    [SETTING_CERTIFY] = {"solver", "certify", "certify", SETTING_TYPE_NUMBER, BOTH, 0, 1, NULL,
                         NULL, "TOL", NULL,
                         "Solve exactly every series that the network leaves above this relative "
                         "duality gap"},
    [SETTING_LAMBDA] = {"solver", "lambda", "lambda", SETTING_TYPE_NUMBER, BOTH, 0, G_MAXDOUBLE,
                        NULL, NULL, "R", "0.1",
                        "Weight of the total variation: a fraction of lambda_max (rule ratio) or "
                        "the value (rule fixed)"},
    [SETTING_LAMBDA_RULE] = {"solver", "lambda_rule", "lambda-rule", SETTING_TYPE_RULE, BOTH, 0, 0,
                             "ratio|fixed|ut|lut|mad|bic|aic", NULL, "RULE", "ratio",
                             "How lambda is chosen: ratio, fixed, by the noise level (ut, lut, "
                             "mad), along the path of solutions (bic, aic), or map:FILE, an image "
                             "of values"},
    [SETTING_LAMBDA_SCOPE] =
        {"solver", "lambda_scope", "lambda-scope", SETTING_TYPE_CHOICE, BOTH, 0, 0, "voxel|run",
         NULL, "voxel|run", "voxel",
         "One lambda a voxel, or one for the run: of the largest lambda_max (ratio), "
         "the median (others)"},
    [SETTING_TOL] = {"solver", "tol", "tol", SETTING_TYPE_NUMBER, ALL, 0, 1, NULL, NULL, "G",
                     "1e-6",
                     "Relative duality gap at which iterative solvers stop and a series is solved"},
    [SETTING_MAX_ITER] = {"solver", "max_iter", "max-iter", SETTING_TYPE_COUNT, ALL, 1, 1e9, NULL,
                          "iterations", "N", "100000", "Cap of iterative solvers"},
    [SETTING_STRICT] = {"solver", "strict", "strict", SETTING_TYPE_FLAG, ALL, 0, 0, "true|false",
                        NULL, NULL, "false", "Exit 5 if a series misses the tolerance"},
    [SETTING_FOLDER] =
        {"output", "folder", NULL, SETTING_TYPE_FILES, NEEDED, 0, 0, NULL, NULL, "DIR", NULL,
         "Where the outputs go, relative to this file. Here, in mask and in sidecar, "
         "{stem} and {folder} are those of the recording, {up1} the name of that "
         "folder, {up2} of the one above it, {up3} of the next"},
    [SETTING_SAVE] = {"output", "save", "save", SETTING_TYPE_CHOICES, BOTH, 0, 0,
                      "activity|innovation|fitted|residual", NULL, "LIST", "activity",
                      "4-D images to write, of activity,innovation,fitted,residual, or all"},
    [SETTING_DEBIAS] = {"output", "debias", "debias", SETTING_TYPE_FLAG, BOTH, 0, 0, "true|false",
                        NULL, NULL, "false",
                        "Write the activity also with its levels refitted by least squares, "
                        "desc-debiased"},
    [SETTING_COMPRESSION] = {"output", "compression", "compression", SETTING_TYPE_COUNT, BOTH, 0, 3,
                             NULL, NULL, "LEVEL", "1", "gzip level of the images"},
};

const struct setting *settings_row(enum setting_id id)
{
    g_assert((size_t) id < N_SETTINGS);
    return &rows[id];
}

char *settings_choices(const struct setting *row)
{
    return row->type == SETTING_TYPE_METHOD ? methods_names(PROBLEM_TV) : g_strdup(row->choices);
}

struct settings *settings_new(void)
{
    struct settings *settings = g_new0(struct settings, 1);
    for (size_t i = 0; i < N_SETTINGS; i++)
        settings->text[i] = g_strdup(rows[i].fallback);
    settings->problems = g_ptr_array_new_with_free_func(g_free);
    return settings;
}

struct settings *settings_copy(const struct settings *settings)
{
    struct settings *copy = settings_new();
    for (size_t i = 0; i < N_SETTINGS; i++) {
        g_free(copy->text[i]);
        copy->text[i] = g_strdup(settings->text[i]);
        copy->folder[i] = g_strdup(settings->folder[i]);
    }
    return copy;
}

void settings_free(struct settings *settings)
{
    if (settings == NULL)
        return;
    for (size_t i = 0; i < N_SETTINGS; i++) {
        g_free(settings->text[i]);
        g_free(settings->folder[i]);
    }
    g_ptr_array_unref(settings->problems);
    g_free(settings);
}

void settings_put(struct settings *settings, enum setting_id id, const char *text,
                  const char *folder)
{
    g_free(settings->text[id]);
    settings->text[id] = g_strdup(text);
    g_free(settings->folder[id]);
    settings->folder[id] = g_strdup(folder);
}

bool settings_end(const struct settings *settings, const char *path, GError **error)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < settings->problems->len; i++)
        g_string_append_printf(all, "%s\n", (char *) g_ptr_array_index(settings->problems, i));
    g_autofree char *file = path == NULL ? NULL : text_escape(path);
    for (size_t i = 0; i < N_SETTINGS && path != NULL; i++)
        if ((rows[i].uses & SETTING_REQUIRED) != 0 && settings->text[i] == NULL)
            g_string_append_printf(all, "%s: [%s] %s is required (%s)\n", file, rows[i].group,
                                   rows[i].key, rows[i].help);
    if (all->len == 0)
        return true;
    g_string_truncate(all, all->len - 1);
    g_set_error_literal(error, APP_ERROR, APP_ERROR_CONFIG, all->str);
    return false;
}

bool settings_is(const struct settings *settings, enum setting_id id, const char *text)
{
    return g_strcmp0(settings->text[id], text) == 0;
}

bool settings_flag(const struct settings *settings, enum setting_id id)
{
    return settings_is(settings, id, "true");
}

double settings_number(const struct settings *settings, enum setting_id id)
{
    return g_ascii_strtod(settings->text[id], NULL);
}

size_t settings_count(const struct settings *settings, enum setting_id id)
{
    return (size_t) g_ascii_strtoull(settings->text[id], NULL, 10);
}

void settings_range(const struct settings *settings, enum setting_id id, double *a, double *b)
{
    g_auto(GStrv) ends = g_strsplit(settings->text[id], ":", 2);
    if (*ends[0] != '\0')
        *a = g_ascii_strtod(ends[0], NULL);
    if (*ends[1] != '\0')
        *b = g_ascii_strtod(ends[1], NULL);
}

bool settings_includes(const struct settings *settings, enum setting_id id, const char *choice)
{
    g_auto(GStrv) words = g_strsplit_set(settings->text[id], ", ", -1);
    return g_strv_contains((const char *const *) words, choice) ||
           g_strv_contains((const char *const *) words, "all");
}

// What a value may be, for templates and help: "0.001..20 s", "a|b", "FILE". Owned.
static char *describe_values(const struct setting *row)
{
    const char *unit = row->unit == NULL ? "" : row->unit;
    const char *blank = row->unit == NULL ? "" : " ";
    if (row->type == SETTING_TYPE_METHOD || row->type == SETTING_TYPE_CHOICES)
        return settings_choices(row);
    if (row->type != SETTING_TYPE_COUNT && row->type != SETTING_TYPE_NUMBER)
        return g_strdup_printf("%s%s%s", row->metavar == NULL ? row->choices : row->metavar, blank,
                               unit);
    char low[G_ASCII_DTOSTR_BUF_SIZE], high[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd(low, sizeof low, "%.15g", row->low);
    if (row->high == G_MAXDOUBLE)
        return g_strdup_printf("from %s%s%s", low, blank, unit);
    return g_strdup_printf("%s..%s%s%s", low,
                           g_ascii_formatd(high, sizeof high, "%.15g", row->high), blank, unit);
}

static void append_group(GString *out, const struct setting *row, const char **group)
{
    if (g_strcmp0(row->group, *group) != 0)
        g_string_append_printf(out, "\n[%s]\n", row->group);
    *group = row->group;
}

static void append_value(GString *out, const struct setting *row, const char *value)
{
    const char *text = value == NULL ? "" : value;
    g_string_append_printf(out, "%s =%s%s\n", row->key, *text == '\0' ? "" : " ", text);
}

char *settings_template(void)
{
    GString *out = g_string_new(
        "# Settings of `taut run`. A line is empty, a comment, a [group] or \"key = value\".\n"
        "# What is left out has the value shown here; a value left empty is not set.\n");
    const char *group = NULL;
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *row = &rows[i];
        if ((row->uses & SETTING_IN_CONFIG) == 0)
            continue;
        append_group(out, row, &group);
        g_autofree char *values = describe_values(row);
        g_string_append_printf(out, "# %s (%s)%s\n", row->help, values,
                               (row->uses & SETTING_REQUIRED) != 0 ? ", required" : "");
        append_value(out, row, row->fallback);
    }
    return g_string_free(out, FALSE);
}

char *settings_dump(const struct settings *settings, const char *comment)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(comment == NULL ? "" : comment, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        g_string_append_printf(out, "# %s\n", *line);
    const char *group = NULL;
    for (size_t i = 0; i < N_SETTINGS; i++) {
        if ((rows[i].uses & SETTING_IN_CONFIG) == 0)
            continue;
        append_group(out, &rows[i], &group);
        g_autofree char *value = settings_quote(settings, (enum setting_id) i);
        append_value(out, &rows[i], value);
    }
    return g_string_free(out, FALSE);
}

static GOptionEntry option_entry(struct settings_options *options, size_t id)
{
    const struct setting *row = &rows[id];
    g_autofree char *values =
        row->choices != NULL || row->type == SETTING_TYPE_METHOD ? settings_choices(row) : NULL;
    const char *fallback = row->type == SETTING_TYPE_FLAG ? NULL : row->fallback;
    options->help[id] =
        g_strdup_printf("%s%s%s%s%s%s", row->help, row->type == SETTING_TYPE_METHOD ? ": " : "",
                        row->type == SETTING_TYPE_METHOD ? values : "",
                        fallback == NULL ? "" : " (default: ", fallback == NULL ? "" : fallback,
                        fallback == NULL ? "" : ")");
    bool flag = row->type == SETTING_TYPE_FLAG;
    // Not ..._ARG_STRING, which refuses names of files that are not in the locale's encoding.
    return (GOptionEntry){.long_name = row->option,
                          .arg = flag ? G_OPTION_ARG_NONE : G_OPTION_ARG_FILENAME,
                          .arg_data = flag ? (void *) &options->flag[id] : &options->text[id],
                          .description = options->help[id],
                          .arg_description = row->metavar};
}

struct settings_options *settings_options_new(enum setting_use use, const GOptionEntry *own)
{
    struct settings_options *options = g_new0(struct settings_options, 1);
    GArray *entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    for (; own->long_name != NULL; own++)
        g_array_append_val(entries, *own);
    for (size_t i = 0; i < N_SETTINGS; i++)
        if ((rows[i].uses & (unsigned) use) != 0 && rows[i].option != NULL) {
            GOptionEntry entry = option_entry(options, i);
            g_array_append_val(entries, entry);
        }
    options->entries = (GOptionEntry *) (void *) g_array_free(entries, FALSE);
    return options;
}

void settings_options_free(struct settings_options *options)
{
    if (options == NULL)
        return;
    for (size_t i = 0; i < N_SETTINGS; i++) {
        g_free(options->text[i]);
        g_free(options->help[i]);
    }
    g_free(options->entries);
    g_free(options);
}

void settings_take_options(struct settings *settings, const struct settings_options *options)
{
    for (size_t i = 0; i < N_SETTINGS; i++) {
        if (options->flag[i])
            settings_give(settings, (enum setting_id) i, "true");
        else if (options->text[i] != NULL)
            settings_give(settings, (enum setting_id) i, options->text[i]);
    }
}
