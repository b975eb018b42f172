// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/kernels.h"

#include <stdbool.h>
#include <string.h>

extern const struct kernels kernels_plain;

static bool supports_anything(void)
{
    return true;
}

#ifdef KERNELS_X86_64
extern const struct kernels kernels_avx2;
extern const struct kernels kernels_avx512;

static bool supports_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool supports_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && supports_avx2();
}
#endif

// The fastest first.
static const struct {
    const struct kernels *kernels;
    bool (*supported)(void);
} table[] = {
#ifdef KERNELS_X86_64
    {&kernels_avx512, supports_avx512},
    {&kernels_avx2, supports_avx2},
#endif
    {&kernels_plain, supports_anything},
};

enum { N_SETS = sizeof table / sizeof table[0] };

const struct kernels *kernels_best(void)
{
    size_t i = 0;
    while (!table[i].supported())
        i++;
    return table[i].kernels;
}

const struct kernels *kernels_named(const char *name)
{
    for (size_t i = 0; i < N_SETS; i++)
        if (strcmp(table[i].kernels->name, name) == 0)
            return table[i].supported() ? table[i].kernels : NULL;
    return NULL;
}
