// SPDX-License-Identifier: BSD-3-Clause
// The options of `taut deconv`, which are the settings of its configurations.
#include "app/settings/deconv_options.h"

#include "app/host/app_error.h"
#include "app/settings/tables.h"
#include "io/derivatives.h"
#include "io/input.h"
#include "solvers/methods.h"

#include <string.h>

/** What the table fills in. */
struct deconv_options {
    struct run_options run;
    const char *confounds; // as given on the command line, TSV[:COLUMNS]
};

#define AT(member) offsetof(struct deconv_options, run.member)

static char *check_band(const char *text)
{
    return strcmp(text, ":") == 0 ? g_strdup("\":\" has no end") : NULL;
}

static char *check_null(const char *text)
{
    const double least = 20.0, most = 1e6;
    char *end;
    double n = g_ascii_strtod(text, &end);
    if (strcmp(text, "none") == 0 || strcmp(text, "analytic") == 0)
        return NULL;
    if (strspn(text, "0123456789") != strlen(text) || *text == '\0')
        return g_strdup_printf("\"%s\" is none of none|analytic|N", text);
    return n >= least && n <= most
               ? NULL
               : g_strdup_printf("%s is outside %g..%g draws", text, least, most);
}

static char *check_alpha(const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ":", -1);
    guint n = g_strv_length(words);
    for (guint i = 0; i < n; i++) {
        char *end;
        double value = g_ascii_strtod(words[i], &end);
        if (end == words[i] || *end != '\0' || !(value > 0.0 && value < 1.0))
            return g_strdup_printf("\"%s\" is not A or A:B, probabilities above 0 and below 1",
                                   text);
    }
    return n == 1 || n == 2 ? NULL : g_strdup_printf("\"%s\" is not A or A:B, probabilities", text);
}

