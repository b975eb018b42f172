// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/solver.h"

/** A method that can be asked for by name. */
struct method {
    const char *name;
    solver_constructor *create;
    enum problem_kind kind;
    bool runs_to_its_end; // the tolerance decides on the status, not on where it stops
};

/** The method of a name for a kind of problem, or NULL. */
const struct method *methods_find(enum problem_kind kind, const char *name);

/** The i-th name for a kind of problem, in alphabetical order, or NULL. */
const char *methods_name(enum problem_kind kind, size_t i);

/** The names for a kind of problem, "a|b|c", in alphabetical order. Owned by the caller. */
char *methods_names(enum problem_kind kind);
