// SPDX-License-Identifier: BSD-3-Clause
#include "tests/check.h"

#include "io/bytes.h"

static const uint8_t sample[] = {0x81, 0x02, 0x03, 0x84, 0x05, 0x06, 0x07, 0x88};

static void both_orders_are_read(void **state)
{
    (void) state;
    struct cursor big = cursor_over(sample, sizeof sample);
    assert_int_equal(cursor_u8(&big), 0x81);
    assert_int_equal(cursor_be16(&big), 0x0203);
    assert_int_equal(cursor_be32(&big), 0x84050607);
    struct cursor little = cursor_over(sample, sizeof sample);
    assert_int_equal(cursor_u8(&little), 0x81);
    assert_int_equal(cursor_le16(&little), 0x0302);
    assert_int_equal(cursor_le32(&little), 0x07060584);
    assert_true(bytes_load_be64(sample) == UINT64_C(0x8102038405060788));
    assert_true(bytes_load_le64(sample) == UINT64_C(0x8807060584030281));
    assert_false(big.failed || little.failed);
}

static void a_cursor_that_failed_stays_so(void **state)
{
    (void) state;
    struct cursor cursor = cursor_over(sample, 5);
    assert_int_equal(cursor_be32(&cursor), 0x81020384);
    assert_int_equal(cursor_be16(&cursor), 0);
    assert_true(cursor.failed);
    assert_int_equal(cursor_u8(&cursor), 0); // there is one more byte, and it is not handed out
    assert_null(cursor_take(&cursor, 0));
    struct cursor huge = cursor_over(sample, sizeof sample);
    assert_null(cursor_take(&huge, SIZE_MAX));
    assert_true(huge.failed);
}

static void what_is_stored_is_loaded(void **state)
{
    (void) state;
    uint8_t bytes[8];
    bytes_store_be64(bytes, bytes_of_double(-1.0 / 3.0));
    assert_true(bytes_double(bytes_load_be64(bytes)) == -1.0 / 3.0);
    bytes_store_le32(bytes, bytes_of_float(-0.1f));
    assert_true(bytes_float(bytes_load_le32(bytes)) == -0.1f);
    bytes_store_be32(bytes, 0x01020304);
    assert_int_equal(bytes[0], 1);
    assert_int_equal(bytes[3], 4);
}

static void samples_keep_their_sign(void **state)
{
    (void) state;
    static const struct {
        const struct bytes_format *format;
        uint8_t bytes[16];
        double expected[2];
    } rows[] = {
        {&bytes_int16_le, {0x00, 0x80, 0xff, 0x7f}, {-32768, 32767}},
        {&bytes_int16_be, {0x80, 0x00, 0x7f, 0xff}, {-32768, 32767}},
        {&bytes_uint16_le, {0x00, 0x80, 0xff, 0xff}, {32768, 65535}},
        {&bytes_int24_le, {0x00, 0x00, 0x80, 0xff, 0xff, 0x7f}, {-8388608, 8388607}},
        {&bytes_int32_le, {0, 0, 0, 0x80, 0xfe, 0xff, 0xff, 0xff}, {-2147483648.0, -2}},
        {&bytes_int32_be, {0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe}, {-2147483648.0, -2}},
        {&bytes_float32_le, {0, 0, 0xc0, 0xbf, 0, 0, 0, 0x3f}, {-1.5, 0.5}},
        {&bytes_float32_be, {0xbf, 0xc0, 0, 0, 0x3f, 0, 0, 0}, {-1.5, 0.5}},
        {&bytes_float64_le,
         {0, 0, 0, 0, 0, 0, 0xf8, 0xbf, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f},
         {-1.5, 0.5}},
        {&bytes_float64_be, {0xbf, 0xf8, 0, 0, 0, 0, 0, 0, 0x3f, 0xe0}, {-1.5, 0.5}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        double found[2];
        rows[i].format->convert(rows[i].bytes, 2, found);
        assert_true(found[0] == rows[i].expected[0] && found[1] == rows[i].expected[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_orders_are_read),
        cmocka_unit_test(a_cursor_that_failed_stays_so),
        cmocka_unit_test(what_is_stored_is_loaded),
        cmocka_unit_test(samples_keep_their_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
