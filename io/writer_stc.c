// SPDX-License-Identifier: BSD-3-Clause
#include "io/writer_stc.h"

#include "io/publish.h"

#include <string.h>

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    uint32_t stored = GUINT32_TO_BE(value);
    memcpy(at, &stored, sizeof stored);
    return at + sizeof stored;
}

static uint8_t *put_f32(uint8_t *at, double value)
{
    float narrow = (float) value;
    uint32_t bits = 0;
    memcpy(&bits, &narrow, sizeof bits);
    return put_u32(at, bits);
}

static bool write_header(struct publish *output, const struct source_courses *courses,
                         GError **error)
{
    size_t n = 4 * (courses->n_vertices + 4);
    g_autofree uint8_t *bytes = g_malloc(n);
    uint8_t *at = put_f32(bytes, 1e3 * courses->start_s);
    at = put_f32(at, 1e3 * courses->interval_s);
    at = put_u32(at, (uint32_t) courses->n_vertices);
    for (size_t i = 0; i < courses->n_vertices; i++)
        at = put_u32(at, courses->vertex[i]);
    put_u32(at, (uint32_t) courses->n_time);
    return publish_write(output, bytes, n, error);
}

bool writer_stc_write(const char *path, const struct source_courses *courses, bool overwrite,
                      GError **error)
{
    g_autoptr(owned_publish) output = publish_new(path, overwrite, error);
    if (output == NULL || !write_header(output, courses, error))
        return false;
    g_autofree uint8_t *frame = g_malloc(4 * courses->n_vertices);
    for (size_t t = 0; t < courses->n_time; t++) {
        uint8_t *at = frame;
        for (size_t i = 0; i < courses->n_vertices; i++)
            at = put_f32(at, courses->values[i * courses->n_time + t]);
        if (!publish_write(output, frame, 4 * courses->n_vertices, error))
            return false;
    }
    return publish_commit(output, error);
}
