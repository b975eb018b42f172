// SPDX-License-Identifier: BSD-3-Clause
#include "sources/mixed_norm.h"

#include "solvers/gram_cache.h"
#include "solvers/lapack.h"
#include "solvers/sort.h"
#include "sources/block_descent.h"
#include "sources/models.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

// A round over all blocks costs more than a larger working set.
enum { FIRST_BLOCKS = 200, BLOCKS_A_USED = 3, MOST_ROUNDS_WITHOUT_PROGRESS = 5 };

enum { MOST_REFINEMENTS = 2 };

// What a working set is solved to, of the gap over all columns, and of the gap wanted in the end.
#define INNER_GAP 0.1
#define LAST_GAP  0.5

// ||G_k||_2^2 of a block of n_orient columns.
static double spectral_norm2(const double *columns, size_t n_sensors, size_t n_orient)
{
    double gram[9], eigenvalue[3], work[64];
    int order = (int) n_orient, lwork = G_N_ELEMENTS(work), iwork[32];
    int liwork = G_N_ELEMENTS(iwork), info = 0;
    for (size_t i = 0; i < n_orient; i++)
        for (size_t j = 0; j < n_orient; j++)
            gram[i * n_orient + j] =
                cblas_ddot((int) n_sensors, columns + i * n_sensors, 1, columns + j * n_sensors, 1);
    if (n_orient == 1)
        return gram[0];
    dsyevd_("N", "U", &order, gram, &order, eigenvalue, work, &lwork, iwork, &liwork, &info);
    return fmax(eigenvalue[n_orient - 1], 0.0);
}

// c = columns' rows, with rows n_time apart.
static void correlate(const double *columns, size_t n_columns, size_t n_sensors, const double *rows,
                      size_t n_time, double *c)
{
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int) n_columns, (int) n_time,
                (int) n_sensors, 1.0, columns, (int) n_sensors, rows, (int) n_time, 0.0, c,
                (int) n_time);
}

static double *padded_rows(const double *rows, size_t n_rows, size_t n_time, size_t n_padded)
{
    double *padded = g_new0(double, n_rows *n_padded);
    for (size_t i = 0; i < n_rows; i++)
        memcpy(padded + i * n_padded, rows + i * n_time, n_time * sizeof(double));
    return padded;
}

struct mixed_norm *mixed_norm_new(const struct mixed_norm_input *input)
{
    g_assert(input->n_orient == 1 || input->n_orient == 3);
    struct mixed_norm *problem = g_new0(struct mixed_norm, 1);
    *problem = (struct mixed_norm){.gain = input->gain,
                                   .data = input->data,
                                   .n_sensors = input->n_sensors,
                                   .n_positions = input->n_positions,
                                   .n_orient = input->n_orient,
                                   .n_time = input->n_time,
                                   .n_padded = panel_padded(input->n_time),
                                   .kernels = kernels_best()};
    size_t n_columns = input->n_positions * input->n_orient;
    size_t size = input->n_orient * problem->n_padded;
    problem->padded_data =
        padded_rows(input->data, input->n_sensors, input->n_time, problem->n_padded);
    problem->b = g_new(double, n_columns * problem->n_padded);
    problem->curvature = g_new(double, input->n_positions);
    correlate(input->gain, n_columns, input->n_sensors, problem->padded_data, problem->n_padded,
              problem->b);
    for (size_t k = 0; k < input->n_positions; k++) {
        problem->curvature[k] = spectral_norm2(input->gain + k * input->n_orient * input->n_sensors,
                                               input->n_sensors, input->n_orient);
        const double *b_k = problem->b + k * size;
        problem->alpha_max = fmax(problem->alpha_max, sqrt(problem->kernels->dot(b_k, b_k, size)));
    }
    problem->data_norm2 = problem->kernels->dot(problem->padded_data, problem->padded_data,
                                                input->n_sensors * problem->n_padded);
    return problem;
}

void mixed_norm_free(struct mixed_norm *problem)
{
    if (problem == NULL)
        return;
    g_free(problem->padded_data);
    g_free(problem->b);
    g_free(problem->curvature);
    g_free(problem);
}

struct mixed_norm_options mixed_norm_options_default(void)
{
    return (struct mixed_norm_options){.tol = 1e-6, .max_passes = 10000};
}

