// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/first_order.h"

struct solver *solver_new_pgd(const struct problem *problem, const struct solver_options *options,
                              GError **error G_GNUC_UNUSED)
{
    return first_order_new("pgd", MOMENTUM_NONE, problem, options);
}
