// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/host/host.h"
#include "app/pipelines/inputs/operator.h"
#include "app/pipelines/outputs/outcome.h"
#include "app/pipelines/solve/trace.h"
#include "deconv/lambda_rule.h"
#include "io/array.h"
#include "solvers/methods.h"

/** The options of `taut solve`; texts are borrowed. */
struct solve_options {
    int kind; // of enum problem_kind
    const char *data;
    struct operator_options op;
    double lambda;       // NaN: not given, as the next
    double lambda_ratio; //
    const char *lambdas; // one a series; NULL: not given
    int rule;            // 0 aic, 1 bic, 2 lut, 3 mad, 4 ut; -1: not given
    size_t path;         // points; SIZE_MAX: not given
    const char *method;  // NULL: not given
    const char *start;   // const, pinv, zero, or a file
    const char *trace;   // NULL: none
    const char *output;
    struct solver_options solving; // what the user can say of it
    bool positive;                 // Lasso: z >= 0
    bool strict;
};

/** A problem on arrays: planned, then executed. Pointers are owned unless it says borrowed. */
struct solve {
    const struct host *host; // borrowed
    enum problem_kind kind;
    struct solve_options options;

    struct array *x; // n_series x n_observed
    double *lambda;  // one a series; ratios or values
    bool lambda_is_ratio;
    struct array *start; // n_series x n_unknown, or NULL

    linop *op;
    struct problem *problem;
    struct lambda_rule *rule; // NULL: lambda is given
    struct trace *trace;      // NULL: none asked for
    struct solver *solver;    // NULL: a path is asked for
    struct solve_path *path;  // NULL: none asked for
    size_t n_path;            // points a series: 1 without a path

    double *u;                     // n_series x n_path x n_unknown
    struct series_result *results; // n_series x n_path
    double *cpu_seconds;           // of the solver, one a block
    struct outcome outcome;
    double solve_cpu_seconds;
    double solve_seconds;
};

/** Reads the arrays, makes operator and solver. Errors: any. */
bool solve_plan(struct solve *solve, GError **error);

/** Solves all series on the team. */
bool solve_execute(struct solve *solve, GError **error);

void solve_clear(struct solve *solve);
typedef struct solve owned_solve;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_solve, solve_clear)
