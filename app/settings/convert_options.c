// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/convert/convert.h"
#include "app/pipelines/convert/denoise.h"
#include "app/settings/tables.h"

#define AT(member) offsetof(struct convert_options, member)
static const struct option convert_rows[] = {
    {NULL, OPTION_FILE, AT(input), .help = "Recording to read", .metavar = "IN",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {NULL, OPTION_FILE, AT(output),
     .help = "Recording to write, by its name: .bdf, .edf, .fif, .npy, .rf64, .wav, or a "
             "table with frames in rows: .1D, .csv, .tsv, .txt",
     .metavar = "OUT", .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"part", OPTION_COUNT, AT(part),
     .help = "Part to write, from 1: a condition, a rate, a stretch (taut info lists them)",
     .low = 1, .high = 1e9, .metavar = "N"},
    {0}};
#undef AT

#define AT(member) offsetof(struct denoise_options, member)
static const struct option denoise_rows[] = {
    {NULL, OPTION_FILE, AT(input), .help = "Recording to read", .metavar = "RECORDING",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"output", OPTION_FILE, AT(output),
     .help = "Recording to write: .bdf, .edf, .fif, .npy, .rf64, .wav, or a table: .csv, .tsv, "
             ".txt, .1D",
     .flags = OPTION_REQUIRED, .letter = 'o', .metavar = "OUT"},
    {"lambda", OPTION_NUMBER, AT(lambda),
     .help = "Fraction of each channel's lambda_max (ratio), or the value in its unit (fixed)",
     .flags = OPTION_ABOVE, .high = G_MAXDOUBLE, .metavar = "R"},
    {"lambda-rule", OPTION_CHOICE, AT(rule),
     .help = "How lambda is chosen (ratio with --lambda, else mad)",
     .choices = "fixed|lut|mad|ratio|ut"},
    {"part", OPTION_COUNT, AT(part),
     .help = "Part to denoise, from 1: a condition, a rate, a stretch (taut info lists them)",
     .low = 1, .high = 1e9, .metavar = "N"},
    {0}};
#undef AT

const struct option_table convert_options = {
    .command = "convert",
    .size = sizeof(struct convert_options),
    .parts = (const struct option_part[]){{convert_rows, 0}, {0}}};
const struct option_table denoise_options = {
    .command = "denoise",
    .size = sizeof(struct denoise_options),
    .parts = (const struct option_part[]){{denoise_rows, 0}, {0}}};
