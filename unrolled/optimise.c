// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/optimise.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { N_PAIRS = 10, MAX_HALVINGS = 30, MAX_DOUBLINGS = 6, N_GOLDEN = 20, N_STALE = 5 };

// The last steps s and gradient changes y, a ring; rho = 1 / s'y.
struct memory {
    size_t n;
    size_t n_pairs;
    size_t next;
    double *s; // N_PAIRS x n
    double *y;
    double rho[N_PAIRS];
};

static double dot(const double *a, const double *b, size_t n)
{
    return cblas_ddot((int) n, a, 1, b, 1);
}

static void remember(struct memory *memory, const double *step, const double *change)
{
    double curvature = dot(step, change, memory->n);
    double scale = sqrt(dot(step, step, memory->n) * dot(change, change, memory->n));
    if (!(curvature > 1e-10 * scale))
        return;
    memcpy(memory->s + memory->next * memory->n, step, memory->n * sizeof(double));
    memcpy(memory->y + memory->next * memory->n, change, memory->n * sizeof(double));
    memory->rho[memory->next] = 1.0 / curvature;
    memory->next = (memory->next + 1) % N_PAIRS;
    memory->n_pairs = MIN(memory->n_pairs + 1, N_PAIRS);
}

// direction = -H gradient by the two loops over the pairs; H0 is the last pair's s'y / y'y, or
// `first` while there is none.
static void find_direction(const struct memory *memory, const double *gradient, double first,
                           double *direction)
{
    size_t n = memory->n;
    double alpha[N_PAIRS];
    for (size_t i = 0; i < n; i++)
        direction[i] = -gradient[i];
    for (size_t k = 1; k <= memory->n_pairs; k++) {
        size_t j = (memory->next + N_PAIRS - k) % N_PAIRS;
        alpha[j] = memory->rho[j] * dot(memory->s + j * n, direction, n);
        cblas_daxpy((int) n, -alpha[j], memory->y + j * n, 1, direction, 1);
    }
    if (memory->n_pairs > 0) {
        size_t j = (memory->next + N_PAIRS - 1) % N_PAIRS;
        first = 1.0 / (memory->rho[j] * dot(memory->y + j * n, memory->y + j * n, n));
    }
    cblas_dscal((int) n, first, direction, 1);
    for (size_t k = memory->n_pairs; k >= 1; k--) {
        size_t j = (memory->next + N_PAIRS - k) % N_PAIRS;
        double beta = memory->rho[j] * dot(memory->y + j * n, direction, n);
        cblas_daxpy((int) n, alpha[j] - beta, memory->s + j * n, 1, direction, 1);
    }
}

// Where the search stands, and where it tries to go.
struct search {
    const struct objective *objective;
    double *p;
    double *gradient;
    double value;
    double *trial;
    double *trial_gradient;
    double *kept; // the best place on the line so far
    double *kept_gradient;
    size_t n_left; // evaluations
};

static double evaluate(struct search *search, double length, const double *direction)
{
    const struct objective *objective = search->objective;
    for (size_t i = 0; i < objective->n; i++)
        search->trial[i] = search->p[i] + length * direction[i];
    if (objective->project != NULL)
        objective->project(objective->data, search->trial);
    search->n_left--;
    return objective->value(objective->data, search->trial, search->trial_gradient);
}

static void swap(double **a, double **b)
{
    double *keep = *a;
    *a = *b;
    *b = keep;
}

// A step along the direction that lowers the value enough and, where that can be had soon, after
// which the slope is flatter: the weak Wolfe conditions, by doubling and bisection, which make a
// quasi-Newton method work where the gradient has jumps (Lewis & Overton, 2013). False if the value
// does not fall.
static bool find_step(struct search *search, const double *direction, double *value)
{
    size_t n = search->objective->n;
    double slope = dot(direction, search->gradient, n);
    double low = 0.0, high = INFINITY, length = 1.0;
    for (int k = 0; k < (low > 0.0 ? MAX_DOUBLINGS : MAX_HALVINGS) && search->n_left > 0; k++) {
        double found = evaluate(search, length, direction);
        if (found < search->value && found <= search->value + 1e-4 * length * slope) {
            *value = found;
            swap(&search->trial, &search->kept);
            swap(&search->trial_gradient, &search->kept_gradient);
            if (dot(direction, search->kept_gradient, n) >= 0.9 * slope)
                return true;
            low = length;
        } else {
            high = length;
        }
        length = isinf(high) ? 2.0 * low : 0.5 * (low + high);
    }
    return low > 0.0;
}

