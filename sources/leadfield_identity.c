// SPDX-License-Identifier: BSD-3-Clause
#include "sources/leadfield_identity.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { N_PAIRS = 32, N_NUMBERS = 3 + N_PAIRS };

static const double TOLERANCE = 1e-6;

static size_t spread(size_t i, size_t n)
{
    return i * (n - 1) / N_PAIRS;
}

// n_sensors, n_positions, ||G||_F^2, then <G_j, G_k> of neighbours in 33 columns.
static void measure(const struct leadfield *leadfield, double numbers[N_NUMBERS])
{
    size_t n = leadfield->n_sensors, m = leadfield->n_positions * leadfield->n_orient;
    const double *gain = leadfield->gain;
    numbers[0] = (double) n;
    numbers[1] = (double) leadfield->n_positions;
    numbers[2] = 0.0;
    for (size_t j = 0; j < m; j++)
        numbers[2] += cblas_ddot((int) n, gain + j * n, 1, gain + j * n, 1);
    for (size_t i = 0; i < N_PAIRS; i++)
        numbers[3 + i] =
            cblas_ddot((int) n, gain + spread(i, m) * n, 1, gain + spread(i + 1, m) * n, 1);
}

char *leadfield_identity(const struct leadfield *leadfield)
{
    double numbers[N_NUMBERS];
    measure(leadfield, numbers);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < N_NUMBERS; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_formatd(number, sizeof number, "%.9g", numbers[i]);
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", number);
    }
    return g_string_free(text, FALSE);
}

static bool parse(const char *text, double numbers[N_NUMBERS])
{
    for (size_t i = 0; i < N_NUMBERS; i++) {
        char *end;
        numbers[i] = g_ascii_strtod(text, &end);
        if (end == text)
            return false;
        text = end;
    }
    return *text == '\0';
}

char *leadfield_identity_differs(const char *text, const struct leadfield *leadfield)
{
    static const char *const names[] = {"rank", "number of positions", "squared norm"};
    double expected[N_NUMBERS], found[N_NUMBERS];
    if (!parse(text, expected))
        return g_strdup("expected the numbers of a leadfield, found another text");
    measure(leadfield, found);
    double scale = 0.0;
    for (size_t i = 3; i < N_NUMBERS; i++)
        scale = fmax(scale, fabs(found[i]));
    for (size_t i = 0; i < N_NUMBERS; i++) {
        double size = i < 3 ? found[i] : scale;
        if (fabs(expected[i] - found[i]) <= TOLERANCE * size)
            continue;
        if (i < G_N_ELEMENTS(names))
            return g_strdup_printf("expected a %s of %.9g, found %.9g", names[i], expected[i],
                                   found[i]);
        return g_strdup_printf("expected an inner product %.9g of columns %zu and %zu, found %.9g",
                               expected[i], spread(i - 3, leadfield->n_positions),
                               spread(i - 2, leadfield->n_positions), found[i]);
    }
    return NULL;
}
