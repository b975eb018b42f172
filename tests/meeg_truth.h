// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "tests/check.h"

#include "io/recording.h"

#include <string.h>

// Real sensor recordings against truth.tsv, what other programs read there: a row a channel with
// the SHA-256 of the stored samples (integers as int32, floats as float32, little-endian) and
// statistics of the physical values, of 12 digits.

enum truth_column {
    TRUTH_FILE,
    TRUTH_CONDITION,
    TRUTH_INDEX,
    TRUTH_NAME,
    TRUTH_TYPE,
    TRUTH_UNIT,
    TRUTH_N,
    TRUTH_SFREQ,
    TRUTH_STORED,
    TRUTH_SHA256,
    TRUTH_MIN,
    TRUTH_MAX,
    TRUTH_MEAN,
    TRUTH_RMS,
    TRUTH_FIRST,
    TRUTH_LAST,
    TRUTH_COLUMNS
};

/** Rows of a file, each split into its fields; annotations are no channels. */
static inline GPtrArray *truth_rows(const char *file)
{
    g_autofree char *path = shared_data("meeg/truth.tsv");
    g_autofree char *text = NULL;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    for (char **line = lines; *line != NULL; line++) {
        char **fields = g_strsplit(*line, "\t", -1);
        if (g_strv_length(fields) == TRUTH_COLUMNS && strcmp(fields[TRUTH_FILE], file) == 0 &&
            strcmp(fields[TRUTH_TYPE], "annotation") != 0)
            g_ptr_array_add(rows, fields);
        else
            g_strfreev(fields);
    }
    return rows;
}

static inline void truth_check_hash(const struct recording *recording, size_t v, bool is_float,
                                    const char *expected)
{
    g_autoptr(GChecksum) hash = g_checksum_new(G_CHECKSUM_SHA256);
    for (size_t t = 0; t < recording->n_time; t++) {
        double stored = recording->samples.d[t * recording->n_series + v];
        float number = (float) stored;
        uint32_t bits = (uint32_t) (int32_t) stored;
        if (is_float)
            memcpy(&bits, &number, sizeof bits);
        bits = GUINT32_TO_LE(bits);
        g_checksum_update(hash, (const guchar *) &bits, sizeof bits);
    }
    assert_string_equal(g_checksum_get_string(hash), expected);
}

static inline void truth_check_statistics(const struct recording *recording, size_t v, char **row)
{
    size_t n = recording->n_time;
    double low = INFINITY;
    double high = -INFINITY;
    double sum = 0.0;
    double squares = 0.0;
    double ends[2] = {0.0, 0.0};
    for (size_t t = 0; t < n; t++) {
        double x = 0.0;
        recording_values(recording, t, v, 1, &x);
        low = fmin(low, x);
        high = fmax(high, x);
        sum += x;
        squares += x * x;
        ends[t == 0 ? 0 : 1] = x;
    }
    double tol = 6e-12 * fmax(fabs(low), fabs(high));
    assert_close(low, g_ascii_strtod(row[TRUTH_MIN], NULL), tol);
    assert_close(high, g_ascii_strtod(row[TRUTH_MAX], NULL), tol);
    assert_close(sum / (double) n, g_ascii_strtod(row[TRUTH_MEAN], NULL), tol);
    assert_close(sqrt(squares / (double) n), g_ascii_strtod(row[TRUTH_RMS], NULL), tol);
    assert_close(ends[0], g_ascii_strtod(row[TRUTH_FIRST], NULL), tol);
    assert_close(ends[1], g_ascii_strtod(row[TRUTH_LAST], NULL), tol);
}

/** Every channel of the chosen part, which was read, against its row. */
static inline void truth_check_part(const struct recording *recording, const GPtrArray *rows)
{
    const struct sensors *sensors = recording->sensors;
    const struct part *part = &sensors->part[sensors->chosen];
    // Averages have a row a channel and condition, and nothing stored to compare with.
    bool by_condition = ((char **) rows->pdata[0])[TRUTH_CONDITION][0] != '\0';
    assert_int_equal(sensors->n_channels * (by_condition ? sensors->n_parts : 1), rows->len);
    size_t first = by_condition ? sensors->chosen * sensors->n_channels : 0;
    for (size_t v = 0; v < recording->n_series; v++) {
        const struct channel *channel = &sensors->channel[part->channel[v]];
        char **row = rows->pdata[first + part->channel[v]];
        assert_true(g_str_has_prefix(channel->name, row[TRUTH_NAME]));
        assert_string_equal(channel_kind_name(channel->kind), row[TRUTH_TYPE]);
        assert_int_equal(recording->n_time, g_ascii_strtoull(row[TRUTH_N], NULL, 10));
        assert_close(part->rate_hz, g_ascii_strtod(row[TRUTH_SFREQ], NULL), 1e-9);
        if (!by_condition)
            truth_check_hash(recording, v, row[TRUTH_STORED][0] == 'f', row[TRUTH_SHA256]);
        truth_check_statistics(recording, v, row);
    }
}

/** Every channel of a recording, part after part, against its row: names where they are unique. */
static inline void truth_check(struct recording *recording, const char *file)
{
    g_autoptr(GPtrArray) rows = truth_rows(file);
    size_t n_checked = 0;
    struct io_context io = io_context_default();
    for (size_t p = 0; p < recording->sensors->n_parts; p++) {
        recording_choose(recording, p);
        assert_true(recording_read(recording, NULL, 0, recording->n_time, &io, NULL));
        truth_check_part(recording, rows);
        n_checked += recording->n_series;
    }
    assert_int_equal(n_checked, rows->len);
}

/** Events against [onset, duration, text] of truth.json, given as they stand there. */
struct truth_event {
    double onset_s;
    double duration_s;
    const char *text;
};

static inline void truth_check_events(const struct recording *recording,
                                      const struct truth_event *expected, size_t n)
{
    const GArray *events = recording->sensors->events;
    assert_int_equal(events->len, n);
    for (guint i = 0; i < n; i++) {
        const struct event *event = &g_array_index(events, struct event, i);
        assert_close(event->onset_s, expected[i].onset_s, 1e-9);
        assert_close(event->duration_s, expected[i].duration_s, 1e-9);
        assert_string_equal(event->text, expected[i].text);
    }
}