static struct search search_begin(const struct objective *objective, const double *p,
                                  size_t max_evaluations, struct workspace *ws)
{
    size_t n = objective->n;
    struct search search = {.objective = objective,
                            .p = WORKSPACE_ALLOC(ws, double, n),
                            .gradient = WORKSPACE_ALLOC(ws, double, n),
                            .trial = WORKSPACE_ALLOC(ws, double, n),
                            .trial_gradient = WORKSPACE_ALLOC(ws, double, n),
                            .kept = WORKSPACE_ALLOC(ws, double, n),
                            .kept_gradient = WORKSPACE_ALLOC(ws, double, n),
                            .n_left = max_evaluations - 1};
    memcpy(search.p, p, n * sizeof(double));
    search.value = objective->value(objective->data, p, search.gradient);
    return search;
}

// The length of a first step, before anything is known of the curvature: a hundredth of p.
static double first_scale(const struct search *search)
{
    size_t n = search->objective->n;
    double slope = sqrt(dot(search->gradient, search->gradient, n));
    double size = sqrt(dot(search->p, search->p, n));
    return slope > 0.0 ? 1e-2 * fmax(size, 1e-6) / slope : 0.0;
}

size_t optimise_lbfgs(const struct objective *objective, double *p, size_t max_evaluations)
{
    if (max_evaluations < 2)
        return 0;
    size_t n = objective->n;
    g_autoptr(owned_workspace) ws = workspace_new();
    struct search search = search_begin(objective, p, max_evaluations, ws);
    struct memory memory = {.n = n,
                            .s = WORKSPACE_ALLOC(ws, double, N_PAIRS *n),
                            .y = WORKSPACE_ALLOC(ws, double, N_PAIRS *n)};
    double *direction = WORKSPACE_ALLOC(ws, double, n);
    double first = first_scale(&search);
    while (search.n_left > 0) {
        double value = search.value;
        find_direction(&memory, search.gradient, first, direction);
        if (!find_step(&search, direction, &value)) {
            if (memory.n_pairs == 0)
                break;
            // The curvature seen so far misleads: begin afresh.
            memory.n_pairs = 0;
            first = first_scale(&search);
            continue;
        }
        swap(&search.p, &search.kept);
        swap(&search.gradient, &search.kept_gradient);
        search.value = value;
        for (size_t i = 0; i < n; i++) {
            direction[i] = search.p[i] - search.kept[i];
            search.kept_gradient[i] = search.gradient[i] - search.kept_gradient[i];
        }
        remember(&memory, direction, search.kept_gradient);
        if (!objective->accepted(objective->data, search.p, search.value))
            break;
    }
    memcpy(p, search.p, n * sizeof(double));
    return max_evaluations - search.n_left;
}

size_t optimise_descent(const struct objective *objective, double growth, double *p,
                        size_t max_evaluations)
{
    if (max_evaluations < 2)
        return 0;
    size_t n = objective->n;
    g_autoptr(owned_workspace) ws = workspace_new();
    struct search search = search_begin(objective, p, max_evaluations, ws);
    double *direction = WORKSPACE_ALLOC(ws, double, n);
    double rate = 1.0;
    while (search.n_left > 0 && rate >= 1e-20) {
        for (size_t i = 0; i < n; i++)
            direction[i] = -search.gradient[i];
        double value = evaluate(&search, rate, direction);
        if (!(value < search.value)) {
            rate *= 0.5;
            continue;
        }
        bool done = search.value - value < 1e-20;
        swap(&search.p, &search.trial);
        swap(&search.gradient, &search.trial_gradient);
        search.value = value;
        rate *= growth;
        if (!objective->accepted(objective->data, search.p, search.value) || done)
            break;
    }
    memcpy(p, search.p, n * sizeof(double));
    return max_evaluations - search.n_left;
}

