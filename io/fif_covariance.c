// SPDX-License-Identifier: BSD-3-Clause
#include "io/fif_covariance.h"

#include "io/fif_sensors.h"

#include <math.h>
#include <string.h>

enum { COVARIANCE_OF_NOISE = 1 };

static void free_projector(void *data)
{
    projector_free(data);
}

void fif_covariance_free(struct covariance *covariance)
{
    if (covariance == NULL)
        return;
    g_free(covariance->path);
    g_strfreev(covariance->names);
    g_free(covariance->matrix);
    g_free(covariance->diagonal);
    g_strfreev(covariance->bads);
    g_ptr_array_unref(covariance->projectors);
    g_ptr_array_unref(covariance->warnings);
    g_free(covariance);
}

/** The first covariance of noise; others (of sources) may stand beside it. */
static bool find_noise(const struct fif *fif, size_t *block, GError **error)
{
    for (*block = fif_find_block(fif, 0, FIF_BLOCK_COV); *block != 0;
         *block = fif_next_block(fif, 0, FIF_BLOCK_COV, *block)) {
        int32_t kind = COVARIANCE_OF_NOISE;
        if (!fif_get_int(fif, *block, FIF_COV_KIND, &kind, error))
            return false;
        if (kind == COVARIANCE_OF_NOISE)
            return true;
    }
    io_error_set(error, IO_ERROR_INPUT, fif->path, "expected a noise covariance, found %s",
                 fif_contents_name(fif_contents(fif)));
    return false;
}

/** A lower triangle, row by row, as a symmetric matrix. */
static void unpack(const double *triangle, size_t n, double *matrix)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            matrix[i * n + j] = matrix[j * n + i] = *triangle++;
}

static bool read_values(const struct fif *fif, size_t block, struct covariance *covariance,
                        const struct io_context *io, GError **error)
{
    size_t n = covariance->n;
    const struct fif_tag *full = fif_find(fif, block, FIF_COV);
    const struct fif_tag *tag = full != NULL ? full : fif_find(fif, block, FIF_COV_DIAGONAL);
    if (tag == NULL) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "covariance: expected values, found none");
        return false;
    }
    g_auto(owned_fif_numbers) numbers = {0};
    if (!fif_numbers(fif, tag, &numbers, io, error))
        return false;
    size_t expected = full != NULL ? n * (n + 1) / 2 : n;
    if (numbers.n != expected)
        return fif_refuse(fif, tag, error, "expected %zu values of %zu channels, found %zu",
                          expected, n, numbers.n);
    for (size_t i = 0; i < numbers.n; i++)
        if (!isfinite(numbers.values[i]))
            return fif_refuse(fif, tag, error, "expected finite values, found %g at %zu",
                              numbers.values[i], i);
    if (full == NULL) {
        covariance->diagonal = g_steal_pointer(&numbers.values);
        return true;
    }
    covariance->matrix = io_context_alloc(io, fif->path, n, n * sizeof(double), error);
    if (covariance->matrix == NULL)
        return false;
    unpack(numbers.values, n, covariance->matrix);
    covariance->diagonal = g_new(double, n);
    for (size_t i = 0; i < n; i++)
        covariance->diagonal[i] = covariance->matrix[i * n + i];
    return true;
}

static bool check_variances(const struct fif *fif, const struct covariance *covariance,
                            GError **error)
{
    for (size_t i = 0; i < covariance->n; i++) {
        if (covariance->diagonal[i] >= 0.0)
            continue;
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "covariance: expected variances of 0 or more, found %g of channel %zu",
                     covariance->diagonal[i], i);
        return false;
    }
    return true;
}

static bool read_names(const struct fif *fif, size_t block, struct covariance *covariance,
                       const struct io_context *io, GError **error)
{
    int32_t declared = 0;
    if (!fif_get_int(fif, block, FIF_COV_DIM, &declared, error) ||
        !fif_get_names(fif, block, FIF_ROW_NAMES, &covariance->names, io, error))
        return false;
    size_t n_names = covariance->names == NULL ? 0 : g_strv_length(covariance->names);
    if (declared < 1 || declared > FIF_MAX_CHANNELS || (size_t) declared != n_names) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "covariance: expected 1 to %d channels, each with a name, found %d and %zu "
                     "names",
                     FIF_MAX_CHANNELS, declared, n_names);
        return false;
    }
    covariance->n = n_names;
    return true;
}

struct covariance *fif_covariance_of(const struct fif *fif, const struct io_context *io,
                                     GError **error)
{
    size_t block = 0;
    if (!find_noise(fif, &block, error))
        return NULL;
    g_autoptr(owned_covariance) covariance = g_new0(struct covariance, 1);
    covariance->path = g_strdup(fif->path);
    covariance->compressed = fif->owned_bytes != NULL;
    covariance->projectors = g_ptr_array_new_with_free_func(free_projector);
    covariance->warnings = fif_copy_warnings(fif);
    if (!read_names(fif, block, covariance, io, error) ||
        !read_values(fif, block, covariance, io, error) ||
        !check_variances(fif, covariance, error) ||
        !fif_get_int(fif, block, FIF_COV_NFREE, &covariance->n_free, error) ||
        !fif_bads(fif, block, NULL, &covariance->bads, io, error) ||
        !fif_projectors(fif, block, NULL, covariance->projectors, io, error))
        return NULL;
    covariance->n_free = MAX(covariance->n_free, 0);
    return g_steal_pointer(&covariance);
}

struct covariance *fif_covariance_read(const char *path, const struct io_context *io,
                                       GError **error)
{
    struct gz *stream = gz_open(path, error);
    g_autoptr(owned_fif) fif = stream == NULL ? NULL : fif_open(path, stream, io, error);
    return fif == NULL ? NULL : fif_covariance_of(fif, io, error);
}
