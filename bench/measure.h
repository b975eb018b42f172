// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>

/** What the programs of this folder share: the clock of a process, and raw numbers from files. */

/** Processor time that all threads of this process have used, in seconds. */
double process_clock_s(void);

/** Seconds that have passed since some time. */
double wall_clock_s(void);

/** The bytes of a file, for g_free, aligned for any type; the program ends where there are none. */
void *read_bytes(const char *path, gsize *n_bytes);

/** The float64 numbers of a file. */
double *read_doubles(const char *path, size_t *n);