// Blocks of a working set, or in use, with their rows of X.
struct block_list {
    size_t n;
    size_t *position; // ascending
    double *x;        // n_padded samples a row
};

struct state {
    const struct mixed_norm *problem;
    double alpha;
    struct workspace *ws;
    struct gram_cache cache;
    size_t size;             // samples of a block: n_orient x n_padded
    struct block_list used;  // those with X_k != 0
    size_t n_kept;           // positions that screening has not excluded
    size_t *kept;            //
    const double *kept_gain; // their columns
    double *packed_gain;     // a copy of them, once they are few
    double *norm;            // ||C_k||_F of the kept
    double *score;
    double *residual;
    struct block_view view;
};

static void set_residual(struct state *s)
{
    const struct mixed_norm *problem = s->problem;
    size_t n_columns = problem->n_orient * problem->n_sensors;
    memcpy(s->residual, problem->padded_data,
           problem->n_sensors * problem->n_padded * sizeof(double));
    for (size_t i = 0; i < s->used.n; i++)
        problem->kernels->panel->subtract_product(
            problem->gain + s->used.position[i] * n_columns, problem->n_sensors, problem->n_sensors,
            problem->n_orient, s->used.x + i * s->size, problem->n_padded, s->residual);
}

// ||C_k||_F of all blocks kept, some at a time.
static void set_norms(struct state *s)
{
    enum { BLOCKS_AT_A_TIME = 128 };
    const struct mixed_norm *problem = s->problem;
    size_t n_orient = problem->n_orient;
    size_t mark = workspace_mark(s->ws);
    double *c = WORKSPACE_ALLOC(s->ws, double, BLOCKS_AT_A_TIME * s->size);
    for (size_t first = 0; first < s->n_kept; first += BLOCKS_AT_A_TIME) {
        size_t count = MIN((size_t) BLOCKS_AT_A_TIME, s->n_kept - first);
        correlate(s->kept_gain + first * n_orient * problem->n_sensors, count * n_orient,
                  problem->n_sensors, s->residual, problem->n_padded, c);
        for (size_t i = 0; i < count; i++)
            s->norm[first + i] =
                sqrt(problem->kernels->dot(c + i * s->size, c + i * s->size, s->size));
    }
    workspace_release(s->ws, mark);
}

static void look_at_all_blocks(struct state *s)
{
    const struct mixed_norm *problem = s->problem;
    size_t n_samples = problem->n_sensors * problem->n_padded;
    set_residual(s);
    set_norms(s);
    double penalty = 0.0, largest = 0.0;
    for (size_t i = 0; i < s->used.n; i++) {
        const double *x_k = s->used.x + i * s->size;
        penalty += sqrt(problem->kernels->dot(x_k, x_k, s->size));
    }
    for (size_t i = 0; i < s->n_kept; i++)
        largest = fmax(largest, s->norm[i]);
    double residual2 = problem->kernels->dot(s->residual, s->residual, n_samples);
    double inner = problem->kernels->dot(problem->padded_data, s->residual, n_samples);
    s->view = block_view_of(residual2, inner, penalty, largest, s->alpha);
}

// How far the dual point is from the bound of each block: 0 in the end for those that are not zero.
// Those in use come before all others, those of a zero gain never.
static void set_scores(struct state *s)
{
    for (size_t i = 0, next = 0; i < s->n_kept; i++) {
        double curvature = s->problem->curvature[s->kept[i]];
        double dual = fabs(s->view.scale) * s->norm[i] / s->alpha;
        s->score[i] = curvature > 0.0 ? (1.0 - dual) / sqrt(curvature) : INFINITY;
        if (next < s->used.n && s->used.position[next] == s->kept[i]) {
            s->score[i] = -INFINITY;
            next++;
        }
    }
}

