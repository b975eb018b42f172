// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/small_options.h"

#include "app/settings/tables.h"

#define PARTS(rows)                                                                                \
    .parts = (const struct option_part[])                                                          \
    {                                                                                              \
        {rows, 0},                                                                                 \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#define AT(member) offsetof(struct config_options, member)
static const struct option config_rows[] = {
    {NULL, OPTION_TEXT, AT(command), .help = "Whose settings", .metavar = "COMMAND",
     .fallback = "deconv", .flags = OPTION_ARGUMENT},
    {"template", OPTION_FLAG, AT(template),
     .help = "Print a configuration with every setting explained"},
    {"options", OPTION_FLAG, AT(options),
     .help = "Print a line for every option of every command, of cells between tabs"},
    {0}};
#undef AT

#define AT(member) offsetof(struct demo_options, member)
static const struct option demo_rows[] = {
    {"output", OPTION_FILE, AT(output), .help = "Folder of all files", .flags = OPTION_REQUIRED,
     .letter = 'o', .metavar = "DIR"},
    {"seed", OPTION_COUNT, AT(seed), .help = "Seed of all that is random", .high = 9e15,
     .metavar = "N", .fallback = "0"},
    {0}};
#undef AT

#define AT(member) offsetof(struct hrf_options, member)
static const struct option hrf_rows[] = {
    {NULL, OPTION_REPEATED, AT(names), .help = "Models, or files of samples",
     .flags = OPTION_ARGUMENT, .metavar = "NAME"},
    {"tr", OPTION_NUMBER, AT(tr_s), .help = "Time between samples", .flags = OPTION_ABOVE,
     .high = 20, .unit = "s", .metavar = "S", .fallback = "1"},
    {0}};
#undef AT

#define AT(member) offsetof(struct info_options, member)
static const struct option info_rows[] = {
    {NULL, OPTION_REPEATED, AT(files), .help = "What to tell of", .metavar = "FILE...",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"check", OPTION_FLAG, AT(check), .help = "Read everything, to the end of every stream"},
    {0}};
#undef AT

static const struct option report_rows[] = {
    {NULL, OPTION_FILE, offsetof(struct report_options, folder), .help = "Folder of results",
     .metavar = "DIR", .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {0}};

#define AT(member) offsetof(struct reproduce_options, member)
static const struct option reproduce_rows[] = {
    {NULL, OPTION_TEXT, AT(id), .help = "What to do again", .metavar = "ID|all",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"output", OPTION_FILE, AT(output), .help = "Folder of the results, made if it is not there",
     .flags = OPTION_REQUIRED, .letter = 'o', .metavar = "DIR"},
    {"quick", OPTION_FLAG, AT(quick), .help = "Sizes for minutes on two cores (default)"},
    {"full", OPTION_FLAG, AT(full), .help = "The published sizes"},
    {"seed", OPTION_COUNT, AT(seed), .help = "Of what is drawn", .high = 9e15, .metavar = "N",
     .fallback = "0"},
    {"data", OPTION_TEXT, AT(data), .help = "Files to train and test on, instead of simulated data",
     .metavar = "FILE[,FILE]"},
    {0}};
#undef AT

#define AT(member) offsetof(struct run_command_options, member)
static const struct option run_rows[] = {
    {NULL, OPTION_FILE, AT(config), .help = "Configuration", .metavar = "CONFIG.ini",
     .flags = OPTION_ARGUMENT | OPTION_REQUIRED},
    {"set", OPTION_REPEATED, AT(set), .help = "Another value than the file's; may be given again",
     .metavar = "GROUP.KEY=VALUE"},
    {"dry-run", OPTION_FLAG, AT(dry_run), .help = "Check all, do nothing"},
    {"paranoid", OPTION_FLAG, AT(paranoid),
     .help = "Hash inputs and outputs of what is done again, whatever their times"},
    {0}};
#undef AT

const struct option_table config_options = {
    .command = "config", .size = sizeof(struct config_options), PARTS(config_rows)};
const struct option_table demo_options = {
    .command = "demo", .size = sizeof(struct demo_options), PARTS(demo_rows)};
const struct option_table hrf_options = {
    .command = "hrf", .size = sizeof(struct hrf_options), PARTS(hrf_rows)};
const struct option_table info_options = {
    .command = "info", .size = sizeof(struct info_options), PARTS(info_rows)};
const struct option_table report_options = {
    .command = "report", .size = sizeof(struct report_options), PARTS(report_rows)};
const struct option_table reproduce_options = {
    .command = "reproduce", .size = sizeof(struct reproduce_options), PARTS(reproduce_rows)};
const struct option_table run_command_options = {
    .command = "run", .size = sizeof(struct run_command_options), PARTS(run_rows)};
