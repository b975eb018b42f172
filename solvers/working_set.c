// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/working_set.h"

#include "solvers/gram_active_set.h"
#include "solvers/gram_cache.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define SLACK 1e-10 // as in gram_active_set.c

enum { FEW_VIOLATORS = 20, PART_OF_VIOLATORS = 4, MOST_ROUNDS_WITHOUT_PROGRESS = 5 };

// A series whose minimiser is not found yet.
struct open_series {
    size_t v;
    double b_max;    // max |b_j|
    bool stationary; // w is the minimiser on the columns that it uses; not so at the start
    double best;     // objective so far
    int rounds_without_progress;
};

struct state {
    const struct working_set_input *input;
    const struct lasso_form *form;
    size_t n_out;
    struct block *w;
    struct working_set_result *results;
    struct workspace *ws;
    struct gram_cache cache;
    struct open_series *open;
    size_t n_open;
    double *residuals;    // n_out x n_open: x - M w
    double *correlations; // n x n_open: M' (x - M w)
    size_t *chosen;       // a working set
    double *sizes;        // |c_j| of violators
};

static void set_residual(const struct state *s, size_t v, double *r)
{
    const double *w = block_series(s->w, v);
    memcpy(r, block_series(s->input->x, v), s->n_out * sizeof(double));
    for (size_t j = 0; j < s->form->n; j++)
        if (w[j] != 0.0)
            cblas_daxpy((int) s->n_out, -w[j], s->form->matrix + j * s->n_out, 1, r, 1);
}

static void look_at_all_columns(struct state *s)
{
    for (size_t i = 0; i < s->n_open; i++)
        set_residual(s, s->open[i].v, s->residuals + i * s->n_out);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int) s->form->n, (int) s->n_open,
                (int) s->n_out, 1.0, s->form->matrix, (int) s->n_out, s->residuals, (int) s->n_out,
                0.0, s->correlations, (int) s->form->n);
}

// What the correlations of a series say about its point.
struct view {
    const double *c;
    double worst;     // max |c_j|
    double tolerance; // |c_j| above it violates
    double objective;
};

static double largest(const double *c, size_t n)
{
    double worst = 0.0;
    for (size_t k = 0; k < n; k++)
        worst = fabs(c[k]) > worst ? fabs(c[k]) : worst;
    return worst;
}

static struct view view_of(const struct state *s, size_t i)
{
    const struct lasso_form *form = s->form;
    size_t v = s->open[i].v;
    double lambda = s->input->lambda[v];
    const double *w = block_series(s->w, v);
    const double *r = s->residuals + i * s->n_out;
    double penalty = 0.0, rounding = s->open[i].b_max;
    for (size_t j = 0; j < form->n; j++)
        if (w[j] != 0.0) {
            penalty += fabs(w[j]);
            rounding += fabs(w[j]) * form->norm2[j];
        }
    const double *c = s->correlations + i * form->n;
    double rr = cblas_ddot((int) s->n_out, r, 1, r, 1);
    return (struct view){.c = c,
                         .worst = largest(c, form->n),
                         .tolerance = lambda * (1.0 + SLACK) + 4.0 * DBL_EPSILON * rounding,
                         .objective = 0.5 * rr + lambda * penalty};
}

// The k-th largest of n values, k < n, by quickselect; they are reordered.
static double kth_largest(double *values, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] > pivot)
                i++;
            while (values[j] < pivot)
                j--;
            if (i >= j)
                break;
            double other = values[i];
            values[i++] = values[j];
            values[j--] = other;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[k];
}

// The columns that w uses, then the worst of those that violate: few, since neighbours violate
// together and one of them is enough.
static size_t choose_working_set(struct state *s, size_t i, const struct view *view)
{
    const double *w = block_series(s->w, s->open[i].v);
    size_t n_chosen = 0, n_violators = 0;
    for (size_t j = 0; j < s->form->n; j++)
        if (w[j] != 0.0)
            s->chosen[n_chosen++] = j;
        else if (fabs(view->c[j]) > view->tolerance)
            s->sizes[n_violators++] = fabs(view->c[j]);
    size_t wanted = MIN(n_violators, FEW_VIOLATORS + n_chosen / PART_OF_VIOLATORS);
    if (wanted == 0)
        return n_chosen;
    double bar = kth_largest(s->sizes, n_violators, wanted - 1);
    for (size_t j = 0; j < s->form->n && wanted > 0; j++)
        if (w[j] == 0.0 && fabs(view->c[j]) >= bar) {
            s->chosen[n_chosen++] = j;
            wanted--;
        }
    return n_chosen;
}

