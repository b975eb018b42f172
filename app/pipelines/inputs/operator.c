// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/inputs/operator.h"

#include "app/host/app_error.h"
#include "app/pipelines/inputs/response.h"
#include "deconv/hrf_conv.h"

#include <math.h>

struct block operator_rows(const struct array *array)
{
    return (struct block){array->n_columns, array->n_rows, array->n_columns, array->values};
}

static void fail(GError **error, const char *path, const char *expected, size_t found)
{
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected %s, found %zu", path, expected,
                found);
}

// Column-major, from the rows of a file.
static double *columns_of(const struct array *matrix, const char *path, GError **error)
{
    size_t n_out = matrix->n_rows, n_in = matrix->n_columns;
    g_autofree double *columns = g_try_new(double, n_out *n_in);
    if (columns == NULL) {
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    for (size_t i = 0; i < n_out; i++)
        for (size_t j = 0; j < n_in; j++) {
            double value = matrix->values[i * n_in + j];
            if (!isfinite(value)) {
                g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                            "%s: row %zu, column %zu: expected a finite number", path, i + 1,
                            j + 1);
                return NULL;
            }
            columns[j * n_out + i] = value;
        }
    return g_steal_pointer(&columns);
}

static linop *operator_of_matrix(const struct operator_options *options, const char *data,
                                 size_t n_observed, const struct io_context *io, GError **error)
{
    g_autoptr(owned_array) matrix = array_read(options->matrix, io, error);
    if (matrix == NULL)
        return NULL;
    if (matrix->n_rows != n_observed) {
        g_autofree char *expected =
            g_strdup_printf("%zu rows, as %s has columns", n_observed, data);
        fail(error, options->matrix, expected, matrix->n_rows);
        return NULL;
    }
    g_autofree double *columns = columns_of(matrix, options->matrix, error);
    return columns == NULL ? NULL : linop_new_dense(columns, matrix->n_rows, matrix->n_columns);
}

static linop *operator_of_response(const struct operator_options *options, const char *data,
                                   size_t n_observed, const struct io_context *io, GError **error)
{
    double tr_s = options->tr_s > 0.0 ? options->tr_s : 1.0;
    g_autoptr(owned_hrf) hrf = response_load(options->response, tr_s, io, error);
    if (hrf == NULL)
        return NULL;
    if (options->conv == HRF_CONV_FULL && n_observed < hrf->n) {
        g_autofree char *expected =
            g_strdup_printf("at least %zu columns, the samples of the response", hrf->n);
        fail(error, data, expected, n_observed);
        return NULL;
    }
    return hrf_conv_new(hrf->h, hrf->n, n_observed, (enum hrf_conv_kind) options->conv,
                        HRF_CONV_AUTO, error);
}

linop *operator_new(const struct operator_options *options, const char *data, size_t n_observed,
                    const struct io_context *io, GError **error)
{
    if (options->matrix != NULL)
        return operator_of_matrix(options, data, n_observed, io, error);
    if (options->response != NULL)
        return operator_of_response(options, data, n_observed, io, error);
    return linop_new_identity(n_observed);
}
