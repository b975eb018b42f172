// SPDX-License-Identifier: BSD-3-Clause
#include "sources/block_descent.h"

#include "solvers/lapack.h"

#include <cblas.h>
#include <glib.h>
#include <math.h>
#include <string.h>

// Columns beyond which the factors of a step cost more than the passes that it saves.
enum { MOST_NEWTON_COLUMNS = 2048, MOST_HALVINGS = 3 };

// Blocks whose directions agree, as those of equal columns do, leave the step undetermined.
#define RIDGE 1e-12

struct newton {
    const struct block_problem *problem;
    size_t n_blocks;   // that are not zero: S
    size_t n_columns;  //
    size_t *block;     // of the working set
    double *norm;      // eta_k = ||X_k||_F
    double *rows;      // Gram rows of the columns in S: n_columns x ld
    double *direction; // Xhat = X / eta: n_columns x n_time
    double *inverse;   // (E^1/2 K E^1/2 + alpha I)^-1: n_columns x n_columns
    double *target;    // where Newton's step ends: n_columns x n_time
    struct workspace *ws;
};

static double *block_rows(const struct block_problem *problem, double *rows, size_t k)
{
    return rows + k * problem->n_orient * problem->n_time;
}

// Blocks that are not zero, with what is read from them.
static struct newton begin(const struct block_problem *problem, double *x, struct workspace *ws)
{
    struct newton s = {.problem = problem,
                       .block = WORKSPACE_ALLOC(ws, size_t, problem->n_blocks),
                       .norm = WORKSPACE_ALLOC(ws, double, problem->n_blocks),
                       .ws = ws};
    size_t n_orient = problem->n_orient, size = n_orient * problem->n_time;
    for (size_t k = 0; k < problem->n_blocks; k++) {
        double *x_k = block_rows(problem, x, k);
        double norm = sqrt(problem->kernels->dot(x_k, x_k, size));
        s.norm[s.n_blocks] = norm;
        s.block[s.n_blocks] = k;
        s.n_blocks += norm > 0.0;
    }
    s.n_columns = s.n_blocks * n_orient;
    return s;
}

static void gather(struct newton *s, double *x)
{
    const struct block_problem *problem = s->problem;
    size_t n_orient = problem->n_orient, size = n_orient * problem->n_time;
    s->rows = WORKSPACE_ALLOC(s->ws, double, s->n_columns * problem->ld);
    s->direction = WORKSPACE_ALLOC(s->ws, double, s->n_blocks *size);
    s->inverse = WORKSPACE_ALLOC(s->ws, double, s->n_columns * s->n_columns);
    s->target = WORKSPACE_ALLOC(s->ws, double, s->n_blocks *size);
    for (size_t i = 0; i < s->n_blocks; i++) {
        memcpy(s->rows + i * n_orient * problem->ld,
               problem->gram + s->block[i] * n_orient * problem->ld,
               n_orient * problem->ld * sizeof(double));
        const double *x_k = block_rows(problem, x, s->block[i]);
        for (size_t t = 0; t < size; t++)
            s->direction[i * size + t] = x_k[t] / s->norm[i];
    }
}

// The lower triangle, by columns, of a symmetric positive matrix becomes that of its inverse.
static bool invert(double *matrix, size_t n)
{
    int order = (int) n, info = 0;
    dpotrf_("L", &order, matrix, &order, &info);
    if (info == 0)
        dpotri_("L", &order, matrix, &order, &info);
    return info == 0;
}

static bool invert_weighted_gram(struct newton *s)
{
    size_t n_orient = s->problem->n_orient, n = s->n_columns;
    for (size_t j = 0; j < n; j++) {
        double *column = s->inverse + j * n;
        for (size_t i = j; i < n; i++) {
            size_t row = s->block[i / n_orient] * n_orient + i % n_orient;
            column[i] = sqrt(s->norm[i / n_orient] * s->norm[j / n_orient]) *
                        s->rows[j * s->problem->ld + row];
        }
        column[j] += s->problem->alpha;
    }
    return invert(s->inverse, n);
}

// out = E^1/2 inverse E^1/2 rhs, with E^1/2 rhs in `scaled` on entry. The inverse is symmetric: by
// rows, its triangle is the upper one.
static void apply_inverse(const struct newton *s, const double *scaled, double *out)
{
    size_t n_orient = s->problem->n_orient, n_time = s->problem->n_time;
    cblas_dsymm(CblasRowMajor, CblasLeft, CblasUpper, (int) s->n_columns, (int) n_time, 1.0,
                s->inverse, (int) s->n_columns, scaled, (int) n_time, 0.0, out, (int) n_time);
    for (size_t i = 0; i < s->n_columns; i++)
        cblas_dscal((int) n_time, sqrt(s->norm[i / n_orient]), out + i * n_time, 1);
}

// I - alpha [inverse o (Xhat Xhat')] summed over the columns of two blocks, lower triangle.
static void set_radial_matrix(const struct newton *s, double *radial)
{
    size_t n = s->n_columns, n_blocks = s->n_blocks, n_orient = s->problem->n_orient;
    size_t n_time = s->problem->n_time;
    size_t mark = workspace_mark(s->ws);
    double *cosine = WORKSPACE_ALLOC(s->ws, double, n *n);
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int) n, (int) n_time, 1.0, s->direction,
                (int) n_time, 0.0, cosine, (int) n);
    memset(radial, 0, n_blocks * n_blocks * sizeof(double));
    // Of the block pairs on the diagonal only one triangle is there; it counts twice.
    for (size_t j = 0; j < n; j++)
        for (size_t i = j; i < n; i++) {
            size_t k = i / n_orient, l = j / n_orient;
            double both = k == l && i != j ? 2.0 : 1.0;
            radial[l * n_blocks + k] -=
                both * s->problem->alpha * s->inverse[j * n + i] * cosine[j * n + i];
        }
    for (size_t k = 0; k < n_blocks; k++)
        radial[k * n_blocks + k] += 1.0 + RIDGE;
    workspace_release(s->ws, mark);
}