// Gap safe screening: the dual optimum is within sqrt(2 gap) / alpha of the dual point, so that a
// block farther than that from its bound is zero. Columns are packed when half of them are out.
static void screen(struct state *s)
{
    const struct mixed_norm *problem = s->problem;
    double radius = sqrt(2.0 * fmax(s->view.gap, 0.0)) / s->alpha;
    size_t n_in = 0;
    for (size_t i = 0; i < s->n_kept; i++)
        n_in += s->score[i] <= radius;
    if (2 * n_in > s->n_kept)
        return;
    size_t n_columns = problem->n_orient * problem->n_sensors;
    if (s->packed_gain == NULL)
        s->packed_gain = WORKSPACE_ALLOC(s->ws, double, (s->n_kept / 2) * n_columns);
    size_t n = 0;
    for (size_t i = 0; i < s->n_kept; i++) {
        if (!(s->score[i] <= radius))
            continue;
        memmove(s->packed_gain + n * n_columns, s->kept_gain + i * n_columns,
                n_columns * sizeof(double));
        s->kept[n] = s->kept[i];
        s->norm[n] = s->norm[i];
        s->score[n++] = s->score[i];
    }
    s->kept_gain = s->packed_gain;
    s->n_kept = n;
}

// The blocks in use, and of the others those with the least scores.
static size_t choose(struct state *s, size_t *chosen)
{
    size_t mark = workspace_mark(s->ws);
    double *scores = WORKSPACE_ALLOC(s->ws, double, s->n_kept);
    size_t n_others = 0, n = 0;
    for (size_t i = 0; i < s->n_kept; i++)
        if (isfinite(s->score[i]))
            scores[n_others++] = s->score[i];
    sort_doubles(scores, n_others);
    size_t most = GRAM_CACHE_COLUMNS / s->problem->n_orient;
    size_t wanted = MIN(MAX((size_t) FIRST_BLOCKS, BLOCKS_A_USED * s->used.n), most);
    wanted = MIN(MAX(wanted, s->used.n + FIRST_BLOCKS) - s->used.n, n_others);
    double bar = wanted > 0 ? scores[wanted - 1] : -INFINITY;
    for (size_t i = 0; i < s->n_kept; i++)
        if (s->score[i] <= bar)
            chosen[n++] = s->kept[i];
    workspace_release(s->ws, mark);
    return n;
}

// X of the working set, from the blocks in use.
static struct block_list set_start(const struct state *s, const size_t *chosen, size_t n)
{
    struct block_list set = {n, WORKSPACE_ALLOC(s->ws, size_t, n),
                             WORKSPACE_ALLOC(s->ws, double, n * s->size)};
    memcpy(set.position, chosen, n * sizeof(size_t));
    memset(set.x, 0, n * s->size * sizeof(double));
    for (size_t i = 0, next = 0; i < n && next < s->used.n; i++)
        if (s->used.position[next] == chosen[i])
            memcpy(set.x + i * s->size, s->used.x + next++ * s->size, s->size * sizeof(double));
    return set;
}

// The blocks of a working set that are not zero.
static void keep_used(struct state *s, const struct block_list *set)
{
    s->used.position = g_realloc_n(s->used.position, set->n, sizeof(size_t));
    s->used.x = g_realloc_n(s->used.x, set->n * s->size, sizeof(double));
    s->used.n = 0;
    for (size_t i = 0; i < set->n; i++) {
        const double *x_k = set->x + i * s->size;
        if (!(s->problem->kernels->largest(x_k, s->size) > 0.0))
            continue;
        s->used.position[s->used.n] = set->position[i];
        memcpy(s->used.x + s->used.n++ * s->size, x_k, s->size * sizeof(double));
    }
}