static const struct option rows[] = {
    {NULL, OPTION_FILE, AT(bold),
     .help = "Recordings: paths and patterns, relative to this file, separated by semicolons",
     .group = "input", .key = "bold", .metavar = "BOLD",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED | OPTION_EACH},
    {"mask", OPTION_FILE, AT(mask),
     .help = "3-D image of the same grid, non-zero inside; auto: ..._desc-brain_mask beside the "
             "recording, else one is computed and saved",
     .group = "input", .choices = "auto|none", .metavar = "FILE|auto|none", .fallback = "auto"},
    {"mask-threshold", OPTION_NUMBER, AT(mask_threshold),
     .help = "Values of the mask above T are inside; unset: those that are not zero",
     .group = "input", .low = -G_MAXDOUBLE, .high = G_MAXDOUBLE, .metavar = "T"},
    {"mask-resample", OPTION_CHOICE, AT(given.mask_resample),
     .help = "A mask on another grid: refused, or led over by nearest neighbours", .group = "input",
     .choices = "none|nearest", .fallback = "none"},
    {"atlas", OPTION_FILE, AT(atlas),
     .help = "3-D image of labels: parcels, in the place of voxels, and their series as tables",
     .group = "input", .metavar = "FILE"},
    {"labels", OPTION_FILE, AT(labels),
     .help = "Names of the labels: a table with the columns index and name", .group = "input",
     .metavar = "TSV"},
    {"parcel", OPTION_CHOICE, AT(parcel),
     .help = "The series of a parcel: the mean, or the first principal component of the cleaned "
             "series, of its voxels",
     .group = "input", .choices = "mean|pc1", .fallback = "mean"},
    {NULL, OPTION_FILE, AT(sidecar),
     .help = "JSON that describes the recording; auto: beside it, under its name, and by BIDS "
             "inheritance",
     .group = "input", .key = "sidecar", .choices = "auto", .metavar = "FILE|auto",
     .fallback = "auto"},
    {"tr", OPTION_NUMBER, AT(tr_s),
     .help = "Repetition time; unset: the sidecar's, then the header's", .group = "input",
     .low = 0.001, .high = 20, .unit = "s", .metavar = "S"},
    {"drop", OPTION_COUNT, AT(n_drop),
     .help = "Leading frames to leave out; auto: those that the table of confounds marks as not "
             "steady",
     .group = "input", .high = 1e9, .choices = "auto", .unit = "frames", .metavar = "N|auto",
     .fallback = "auto"},
    {"run-starts", OPTION_TEXT, AT(joined),
     .help = "First frames (from 0, of the recording) of runs that were joined in it, or a file of "
             "them: neither activity nor cleaning crosses them",
     .group = "input", .metavar = "LIST|FILE"},
    {"frames", OPTION_FRAMES, AT(given.frames),
     .help = "First frame (from 0, of those not dropped) and count of what is deconvolved, after "
             "all were cleaned",
     .group = "input", .high = 1e9, .unit = "frames", .metavar = "A:N"},
    {"detrend", OPTION_WORD, AT(given.detrend),
     .help = "Drift to take out; cosine: periods longer than SECONDS", .group = "clean",
     .choices = "none|constant|linear|cosine:SECONDS", .flags = OPTION_ABOVE, .high = G_MAXDOUBLE,
     .fallback = "cosine:128"},
    {"bandpass", OPTION_BAND, AT(given.bandpass),
     .help = "Frequencies to keep; either end may be left out", .group = "clean",
     .check = check_band, .high = 1e6, .unit = "Hz", .metavar = "LO:HI"},
    {"confounds", OPTION_TEXT, offsetof(struct deconv_options, confounds),
     .help = "Table to be regressed out, auto: the one beside the recording; of its columns, "
             "names, patterns, or 6p, 9p, 12p, 24p, 36p, acompcor, wmcsf, gsr, scrub:FD=MM, all",
     .flags = OPTION_NO_KEY, .metavar = "TSV|auto:PRESET|NAME,..."},
    {NULL, OPTION_FILE, AT(confounds),
     .help = "Table to be regressed out, a row a frame of the recording (.tsv, .csv, .par, .1D); "
             "auto: ..._desc-confounds_timeseries.tsv beside it; {folder}, {stem} as in mask",
     .group = "clean", .key = "confounds", .choices = "auto", .metavar = "FILE|auto"},
    {NULL, OPTION_TEXT, AT(confound_columns),
     .help = "Which of its columns, needed with it: names, their beginnings, patterns (cosine*), "
             "or 6p, 9p, 12p, 24p, 36p, acompcor, wmcsf, gsr, scrub:FD=MM, none, all",
     .group = "clean", .key = "confound_columns", .metavar = "NAME,..."},
    {"standardize", OPTION_CHOICE, AT(given.standardize),
     .help = "Unit of a series: as stored, standard deviations, percent of the mean",
     .group = "clean", .choices = "none|zscore|psc", .fallback = "zscore"},
    {"hrf", OPTION_RESPONSE, AT(response),
     .help = "Haemodynamic response: a model (`taut hrf` lists them) or a one-column text file "
             "sampled at the TR",
     .group = "response", .metavar = "NAME|FILE", .fallback = "spm"},
    {"conv", OPTION_CHOICE, AT(conv),
     .help = "causal: as many unknowns as frames; full: T-K+1 unknowns", .group = "response",
     .choices = "causal|full", .fallback = "causal"},
    {"model", OPTION_CHOICE, AT(model),
     .help = "What activity is made of: blocks (few jumps), spikes (few frames off a level), or "
             "the sum of both",
     .group = "solver", .choices = "block|spike|both", .fallback = "block"},
    {"positive", OPTION_FLAG, AT(positive), .help = "Model spike: no spike is below 0",
     .group = "solver", .fallback = "false"},
    {"solver", OPTION_METHOD, AT(solver), .help = "Method", .group = "solver", .key = "name",
     .metavar = "NAME", .fallback = "exact"},
    {"network", OPTION_FILE, AT(network), .help = "A trained network in the place of the method",
     .group = "solver", .metavar = "FILE"},
    {"certify", OPTION_NUMBER, AT(certify),
     .help = "Solve exactly every series that the network leaves above this relative duality gap",
     .group = "solver", .high = 1, .metavar = "TOL"},
    {"lambda", OPTION_NUMBER, AT(lambda),
     .help = "Weight of the total variation: a fraction of lambda_max (rule ratio) or the value "
             "(rule fixed)",
     .group = "solver", .high = G_MAXDOUBLE, .metavar = "R", .fallback = "0.1"},
    {"lambda-rule", OPTION_WORD, AT(given.lambda_rule),
     .help =
         "How lambda is chosen: ratio, fixed, by the noise level (ut, lut, mad), along the "
         "path of solutions (bic, aic), noise:C, C times the median lambda_max of the noise, or "
         "map:FILE, an image of values",
     .group = "solver", .choices = "ratio|fixed|ut|lut|mad|bic|aic|noise:C|map:FILE",
     .flags = OPTION_ABOVE, .high = G_MAXDOUBLE, .metavar = "RULE", .fallback = "ratio"},
    {"lambda-scope", OPTION_CHOICE, AT(given.lambda_scope),
     .help = "One lambda a voxel, or one for the run: of the largest lambda_max (ratio), the "
             "median (others)",
     .group = "solver", .choices = "voxel|run", .fallback = "voxel"},
    {"tol", OPTION_NUMBER, AT(solving.tol),
     .help = "Relative duality gap at which iterative solvers stop and a series is solved",
     .group = "solver", .high = 1, .metavar = "G", .fallback = "1e-6"},
    {"max-iter", OPTION_COUNT, AT(solving.max_iter), .help = "Cap of iterative solvers",
     .group = "solver", .low = 1, .high = 1e9, .unit = "iterations", .metavar = "N",
     .fallback = "100000"},
    {"strict", OPTION_FLAG, AT(strict), .help = "Exit 5 if a series misses the tolerance",
     .group = "solver", .fallback = "false"},
    {"null", OPTION_TEXT, AT(given.null),
     .help = "What noise alone would show: N draws of it, counted; analytic: 2000 and a law for "
             "their tail; none: nothing is tested",
     .group = "findings", .check = check_null, .metavar = "none|analytic|N", .fallback = "none"},
    {"alpha", OPTION_TEXT, AT(given.alpha),
     .help = "Probability in noise up to which a voxel (A) and the jumps of a series (B; alone, A "
             "is both) are found",
     .group = "findings", .check = check_alpha, .metavar = "A[:B]", .fallback = "0.001:0.05"},
    {"output", OPTION_FILE, AT(folder),
     .help = "Where the outputs go, relative to this file. Here, in mask and in sidecar, {stem} "
             "and {folder} are those of the recording, {up1} the name of that folder, {up2} of the "
             "one above it, {up3} of the next",
     .group = "output", .key = "folder", .letter = 'o', .metavar = "DIR", .flags = OPTION_REQUIRED},
    {"save", OPTION_CHOICES, AT(images),
     .help = "4-D images to write, of activity,innovation,fitted,residual, or all",
     .group = "output", .choices = "activity|innovation|fitted|residual", .metavar = "LIST",
     .fallback = "activity"},
    {"debias", OPTION_FLAG, AT(given.debias),
     .help = "Write the activity also with its levels refitted by least squares, desc-debiased",
     .group = "output", .fallback = "false"},
    {"compression", OPTION_COUNT, AT(given.compression), .help = "gzip level of the images",
     .group = "output", .high = 3, .metavar = "LEVEL", .fallback = "1"},
    {0}};

