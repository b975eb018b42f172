// SPDX-License-Identifier: BSD-3-Clause
#include "app/methods.h"

#include <string.h>

// In alphabetical order, a kind of problem after the other.
static const struct method methods[] = {
    {"bt-ista", PROBLEM_LASSO, solver_new_bt_ista, false},
    {"cd", PROBLEM_LASSO, solver_new_cd, false},
    {"exact", PROBLEM_LASSO, solver_new_exact, true},
    {"fista", PROBLEM_LASSO, solver_new_fista, false},
    {"greedy-cd", PROBLEM_LASSO, solver_new_greedy_cd, false},
    {"ista", PROBLEM_LASSO, solver_new_pgd, false},
    {"lars", PROBLEM_LASSO, solver_new_lars, true},
    {"oista", PROBLEM_LASSO, solver_new_oista, false},
    {"apgd", PROBLEM_TV, solver_new_apgd, false},
    {"condat-vu", PROBLEM_TV, solver_new_condat_vu, false},
    {"dual-apgd", PROBLEM_TV, solver_new_dual_apgd, false},
    {"dual-pgd", PROBLEM_TV, solver_new_dual_pgd, false},
    {"exact", PROBLEM_TV, solver_new_exact, true},
    {"fista", PROBLEM_TV, solver_new_fista, false},
    {"homotopy", PROBLEM_TV, solver_new_lars, true},
    {"pgd", PROBLEM_TV, solver_new_pgd, false},
    {"synthesis-cd", PROBLEM_TV, solver_new_cd, false},
    {"synthesis-fista", PROBLEM_TV, solver_new_synthesis_fista, false},
    {"synthesis-ista", PROBLEM_TV, solver_new_synthesis_ista, false},
    {"synthesis-lars", PROBLEM_TV, solver_new_lars, true},
};

const struct method *methods_find(enum problem_kind kind, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (methods[i].kind == kind && strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

char *methods_names(enum problem_kind kind)
{
    GString *names = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (methods[i].kind == kind)
            g_string_append_printf(names, "%s%s", names->len > 0 ? "|" : "", methods[i].name);
    return g_string_free(names, FALSE);
}