// What block_descent needs to know of the columns of a working set.
static struct block_problem gather(struct state *s, const struct block_list *set)
{
    const struct mixed_norm *problem = s->problem;
    size_t n_orient = problem->n_orient, n_columns = set->n * n_orient;
    size_t *columns = WORKSPACE_ALLOC(s->ws, size_t, n_columns);
    double *curvature = WORKSPACE_ALLOC(s->ws, double, set->n);
    double *b = WORKSPACE_ALLOC(s->ws, double, set->n * s->size);
    for (size_t i = 0; i < set->n; i++) {
        size_t k = set->position[i];
        curvature[i] = problem->curvature[k];
        memcpy(b + i * s->size, problem->b + k * s->size, s->size * sizeof(double));
        for (size_t o = 0; o < n_orient; o++)
            columns[i * n_orient + o] = k * n_orient + o;
    }
    struct block_problem out = {.n_blocks = set->n,
                                .n_orient = n_orient,
                                .n_time = problem->n_padded,
                                .alpha = s->alpha,
                                .data_norm2 = problem->data_norm2,
                                .curvature = curvature,
                                .b = b,
                                .data = problem->padded_data,
                                .n_sensors = problem->n_sensors,
                                .kernels = problem->kernels};
    if (n_columns <= GRAM_CACHE_COLUMNS) {
        out.ld = triangle_padded(n_columns);
        double *gram = WORKSPACE_ALLOC(s->ws, double, out.ld *n_columns);
        gram_cache_copy(&s->cache, columns, n_columns, gram);
        out.gram = gram;
        return out;
    }
    double *gain = WORKSPACE_ALLOC(s->ws, double, n_columns * problem->n_sensors);
    for (size_t j = 0; j < n_columns; j++)
        memcpy(gain + j * problem->n_sensors, problem->gain + columns[j] * problem->n_sensors,
               problem->n_sensors * sizeof(double));
    out.gain = gain;
    return out;
}

// Gram columns are taken from the workspace, for good, before what a round takes for itself.
static void hold_gram(struct state *s, const size_t *chosen, size_t n)
{
    size_t n_orient = s->problem->n_orient;
    if (n * n_orient > GRAM_CACHE_COLUMNS)
        return;
    g_autofree size_t *columns = g_new(size_t, n * n_orient);
    for (size_t i = 0; i < n * n_orient; i++)
        columns[i] = chosen[i / n_orient] * n_orient + i % n_orient;
    gram_cache_hold(&s->cache, columns, n * n_orient);
}

static struct state begin(const struct mixed_norm *problem, double alpha,
                          const struct source_estimate *start, struct workspace *ws)
{
    size_t n_columns = problem->n_positions * problem->n_orient;
    size_t n_samples = problem->n_sensors * problem->n_padded;
    struct state s = {.problem = problem,
                      .alpha = alpha,
                      .ws = ws,
                      .size = problem->n_orient * problem->n_padded,
                      .n_kept = problem->n_positions,
                      .kept = WORKSPACE_ALLOC(ws, size_t, problem->n_positions),
                      .kept_gain = problem->gain,
                      .norm = WORKSPACE_ALLOC(ws, double, problem->n_positions),
                      .score = WORKSPACE_ALLOC(ws, double, problem->n_positions),
                      .residual = WORKSPACE_ALLOC(ws, double, n_samples)};
    s.cache = gram_cache_begin(problem->gain, problem->n_sensors, n_columns, ws);
    for (size_t k = 0; k < problem->n_positions; k++)
        s.kept[k] = k;
    s.used.n = start->n_active;
    s.used.position = g_memdup2(start->position, start->n_active * sizeof(size_t));
    s.used.x = padded_rows(start->x, start->n_active * problem->n_orient, problem->n_time,
                           problem->n_padded);
    return s;
}

// One working set.
static void improve(struct state *s, double tol, size_t max_passes,
                    struct mixed_norm_result *result)
{
    set_scores(s);
    screen(s);
    g_autofree size_t *chosen = g_new(size_t, s->n_kept);
    size_t n = choose(s, chosen);
    hold_gram(s, chosen, n);

    size_t mark = workspace_mark(s->ws);
    struct block_list set = set_start(s, chosen, n);
    struct block_problem blocks = gather(s, &set);
    size_t n_rows = MAX(n * s->problem->n_orient, s->problem->n_sensors);
    double *kept = WORKSPACE_ALLOC(s->ws, double, n_rows * s->problem->n_padded);
    double wanted = 0.5 * s->problem->data_norm2 * tol;
    double target = fmax(INNER_GAP * s->view.gap, LAST_GAP * wanted);
    struct block_descent_result found =
        block_descent(&blocks, target, max_passes - result->n_passes, set.x, kept, s->ws);
    keep_used(s, &set);
    workspace_release(s->ws, mark);
    result->n_rounds++;
    result->n_passes += found.n_passes;
    result->n_newton += found.n_newton;
}

