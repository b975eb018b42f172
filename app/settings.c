// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings.h"

#include <math.h>
#include <string.h>

enum { BOTH = SETTING_IN_CONFIG | SETTING_IN_DECONV };

// One row drives the key of a file, the option, the check, the help, the template and the dump:
// group, key, option, type, uses, low, high, choices, unit, metavar, default, help.
static const struct setting rows[N_SETTINGS] = {
    [SETTING_BOLD] = {"input", "bold", NULL, SETTING_TYPE_FILES, SETTING_IN_CONFIG, 0, 0, NULL,
                      NULL, "FILES", NULL,
                      "Recordings: paths and patterns, relative to this file, separated by "
                      "semicolons"},
    [SETTING_MASK] = {"input", "mask", "mask", SETTING_TYPE_FILES, BOTH, 0, 0, "auto|none", NULL,
                      "FILE|auto|none", "auto",
                      "3-D image of the same grid, non-zero inside; auto computes and saves one"},
    [SETTING_SIDECAR] = {"input", "sidecar", NULL, SETTING_TYPE_FILES, SETTING_IN_CONFIG, 0, 0,
                         "auto", NULL, "FILE|auto", "auto",
                         "JSON that describes the recording; auto: beside it, under its name"},
    [SETTING_TR] = {"input", "tr", "tr", SETTING_TYPE_NUMBER, BOTH, 0.001, 20, NULL, "s", "S", NULL,
                    "Repetition time (default: the sidecar's, then the header's)"},
    [SETTING_DROP] = {"input", "drop", "drop", SETTING_TYPE_COUNT, BOTH, 0, 1e9, NULL, "frames",
                      "N", "0", "Leading frames to leave out"},
    [SETTING_FRAMES] = {"input", "frames", "frames", SETTING_TYPE_RANGE, BOTH, 0, 1e9, NULL,
                        "frames", "A:N", NULL,
                        "First frame (from 0, of those not dropped) and count of what is "
                        "deconvolved, after all were cleaned"},
    [SETTING_DETREND] = {"clean", "detrend", "detrend", SETTING_TYPE_DETREND, BOTH, 0, 0,
                         "none|constant|linear|cosine:SECONDS", NULL, "KIND", "cosine:128",
                         "Drift to take out; cosine: periods longer than SECONDS"},
    [SETTING_BANDPASS] = {"clean", "bandpass", "bandpass", SETTING_TYPE_RANGE, BOTH, 0, 1e6, NULL,
                          "Hz", "LO:HI", NULL, "Frequencies to keep; either end may be left out"},
    [SETTING_STANDARDIZE] = {"clean", "standardize", "standardize", SETTING_TYPE_CHOICE, BOTH, 0, 0,
                             "none|zscore|psc", NULL, "KIND", "zscore",
                             "Unit of a series: as stored, standard deviations or percent of the "
                             "mean"},
    [SETTING_HRF] = {"response", "hrf", "hrf", SETTING_TYPE_RESPONSE, BOTH, 0, 0, NULL, NULL,
                     "NAME|FILE", "spm",
                     "Haemodynamic response: a model (`taut hrf` lists them) or a one-column text "
                     "file sampled at the TR"},
    [SETTING_CONV] = {"response", "conv", "conv", SETTING_TYPE_CHOICE, BOTH, 0, 0, "causal|full",
                      NULL, "KIND", "causal",
                      "causal: as many unknowns as frames; full: T-K+1 unknowns"},
    [SETTING_SOLVER] = {"solver", "name", "solver", SETTING_TYPE_CHOICE, BOTH, 0, 0, "exact", NULL,
                        "NAME", "exact", "Method"},
    [SETTING_LAMBDA] = {"solver", "lambda", "lambda", SETTING_TYPE_NUMBER, BOTH, 0, G_MAXDOUBLE,
                        NULL, NULL, "R", "0.1",
                        "Weight of the total variation: a fraction of lambda_max (rule ratio) or "
                        "the value (rule fixed)"},
    [SETTING_LAMBDA_RULE] = {"solver", "lambda_rule", "lambda-rule", SETTING_TYPE_RULE, BOTH, 0, 0,
                             "ratio|fixed", NULL, "RULE", "ratio", "How lambda is chosen"},
    [SETTING_LAMBDA_SCOPE] = {"solver", "lambda_scope", "lambda-scope", SETTING_TYPE_CHOICE, BOTH,
                              0, 0, "voxel|run", NULL, "SCOPE", "voxel",
                              "Whose lambda_max: of each voxel, or the largest over the run"},
    [SETTING_TOL] = {"solver", "tol", "tol", SETTING_TYPE_NUMBER, BOTH, 0, 1, NULL, NULL, "G",
                     "1e-6",
                     "Relative duality gap at which iterative solvers stop and a series is solved"},
    [SETTING_MAX_ITER] = {"solver", "max_iter", "max-iter", SETTING_TYPE_COUNT, BOTH, 1, 1e9, NULL,
                          "iterations", "N", "100000", "Cap of iterative solvers"},
    [SETTING_STRICT] = {"solver", "strict", "strict", SETTING_TYPE_FLAG, BOTH, 0, 0, "true|false",
                        NULL, NULL, "false", "Exit 5 if a series misses the tolerance"},
    [SETTING_FOLDER] = {"output", "folder", NULL, SETTING_TYPE_FILES, SETTING_IN_CONFIG, 0, 0, NULL,
                        NULL, "DIR", NULL,
                        "Where the outputs go, relative to this file; {folder} and {stem} stand "
                        "for those of the recording"},
    [SETTING_SAVE] = {"output", "save", "save", SETTING_TYPE_CHOICES, BOTH, 0, 0,
                      "activity|innovation|fitted|residual", NULL, "LIST", "activity",
                      "4-D images to write, or all"},
    [SETTING_COMPRESSION] = {"output", "compression", "compression", SETTING_TYPE_COUNT, BOTH, 0, 3,
                             NULL, NULL, "LEVEL", "1", "gzip level of the images"},
};

