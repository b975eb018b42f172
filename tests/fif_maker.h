// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tests/check_io.h"

#include "io/bytes.h"
#include "io/fif.h"

// FIF files of tests, tag by tag, so that they can be wrong in any way.

static inline void maker_word(GByteArray *file, uint32_t word)
{
    uint8_t bytes[4];
    bytes_store_be32(bytes, word);
    g_byte_array_append(file, bytes, sizeof bytes);
}

/** The header of a tag, and nothing of its payload. */
static inline void maker_header(GByteArray *file, int32_t kind, int32_t type, int32_t size,
                                int32_t next)
{
    maker_word(file, (uint32_t) kind);
    maker_word(file, (uint32_t) type);
    maker_word(file, (uint32_t) size);
    maker_word(file, (uint32_t) next);
}

static inline void maker_tag(GByteArray *file, int32_t kind, int32_t type, const void *bytes,
                             size_t n)
{
    maker_header(file, kind, type, (int32_t) n, 0);
    g_byte_array_append(file, bytes, (guint) n);
}

static inline void maker_int(GByteArray *file, int32_t kind, int32_t value)
{
    maker_header(file, kind, FIF_TYPE_INT32, 4, 0);
    maker_word(file, (uint32_t) value);
}

static inline void maker_float(GByteArray *file, int32_t kind, float value)
{
    maker_header(file, kind, FIF_TYPE_FLOAT, 4, 0);
    maker_word(file, bytes_of_float(value));
}

static inline void maker_string(GByteArray *file, int32_t kind, const char *text)
{
    maker_tag(file, kind, FIF_TYPE_STRING, text, strlen(text));
}

static inline void maker_floats(GByteArray *file, int32_t kind, const float *values, size_t n)
{
    maker_header(file, kind, FIF_TYPE_FLOAT, (int32_t) (4 * n), 0);
    for (size_t i = 0; i < n; i++)
        maker_word(file, bytes_of_float(values[i]));
}

static inline void maker_matrix(GByteArray *file, int32_t kind, const float *values, size_t n_rows,
                                size_t n_columns)
{
    maker_header(file, kind, FIF_TYPE_MATRIX | FIF_TYPE_FLOAT,
                 (int32_t) (4 * n_rows * n_columns + 12), 0);
    for (size_t i = 0; i < n_rows * n_columns; i++)
        maker_word(file, bytes_of_float(values[i]));
    maker_word(file, (uint32_t) n_columns);
    maker_word(file, (uint32_t) n_rows);
    maker_word(file, 2);
}

static inline void maker_start(GByteArray *file, int32_t block)
{
    maker_int(file, FIF_BLOCK_START, block);
}

static inline void maker_end(GByteArray *file, int32_t block)
{
    maker_int(file, FIF_BLOCK_END, block);
}

/** The beginning of every file. */
static inline GByteArray *maker_new(void)
{
    static const uint8_t id[20] = {0, 1, 0, 3};
    GByteArray *file = g_byte_array_new();
    maker_tag(file, FIF_FILE_ID, FIF_TYPE_ID, id, sizeof id);
    maker_int(file, FIF_DIR_POINTER, -1);
    return file;
}

/** The last tag. */
static inline void maker_finish(GByteArray *file)
{
    maker_header(file, FIF_NOP, FIF_TYPE_VOID, 0, -1);
}

static inline void maker_channel(GByteArray *file, const char *name, int32_t kind, int32_t unit,
                                 float range, float cal)
{
    maker_header(file, FIF_CH_INFO, FIF_TYPE_CH_INFO, 96, 0);
    maker_word(file, 1);
    maker_word(file, 1);
    maker_word(file, (uint32_t) kind);
    maker_word(file, bytes_of_float(range));
    maker_word(file, bytes_of_float(cal));
    for (int i = 0; i < 13; i++)
        maker_word(file, 0);
    maker_word(file, (uint32_t) unit);
    maker_word(file, 0);
    for (size_t i = 0, n = strlen(name); i < 16; i++) {
        guint8 letter = i < n ? (guint8) name[i] : 0;
        g_byte_array_append(file, &letter, 1);
    }
}

/** n EEG channels, EEG 001 and so on, of a gain of 0.5; a measurement's beginning. */
static inline void maker_info(GByteArray *file, size_t n_channels, float rate_hz)
{
    maker_start(file, FIF_BLOCK_MEAS);
    maker_start(file, FIF_BLOCK_MEAS_INFO);
    maker_int(file, FIF_NCHAN, (int32_t) n_channels);
    maker_float(file, FIF_SFREQ, rate_hz);
    for (size_t i = 0; i < n_channels; i++) {
        g_autofree char *name = g_strdup_printf("EEG %03zu", i + 1);
        maker_channel(file, name, 2, 107, 2.0f, 0.25f);
    }
    maker_end(file, FIF_BLOCK_MEAS_INFO);
}
