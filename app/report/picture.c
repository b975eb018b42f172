// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/picture.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

struct picture *picture_new(size_t width, size_t height)
{
    struct picture *picture = g_new(struct picture, 1);
    *picture = (struct picture){width, height, g_malloc0_n(height, width)};
    return picture;
}

void picture_free(struct picture *picture)
{
    if (picture == NULL)
        return;
    g_free(picture->pixels);
    g_free(picture);
}

static uint8_t srgb_byte(double linear)
{
    double value = CLAMP(linear, 0.0, 1.0);
    value = value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1.0 / 2.4) - 0.055;
    return (uint8_t) lround(255.0 * value);
}

// Oklab to linear sRGB: B. Ottosson, "A perceptual color space for image processing", 2020.
static void oklab_colour(double lightness, double a, double b, picture_colour colour)
{
    double l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3.0);
    double m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3.0);
    double s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3.0);
    colour[0] = srgb_byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
    colour[1] = srgb_byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
    colour[2] = srgb_byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
    colour[3] = 255;
}

void picture_colour_of(double fraction, picture_colour colour)
{
    // The most colourful helix of this lightness that stays inside sRGB.
    const double chroma = 0.165;
    double lightness = 0.30 + 0.62 * fraction;
    double hue = (280.0 + 190.0 * fraction) * G_PI / 180.0;
    oklab_colour(lightness, chroma * cos(hue), chroma * sin(hue), colour);
}

static void append_u32(GByteArray *bytes, size_t value)
{
    uint32_t big_endian = GUINT32_TO_BE((uint32_t) value);
    g_byte_array_append(bytes, (const uint8_t *) &big_endian, sizeof big_endian);
}

// A PNG chunk: length of the data, four letters, data, CRC of letters and data.
static void append_chunk(GByteArray *png, const char *letters, const uint8_t *data, size_t n)
{
    append_u32(png, n);
    guint begin = png->len;
    g_byte_array_append(png, (const uint8_t *) letters, 4);
    g_byte_array_append(png, data, (guint) n);
    append_u32(png, crc32(0, png->data + begin, (uInt) (n + 4)));
}

static void append_header(GByteArray *png, const struct picture *picture)
{
    g_autoptr(GByteArray) header = g_byte_array_new();
    append_u32(header, picture->width);
    append_u32(header, picture->height);
    // 8 bits a pixel, palette, deflate, filters by row, not interlaced
    g_byte_array_append(header, (const uint8_t[]){8, 3, 0, 0, 0}, 5);
    append_chunk(png, "IHDR", header->data, header->len);
}

static void append_palette(GByteArray *png, const picture_colour *palette, size_t n_colours)
{
    uint8_t colours[3 * 256];
    uint8_t opacities[256];
    g_assert(n_colours >= 1 && n_colours <= 256);
    for (size_t i = 0; i < n_colours; i++) {
        memcpy(colours + 3 * i, palette[i], 3);
        opacities[i] = palette[i][3];
    }
    append_chunk(png, "PLTE", colours, 3 * n_colours);
    append_chunk(png, "tRNS", opacities, n_colours);
}

static void append_pixels(GByteArray *png, const struct picture *picture)
{
    // Each row begins with the number of its filter: 0, none.
    size_t n_rows = (picture->width + 1) * picture->height;
    g_autofree uint8_t *rows = g_malloc0(n_rows);
    for (size_t y = 0; y < picture->height; y++)
        memcpy(rows + y * (picture->width + 1) + 1, picture->pixels + y * picture->width,
               picture->width);
    uLongf n_packed = compressBound(n_rows);
    g_autofree uint8_t *packed = g_malloc(n_packed);
    // Fails only where the buffer is too small or memory is out.
    int status = compress2(packed, &n_packed, rows, n_rows, 6);
    g_assert(status == Z_OK);
    append_chunk(png, "IDAT", packed, n_packed);
}

GByteArray *picture_png(const struct picture *picture, const picture_colour *palette,
                        size_t n_colours)
{
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    GByteArray *png = g_byte_array_new();
    g_byte_array_append(png, signature, sizeof signature);
    append_header(png, picture);
    append_palette(png, palette, n_colours);
    append_pixels(png, picture);
    append_chunk(png, "IEND", NULL, 0);
    return png;
}
