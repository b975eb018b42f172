// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/clean.h"
#include "deconv/hrf.h"
#include "solvers/solver.h"

/** One of the runs that were joined in a file. */
struct run_part {
    size_t first; // frame, of those that are read
    size_t n;
    struct clean *clean;     // owned
    linop *op;               // owned
    linop *seen;             // owned; op less what censored frames would see; NULL: op
    struct problem *problem; // owned
    struct solver *solver;   // owned
};

/**
 * Runs that were joined, frame after frame: each is cleaned alone, no response reaches from one
 * into the next, and the change of activity between two of them costs nothing. So the problem is
 * the sum of theirs at one lambda: lambda_max is the largest of theirs, objectives and gaps add up.
 */
struct run_joined {
    struct run_part *parts; // owned
    size_t n;
};

struct run_joined_options {
    const size_t *starts; // n of them, rising, the first 0: among the frames that are read
    size_t n;
    size_t n_time; // frames that are read
    double tr_s;
    const struct clean_options *clean; // with confounds and censored frames of all
    const struct hrf *response;
    const char *method;
    const struct solver_options *solver;
};

/** Error: DECONV_ERROR or of a solver, "run 2: ...". */
struct run_joined *run_joined_new(const struct run_joined_options *options, GError **error);
void run_joined_free(struct run_joined *joined);
typedef struct run_joined owned_run_joined; // for g_autoptr(owned_run_joined)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_run_joined, run_joined_free)

/** Their operators side by side; borrows of joined. */
linop *run_joined_operator(const struct run_joined *joined);

void run_joined_clean(const struct run_joined *joined, struct block *y, struct workspace *ws);
double run_joined_lambda_max(const struct run_joined *joined, const double *x,
                             struct workspace *ws);
double run_joined_penalty(const struct run_joined *joined, const double *u);
bool run_joined_is_start(const struct run_joined *joined, size_t t);

/** solver_run of all of them; ratios are of the lambda_max of the sum. */
void run_joined_solve(const struct run_joined *joined, const struct solve_input *input,
                      struct block *u, struct series_result *results, struct workspace *ws);
