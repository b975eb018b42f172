// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Options of commands that have few; see tables.h. */
struct config_options {
    const char *command; // whose
    bool template;
    bool options;
};

struct demo_options {
    const char *output;
    size_t seed;
};

struct hrf_options {
    char **names; // models and files; NULL: all models
    double tr_s;
};

struct info_options {
    char **files;
    bool check;
};

struct report_options {
    const char *folder;
};

struct reproduce_options {
    const char *id;
    const char *output;
    bool quick;
    bool full;
    size_t seed;
    const char *data; // "FILE,FILE", or NULL
};

struct run_command_options {
    const char *config;
    char **set; // "GROUP.KEY=VALUE"; NULL: none
    bool dry_run;
    bool paranoid;
};
