// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/problem.h"

#include <glib.h>
#include <stdbool.h>

/** What became of a series; the numbers are those of status maps and are fixed. */
enum series_status {
    SERIES_OUTSIDE = 0,    // not in the mask
    SERIES_SOLVED = 1,     // relative duality gap <= tolerance
    SERIES_CONSTANT = 2,   // the input does not vary
    SERIES_NONFINITE = 3,  // the input has a NaN or an infinity
    SERIES_INACCURATE = 4, // best point found, gap above the tolerance
    SERIES_SKIPPED = 5,    // not reached before a signal
    SERIES_N_STATUS
};

/** "outside", "solved", "constant", "nonfinite", "inaccurate" or "skipped". */
const char *series_status_name(enum series_status status);

struct series_result {
    enum series_status status;
    double lambda;       // used
    double lambda_max;   // of this series
    double objective;    // at the returned point
    double duality_gap;  // absolute
    double relative_gap; // duality_gap / objective of the trivial solution
    size_t n_jumps;      // TV: changes of value; Lasso: non-zero entries
    size_t iterations;   // in the method's own unit
};

/** What an input says before it is solved: SERIES_SOLVED where it is finite and varies. */
enum series_status series_classify(const double *x, size_t n);

/** Whether the mean of n numbers is above their standard deviation. */
bool series_is_off_centre(const double *x, size_t n);

/**
 * Sets objective, gaps and n_jumps of u at result->lambda, by problem_certify; and the status
 * SERIES_INACCURATE where the relative gap is above tol.
 */
void series_certify(const struct problem *problem, const double *x, const double *u, double tol,
                    struct series_result *result, struct workspace *ws);

/** Told the iterates of a series, for traces; iteration 0 is the starting point. */
struct solver_observer {
    void (*iterate)(void *data, size_t series, size_t iteration, const double *u);
    void *data;
};

/** Where an iterative solver begins. */
enum solver_start {
    START_CONST, // the trivial solution: best constant, or zero for the Lasso
    START_ZERO,
    START_GIVEN, // solve_input.start
    START_PINV,  // the u of least norm among those that fit x best, for published curves
};

/** How a solver runs; fill with solver_options_default and override. */
struct solver_options {
    double tol;              // relative gap at which iterative solvers stop; 0: never
    size_t max_iter;         // cap of their iterations
    enum solver_start start; //
    const struct solver_observer *observer; // borrowed, NULL for none; called on the solving thread
};

struct solver_options solver_options_default(void);

/** The series of one call. */
struct solve_input {
    const struct block *x;     // n_out samples a series
    const double *lambda;      // one a series; a fraction of its lambda_max if lambda_is_ratio
    bool lambda_is_ratio;      //
    const struct block *start; // START_GIVEN: n_in samples a series, else NULL
    size_t first_series;       // index of the block's first series in the whole data, for observers
};

/**
 * A method for a problem: from x and lambda to u.
 *
 * An implementation embeds this struct as its first member. `solve` sets, for every series of the
 * block, the samples of u and, in its result, lambda, lambda_max and iterations, and nothing else.
 * It meets finite series only. It allocates nothing but from the workspace, cannot fail, and runs
 * on any thread. What it claims is not believed: solver_run certifies the result.
 */
struct solver {
    const char *name;
    const struct problem *problem; // borrowed
    struct solver_options options;
    void (*solve)(const struct solver *self, const struct solve_input *input, struct block *u,
                  struct series_result *results, struct workspace *ws);
    void (*free)(struct solver *self);
};

/**
 * Solves every series of input->x, and certifies it. u: n_in x n_series; results: n_series.
 * A series with a NaN or infinity gets u = 0 and SERIES_NONFINITE, one that does not vary is
 * solved and SERIES_CONSTANT, the others are SERIES_SOLVED or SERIES_INACCURATE by their gap.
 */
void solver_run(const struct solver *solver, const struct solve_input *input, struct block *u,
                struct series_result *results, struct workspace *ws);

void solver_free(struct solver *solver);
typedef struct solver owned_solver; // for g_autoptr(owned_solver)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_solver, solver_free)

/** The lambda of series v of the input, given that series' lambda_max. */
double solve_input_lambda(const struct solve_input *input, size_t v, double lambda_max);

enum solvers_error {
    SOLVERS_ERROR_NOT_APPLICABLE, // the method does not apply to this operator
};
#define SOLVERS_ERROR (solvers_error_quark())
GQuark solvers_error_quark(void);

/** A constructor of a method; NULL and SOLVERS_ERROR_NOT_APPLICABLE where it does not apply. */
typedef struct solver *solver_constructor(const struct problem *problem,
                                          const struct solver_options *options, GError **error);

/** The methods, in alphabetical order, and the problems that they take. */
solver_constructor solver_new_apgd;      // TV, Lasso: accelerated proximal gradient
solver_constructor solver_new_bt_ista;   // Lasso: backtracking proximal gradient
solver_constructor solver_new_cd;        // TV (jumps), Lasso: cyclic coordinate descent
solver_constructor solver_new_condat_vu; // TV: primal-dual
solver_constructor solver_new_dual_apgd; // TV, full column rank: accelerated, on the dual
solver_constructor solver_new_dual_pgd;  // TV, full column rank: projected gradient on the dual
solver_constructor solver_new_exact;     // TV, Lasso: active sets, to rounding
solver_constructor solver_new_fista;     // TV, Lasso: accelerated, with restarts
solver_constructor solver_new_greedy_cd; // TV (jumps), Lasso: the farthest coordinate first
solver_constructor solver_new_lars;      // TV (jumps), Lasso: homotopy from lambda_max
solver_constructor solver_new_oista;     // Lasso: oracle step 1 / L_S; Ablin et al. 2019
solver_constructor solver_new_pgd;       // TV, Lasso: proximal gradient (ISTA for the Lasso)
solver_constructor solver_new_synthesis_fista; // TV: with restarts, on the jumps
solver_constructor solver_new_synthesis_ista;  // TV: proximal gradient on the jumps