// Where a path ends in PATH:COLUMNS: at the first colon before which a file has that name, else at
// the first of the file's name. NULL: all of it is the path.
static const char *find_colon(const char *text)
{
    if (g_file_test(text, G_FILE_TEST_IS_REGULAR))
        return NULL;
    for (const char *colon = strchr(text, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        g_autofree char *path = g_strndup(text, (gsize) (colon - text));
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return colon;
    }
    const char *slash = strrchr(text, '/');
    return strchr(slash == NULL ? text : slash, ':');
}

// TSV[:COLUMNS]
static void split_confounds(struct options *options)
{
    const char *text = options_find(options, "confounds")->text;
    if (text == NULL)
        return;
    struct option_slot *file = options_find_key(options, "clean", "confounds");
    struct option_slot *columns = options_find_key(options, "clean", "confound_columns");
    const char *colon = find_colon(text);
    if (colon == NULL) {
        options_give(options, file, text);
        return;
    }
    g_autofree char *path = g_strndup(text, (gsize) (colon - text));
    options_give(options, file, path);
    options_give(options, columns, colon + 1);
}

const struct option_table deconv_options = {.command = "deconv",
                                            .size = sizeof(struct deconv_options),
                                            .given = split_confounds,
                                            .parts = (const struct option_part[]){{rows, 0}, {0}}};

static void *keep(struct options *options, void *memory)
{
    g_ptr_array_add(options->values, memory);
    return memory;
}

// NAME, VALUE, ... of all options of a command line that have one. The texts are the options'.
static char **list_asked(struct options *options, bool has_network)
{
    char **words = keep(options, g_new0(char *, 2 * options->n + 1));
    size_t n = 0;
    for (size_t i = 0; i < options->n; i++) {
        const struct option_slot *slot = &options->slots[i];
        const struct option *row = slot->row;
        bool replaced = row->type == OPTION_METHOD && has_network;
        bool is_file_or_folder = (row->flags & (OPTION_REQUIRED | OPTION_NO_KEY)) != 0;
        if (row->name == NULL || slot->text == NULL || is_file_or_folder || replaced)
            continue;
        words[n++] = (char *) row->name;
        words[n++] = slot->text;
    }
    return words;
}

// What is to be found beside the recording, whose path is known by now.
static bool find_beside(struct options *options, struct run_options *run, GError **error)
{
    if (run->auto_mask) {
        run->mask = keep(options, derivatives_find_mask(run->bold));
        run->mask_is_found = run->mask != NULL;
        run->auto_mask = run->mask == NULL;
    }
    if (g_strcmp0(run->confounds, "auto") != 0)
        return true;
    run->confounds = keep(options, derivatives_find_confounds(run->bold));
    if (run->confounds == NULL)
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: confounds: expected a table of the same entities beside it "
                    "(..._desc-confounds_timeseries.tsv), found none",
                    run->bold);
    return run->confounds != NULL;
}

