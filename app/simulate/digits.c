// SPDX-License-Identifier: BSD-3-Clause
#include "app/simulate/digits.h"

#include "app/host/app_error.h"
#include "io/array.h"
#include "solvers/random.h"

#include <math.h>
#include <string.h>

enum { EDGE = 8 };

// Pixels and the label a row.
#define PACKAGED "/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz"

// A round blot of ink with its middle at (x, y).
static void add_blot(double *image, double x, double y)
{
    for (size_t i = 0; i < DIGITS_PIXELS; i++) {
        size_t row = i / EDGE, column = i % EDGE;
        double dx = (double) column - x, dy = (double) row - y;
        image[i] += exp(-(dx * dx + dy * dy));
    }
}

// Images like digits, where there are none: three smooth strokes each.
static double *draw_strokes(uint64_t seed)
{
    double *images = g_new0(double, (size_t) DIGITS_N *DIGITS_PIXELS);
    for (size_t v = 0; v < DIGITS_N; v++) {
        struct random_stream stream = random_stream_of(seed, 200, v);
        for (int stroke = 0; stroke < 3; stroke++) {
            double x = random_between(&stream, 1.0, 6.0), y = random_between(&stream, 1.0, 6.0);
            double angle = random_between(&stream, 0.0, 2.0 * G_PI);
            for (int step = 0; step < 8; step++) {
                add_blot(images + v * DIGITS_PIXELS, x, y);
                x += 0.6 * cos(angle), y += 0.6 * sin(angle);
                angle += random_between(&stream, -0.4, 0.4);
            }
        }
    }
    return images;
}

// DIGITS_N rows of pixels; owned.
static double *load(const char *given, uint64_t seed, const struct io_context *io,
                    const char **what, GError **error)
{
    const char *path = given != NULL ? given : PACKAGED;
    *what = given != NULL ? "those of the file given" : "8 x 8, of scikit-learn";
    if (given == NULL && !g_file_test(path, G_FILE_TEST_EXISTS)) {
        *what = "none found, drawn strokes in their place";
        return draw_strokes(seed);
    }
    g_autoptr(owned_array) array = array_read(path, io, error);
    if (array == NULL)
        return NULL;
    if (array->n_rows < DIGITS_N || array->n_columns < DIGITS_PIXELS) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected %d rows of %d pixels, found %zu of %zu", path, DIGITS_N,
                    DIGITS_PIXELS, array->n_rows, array->n_columns);
        return NULL;
    }
    double *images = g_new(double, (size_t) DIGITS_N *DIGITS_PIXELS);
    for (size_t v = 0; v < DIGITS_N; v++)
        memcpy(images + v * DIGITS_PIXELS, array->values + v * array->n_columns,
               DIGITS_PIXELS * sizeof(double));
    return images;
}

// Mean 0 and norm 1; a blank image stays 0.
static void normalise(double *image)
{
    double mean = 0.0, norm = 0.0;
    for (size_t i = 0; i < DIGITS_PIXELS; i++)
        mean += image[i] / DIGITS_PIXELS;
    for (size_t i = 0; i < DIGITS_PIXELS; i++) {
        image[i] -= mean;
        norm += image[i] * image[i];
    }
    for (size_t i = 0; i < DIGITS_PIXELS && norm > 0.0; i++)
        image[i] /= sqrt(norm);
}

static void shuffle(double *images, uint64_t seed)
{
    struct random_stream stream = random_stream_of(seed, 201, 0);
    for (size_t v = DIGITS_N - 1; v > 0; v--) {
        size_t other = random_below(&stream, v + 1);
        for (size_t i = 0; i < DIGITS_PIXELS; i++) {
            double keep = images[v * DIGITS_PIXELS + i];
            images[v * DIGITS_PIXELS + i] = images[other * DIGITS_PIXELS + i];
            images[other * DIGITS_PIXELS + i] = keep;
        }
    }
}

double *digits_draw(const char *path, uint64_t seed, const struct io_context *io, const char **what,
                    GError **error)
{
    double *images = load(path, seed, io, what, error);
    if (images == NULL)
        return NULL;
    shuffle(images, seed);
    for (size_t v = 0; v < DIGITS_N; v++)
        normalise(images + v * DIGITS_PIXELS);
    return images;
}
