// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/train/training.h"
#include "app/settings/array_options.h"
#include "app/settings/deconv_options.h"
#include "app/settings/sources_options.h"
#include "app/settings/tables.h"

#define AT(member) offsetof(struct training_options, member)

static const struct option file_rows[] = {
    {NULL, OPTION_TEXT, AT(network), .help = "The network; `man taut-train` lists them",
     .key = "network", .metavar = "NET", .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"output", OPTION_FILE, AT(output), .help = "The trained network", .letter = 'o',
     .metavar = "NET.safetensors", .flags = OPTION_REQUIRED},
    {"config", OPTION_CONFIG, AT(config),
     .help = "Options from the group [train] of this file, and NET as its network; those of the "
             "command line come after",
     .metavar = "FILE.ini", .flags = OPTION_NO_KEY},
    {"data", OPTION_FILE, AT(data), .help = "Array of series (rows) to learn from",
     .metavar = "X.npy"},
    {"validation", OPTION_FILE, AT(validation),
     .help = "Array of series that decides which parameters are kept", .metavar = "X.npy"},
    {"targets", OPTION_FILE, AT(targets),
     .help = "Array of wanted solutions, for --loss supervised", .metavar = "Z.npy"},
    {0}};

static const struct option leadfield_rows[] = {
    {"forward", OPTION_FILE, AT(leadfield.forward),
     .help = "The operator is this leadfield, whitened and weighted; --data may be a recording",
     .metavar = "FWD.fif"},
    {"noise-cov", OPTION_FILE, AT(leadfield.noise_cov), .help = "Noise covariance",
     .metavar = "COV.fif"},
    {"condition", OPTION_REPEATED, AT(conditions),
     .help = "Of a recording: samples of this condition; may be repeated (default: all)",
     .metavar = "NAME"},
    {"samples", OPTION_COUNT, AT(n_samples),
     .help = "Samples of white noise to learn from, with --forward and without --data", .low = 1,
     .high = 1e6, .metavar = "N", .fallback = "200"},
    {0}};

static const struct option rows[] = {
    {"preprocessed", OPTION_TEXT, AT(preprocessed),
     .help = "How the series were cleaned, detrend=D,bandpass=LO:HI,standardize=S: `deconv` "
             "refuses the network for others",
     .check = preprocessing_option_check, .metavar = "LIST"},
    {"lambda-ratio", OPTION_RANGE, AT(lambda_ratio),
     .help = "lambda as a fraction of each series' lambda_max; LEAST:MOST: drawn between",
     .high = 1, .metavar = "R", .flags = OPTION_REQUIRED | OPTION_ABOVE | OPTION_BELOW},
    {"layers", OPTION_COUNT, AT(layers), .help = "Layers", .low = 1, .high = 1000, .metavar = "N",
     .fallback = "10"},
    {"variant", OPTION_TEXT, AT(variant), .help = "Variant of the network", .metavar = "V"},
    {"inner", OPTION_COUNT, AT(inner), .help = "Layers of an inner network", .high = 1000,
     .metavar = "N", .fallback = "0"},
    {"loss", OPTION_WORD, AT(loss), .help = "Loss",
     .choices = "unsupervised|semi-supervised|supervised", .fallback = "unsupervised"},
    {"schedule", OPTION_WORD, AT(schedule), .help = "Schedule",
     .choices = "recursive|oneshot|greedy", .fallback = "recursive"},
    {"optimiser", OPTION_WORD, AT(optimiser), .help = "Optimiser", .choices = "lbfgs|adam|descent",
     .fallback = "lbfgs"},
    {"batch", OPTION_COUNT, AT(batch), .help = "Series a step of adam, 0 for all",
     .high = G_MAXINT32, .metavar = "N", .fallback = "64"},
    {"patience", OPTION_COUNT, AT(patience),
     .help = "Stop a stage after so many steps without a better loss, of --validation where it is "
             "given",
     .low = 1, .high = G_MAXINT32, .metavar = "N", .fallback = "50"},
    {"max-iter", OPTION_COUNT, AT(max_iter),
     .help = "Gradients of all series, in all stages together", .low = 1, .high = G_MAXINT32,
     .metavar = "N", .fallback = "1000"},
    {"start", OPTION_WORD, AT(start), .help = "Where the network begins",
     .choices = "const|pinv|zero", .fallback = "const"},
    {"safeguard", OPTION_WORD, AT(safeguard), .help = "Train with the descent safeguard",
     .choices = "on|off", .fallback = "on"},
    {"checkpoint", OPTION_FILE, AT(checkpoint),
     .help = "Kept after every stage; where it is there, training goes on from it",
     .metavar = "FILE"},
    {"seed", OPTION_COUNT, AT(seed), .help = "Of what is drawn", .high = G_MAXINT32, .metavar = "N",
     .fallback = "0"},
    {0}};

const struct option_table training_options = {
    .command = "train",
    .group = "train",
    .size = sizeof(struct training_options),
    .parts = (const struct option_part[]){{file_rows, 0},
                                          {operator_option_rows, AT(op)},
                                          {leadfield_rows, 0},
                                          {window_rows, AT(leadfield)},
                                          {rows, 0},
                                          {0}}};
