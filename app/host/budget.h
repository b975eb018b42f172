// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/** Threads to use: SLURM_CPUS_PER_TASK, else the CPUs that this process may run on. */
size_t budget_threads(void);

/**
 * Bytes that this process may use: the least of the machine's memory, its control group's limit,
 * Slurm's (SLURM_MEM_PER_NODE, or SLURM_MEM_PER_CPU times the CPUs) and RLIMIT_AS.
 */
size_t budget_memory(void);

/** "8G", "512M", "1.5g", "100000": powers of 1024. False if it is not a size above zero. */
bool budget_parse_size(const char *text, size_t *bytes);

/** The whole number that all of text is; false if it is none or is outside low..high. */
bool budget_parse_count(const char *text, size_t low, size_t high, size_t *count);
