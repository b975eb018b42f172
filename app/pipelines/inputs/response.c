// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/inputs/response.h"

#include "io/array.h"

#include <string.h>

static const char norm_option[] = ":norm=";

bool response_is_file(const char *text)
{
    size_t n = strcspn(text, ":");
    g_autofree char *name = g_strndup(text, n);
    return hrf_model_find(name, NULL) == NULL && strpbrk(name, "/.") != NULL;
}

static struct hrf *from_columns(const struct array *table, double tr_s, GError **error)
{
    size_t n = table->n_rows;
    if (table->n_columns == 1)
        return hrf_new_from_samples(table->values, n, tr_s, error);
    if (n == 1) // a text of one line, or a one-dimensional .npy
        return hrf_new_from_samples(table->values, table->n_columns, tr_s, error);
    if (table->n_columns != 2) {
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "expected one column, or two (times and values), found %zu", table->n_columns);
        return NULL;
    }
    g_autofree double *times_s = g_new(double, n);
    g_autofree double *h = g_new(double, n);
    for (size_t i = 0; i < n; i++) {
        times_s[i] = table->values[2 * i];
        h[i] = table->values[2 * i + 1];
    }
    return hrf_new_from_times(times_s, h, n, tr_s, error);
}

static struct hrf *from_file(const char *path, const char *norm, double tr_s,
                             const struct io_context *io, GError **error)
{
    enum hrf_norm kind = HRF_NORM_NONE;
    if (norm != NULL && !hrf_norm_parse(norm, &kind, error))
        return NULL;
    g_autoptr(owned_array) table = array_read(path, io, error);
    if (table == NULL)
        return NULL;
    g_autoptr(GError) problem = NULL;
    g_autoptr(owned_hrf) hrf = from_columns(table, tr_s, &problem);
    if (hrf == NULL || !hrf_normalise(hrf, kind, &problem)) {
        g_set_error(error, IO_ERROR, IO_ERROR_INPUT, "%s: %s", path, problem->message);
        return NULL;
    }
    return g_steal_pointer(&hrf);
}

char *response_path(const char *text)
{
    if (!response_is_file(text))
        return NULL;
    const char *norm = g_strrstr(text, norm_option);
    return norm == NULL ? g_strdup(text) : g_strndup(text, (gsize) (norm - text));
}

struct hrf *response_load(const char *text, double tr_s, const struct io_context *io,
                          GError **error)
{
    if (!response_is_file(text))
        return hrf_new(text, tr_s, error);
    g_autofree char *path = response_path(text);
    const char *norm = g_strrstr(text, norm_option);
    return from_file(path, norm == NULL ? NULL : norm + strlen(norm_option), tr_s, io, error);
}