// z = radial^-1 q.
static bool solve_radial(struct newton *s, double *q)
{
    double *radial = WORKSPACE_ALLOC(s->ws, double, s->n_blocks * s->n_blocks);
    set_radial_matrix(s, radial);
    int order = (int) s->n_blocks, info = 0;
    dpotrf_("L", &order, radial, &order, &info);
    if (info != 0)
        return false;
    cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, order, radial, order, q, 1);
    cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, order, radial, order, q, 1);
    return true;
}

// target = Hessian^-1 (B - alpha Xhat), by Sherman, Morrison and Woodbury.
static bool set_target(struct newton *s)
{
    const struct block_problem *problem = s->problem;
    size_t size = problem->n_orient * problem->n_time;
    if (!invert_weighted_gram(s))
        return false;
    double *rhs = WORKSPACE_ALLOC(s->ws, double, s->n_blocks *size);
    double *q = WORKSPACE_ALLOC(s->ws, double, s->n_blocks);
    for (size_t i = 0; i < s->n_blocks; i++)
        for (size_t t = 0; t < size; t++)
            rhs[i * size + t] = sqrt(s->norm[i]) * (problem->b[s->block[i] * size + t] -
                                                    problem->alpha * s->direction[i * size + t]);
    apply_inverse(s, rhs, s->target);
    for (size_t i = 0; i < s->n_blocks; i++)
        q[i] = sqrt(problem->alpha / s->norm[i]) *
               problem->kernels->dot(s->direction + i * size, s->target + i * size, size);
    if (!solve_radial(s, q))
        return false;
    for (size_t i = 0; i < s->n_blocks; i++)
        for (size_t t = 0; t < size; t++)
            rhs[i * size + t] = sqrt(problem->alpha) * q[i] * s->direction[i * size + t];
    double *correction = WORKSPACE_ALLOC(s->ws, double, s->n_blocks *size);
    apply_inverse(s, rhs, correction);
    cblas_daxpy((int) (s->n_blocks * size), 1.0, correction, 1, s->target, 1);
    return true;
}

// The point `step` of the way from X to the target; a block that would turn round is zero there.
static void set_trial(const struct newton *s, double step, double *trial)
{
    const struct block_problem *problem = s->problem;
    size_t size = problem->n_orient * problem->n_time;
    for (size_t i = 0; i < s->n_blocks; i++) {
        const double *direction = s->direction + i * size;
        double *out = trial + i * size;
        for (size_t t = 0; t < size; t++)
            out[t] = (1.0 - step) * s->norm[i] * direction[t] + step * s->target[i * size + t];
        if (!(problem->kernels->dot(out, direction, size) > 0.0))
            memset(out, 0, size * sizeof(double));
    }
}

// C at the trial point, and the objective there.
static double look_at_trial(const struct newton *s, const double *trial, double *c)
{
    const struct block_problem *problem = s->problem;
    size_t n_time = problem->n_time, size = problem->n_orient * n_time;
    size_t n_rows = problem->n_blocks * problem->n_orient;
    memcpy(c, problem->b, n_rows * n_time * sizeof(double));
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int) n_rows, (int) n_time,
                (int) s->n_columns, -1.0, s->rows, (int) problem->ld, trial, (int) n_time, 1.0, c,
                (int) n_time);
    double fit = 0.0, penalty = 0.0;
    for (size_t i = 0; i < s->n_blocks; i++) {
        const double *x_k = trial + i * size;
        fit += problem->kernels->dot(x_k, problem->b + s->block[i] * size, size) +
               problem->kernels->dot(x_k, c + s->block[i] * size, size);
        penalty += sqrt(problem->kernels->dot(x_k, x_k, size));
    }
    return 0.5 * (problem->data_norm2 - fit) + problem->alpha * penalty;
}

static bool search(const struct newton *s, double objective, double *x, double *kept)
{
    const struct block_problem *problem = s->problem;
    size_t size = problem->n_orient * problem->n_time;
    size_t n = problem->n_blocks * size;
    double *trial = WORKSPACE_ALLOC(s->ws, double, s->n_blocks *size);
    double *c = WORKSPACE_ALLOC(s->ws, double, n);
    double step = 1.0;
    for (int halving = 0; halving <= MOST_HALVINGS; halving++, step *= 0.5) {
        set_trial(s, step, trial);
        if (!(look_at_trial(s, trial, c) < objective))
            continue;
        for (size_t i = 0; i < s->n_blocks; i++)
            memcpy(block_rows(problem, x, s->block[i]), trial + i * size, size * sizeof(double));
        memcpy(kept, c, n * sizeof(double));
        return true;
    }
    return false;
}

bool block_newton(const struct block_problem *problem, double objective, double *x, double *kept,
                  struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct newton s = begin(problem, x, ws);
    bool moved = false;
    if (s.n_blocks > 0 && s.n_columns <= MOST_NEWTON_COLUMNS) {
        gather(&s, x);
        moved = set_target(&s) && search(&s, objective, x, kept);
    }
    workspace_release(ws, mark);
    return moved;
}
