// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/** A picture of palette indices, row by row from the top. */
struct picture {
    size_t width;
    size_t height;
    uint8_t *pixels; // owned; width * height
};

struct picture *picture_new(size_t width, size_t height);
void picture_free(struct picture *picture);
typedef struct picture owned_picture; // for g_autoptr(owned_picture)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_picture, picture_free)

/** Red, green, blue, opacity. */
typedef uint8_t picture_colour[4];

/**
 * The colour of a fraction in 0..1: from dark blue over red to pale yellow.
 *
 * A helix in the Oklab space (Ottosson 2020): lightness and hue are linear in the fraction and
 * chroma is constant, so that equal steps of the value look equally far apart, in grey as well.
 */
void picture_colour_of(double fraction, picture_colour colour);

/** The bytes of a PNG of the picture with n_colours <= 256 colours. */
GByteArray *picture_png(const struct picture *picture, const picture_colour *palette,
                        size_t n_colours);
