// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "lib/internal.h"

/** Fails unless x, lambda, g and what is asked for fit the operator; with_u: u as well. */
int lib_check_vjp(const taut_vjp *vjp, const linop *op, bool with_u, taut_error *error);
