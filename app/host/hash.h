// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

/**
 * The SHA-256 of a file, in hexadecimal; NULL where it cannot be read, or once *stop is true (NULL:
 * never). Owned by the caller.
 */
char *hash_file(const char *path, const atomic_bool *stop);
