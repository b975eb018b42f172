// SPDX-License-Identifier: BSD-3-Clause
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double process_clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}

double wall_clock_s(void)
{
    return 1e-6 * (double) g_get_monotonic_time();
}

void *read_bytes(const char *path, gsize *n_bytes)
{
    char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &bytes, n_bytes, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(EXIT_FAILURE);
    }
    return bytes;
}

double *read_doubles(const char *path, size_t *n)
{
    gsize n_bytes = 0;
    double *values = read_bytes(path, &n_bytes);
    *n = n_bytes / sizeof *values;
    return values;
}
