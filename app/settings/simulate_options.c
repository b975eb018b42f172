// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/simulate_options.h"

#include "app/settings/tables.h"
#include "app/simulate/digits.h"

// What several kinds have, in the struct of each.
#define OUTPUT(member, what, where)                                                                \
    {                                                                                              \
        "output", OPTION_FILE, (member), .help = (what), .flags = OPTION_REQUIRED, .letter = 'o',  \
                                         .metavar = (where)                                        \
    }
#define SEED(member)                                                                               \
    {                                                                                              \
        "seed", OPTION_COUNT, (member), .help = "Seed of all that is random", .high = 9e15,        \
                                        .metavar = "N", .fallback = "0"                            \
    }
#define RESPONSE(member)                                                                           \
    {                                                                                              \
        "hrf", OPTION_TEXT, (member), .help = "Response model", .metavar = "NAME",                 \
                                      .fallback = "spm"                                            \
    }
#define TABLE(name)                                                                                \
    const struct option_table simulate_##name##_options = {                                        \
        .command = "simulate",                                                                     \
        .kind = #name,                                                                             \
        .size = sizeof(struct simulate_##name##_options),                                          \
        .parts = (const struct option_part[]){{name##_rows, 0}, {0}}}

#define AT(member) offsetof(struct simulate_digits_options, member)
static const struct option digits_rows[] = {
    OUTPUT(AT(output), "Folder of X.npy and D.npy", "DIR"),
    {"data", OPTION_FILE, AT(data),
     .help = "Table of 1797 digits, 64 pixels a row (default: that of scikit-learn, if it is "
             "installed; else drawn strokes)",
     .metavar = "CSV"},
    SEED(AT(seed)),
    {"unknown", OPTION_COUNT, AT(n_atoms), .help = "Digits in the dictionary", .low = 1,
     .high = DIGITS_N - 1, .metavar = "N", .fallback = "256"},
    {0}};
#undef AT

#define AT(member) offsetof(struct simulate_fmri_options, member)
static const struct option fmri_rows[] = {
    OUTPUT(AT(output), "Folder, or name of the run (.nii[.gz])", "DIR|FILE"),
    {"ar1", OPTION_NUMBER, AT(law.ar1), .help = "Correlation of successive noise", .high = 0.999,
     .metavar = "R", .fallback = "0.3"},
    {"baseline", OPTION_NUMBER, AT(law.baseline), .help = "Signal of grey matter", .low = 1,
     .high = 30000, .metavar = "V", .fallback = "10000"},
    {"datatype", OPTION_CHOICE, AT(datatype), .help = "Of the run", .choices = "int16|float32",
     .fallback = "int16"},
    {"drift", OPTION_NUMBER, AT(law.drift_percent), .help = "Slow drifts, percent", .high = 100,
     .metavar = "P", .fallback = "1"},
    {"frames", OPTION_COUNT, AT(law.n_frames), .help = "Frames", .low = 1, .high = 1e6,
     .metavar = "N", .fallback = "200"},
    RESPONSE(AT(law.hrf)),
    {"noise", OPTION_NUMBER, AT(law.noise_percent), .help = "Noise, percent", .low = 1e-6,
     .high = 100, .metavar = "P", .fallback = "1"},
    SEED(AT(law.seed)),
    {"size", OPTION_SIZE, AT(law.dim), .help = "Voxels", .low = 1, .high = INT16_MAX,
     .metavar = "NXxNYxNZ", .fallback = "20x20x10"},
    {"snr", OPTION_NUMBER, AT(law.snr_db), .help = "Signal to noise ratio", .low = -100,
     .high = 100, .unit = "dB", .metavar = "DB", .fallback = "3"},
    {"tr", OPTION_NUMBER, AT(law.tr_s), .help = "Time between frames", .low = 1e-3, .high = 20,
     .unit = "s", .metavar = "S", .fallback = "2"},
    {"voxels", OPTION_COUNT, AT(law.n_voxels),
     .help = "Voxels in the brain; 0: as many as the head has", .high = 1e9, .metavar = "N",
     .fallback = "0"},
    {0}};
#undef AT

#define AT(member) offsetof(struct simulate_lasso_options, member)
static const struct option lasso_rows[] = {
    OUTPUT(AT(output), "Folder of X.npy, D.npy and Z.npy", "DIR"),
    {"law", OPTION_CHOICE, AT(law.law), .help = "What is drawn",
     .choices = "coding|noise|leadfield", .fallback = "coding"},
    {"observed", OPTION_COUNT, AT(law.n_observed),
     .help = "Samples of a series (64; leadfield: 360)", .low = 1, .high = 1e6, .metavar = "N"},
    SEED(AT(law.seed)),
    {"series", OPTION_COUNT, AT(law.n_series), .help = "Series", .low = 1, .high = 1e8,
     .metavar = "N", .fallback = "1000"},
    {"snr", OPTION_NUMBER, AT(law.snr_db), .help = "Signal to noise ratio of a leadfield",
     .low = -100, .high = 100, .unit = "dB", .metavar = "DB", .fallback = "10"},
    {"unknown", OPTION_COUNT, AT(law.n_unknown),
     .help = "Columns of the dictionary (256; leadfield: 8047)", .low = 1, .high = 1e6,
     .metavar = "N"},
    {0}};
#undef AT

#define AT(member) offsetof(struct simulate_meeg_options, member)
static const struct option meeg_rows[] = {
    OUTPUT(AT(output), "Folder of average, noise covariance, forward solution and truth", "DIR"),
    {"active", OPTION_COUNT, AT(law.n_active), .help = "Active positions", .low = 1, .high = 100,
     .metavar = "N", .fallback = "3"},
    {"eeg", OPTION_COUNT, AT(law.n_electrodes), .help = "Electrodes of EEG", .high = 500,
     .metavar = "N", .fallback = "60"},
    {"positions", OPTION_COUNT, AT(law.n_positions), .help = "Positions of the cortex", .low = 100,
     .high = 100000, .metavar = "N", .fallback = "8000"},
    SEED(AT(law.seed)),
    {"sensors", OPTION_COUNT, AT(law.n_sites), .help = "Sites of the helmet, three sensors each",
     .low = 4, .high = 500, .metavar = "N", .fallback = "102"},
    {"snr", OPTION_NUMBER, AT(law.snr_db), .help = "Signal to noise ratio", .low = -100,
     .high = 100, .unit = "dB", .metavar = "DB", .fallback = "0"},
    {0}};
#undef AT

#define AT(member) offsetof(struct simulate_tv_options, member)
static const struct option tv_rows[] = {
    OUTPUT(AT(output), "Folder of X.npy, U.npy and the operator", "DIR"),
    {"ar1", OPTION_NUMBER, AT(law.ar1), .help = "Correlation of successive noise, blocks",
     .high = 0.999, .metavar = "R", .fallback = "0.4"},
    RESPONSE(AT(law.hrf)),
    {"law", OPTION_CHOICE, AT(law.law), .help = "What is drawn", .choices = "blocks|jumps|dense",
     .fallback = "blocks"},
    {"observed", OPTION_COUNT, AT(law.n_observed), .help = "Samples of a series", .low = 1,
     .high = 1e6, .metavar = "N", .fallback = "250"},
    SEED(AT(law.seed)),
    {"series", OPTION_COUNT, AT(law.n_series), .help = "Series", .low = 1, .high = 1e8,
     .metavar = "N", .fallback = "1000"},
    {"snr", OPTION_NUMBER, AT(law.snr_db),
     .help = "Signal to noise ratio (blocks: uniform in 0..10; else 5)", .low = -100, .high = 100,
     .unit = "dB", .metavar = "DB"},
    {"sparsity", OPTION_NUMBER, AT(law.sparsity), .help = "Share of jumps", .high = 1,
     .metavar = "S", .fallback = "0.05"},
    {"tr", OPTION_NUMBER, AT(law.tr_s), .help = "Time between samples", .low = 1e-3, .high = 20,
     .unit = "s", .metavar = "S", .fallback = "0.735"},
    {"unknown", OPTION_COUNT, AT(law.n_unknown), .help = "Unknowns of a dense operator", .low = 1,
     .high = 1e6, .metavar = "N", .fallback = "221"},
    {0}};
#undef AT

static const struct option kind_rows[] = {{NULL, OPTION_CHOICE, 0, .help = "What is drawn",
                                           .choices = "digits|fmri|lasso|meeg|tv",
                                           .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
                                          {0}};
const struct option_table simulate_options = {
    .command = "simulate",
    .size = sizeof(int),
    .parts = (const struct option_part[]){{kind_rows, 0}, {0}}};

TABLE(digits);
TABLE(fmri);
TABLE(lasso);
TABLE(meeg);
TABLE(tv);
