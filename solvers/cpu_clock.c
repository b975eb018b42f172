// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/cpu_clock.h"

#include <time.h>

double cpu_clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double) now.tv_sec + 1e-9 * (double) now.tv_nsec;
}
