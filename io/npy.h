// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NPY_MAGIC_BYTES = 6, NPY_MOST_DIMS = 32 };

/** What the header of a .npy file says. */
struct npy_header {
    const struct npy_type *type;
    bool swapped; // the other byte order than this machine's
    bool fortran_order;
    size_t n_dims;
    size_t shape[NPY_MOST_DIMS];
};

/** A stored type: real numbers, converted to double. */
struct npy_type {
    char kind; // f, i, u, b
    size_t n_bytes;
    const char *name;
    double (*value)(const uint8_t *stored); // of this machine's byte order
};

bool npy_recognise(const uint8_t *head, size_t n);

/**
 * Parses the dictionary of a header, n bytes: the literal that numpy writes, with its three keys
 * in any order. False: *reason (static) says what is wrong.
 */
bool npy_parse(struct npy_header *header, const char *text, size_t n, const char **reason);
