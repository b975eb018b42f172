// SPDX-License-Identifier: BSD-3-Clause
#include "app/suggest.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { WORD_MAX = 64 };

size_t suggest_distance(const char *a, const char *b, size_t limit)
{
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a >= WORD_MAX || n_b >= WORD_MAX)
        return limit;
    // Optimal string alignment; rows i-2, i-1 and i of the table of distances between beginnings.
    size_t rows[3][WORD_MAX];
    for (size_t j = 0; j <= n_b; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t other = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = MIN(other, MIN(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped)
                row[j] = MIN(row[j], above2[j - 2] + 1);
        }
    }
    return MIN(rows[n_a % 3][n_b], limit);
}

const char *suggest_nearest(const char *unknown, const char *const *words, size_t n)
{
    // A third of the letters may be wrong, up to three.
    size_t best = MIN(strlen(unknown) / 3 + 1, 3) + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t distance = suggest_distance(unknown, words[i], best);
        if (distance < best) {
            best = distance;
            nearest = words[i];
        }
    }
    return nearest;
}
