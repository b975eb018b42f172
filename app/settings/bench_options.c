// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/bench_options.h"

#include "app/settings/sources_options.h"
#include "app/settings/tables.h"

#define AT(member) offsetof(struct bench_command_options, member)

static const struct option rows[] = {
    {NULL, OPTION_CHOICE, AT(kind), .help = "What is timed", .choices = "lasso|prox|sources|tv",
     .fallback = "tv", .flags = OPTION_ARGUMENT},
    {"output", OPTION_FILE, AT(output),
     .help = "Also draw the gap against time: table, script and figure", .letter = 'o',
     .metavar = "DIR"},
    {"budget", OPTION_NUMBER, AT(race.budget_s), .help = "CPU time of a solver on a target at most",
     .low = 1e-3, .high = 1e6, .unit = "s", .metavar = "S", .fallback = "1"},
    {"compare", OPTION_TEXT, AT(compare), .help = "Print ratios to this solver (exact)",
     .metavar = "NAME"},
    {"conv", OPTION_CHOICE, AT(op.conv), .help = "Convolution", .choices = "causal|full",
     .fallback = "causal"},
    {"data", OPTION_FILE, AT(data),
     .help = "Series, in rows of a .npy or columns of a table (drawn)", .metavar = "X.npy"},
    {"hrf", OPTION_RESPONSE, AT(op.response), .help = "Response model or file",
     .metavar = "NAME|FILE"},
    {"lambda-ratio", OPTION_NUMBER, AT(race.lambda_ratio),
     .help = "Of lambda_max (0.1; sources: 0.5, or what --network was trained for)", .low = 1e-9,
     .high = 1, .metavar = "R"},
    {"law", OPTION_TEXT, AT(law), .help = "tv: blocks|jumps|dense; lasso: coding|noise|leadfield",
     .metavar = "NAME"},
    {"max-iter", OPTION_COUNT, AT(race.max_iter), .help = "Iterations", .low = 1, .high = 1e9,
     .metavar = "N", .fallback = "10000"},
    {"observed", OPTION_COUNT, AT(n_observed), .help = "Samples of a series", .low = 1, .high = 1e6,
     .metavar = "N"},
    {"operator", OPTION_FILE, AT(op.matrix), .help = "Dense operator", .metavar = "A.npy"},
    {"rounds", OPTION_COUNT, AT(race.n_rounds), .help = "Rounds", .low = 1, .high = 1e4,
     .metavar = "N", .fallback = "5"},
    {"seed", OPTION_COUNT, AT(seed), .help = "Seed of drawn data", .high = 9e15, .metavar = "N",
     .fallback = "0"},
    {"series", OPTION_COUNT, AT(n_series), .help = "Series (160; sources: 10)", .low = 1,
     .high = 1e7, .metavar = "N"},
    {"solvers", OPTION_WORDS, AT(solvers), .help = "Only these", .metavar = "A,B"},
    {"tr", OPTION_NUMBER, AT(op.tr_s), .help = "Time between samples", .low = 1e-3, .high = 20,
     .unit = "s", .metavar = "S", .fallback = "0.735"},
    {"unknown", OPTION_COUNT, AT(n_unknown), .help = "Unknowns, drawn dense", .low = 1, .high = 1e6,
     .metavar = "N"},
    {"condition", OPTION_TEXT, AT(leadfield.condition),
     .help = "sources: average of that name (all)", .metavar = "NAME"},
    {"forward", OPTION_FILE, AT(leadfield.forward),
     .help = "sources: forward solution; --data is then a recording (simulated)",
     .metavar = "FWD.fif"},
    {"network", OPTION_FILE, AT(leadfield.network),
     .help = "sources: a network of `train --forward` takes part", .metavar = "NET.safetensors"},
    {"noise-cov", OPTION_FILE, AT(leadfield.noise_cov), .help = "sources: noise covariance",
     .metavar = "COV.fif"},
    {0}};

const struct option_table bench_command_options = {
    .command = "bench",
    .size = sizeof(struct bench_command_options),
    .parts = (const struct option_part[]){{rows, 0}, {window_rows, AT(leadfield)}, {0}}};
