// SPDX-License-Identifier: BSD-3-Clause
#include "sources/block_descent.h"

#include <glib.h>
#include <math.h>
#include <string.h>

enum { MOST_PASSES_WITHOUT_PROGRESS = 20, PASSES_BETWEEN_LOOKS = 5, MOST_NEWTON = 4 };

// What a step of Newton has to gain, of the gap, for another to follow.
#define WORTHWHILE 0.1

// Blocks that may join between two steps of Newton: some, and a part of those in use.
enum { FEW_BLOCKS = 10, PART_OF_BLOCKS = 4 };

struct state {
    const struct block_problem *problem;
    size_t size; // samples of a block: n_orient x n_time
    double *x;
    double *kept;    // C, or M - G X
    double *c_block; // residual form: C_k
    double *change;  // of a block
};

static const double *panel_of(const struct block_problem *problem, size_t k, size_t *ld,
                              size_t *n_rows)
{
    size_t column = k * problem->n_orient;
    bool has_gram = problem->gram != NULL;
    *ld = has_gram ? problem->ld : problem->n_sensors;
    *n_rows = has_gram ? problem->n_blocks * problem->n_orient : problem->n_sensors;
    return (has_gram ? problem->gram : problem->gain) + column * *ld;
}

static const double *correlation(const struct state *s, size_t k)
{
    const struct block_problem *problem = s->problem;
    if (problem->gram != NULL)
        return s->kept + k * s->size;
    problem->kernels->panel->correlate(problem->gain + k * problem->n_orient * problem->n_sensors,
                                       problem->n_sensors, problem->n_sensors, problem->n_orient,
                                       s->kept, problem->n_time, s->c_block);
    return s->c_block;
}

static void subtract_block(const struct state *s, size_t k, const double *change)
{
    const struct block_problem *problem = s->problem;
    size_t ld, n_rows;
    const double *panel = panel_of(problem, k, &ld, &n_rows);
    problem->kernels->panel->subtract_product(panel, ld, n_rows, problem->n_orient, change,
                                              problem->n_time, s->kept);
}

static bool is_zero(const struct state *s, size_t k)
{
    const double *x_k = s->x + k * s->size;
    for (size_t t = 0; t < s->size; t++)
        if (x_k[t] != 0.0)
            return false;
    return true;
}

// X_k <- (L X_k + C_k) max(0, 1 - alpha / ||L X_k + C_k||_F) / L.
static void update_block(struct state *s, size_t k)
{
    const struct block_problem *problem = s->problem;
    double curvature = problem->curvature[k];
    if (!(curvature > 0.0))
        return;
    const double *c = correlation(s, k);
    double *x_k = s->x + k * s->size;
    double norm2 = 0.0;
    for (size_t t = 0; t < s->size; t++) {
        s->change[t] = curvature * x_k[t] + c[t];
        norm2 += s->change[t] * s->change[t];
    }
    double norm = sqrt(norm2);
    double shrink = norm > problem->alpha ? (1.0 - problem->alpha / norm) / curvature : 0.0;
    if (shrink == 0.0 && is_zero(s, k))
        return;
    for (size_t t = 0; t < s->size; t++) {
        double value = shrink * s->change[t];
        s->change[t] = value - x_k[t];
        x_k[t] = value;
    }
    subtract_block(s, k, s->change);
}

// ||M - G X||^2 and <M, M - G X>.
struct fit {
    double residual2;
    double inner;
};

static struct fit fit_of(const struct state *s)
{
    const struct block_problem *problem = s->problem;
    double (*dot)(const double *, const double *, size_t) = problem->kernels->dot;
    size_t n = problem->n_blocks * s->size;
    if (problem->gram == NULL) {
        size_t n_samples = problem->n_sensors * problem->n_time;
        return (struct fit){dot(s->kept, s->kept, n_samples),
                            dot(problem->data, s->kept, n_samples)};
    }
    double with_b = dot(s->x, problem->b, n);
    return (struct fit){problem->data_norm2 - with_b - dot(s->x, s->kept, n),
                        problem->data_norm2 - with_b};
}

static struct block_view look(struct state *s)
{
    const struct block_problem *problem = s->problem;
    double penalty = 0.0, largest = 0.0;
    for (size_t k = 0; k < problem->n_blocks; k++) {
        const double *x_k = s->x + k * s->size;
        const double *c_k = correlation(s, k);
        penalty += sqrt(problem->kernels->dot(x_k, x_k, s->size));
        largest = fmax(largest, problem->kernels->dot(c_k, c_k, s->size));
    }
    struct fit fit = fit_of(s);
    return block_view_of(fit.residual2, fit.inner, penalty, sqrt(largest), problem->alpha);
}

