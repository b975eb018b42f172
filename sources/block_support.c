// SPDX-License-Identifier: BSD-3-Clause
#include "sources/block_descent.h"

#include "solvers/gram_active_set.h"
#include "solvers/lapack.h"

#include <cblas.h>
#include <glib.h>
#include <math.h>
#include <string.h>

// Columns beyond which the factors of a step cost more than the passes that it saves.
enum { MOST_COLUMNS = 2048, MOST_HALVINGS = 4 };

// Blocks whose directions agree, as those of equal columns do, leave the step undetermined.
#define RIDGE 1e-12

// Of ||M||^2: a fall of the objective below it may be none.
#define ROUNDING 1e-14

struct support {
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
static struct support begin(const struct block_problem *problem, double *x, struct workspace *ws)
{
    struct support s = {.problem = problem,
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

// The row of column i of S in the columns of the Gram matrix.
static size_t row_of(const struct support *s, size_t i)
{
    size_t n_orient = s->problem->n_orient;
    return s->block[i / n_orient] * n_orient + i % n_orient;
}

static void gather(struct support *s, double *x)
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

// (E^1/2 K E^1/2 + alpha I)^-1, lower triangle.
static bool invert_weighted_gram(struct support *s)
{
    size_t n_orient = s->problem->n_orient, n = s->n_columns;
    s->inverse = WORKSPACE_ALLOC(s->ws, double, n *n);
    for (size_t j = 0; j < n; j++) {
        for (size_t i = j; i < n; i++)
            s->inverse[j * n + i] = sqrt(s->norm[i / n_orient] * s->norm[j / n_orient]) *
                                    s->rows[j * s->problem->ld + row_of(s, i)];
        s->inverse[j * n + j] += s->problem->alpha;
    }
    return invert(s->inverse, n);
}

// out = E^1/2 inverse E^1/2 rhs, with E^1/2 rhs in `scaled` on entry. The inverse is symmetric: by
// rows, its triangle is the upper one.
static void apply_inverse(const struct support *s, const double *scaled, double *out)
{
    size_t n_orient = s->problem->n_orient, n_time = s->problem->n_time;
    cblas_dsymm(CblasRowMajor, CblasLeft, CblasUpper, (int) s->n_columns, (int) n_time, 1.0,
                s->inverse, (int) s->n_columns, scaled, (int) n_time, 0.0, out, (int) n_time);
    for (size_t i = 0; i < s->n_columns; i++)
        cblas_dscal((int) n_time, sqrt(s->norm[i / n_orient]), out + i * n_time, 1);
}

// out_kl = sum of value_ij <Xhat_i, Xhat_j> over the columns i of block k and j of block l, k >= l;
// value: a lower triangle by columns, n_columns apart.
static void sum_over_blocks(const struct support *s, const double *value, double *out, size_t ld)
{
    size_t n = s->n_columns, n_orient = s->problem->n_orient, n_time = s->problem->n_time;
    size_t mark = workspace_mark(s->ws);
    double *cosine = WORKSPACE_ALLOC(s->ws, double, n *n);
    cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int) n, (int) n_time, 1.0, s->direction,
                (int) n_time, 0.0, cosine, (int) n);
    memset(out, 0, s->n_blocks * ld * sizeof(double));
    for (size_t j = 0; j < n; j++)
        for (size_t i = j; i < n; i++) {
            size_t k = i / n_orient, l = j / n_orient;
            double both = k == l && i != j ? 2.0 : 1.0; // within a block one triangle is there
            out[l * ld + k] += both * value[j * n + i] * cosine[j * n + i];
        }
    workspace_release(s->ws, mark);
}

// I - alpha inverse o (Xhat Xhat'), summed over blocks: what is left of the curvature along Xhat.
static void set_radial_matrix(const struct support *s, double *radial)
{
    size_t n = s->n_blocks;
    sum_over_blocks(s, s->inverse, radial, n);
    for (size_t l = 0; l < n; l++)
        for (size_t k = l; k < n; k++)
            radial[l * n + k] *= -s->problem->alpha;
    for (size_t k = 0; k < n; k++)
        radial[k * n + k] += 1.0 + RIDGE;
}

// z = radial^-1 q.
static bool solve_radial(struct support *s, double *q)
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
static bool set_target(struct support *s)
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
static void set_trial(const struct support *s, double step, double *trial)
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
static double look_at_trial(const struct support *s, const double *trial, double *c)
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

static void keep_trial(const struct support *s, const double *trial, double *x)
{
    size_t size = s->problem->n_orient * s->problem->n_time;
    for (size_t k = 0; k < s->n_blocks; k++)
        memcpy(block_rows(s->problem, x, s->block[k]), trial + k * size, size * sizeof(double));
}

// The first of ever shorter steps that lowers the objective.
static bool search(const struct support *s, double objective, double *x, double *kept)
{
    const struct block_problem *problem = s->problem;
    size_t size = problem->n_orient * problem->n_time;
    size_t n = problem->n_blocks * size;
    double *trial = WORKSPACE_ALLOC(s->ws, double, s->n_blocks *size);
    double *c = WORKSPACE_ALLOC(s->ws, double, n);
    double step = 1.0;
    for (int i = 0; i <= MOST_HALVINGS; i++, step *= 0.5) {
        set_trial(s, step, trial);
        if (!(look_at_trial(s, trial, c) < objective))
            continue;
        keep_trial(s, trial, x);
        memcpy(kept, c, n * sizeof(double));
        return true;
    }
    return false;
}

bool block_newton(const struct block_problem *problem, double objective, double *x, double *kept,
                  struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct support s = begin(problem, x, ws);
    bool moved = false;
    if (s.n_blocks > 0 && s.n_columns <= MOST_COLUMNS) {
        gather(&s, x);
        moved = set_target(&s) && search(&s, objective, x, kept);
    }
    workspace_release(ws, mark);
    return moved;
}

// The Gram matrix of the fields G_k Xhat_k of the blocks.
static void set_field_gram(const struct support *s, double *gram, size_t ld)
{
    size_t n = s->n_columns;
    size_t mark = workspace_mark(s->ws);
    double *value = WORKSPACE_ALLOC(s->ws, double, n *n);
    for (size_t j = 0; j < n; j++)
        for (size_t i = j; i < n; i++)
            value[j * n + i] = s->rows[j * s->problem->ld + row_of(s, i)];
    sum_over_blocks(s, value, gram, ld);
    workspace_release(s->ws, mark);
    for (size_t l = 0; l < s->n_blocks; l++)
        for (size_t k = 0; k < l; k++)
            gram[l * ld + k] = gram[k * ld + l];
}

// The best norms for the directions that blocks have: a Lasso of one coefficient a block.
static void solve_norms(struct support *s)
{
    const struct block_problem *problem = s->problem;
    size_t size = problem->n_orient * problem->n_time, ld = triangle_padded(s->n_blocks);
    double *gram = WORKSPACE_ALLOC(s->ws, double, s->n_blocks *ld);
    double *b = WORKSPACE_ALLOC(s->ws, double, ld);
    set_field_gram(s, gram, ld);
    memset(b, 0, ld * sizeof(double));
    for (size_t k = 0; k < s->n_blocks; k++)
        b[k] =
            problem->kernels->dot(s->direction + k * size, problem->b + s->block[k] * size, size);
    struct gram fields = {.n = s->n_blocks,
                          .ld = ld,
                          .rank = s->n_blocks,
                          .values = gram,
                          .kernels = problem->kernels->gram};
    struct gram_lasso lasso = {.gram = &fields, .b = b, .lambda = problem->alpha};
    gram_active_set_solve(&lasso, s->norm, s->ws);
}

bool block_radial(const struct block_problem *problem, double objective, double *x, double *kept,
                  struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct support s = begin(problem, x, ws);
    size_t size = problem->n_orient * problem->n_time, n = problem->n_blocks * size;
    bool moved = false;
    if (s.n_blocks > 0 && s.n_columns <= MOST_COLUMNS) {
        gather(&s, x);
        solve_norms(&s);
        for (size_t k = 0; k < s.n_blocks; k++)
            for (size_t t = 0; t < size; t++)
                s.target[k * size + t] = s.norm[k] * s.direction[k * size + t];
        double *c = WORKSPACE_ALLOC(ws, double, n);
        moved = look_at_trial(&s, s.target, c) < objective - ROUNDING * problem->data_norm2;
        if (moved) {
            keep_trial(&s, s.target, x);
            memcpy(kept, c, n * sizeof(double));
        }
    }
    workspace_release(ws, mark);
    return moved;
}