// The minimiser on a working set takes the place of w.
static void solve_on(struct state *s, size_t v, size_t n_chosen)
{
    gram_cache_hold(&s->cache, s->chosen, n_chosen);
    size_t mark = workspace_mark(s->ws);
    size_t ld = triangle_padded(n_chosen);
    double *values = WORKSPACE_ALLOC(s->ws, double, ld *n_chosen);
    double *b = WORKSPACE_ALLOC(s->ws, double, ld);
    double *w = WORKSPACE_ALLOC(s->ws, double, n_chosen);
    double *w_all = block_series(s->w, v);
    gram_cache_copy(&s->cache, s->chosen, n_chosen, values);
    memset(b, 0, ld * sizeof(double));
    for (size_t k = 0; k < n_chosen; k++) {
        b[k] = block_series(s->input->b, v)[s->chosen[k]];
        w[k] = w_all[s->chosen[k]];
    }
    struct gram gram = {.n = n_chosen,
                        .ld = ld,
                        .rank = MIN(n_chosen, s->n_out),
                        .values = values,
                        .kernels = s->form->kernels};
    struct gram_lasso lasso = {.gram = &gram, .b = b, .lambda = s->input->lambda[v]};
    struct gram_active_set_result found = gram_active_set_solve(&lasso, w, s->ws);
    for (size_t k = 0; k < n_chosen; k++)
        w_all[s->chosen[k]] = w[k];
    s->results[v].n_solves += found.n_solves;
    workspace_release(s->ws, mark);
}

// One round of one series; true if it stays open.
static bool improve(struct state *s, size_t i)
{
    struct open_series *open = &s->open[i];
    struct view view = view_of(s, i);
    if (view.worst <= view.tolerance && open->stationary) {
        s->results[open->v].finished = true;
        return false;
    }
    bool fell = view.objective < open->best;
    open->rounds_without_progress = fell ? 0 : open->rounds_without_progress + 1;
    open->best = fell ? view.objective : open->best;
    if (open->rounds_without_progress > MOST_ROUNDS_WITHOUT_PROGRESS)
        return false;
    solve_on(s, open->v, choose_working_set(s, i, &view));
    open->stationary = true;
    return true;
}

static void next_round(struct state *s)
{
    size_t n_still_open = 0;
    for (size_t i = 0; i < s->n_open; i++)
        if (improve(s, i))
            s->open[n_still_open++] = s->open[i];
    s->n_open = n_still_open;
}

static struct state begin(const struct working_set_input *input, struct block *w,
                          struct working_set_result *results, struct workspace *ws)
{
    const struct lasso_form *form = input->form;
    size_t n = form->n, n_series = input->x->n_series;
    size_t n_out = form->problem->op->n_out;
    return (struct state){.input = input,
                          .form = form,
                          .n_out = n_out,
                          .w = w,
                          .results = results,
                          .ws = ws,
                          .cache = gram_cache_begin(form->matrix, n_out, n, ws),
                          .open = WORKSPACE_ALLOC(ws, struct open_series, n_series),
                          .residuals = WORKSPACE_ALLOC(ws, double, n_out *n_series),
                          .correlations = WORKSPACE_ALLOC(ws, double, n *n_series),
                          .chosen = WORKSPACE_ALLOC(ws, size_t, n),
                          .sizes = WORKSPACE_ALLOC(ws, double, n)};
}

void working_set_solve(const struct working_set_input *input, struct block *w,
                       struct working_set_result *results, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct state s = begin(input, w, results, ws);
    for (size_t v = 0; v < input->x->n_series; v++) {
        results[v] = (struct working_set_result){0};
        s.open[s.n_open++] =
            (struct open_series){.v = v,
                                 .stationary = largest(block_series(w, v), input->form->n) == 0.0,
                                 .b_max = largest(block_series(input->b, v), input->form->n),
                                 .best = INFINITY};
    }
    while (s.n_open > 0) {
        look_at_all_columns(&s);
        next_round(&s);
    }
    workspace_release(ws, mark);
}
