// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/nearest.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_LENGTH = 63 };

// The optimal string alignment distance (Damerau 1964); only the last three rows are kept.
static size_t edit_distance(const char *a, const char *b)
{
    size_t n_a = strnlen(a, MAX_LENGTH), n_b = strnlen(b, MAX_LENGTH);
    size_t rows[3][MAX_LENGTH + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n_b; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            char x = g_ascii_tolower(a[i - 1]), y = g_ascii_tolower(b[j - 1]);
            size_t replaced = last[j - 1] + (x != y);
            row[j] = MIN(replaced, MIN(last[j], row[j - 1]) + 1);
            bool exchanged =
                i > 1 && j > 1 && x == g_ascii_tolower(b[j - 2]) && y == g_ascii_tolower(a[i - 2]);
            if (exchanged)
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[n_b];
}

size_t nearest_name(const char *name, const char *const *names, size_t n_names)
{
    size_t best = n_names;
    size_t least = MAX(strlen(name) / 2, 1) + 1;
    for (size_t i = 0; i < n_names; i++) {
        size_t distance = edit_distance(name, names[i]);
        if (distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

size_t nearest_names(const char *name, const char *const *names, size_t n_names, size_t *best,
                     size_t n_best)
{
    size_t n = 0;
    g_autofree size_t *distances = g_new(size_t, n_names);
    for (size_t i = 0; i < n_names; i++)
        distances[i] = edit_distance(name, names[i]);
    for (; n < MIN(n_best, n_names); n++) {
        best[n] = 0;
        for (size_t i = 1; i < n_names; i++)
            if (distances[i] < distances[best[n]])
                best[n] = i;
        distances[best[n]] = G_MAXSIZE;
    }
    return n;
}
