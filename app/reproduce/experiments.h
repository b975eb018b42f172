// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/reproduce/reproduction.h"

/** The table of experiments, in alphabetical order. */
const struct experiment *const *experiments_all(size_t *n);

/** The experiment of an id, or NULL. */
const struct experiment *experiments_find(const char *id);
