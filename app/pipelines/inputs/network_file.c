// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/inputs/network_file.h"

#include "app/host/app_error.h"
#include "deconv/hrf_conv.h"
#include "io/input.h"
#include "io/publish.h"
#include "io/text.h"

// A larger file is no network that anybody trained.
static const guint64 MAX_BYTES = (guint64) 4 << 30;

static char *read_bytes(const struct input *input, const char *path, size_t *n, GError **error)
{
    char *bytes = NULL;
    if (input->size <= MAX_BYTES)
        bytes = g_try_malloc(input->size + 1);
    if (bytes == NULL) {
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY,
                    "%s: expected a network of at most 4 GiB, found %" G_GUINT64_FORMAT " bytes",
                    path, input->size);
        return NULL;
    }
    if (input_read(input, 0, bytes, input->size, n))
        return bytes;
    g_set_error(error, IO_ERROR, IO_ERROR_INPUT, "%s: cannot read: %s", path, g_strerror(errno));
    g_free(bytes);
    return NULL;
}

struct params_file *network_file_read(const char *path, GError **error)
{
    struct input input;
    if (!input_open(&input, path, error))
        return NULL;
    size_t n = 0;
    g_autofree char *bytes = read_bytes(&input, path, &n, error);
    input_close(&input);
    if (bytes == NULL)
        return NULL;
    g_autoptr(GError) reason = NULL;
    struct params_file *file = params_file_parse(bytes, n, &reason);
    if (file == NULL)
        g_set_error(error, IO_ERROR, IO_ERROR_INPUT, "%s: %s", path, reason->message);
    return file;
}

bool network_file_write(const char *path, const struct network *network,
                        const struct training_record *record, bool overwrite, GError **error)
{
    g_autoptr(GBytes) bytes = params_file_write(network, record);
    gsize n;
    const void *data = g_bytes_get_data(bytes, &n);
    return publish_bytes(path, data, n, overwrite, error);
}

linop *network_file_operator(const struct params_file *file, const char *path, GError **error)
{
    const struct tensor *h = params_file_tensor(file, "operator.h");
    const struct tensor *a = params_file_tensor(file, "operator.a");
    if (h != NULL && h->n_columns == 1) {
        bool full = g_strcmp0(file->conv, "full") == 0;
        if (h->n_rows == 1 && !full && h->values[0] == 1.0)
            return linop_new_identity(file->n_observed);
        return hrf_conv_new(h->values, h->n_rows, file->n_observed,
                            full ? HRF_CONV_FULL : HRF_CONV_CAUSAL, HRF_CONV_AUTO, error);
    }
    if (a == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: operator: expected it in the file, found its checksum alone "
                    "(--operator gives it)",
                    path);
        return NULL;
    }
    g_autofree double *columns = g_new(double, a->n_rows * a->n_columns);
    for (size_t i = 0; i < a->n_rows; i++)
        for (size_t j = 0; j < a->n_columns; j++)
            columns[j * a->n_rows + i] = a->values[i * a->n_columns + j];
    return linop_new_dense(columns, a->n_rows, a->n_columns);
}

static void blame(const char *path, const GError *reason, GError **error)
{
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: %s", path, reason->message);
}

bool network_file_problem(const struct params_file *file, const char *path, enum problem_kind *kind,
                          GError **error)
{
    g_autoptr(GError) reason = NULL;
    bool known = network_problem(file->network, kind, &reason);
    if (!known)
        blame(path, reason, error);
    return known;
}

struct network *network_file_network(const struct params_file *file, const char *path,
                                     const struct problem *problem, bool any_operator,
                                     GError **error)
{
    g_autoptr(GError) reason = NULL;
    struct network *network = params_file_network(file, problem, any_operator, &reason);
    if (network == NULL)
        blame(path, reason, error);
    return network;
}