struct adam {
    size_t n;
    double rate;
    double *gradient;
    double *mean;     // of the gradients, and of their squares: decaying
    double *square;   //
    double weight[2]; // of what these have not yet seen
};

static void adam_restart(struct adam *adam, double rate)
{
    adam->rate = rate;
    adam->weight[0] = adam->weight[1] = 1.0;
    memset(adam->mean, 0, adam->n * sizeof(double));
    memset(adam->square, 0, adam->n * sizeof(double));
}

static void adam_step(struct adam *adam, double *p)
{
    static const double beta[2] = {0.9, 0.999}; // Kingma & Ba, 2015
    adam->weight[0] *= beta[0];
    adam->weight[1] *= beta[1];
    for (size_t i = 0; i < adam->n; i++) {
        double g = adam->gradient[i];
        adam->mean[i] += (1.0 - beta[0]) * (g - adam->mean[i]);
        adam->square[i] += (1.0 - beta[1]) * (g * g - adam->square[i]);
        double size = sqrt(adam->square[i] / (1.0 - adam->weight[1]));
        if (size > 0.0)
            p[i] -= adam->rate * adam->mean[i] / ((1.0 - adam->weight[0]) * size);
    }
}

static bool adam_pass(struct adam *adam, const struct objective *objective, size_t pass, double *p)
{
    for (size_t part = 0; part < objective->n_parts; part++) {
        if (isnan(objective->part(objective->data, pass, part, p, adam->gradient)))
            return false;
        adam_step(adam, p);
        if (objective->project != NULL)
            objective->project(objective->data, p);
    }
    return true;
}

size_t optimise_adam(const struct objective *objective, double rate, double *p, size_t max_passes)
{
    size_t n = objective->n;
    g_autoptr(owned_workspace) ws = workspace_new();
    struct adam adam = {.n = n,
                        .gradient = WORKSPACE_ALLOC(ws, double, n),
                        .mean = WORKSPACE_ALLOC(ws, double, n),
                        .square = WORKSPACE_ALLOC(ws, double, n)};
    double *best = WORKSPACE_ALLOC(ws, double, n);
    double first = rate * sqrt(dot(p, p, n) / (double) n);
    double least = objective->value(objective->data, p, NULL);
    size_t n_stale = 0;
    size_t pass = 0;
    memcpy(best, p, n * sizeof(double));
    adam_restart(&adam, first);
    while (pass < max_passes && adam.rate > 1e-3 * first && adam_pass(&adam, objective, pass, p)) {
        double value = objective->value(objective->data, p, NULL);
        bool go_on = objective->accepted(objective->data, p, value);
        pass++;
        if (value < least) {
            least = value;
            n_stale = 0;
            memcpy(best, p, n * sizeof(double));
        } else if (++n_stale == N_STALE) {
            n_stale = 0;
            memcpy(p, best, n * sizeof(double));
            adam_restart(&adam, adam.rate / 3.0);
        }
        if (!go_on)
            break;
    }
    memcpy(p, best, n * sizeof(double));
    return pass;
}

double optimise_scalar(double (*f)(void *data, double a), void *data, const double *grid,
                       size_t n_grid, double *value)
{
    size_t best = 0;
    *value = INFINITY;
    for (size_t i = 0; i < n_grid; i++) {
        double at = f(data, grid[i]);
        if (at < *value) {
            *value = at;
            best = i;
        }
    }
    static const double ratio = 0.6180339887498949; // (sqrt 5 - 1) / 2
    double place = grid[best];
    double low = grid[best > 0 ? best - 1 : 0];
    double high = grid[MIN(best + 1, n_grid - 1)];
    double a = high - ratio * (high - low);
    double b = low + ratio * (high - low);
    double fa = f(data, a);
    double fb = f(data, b);
    for (int k = 0; k < N_GOLDEN; k++) {
        if (fmin(fa, fb) < *value) {
            *value = fmin(fa, fb);
            place = fa < fb ? a : b;
        }
        if (fa < fb) {
            high = b;
            b = a;
            fb = fa;
            a = high - ratio * (high - low);
            fa = f(data, a);
        } else {
            low = a;
            a = b;
            fa = fb;
            b = low + ratio * (high - low);
            fb = f(data, b);
        }
    }
    return place;
}
