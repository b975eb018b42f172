// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/methods.h"

#include <string.h>

// In alphabetical order, a kind of problem after the other.
static const struct method methods[] = {
    {"bt-ista", solver_new_bt_ista, PROBLEM_LASSO, false},
    {"cd", solver_new_cd, PROBLEM_LASSO, false},
    {"exact", solver_new_exact, PROBLEM_LASSO, true},
    {"fista", solver_new_fista, PROBLEM_LASSO, false},
    {"greedy-cd", solver_new_greedy_cd, PROBLEM_LASSO, false},
    {"ista", solver_new_pgd, PROBLEM_LASSO, false},
    {"lars", solver_new_lars, PROBLEM_LASSO, true},
    {"oista", solver_new_oista, PROBLEM_LASSO, false},
    {"apgd", solver_new_apgd, PROBLEM_TV, false},
    {"condat-vu", solver_new_condat_vu, PROBLEM_TV, false},
    {"dual-apgd", solver_new_dual_apgd, PROBLEM_TV, false},
    {"dual-pgd", solver_new_dual_pgd, PROBLEM_TV, false},
    {"exact", solver_new_exact, PROBLEM_TV, true},
    {"fista", solver_new_fista, PROBLEM_TV, false},
    {"homotopy", solver_new_lars, PROBLEM_TV, true},
    {"pgd", solver_new_pgd, PROBLEM_TV, false},
    {"synthesis-cd", solver_new_cd, PROBLEM_TV, false},
    {"synthesis-fista", solver_new_synthesis_fista, PROBLEM_TV, false},
    {"synthesis-ista", solver_new_synthesis_ista, PROBLEM_TV, false},
    {"synthesis-lars", solver_new_lars, PROBLEM_TV, true},
};

const struct method *methods_find(enum problem_kind kind, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
        if (methods[i].kind == kind && strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}

const char *methods_name(enum problem_kind kind, size_t i)
{
    for (size_t j = 0; j < G_N_ELEMENTS(methods); j++)
        if (methods[j].kind == kind && i-- == 0)
            return methods[j].name;
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
