// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// cmocka.h needs these before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include <glib.h>
#include <math.h>

// cmocka's assert_float_equal rounds to float and takes NaN as equal to everything; this one
// fails on NaN.
#define assert_close(actual, expected, tol)                                                        \
    check_close((actual), (expected), (tol), #actual, __FILE__, __LINE__)

static inline void check_close(double actual, double expected, double tol, const char *what,
                               const char *file, int line)
{
    if (fabs(actual - expected) <= tol)
        return;
    print_error("%s is %.17g, expected %.17g within %g (off by %g)\n", what, actual, expected, tol,
                fabs(actual - expected));
    _fail(file, line);
}

/** max_i |a_i - b_i|; NaN if any entry is. */
static inline double max_abs_difference(const double *a, const double *b, size_t n)
{
    double worst = 0.0;
    for (size_t i = 0; i < n; i++) {
        double difference = fabs(a[i] - b[i]);
        if (!(difference <= worst))
            worst = difference;
    }
    return worst;
}

/** Fills `out` with standard normal numbers (Box-Muller on a seeded generator). */
static inline void fill_normal(GRand *rand, double *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double radius = sqrt(-2.0 * log(1.0 - g_rand_double(rand)));
        out[i] = radius * cos(2.0 * G_PI * g_rand_double(rand));
    }
}

/**
 * The path of a real recording, or of what other programs found in one; NULL (with a message) where
 * it is absent: `if (path == NULL) skip();`. Recordings are not in the tree: TAUT_DATA names their
 * folder.
 */
static inline char *shared_data(const char *name)
{
    const char *folder = g_getenv("TAUT_DATA");
    char *path = g_build_filename(folder == NULL ? "" : folder, name, NULL);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return path;
    print_message("skipped: needs the real recording %s, below TAUT_DATA\n", name);
    g_free(path);
    return NULL;
}
