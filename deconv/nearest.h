// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <stddef.h>

/**
 * The index of the name that is fewest edits (insertions, deletions, replacements, exchanges of
 * neighbours; letter case counts nothing) away from `name`, the first one of equals; n_names where
 * there is none, or none within half the length of `name`. names: n_names, borrowed.
 */
size_t nearest_name(const char *name, const char *const *names, size_t n_names);

/**
 * The indices of the names that are fewest edits away from `name`, however many, nearest first, as
 * many as there are but at most n_best; how many.
 */
size_t nearest_names(const char *name, const char *const *names, size_t n_names, size_t *best,
                     size_t n_best);
