// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/mask.h"

#include "solvers/sort.h"

#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

size_t mask_of_values(const double *values, size_t n, double threshold, uint8_t *mask)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool inside = isnan(threshold) ? values[i] != 0.0 : values[i] > threshold;
        mask[i] = inside && isfinite(values[i]);
        count += mask[i];
    }
    return count;
}

/** The distinct finite values, rising, at the beginning of an array; how many. */
static size_t sort_distinct(double *values, size_t n)
{
    size_t n_finite = 0, n_distinct = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            values[n_finite++] = values[i];
    sort_doubles(values, n_finite);
    for (size_t i = 0; i < n_finite; i++)
        if (n_distinct == 0 || values[i] != values[n_distinct - 1])
            values[n_distinct++] = values[i];
    return n_distinct;
}

char *mask_doubt(const double *values, size_t n)
{
    enum { N_SHOWN = 5 };
    bool whole = true;
    for (size_t i = 0; i < n && whole; i++)
        whole = !isfinite(values[i]) || values[i] == floor(values[i]);
    if (whole)
        return NULL;
    g_autofree double *sorted = g_memdup2(values, n * sizeof *values);
    size_t n_distinct = sort_distinct(sorted, n);
    if (n_distinct == 1 || (n_distinct == 2 && (sorted[0] == 0.0 || sorted[1] == 0.0)))
        return NULL; // one number beside 0, as a mask that was scaled has
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%zu distinct values from %g to %g (", n_distinct, sorted[0],
                           sorted[n_distinct - 1]);
    for (size_t i = 0; i < MIN(n_distinct, N_SHOWN); i++)
        g_string_append_printf(text, "%s%g", i == 0 ? "" : ", ", sorted[i]);
    g_string_append(text, n_distinct > N_SHOWN ? ", ...)" : ")");
    return g_strdup(text->str);
}
