// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/**
 * Edits (a letter more, less, other, or two swapped) that lead from a to b; at most `limit`, which
 * also stands for "more than that".
 */
size_t suggest_distance(const char *a, const char *b, size_t limit);

/** The word nearest to one that is unknown, or NULL where none is near enough to be meant. */
const char *suggest_nearest(const char *unknown, const char *const *words, size_t n);
