// SPDX-License-Identifier: BSD-3-Clause
#include "app/reproduce/experiments.h"

#include <string.h>

// clang-format off: one experiment a line
static const struct experiment *const experiments[] = {
    &reproduce_iterations,    &reproduce_lambda_shift, &reproduce_learning_curves,
    &reproduce_networks,      &reproduce_oista,        &reproduce_sparsity_law,
    &reproduce_steps,         &reproduce_theory,       &reproduce_tv_iterative,
    &reproduce_tv_prox_error, &reproduce_tv_rates,     &reproduce_tv_simulation,
    &reproduce_ukbb,          &reproduce_weights,
};
// clang-format on

const struct experiment *const *experiments_all(size_t *n)
{
    *n = G_N_ELEMENTS(experiments);
    return experiments;
}

const struct experiment *experiments_find(const char *id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(experiments); i++)
        if (strcmp(experiments[i]->id, id) == 0)
            return experiments[i];
    return NULL;
}
