// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/first_order.h"

struct solver *solver_new_dual_apgd(const struct problem *problem,
                                    const struct solver_options *options, GError **error)
{
    return first_order_new_dual("dual-apgd", MOMENTUM_NESTEROV, problem, options, error);
}