struct block_view block_view_of(double residual2, double inner, double penalty, double largest,
                                double alpha)
{
    double bound = largest > 0.0 ? alpha / largest : INFINITY;
    double scale = residual2 > 0.0 ? fmin(fmax(inner / residual2, -bound), bound) : 0.0;
    double objective = 0.5 * residual2 + alpha * penalty;
    double dual = scale * inner - 0.5 * scale * scale * residual2;
    return (struct block_view){objective, objective - dual, scale};
}

static void begin_kept(struct state *s)
{
    const struct block_problem *problem = s->problem;
    bool has_gram = problem->gram != NULL;
    size_t n_rows = has_gram ? problem->n_blocks * problem->n_orient : problem->n_sensors;
    memcpy(s->kept, has_gram ? problem->b : problem->data,
           n_rows * problem->n_time * sizeof(double));
    for (size_t k = 0; k < problem->n_blocks; k++)
        if (!is_zero(s, k))
            subtract_block(s, k, s->x + k * s->size);
}

// The worst of the blocks that are zero and should not be; n_blocks if there is none.
static size_t worst_violator(const struct state *s)
{
    const struct block_problem *problem = s->problem;
    size_t worst = problem->n_blocks;
    double most = problem->alpha * problem->alpha;
    for (size_t k = 0; k < problem->n_blocks; k++) {
        const double *c_k = correlation(s, k);
        double norm2 = problem->kernels->dot(c_k, c_k, s->size);
        if (norm2 > most && problem->curvature[k] > 0.0 && is_zero(s, k)) {
            worst = k;
            most = norm2;
        }
    }
    return worst;
}

// A pass over the blocks in use; then the worst violators join one by one: what one of them
// explains, its neighbours need not.
static void pass_with_gram(struct state *s)
{
    size_t n_used = 0;
    for (size_t k = 0; k < s->problem->n_blocks; k++)
        if (!is_zero(s, k)) {
            update_block(s, k);
            n_used++;
        }
    for (size_t i = 0; i < FEW_BLOCKS + n_used / PART_OF_BLOCKS; i++) {
        size_t k = worst_violator(s);
        if (k == s->problem->n_blocks)
            return;
        update_block(s, k);
    }
}

static void pass_over_all(struct state *s)
{
    for (size_t k = 0; k < s->problem->n_blocks; k++)
        update_block(s, k);
}

// Steps of Newton while they help. Returns how many.
static size_t take_newton_steps(struct state *s, double target_gap, struct block_view *view,
                                struct workspace *ws)
{
    size_t n_steps = 0;
    while (n_steps < MOST_NEWTON && view->gap > target_gap &&
           block_newton(s->problem, view->objective, s->x, s->kept, ws)) {
        double before = view->objective;
        *view = look(s);
        n_steps++;
        if (before - view->objective < WORTHWHILE * view->gap)
            break;
    }
    return n_steps;
}

static struct block_descent_result descend_with_gram(struct state *s, double target_gap,
                                                     size_t max_passes, struct workspace *ws)
{
    struct block_descent_result result = {.gap = INFINITY};
    double best = INFINITY;
    size_t since_best = 0;
    while (result.gap > target_gap && result.n_passes < max_passes &&
           since_best < MOST_PASSES_WITHOUT_PROGRESS) {
        pass_with_gram(s);
        struct block_view view = look(s);
        if (view.gap > target_gap && block_radial(s->problem, view.objective, s->x, s->kept, ws))
            view = look(s);
        result.n_newton += take_newton_steps(s, target_gap, &view, ws);
        result.n_passes++;
        result.gap = view.gap;
        since_best = view.gap < best ? 0 : since_best + 1;
        best = fmin(best, view.gap);
    }
    return result;
}

static struct block_descent_result descend(struct state *s, double target_gap, size_t max_passes)
{
    struct block_descent_result result = {.gap = INFINITY};
    while (result.n_passes < max_passes) {
        pass_over_all(s);
        if (++result.n_passes % PASSES_BETWEEN_LOOKS > 0)
            continue;
        result.gap = look(s).gap;
        if (result.gap <= target_gap)
            break;
    }
    return result;
}

struct block_descent_result block_descent(const struct block_problem *problem, double target_gap,
                                          size_t max_passes, double *x, double *kept,
                                          struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    size_t size = problem->n_orient * problem->n_time;
    struct state s = {.problem = problem,
                      .size = size,
                      .c_block = WORKSPACE_ALLOC(ws, double, size),
                      .change = WORKSPACE_ALLOC(ws, double, size)};
    s.x = x;
    s.kept = kept;
    begin_kept(&s);
    struct block_descent_result result = problem->gram != NULL
                                             ? descend_with_gram(&s, target_gap, max_passes, ws)
                                             : descend(&s, target_gap, max_passes);
    workspace_release(ws, mark);
    return result;
}
