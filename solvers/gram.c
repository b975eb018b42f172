// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

struct gram *gram_new(const double *matrix, size_t n_rows, size_t n)
{
    g_assert(n_rows > 0 && n > 0 && n_rows <= G_MAXINT && n <= G_MAXINT);
    size_t ld = triangle_padded(n);
    size_t n_bytes = n * ld * sizeof(double);
    void *memory = NULL;
    if (posix_memalign(&memory, 64, n_bytes) != 0)
        g_error("out of memory: %zu bytes for a Gram matrix", n_bytes);
    double *values = memory;
    memset(values, 0, n_bytes);
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int) n, (int) n_rows, 1.0, matrix,
                (int) n_rows, 0.0, values, (int) ld);
    for (size_t j = 0; j < n; j++)
        for (size_t i = 0; i < j; i++)
            values[j * ld + i] = values[i * ld + j];

    struct gram *gram = g_new0(struct gram, 1);
    *gram = (struct gram){.n = n,
                          .ld = ld,
                          .rank = MIN(n, n_rows),
                          .values = values,
                          .kernels = kernels_best()->gram};
    return gram;
}

void gram_free(struct gram *gram)
{
    if (gram == NULL)
        return;
    free((double *) gram->values);
    g_free(gram);
}
