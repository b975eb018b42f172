// SPDX-License-Identifier: BSD-3-Clause
#include "app/settings/tables.h"

#define AT(member) offsetof(struct common_options, member)

static const struct option rows[] = {
    {"force", OPTION_FLAG, AT(force), .help = "Overwrite existing outputs"},
    {"help", OPTION_FLAG, AT(help), .help = "Show this help", .letter = 'h'},
    {"jobs", OPTION_COUNT, AT(jobs),
     .help = "Threads (default: SLURM_CPUS_PER_TASK, else the CPUs there are)", .letter = 'j',
     .low = 1, .high = 4096, .metavar = "N"},
    {"json", OPTION_FLAG, AT(json), .help = "One JSON object on stdout"},
    {"log", OPTION_TEXT, AT(log), .help = "The log, in full, also to FILE", .metavar = "FILE"},
    {"mem-limit", OPTION_BYTES, AT(mem_limit),
     .help = "Memory to use at most, as 8G (default: 80 % of what there is)", .metavar = "SIZE"},
    {"quiet", OPTION_FLAG, AT(quiet), .help = "No progress", .letter = 'q'},
    {"verbose", OPTION_FLAG, AT(verbose), .help = "More log lines", .letter = 'v'},
    {0}};

const struct option_table common_options = {.command = "taut",
                                            .size = sizeof(struct common_options),
                                            .parts = (const struct option_part[]){{rows, 0}, {0}}};
