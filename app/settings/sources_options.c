// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/sources_options.h"

#include "app/pipelines/sources/sources.h"
#include "app/settings/tables.h"

#define AT(member) offsetof(struct sources_options, member)

static const struct option file_rows[] = {
    {NULL, OPTION_FILE, AT(recording),
     .help = "Recordings: paths and patterns, relative to this file, separated by semicolons",
     .key = "recordings", .metavar = "RECORDING",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED | OPTION_EACH},
    {"output", OPTION_FILE, AT(folder), .help = "Folder of the outputs, made if it is not there",
     .key = "folder", .letter = 'o', .metavar = "DIR", .flags = OPTION_REQUIRED},
    {"forward", OPTION_FILE, AT(forward), .help = "Forward solution", .metavar = "FWD.fif",
     .flags = OPTION_REQUIRED},
    {"noise-cov", OPTION_FILE, AT(noise_cov),
     .help = "Noise covariance; baseline: of the epochs before their events", .choices = "baseline",
     .metavar = "COV.fif|baseline", .flags = OPTION_REQUIRED},
    {"condition", OPTION_TEXT, AT(condition),
     .help = "Average of that name; with --epoch, events of that name or of these codes",
     .metavar = "NAME|CODES"},
    {0}};

const struct option window_rows[] = {
    {"events", OPTION_FILE, AT(events),
     .help = "Events: a table (onset, trial_type or value), or a list by samples (-eve.fif, .eve); "
             "default: those of the recording",
     .metavar = "TSV|EVE"},
    {"stim", OPTION_TEXT, AT(stim), .help = "Channel whose rising codes are the events",
     .metavar = "CHANNEL"},
    {"stim-mask", OPTION_COUNT, AT(stim_mask), .help = "Bits of its codes that count; 0: all",
     .high = G_MAXINT32, .metavar = "BITS", .fallback = "0"},
    {"epoch", OPTION_INTERVAL, AT(epoch), .help = "Average the recording around its events",
     .unit = "s", .metavar = "T0:T1"},
    {"keep-bad-spans", OPTION_FLAG, AT(keep_bad_spans),
     .help = "Average epochs in spans of bad data (BAD_, EDGE), too"},
    {"baseline", OPTION_INTERVAL, AT(baseline),
     .help = "Subtract the mean of that time; an empty end is that of the data", .unit = "s",
     .metavar = "T0:T1"},
    {"bads", OPTION_WORDS, AT(bads), .help = "Channels to leave out", .metavar = "CH,CH"},
    {"tmin", OPTION_NUMBER, AT(tmin_s), .help = "Beginning of the window", .low = -1e9, .high = 1e9,
     .unit = "s", .metavar = "S"},
    {"tmax", OPTION_NUMBER, AT(tmax_s), .help = "End of the window", .low = -1e9, .high = 1e9,
     .unit = "s", .metavar = "S"},
    {"reference", OPTION_CHOICE, AT(reference),
     .help = "EEG without an average reference: apply it as a projector (default), or do not",
     .choices = "average|none"},
    {"depth", OPTION_NUMBER, AT(depth), .help = "Exponent of depth weighting", .high = 5,
     .metavar = "P", .fallback = "0.8"},
    {0}};

static const struct option method_rows[] = {
    {"trial", OPTION_COUNT, AT(trial),
     .help = "With --epoch: that epoch alone, from 1, of those that count; 0: their average",
     .high = G_MAXINT32, .metavar = "N", .fallback = "0"},
    {"reject", OPTION_BOUNDS, AT(reject),
     .help = "With --epoch: leave out epochs with a channel above this, peak to peak, in T, T/m "
             "or V",
     .choices = "mag|grad|eeg", .metavar = "KIND=V,..."},
    {"band", OPTION_BAND, AT(band),
     .help = "Filter a continuous recording; an empty end is no edge", .high = 1e6, .unit = "Hz",
     .metavar = "LOW:HIGH"},
    {"orient", OPTION_WORD, AT(orient),
     .help = "Orientation of sources (loose=0.2; volumes: free; lasso: fixed)",
     .choices = "fixed|free|loose|loose=W", .metavar = "fixed|loose=W|free", .flags = OPTION_ABOVE,
     .high = 1},
    {"model", OPTION_CHOICE, AT(model), .help = "What is minimised (l21; with --network lasso)",
     .names = source_models_names},
    {"lambda", OPTION_NUMBER, AT(lambda),
     .help = "Weight of the penalty, as a fraction of the smallest that gives no source (0.5; "
             "with --network what it was trained for)",
     .low = 1e-4, .high = 1, .metavar = "R"},
    {"tol", OPTION_NUMBER, AT(tol), .help = "Relative duality gap to reach", .low = 1e-12,
     .high = 1, .metavar = "G", .fallback = "1e-6"},
    {"network", OPTION_FILE, AT(network),
     .help = "Each sample by the layers of a network that `train --forward` made",
     .metavar = "NET.safetensors"},
    {"certify", OPTION_NUMBER, AT(certify),
     .help = "Solve exactly every sample that the network leaves above this relative gap",
     .high = 1, .metavar = "TOL"},
    {"layers", OPTION_COUNT, AT(layers), .help = "Layers of the network to use; 0: all",
     .high = 1e6, .metavar = "N", .fallback = "0"},
    {"force-network", OPTION_FLAG, AT(force_network),
     .help = "Use a network that was trained on another leadfield of the same size"},
    {"map", OPTION_CHOICE, AT(map),
     .help = "Also the minimum norm of all positions, as a reference: amplitudes, or over noise",
     .choices = "none|mne|dspm", .fallback = "none"},
    {"debias", OPTION_FLAG, AT(debias),
     .help = "Multiply each source by the factor >= 1 that fits best"},
    {0}};

const struct option_table sources_options = {
    .command = "sources",
    .group = "sources",
    .size = sizeof(struct sources_options),
    .parts = (const struct option_part[]){{file_rows, 0}, {window_rows, 0}, {method_rows, 0}, {0}}};
