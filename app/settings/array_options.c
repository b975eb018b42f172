// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/array_options.h"

#include "app/pipelines/solve/solve.h"
#include "app/settings/tables.h"
#include "io/array.h"
#include "io/text.h"

char *array_option_check(const char *path)
{
    return g_str_has_suffix(path, ".npy")
               ? NULL
               : g_strdup_printf("\"%s\" is not a name that ends with .npy", path);
}

static char *check_series(const char *path)
{
    return text_has_suffix(path, ".npy") || array_is_table(path)
               ? NULL
               : g_strdup_printf(
                     "\"%s\" is not a name that ends with .npy, .csv, .tsv, .txt or .1D", path);
}

#define AT(member) offsetof(struct operator_options, member)
const struct option operator_option_rows[] = {
    {"hrf", OPTION_RESPONSE, AT(response),
     .help = "The operator is the convolution with this response, a model or a file",
     .metavar = "NAME|FILE"},
    {"tr", OPTION_NUMBER, AT(tr_s), .help = "Repetition time, to sample the model of --hrf",
     .low = 0.001, .high = 20, .unit = "s", .metavar = "S"},
    {"conv", OPTION_CHOICE, AT(conv),
     .help = "causal: as many unknowns as frames; full: T-K+1 unknowns", .choices = "causal|full",
     .fallback = "causal"},
    {"operator", OPTION_FILE, AT(matrix), .help = "Matrix of the operator, observed x unknown",
     .metavar = "A.npy"},
    {0}};
#undef AT

#define AT(member) offsetof(struct solve_options, member)
static const struct option solve_file_rows[] = {
    {NULL, OPTION_CHOICE, AT(kind), .help = "The problem", .choices = "lasso|tv",
     .metavar = "tv|lasso", .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"output", OPTION_FILE, AT(output),
     .help = "Solutions: .npy, series in rows, or .csv, .tsv, .txt, .1D, frames in rows",
     .check = check_series, .letter = 'o', .metavar = "U.npy", .flags = OPTION_REQUIRED},
    {"data", OPTION_FILE, AT(data),
     .help = "Series: .npy, in rows, or a table with frames in rows (.csv, .tsv, .txt, .1D)",
     .metavar = "X.npy", .flags = OPTION_REQUIRED},
    {0}};

static const struct option solve_rows[] = {
    {"lambda-ratio", OPTION_NUMBER, AT(lambda_ratio),
     .help = "lambda as a fraction of each series' lambda_max", .high = 1, .metavar = "R"},
    {"lambda", OPTION_NUMBER, AT(lambda), .help = "lambda itself", .high = G_MAXDOUBLE,
     .metavar = "V"},
    {"lambdas", OPTION_FILE, AT(lambdas), .help = "lambda of each series", .metavar = "FILE"},
    {"lambda-rule", OPTION_CHOICE, AT(rule), .help = "TV: lambda of each series by a rule",
     .choices = "aic|bic|lut|mad|ut"},
    {"positive", OPTION_FLAG, AT(positive), .help = "Lasso: solutions are not negative"},
    {"path", OPTION_COUNT, AT(path),
     .help = "Solutions at K ratios from 1 to that of --lambda-ratio, by homotopy", .low = 1,
     .high = 100000, .metavar = "K"},
    {"solver", OPTION_TEXT, AT(method), .help = "Method (default: exact)", .metavar = "NAME"},
    {"start", OPTION_FILE, AT(start), .help = "Where iterations begin (default: const)",
     .choices = "const|zero|pinv", .metavar = "const|zero|pinv|FILE"},
    {"trace", OPTION_FILE, AT(trace), .help = "Table of objective and gap, iteration by iteration",
     .metavar = "T.tsv"},
    {"tol", OPTION_NUMBER, AT(solving.tol),
     .help = "Relative duality gap at which iterative solvers stop and a series is solved",
     .high = 1, .metavar = "G", .fallback = "1e-6"},
    {"max-iter", OPTION_COUNT, AT(solving.max_iter), .help = "Cap of iterative solvers", .low = 1,
     .high = 1e9, .unit = "iterations", .metavar = "N", .fallback = "100000"},
    {"strict", OPTION_FLAG, AT(strict), .help = "Exit 5 if a series misses the tolerance"},
    {0}};
#undef AT

#define AT(member) offsetof(struct apply_options, member)
static const struct option apply_rows[] = {
    {NULL, OPTION_FILE, AT(network), .help = "The network", .metavar = "NET.safetensors",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"output", OPTION_FILE, AT(output),
     .help = "Outputs: .npy, series in rows, or .csv, .tsv, .txt, .1D, frames in rows",
     .check = check_series, .letter = 'o', .metavar = "U.npy", .flags = OPTION_REQUIRED},
    {"data", OPTION_FILE, AT(data), .help = "Series: .npy, in rows, or a table with frames in rows",
     .metavar = "X.npy", .flags = OPTION_REQUIRED},
    {"layers", OPTION_COUNT, AT(layers), .help = "Layers to apply (default: all)", .high = 1e6,
     .metavar = "N"},
    {"safeguard", OPTION_CHOICE, AT(safeguard),
     .help = "A layer that would raise the objective of a series takes a plain step for it instead "
             "(default: as in training)",
     .choices = "on|off"},
    {"certify", OPTION_NUMBER, AT(certify),
     .help = "Solve exactly every series that is left above this relative gap", .high = 1,
     .metavar = "TOL"},
    {"lambda-ratio", OPTION_NUMBER, AT(lambda_ratio),
     .help = "lambda as a fraction of each series' lambda_max (default: as in training)", .high = 1,
     .metavar = "R"},
    {"operator", OPTION_FILE, AT(matrix),
     .help = "Matrix of the operator, where the network's file has only its checksum",
     .metavar = "A.npy"},
    {"trace", OPTION_FILE, AT(trace),
     .help = "Table of objective, gap and rejected steps: a row for each number of layers",
     .metavar = "T.tsv"},
    {0}};
#undef AT

const struct option_table apply_options = {.command = "apply",
                                           .size = sizeof(struct apply_options),
                                           .parts =
                                               (const struct option_part[]){{apply_rows, 0}, {0}}};
const struct option_table solve_options = {
    .command = "solve",
    .size = sizeof(struct solve_options),
    .parts =
        (const struct option_part[]){{solve_file_rows, 0},
                                     {operator_option_rows, offsetof(struct solve_options, op)},
                                     {solve_rows, 0},
                                     {0}}};