static void iterate(struct state *s, const struct mixed_norm_options *options,
                    struct mixed_norm_result *result)
{
    double best = INFINITY;
    int rounds_without_progress = 0;
    for (;;) {
        look_at_all_blocks(s);
        double relative = s->view.gap / (0.5 * s->problem->data_norm2);
        if (!(relative > options->tol) || result->n_passes >= options->max_passes)
            return;
        rounds_without_progress = s->view.gap < best ? 0 : rounds_without_progress + 1;
        best = fmin(best, s->view.gap);
        if (rounds_without_progress > MOST_ROUNDS_WITHOUT_PROGRESS)
            return;
        improve(s, options->tol, options->max_passes, result);
    }
}

static void keep_estimate(const struct state *s, struct source_estimate *estimate)
{
    const struct mixed_norm *problem = s->problem;
    estimate->n_orient = problem->n_orient;
    estimate->n_time = problem->n_time;
    source_estimate_resize(estimate, s->used.n);
    for (size_t i = 0; i < s->used.n; i++)
        estimate->position[i] = s->used.position[i];
    for (size_t row = 0; row < s->used.n * problem->n_orient; row++)
        memcpy(estimate->x + row * problem->n_time, s->used.x + row * problem->n_padded,
               problem->n_time * sizeof(double));
}

// Steps of Newton from the point found on the blocks in use: the error of X, about the square root
// of the gap, becomes its square, for the price of one round of few blocks.
static void refine(struct state *s, struct mixed_norm_result *result)
{
    size_t n = s->used.n;
    if (n == 0 || n * s->problem->n_orient > GRAM_CACHE_COLUMNS)
        return;
    g_autofree size_t *chosen = g_memdup2(s->used.position, n * sizeof(size_t));
    hold_gram(s, chosen, n);
    size_t mark = workspace_mark(s->ws);
    struct block_list set = set_start(s, chosen, n);
    struct block_problem blocks = gather(s, &set);
    double *c = WORKSPACE_ALLOC(s->ws, double, n * s->size);
    for (int i = 0; i < MOST_REFINEMENTS; i++)
        result->n_newton += block_newton(&blocks, s->view.objective, set.x, c, s->ws);
    keep_used(s, &set);
    workspace_release(s->ws, mark);
}

struct mixed_norm_result mixed_norm_solve(const struct mixed_norm *problem, double alpha,
                                          const struct mixed_norm_options *options,
                                          struct source_estimate *estimate, struct workspace *ws)
{
    g_assert(alpha > 0.0);
    struct mixed_norm_input input = {problem->gain,        problem->data,     problem->n_sensors,
                                     problem->n_positions, problem->n_orient, problem->n_time};
    size_t mark = workspace_mark(ws);
    struct mixed_norm_result result = {.alpha = alpha};
    struct state s = begin(problem, alpha, estimate, ws);
    iterate(&s, options, &result);
    keep_estimate(&s, estimate);
    g_autoptr(owned_source_estimate) refined = source_estimate_new(0, 0);
    refine(&s, &result);
    keep_estimate(&s, refined);
    g_free(s.used.position);
    g_free(s.used.x);
    workspace_release(ws, mark);

    struct mixed_norm_certificate certificate = mixed_norm_certify(&input, refined, alpha);
    if (certificate.relative_gap <= options->tol)
        source_estimate_copy(refined, estimate);
    else
        certificate = mixed_norm_certify(&input, estimate, alpha);
    result.objective = certificate.objective;
    result.duality_gap = certificate.duality_gap;
    result.relative_gap = certificate.relative_gap;
    result.converged = certificate.relative_gap <= options->tol;
    return result;
}

static struct source_model_result solve_model(const struct mixed_norm *problem, double ratio,
                                              double tol, struct source_estimate *estimate,
                                              struct workspace *ws)
{
    // Whoever reduced time certifies the estimate anew, which adds rounding of its own.
    struct mixed_norm_options options = mixed_norm_options_default();
    options.tol = 0.9 * tol;
    options.max_passes = 100000;
    struct mixed_norm_result found =
        mixed_norm_solve(problem, ratio * problem->alpha_max, &options, estimate, ws);
    return (struct source_model_result){found.objective, found.relative_gap, found.converged,
                                        found.n_passes};
}

const struct source_model source_model_l21 = {
    .name = "l21",
    .summary = "one support for the window (MxNE)",
    .solve = solve_model,
    .is_mixed_norm = true,
};