// A file of frames becomes their list, which needs no file any more.
static bool resolve_starts(struct options *options, GError **error)
{
    enum { MOST_BYTES = 1 << 20 };
    struct option_slot *slot = options_find(options, "run-starts");
    if (slot->text == NULL || strspn(slot->text, "0123456789,") == strlen(slot->text))
        return true;
    bool is_beside = slot->folder != NULL && !g_path_is_absolute(slot->text);
    g_autofree char *path =
        is_beside ? g_build_filename(slot->folder, slot->text, NULL) : g_strdup(slot->text);
    size_t n = 0;
    g_autofree char *text = input_text(path, MOST_BYTES, &n, NULL);
    if (text == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "run-starts: expected frames, \"240,480\", or a file of them, found \"%s\"",
                    slot->text);
        return false;
    }
    g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n,;", -1);
    g_autoptr(GString) list = g_string_new(NULL);
    for (char **word = words; *word != NULL; word++)
        if (**word != '\0')
            g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "", *word);
    if (strspn(list->str, "0123456789,") != list->len || list->len == 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected whole numbers of frames",
                    slot->text);
        return false;
    }
    options_give(options, slot, list->str);
    return true;
}

// What is made for jumps does not look at spikes.
static bool check_model(const struct run_options *run, GError **error)
{
    const char *reason = NULL;
    bool follows_path =
        run->rule == LAMBDA_AIC || run->rule == LAMBDA_BIC || run->rule == LAMBDA_MAD;
    if (run->positive && (run->model != MODEL_SPIKE || strcmp(run->solver, "exact") != 0))
        reason = "--positive: expected --model spike and --solver exact";
    else if (run->model == MODEL_BLOCK)
        return true;
    else if (run->network != NULL)
        reason = "--network: expected --model block";
    else if (run->finds || run->noise_factor > 0.0)
        reason = "--null and --lambda-rule noise: expected --model block";
    else if (follows_path)
        reason = "--lambda-rule: aic, bic and mad expected --model block";
    else if (run->given.debias)
        reason = "--debias: expected --model block";
    else if (methods_find(PROBLEM_LASSO, run->solver) == NULL)
        reason = "--solver: expected a method of the Lasso (exact, fista, cd, lars, ...) for "
                 "spikes";
    return reason == NULL || app_refuse(error, "%s", reason);
}

bool deconv_options_fill(struct options *options, struct run_options *run, GError **error)
{
    struct deconv_options values = {0};
    if (!resolve_starts(options, error) || !options_fill(options, &values, error))
        return false;
    *run = values.run;
    run_options_complete(run);
    run->hrf = options_find(options, "hrf")->text;
    run->asked = list_asked(options, run->network != NULL);
    run->config = keep(options, options_dump(options, NULL));
    run->settings_sha256 = keep(options, options_sha256(options));
    if (run->rule == LAMBDA_RATIO && run->lambda > 1.0)
        return app_refuse(error,
                          "lambda: expected a fraction of lambda_max up to 1, where activity is "
                          "constant, found %g (rule fixed takes values)",
                          run->lambda);
    if (!check_model(run, error))
        return false;
    if (run->labels != NULL && run->atlas == NULL)
        return app_refuse(error, "--labels: expected the labels themselves too (--atlas FILE)");
    if (run->atlas != NULL && run->lambda_map != NULL)
        return app_refuse(error, "--lambda-rule map: expected voxels, found parcels (--atlas)");
    return find_beside(options, run, error);
}