const struct setting *settings_row(enum setting_id id)
{
    g_assert(id < N_SETTINGS);
    return &rows[id];
}

static char *format_number(double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    return g_strdup(g_ascii_formatd(text, sizeof text, "%.15g", value));
}

// "a number in 0.001..20, s": what a value has to be, for templates and help.
static char *describe_range(const struct setting *row)
{
    g_autofree char *low = format_number(row->low);
    g_autofree char *high = format_number(row->high);
    if (row->high == G_MAXDOUBLE)
        return g_strdup_printf("at least %s", low);
    return g_strdup_printf("%s..%s", low, high);
}

static void append_values(GString *out, const struct setting *row)
{
    bool in_range = row->type == SETTING_TYPE_COUNT || row->type == SETTING_TYPE_NUMBER;
    g_autofree char *range = in_range ? describe_range(row) : NULL;
    if (range != NULL)
        g_string_append_printf(out, " (%s%s%s)", range, row->unit == NULL ? "" : " ",
                               row->unit == NULL ? "" : row->unit);
    else if (row->choices != NULL)
        g_string_append_printf(out, " (%s)",
                               row->metavar != NULL && strchr(row->metavar, '|') ? row->metavar
                                                                                 : row->choices);
    else if (row->metavar != NULL)
        g_string_append_printf(out, " (%s%s%s)", row->metavar, row->unit == NULL ? "" : ", ",
                               row->unit == NULL ? "" : row->unit);
}

char *settings_template(void)
{
    GString *out = g_string_new(
        "# Settings of `taut run`. A line is empty, a comment, a [group] or \"key = value\".\n"
        "# What is left out has the value shown here; a value left empty is not set.\n");
    const char *group = "";
    for (size_t i = 0; i < N_SETTINGS; i++) {
        const struct setting *row = &rows[i];
        if ((row->uses & SETTING_IN_CONFIG) == 0)
            continue;
        if (strcmp(row->group, group) != 0)
            g_string_append_printf(out, "\n[%s]\n", row->group);
        group = row->group;
        g_string_append_printf(out, "# %s", row->help);
        append_values(out, row);
        g_string_append_printf(out, "\n%s =%s%s\n", row->key, row->fallback == NULL ? "" : " ",
                               row->fallback == NULL ? "" : row->fallback);
    }
    return g_string_free(out, FALSE);
}
