// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/network.h"
#include "unrolled/training_record.h"

#include <glib.h>

/**
 * A trained network as bytes: safetensors, that is a length, a JSON header and raw row-major
 * tensors. Numbers are float64 (float32 is read too). Tensors: `layer.00.NAME` and, for networks
 * trained stage by stage, `stage.03.layer.00.NAME`, the layers of the network of depth 3; then
 * `operator.h` (a response) or `operator.a` (a matrix of up to a million entries).
 * What the network is, and the record of its training, stand in `__metadata__`, all strings.
 */
struct params_file {
    char *network;            // owned, as all below
    char *variant;            //
    struct network_size size; //
    size_t n_observed;        // samples of x
    size_t n_unknown;         // samples of u
    char *conv;               // of a response: "causal" or "full"; "": other operators; NULL: none
    char *operator_sha256;    // NULL: not stated
    char *sha256;             // of the numbers; NULL: not stated
    GHashTable *tensors;      // char * -> struct tensor *
    struct training_record record;
};

/** A tensor: row-major, a vector has one column. */
struct tensor {
    size_t n_rows;
    size_t n_columns;
    double *values; // owned
};

/** The bytes of a file: a network and how it was trained; a record of NULL states nothing. */
GBytes *params_file_write(const struct network *network, const struct training_record *record);

/**
 * Parses hostile bytes. Error: UNROLLED_ERROR_FILE, naming what was expected: a header within the
 * file and 1 MiB, an object of tensors without duplicates, ranges that tile the data, sizes that
 * fit shapes, F32 or F64, finite values, the checksum.
 */
struct params_file *params_file_parse(const void *bytes, size_t n_bytes, GError **error);
void params_file_free(struct params_file *file);
typedef struct params_file owned_params_file; // for g_autoptr(owned_params_file)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_params_file, params_file_free)

/** A tensor by name, or NULL. */
const struct tensor *params_file_tensor(const struct params_file *file, const char *name);

/**
 * The network of a file for a problem. Error: UNROLLED_ERROR_REFUSED where the operator is not
 * the one that it was trained for (unless any_operator, sizes equal), UNROLLED_ERROR_FILE where a
 * tensor is missing, has another shape, or should not be there.
 */
struct network *params_file_network(const struct params_file *file, const struct problem *problem,
                                    bool any_operator, GError **error);

/** What identifies an operator: SHA-256 of its response or matrix, and of its sizes. */
char *params_operator_sha256(const linop *op);
