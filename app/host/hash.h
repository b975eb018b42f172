// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>

/**
 * The SHA-256 of a file, in hexadecimal. Owned by the caller. Errors: APP_ERROR_INPUT where it
 * cannot be read; APP_ERROR_STOPPED once *stop is true (NULL: never).
 */
char *hash_file(const char *path, const atomic_bool *stop, GError **error);
