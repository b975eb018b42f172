// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/picture.h"
#include "tests/check.h"

#include <string.h>
#include <zlib.h>

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           (uint32_t) bytes[3];
}

// The data of a chunk; checks the CRC of every chunk on the way.
static const uint8_t *find_chunk(const GByteArray *png, const char *letters, size_t *n)
{
    size_t at = 8;
    while (at + 12 <= png->len) {
        size_t length = read_u32(png->data + at);
        assert_true(at + 12 + length <= png->len);
        uint32_t crc = (uint32_t) crc32(0, png->data + at + 4, (uInt) (length + 4));
        assert_int_equal(crc, read_u32(png->data + at + 8 + length));
        if (memcmp(png->data + at + 4, letters, 4) == 0) {
            *n = length;
            return png->data + at + 8;
        }
        at += 12 + length;
    }
    fail_msg("no chunk %s", letters);
    return NULL;
}

static struct picture *random_picture(size_t width, size_t height)
{
    struct picture *picture = picture_new(width, height);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < width * height; i++)
        picture->pixels[i] = (uint8_t) g_rand_int_range(rand, 0, 256);
    return picture;
}

static GByteArray *encode(const struct picture *picture)
{
    picture_colour palette[256];
    for (size_t i = 0; i < 256; i++)
        picture_colour_of((double) i / 255.0, palette[i]);
    return picture_png(picture, palette, 256);
}

static void png_decodes_to_the_same_pixels(void **state)
{
    (void) state;
    g_autoptr(owned_picture) picture = random_picture(37, 11);
    g_autoptr(GByteArray) png = encode(picture);
    assert_memory_equal(png->data, "\x89PNG\r\n\x1a\n", 8);
    size_t n = 0;
    const uint8_t *header = find_chunk(png, "IHDR", &n);
    assert_int_equal(n, 13);
    assert_int_equal(read_u32(header), 37);
    assert_int_equal(read_u32(header + 4), 11);

    const uint8_t *packed = find_chunk(png, "IDAT", &n);
    uint8_t rows[11 * 38];
    uLongf n_rows = sizeof rows;
    assert_int_equal(uncompress(rows, &n_rows, packed, (uLong) n), Z_OK);
    assert_int_equal(n_rows, sizeof rows);
    for (size_t y = 0; y < 11; y++) {
        assert_int_equal(rows[y * 38], 0);
        assert_memory_equal(rows + y * 38 + 1, picture->pixels + y * 37, 37);
    }
    find_chunk(png, "IEND", &n);
    assert_int_equal(n, 0);
}

static void png_keeps_colours_and_opacity(void **state)
{
    (void) state;
    g_autoptr(owned_picture) picture = picture_new(1, 1);
    const picture_colour palette[2] = {{1, 2, 3, 0}, {200, 100, 50, 255}};
    g_autoptr(GByteArray) png = picture_png(picture, palette, 2);
    size_t n = 0;
    const uint8_t *colours = find_chunk(png, "PLTE", &n);
    assert_int_equal(n, 6);
    assert_memory_equal(colours, "\x01\x02\x03\xc8\x64\x32", 6);
    assert_memory_equal(find_chunk(png, "tRNS", &n), "\x00\xff", 2);
}

static double linear_of(uint8_t byte)
{
    double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

// sRGB to Oklab, the way back from what picture_colour_of computes.
static void oklab_of(const picture_colour colour, double lab[3])
{
    double r = linear_of(colour[0]);
    double g = linear_of(colour[1]);
    double b = linear_of(colour[2]);
    double l = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    double m = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    double s = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
    lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
    lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

static void equal_steps_of_a_value_look_equal(void **state)
{
    (void) state;
    enum { N = 32 };
    double smallest = INFINITY;
    double largest = 0.0;
    double before[3];
    for (size_t i = 0; i <= N; i++) {
        picture_colour colour;
        double lab[3];
        picture_colour_of((double) i / N, colour);
        oklab_of(colour, lab);
        if (i > 0) {
            double step = sqrt(pow(lab[0] - before[0], 2.0) + pow(lab[1] - before[1], 2.0) +
                               pow(lab[2] - before[2], 2.0));
            smallest = fmin(smallest, step);
            largest = fmax(largest, step);
            assert_true(lab[0] > before[0]);
        }
        memcpy(before, lab, sizeof before);
    }
    // 8 bits a channel leave some unevenness.
    assert_true(largest <= 1.15 * smallest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_steps_of_a_value_look_equal),
        cmocka_unit_test(png_decodes_to_the_same_pixels),
        cmocka_unit_test(png_keeps_colours_and_opacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
