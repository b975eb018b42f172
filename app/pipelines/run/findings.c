// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/findings.h"

#include "solvers/median.h"

#include <math.h>
#include <string.h>

struct findings_options findings_options_default(void)
{
    return (struct findings_options){
        .null = null_options_default(), .alpha_voxel = 0.001, .alpha_jump = 0.05};
}

static void free_jumps(GArray *jumps)
{
    if (jumps != NULL)
        g_array_unref(jumps);
}

struct findings *findings_new(const struct findings_options *options, const struct noise_fit *fit,
                              const linop *op, size_t n_series, size_t n_items)
{
    struct findings *f = g_new0(struct findings, 1);
    f->options = *options;
    f->n_series = n_series;
    f->n_items = n_items;
    f->fit = fit;
    f->levels = debias_new(op);
    f->sigma = g_new0(float, n_series);
    f->ar = g_new0(float, n_series);
    f->p = g_new0(float, n_series);
    f->q = g_new0(float, n_series);
    f->base = g_new0(float, n_series);
    f->of_item = g_new0(GArray *, n_items);
    f->first_jump = g_new0(size_t, n_series + 1);
    for (size_t v = 0; v < n_series; v++)
        f->p[v] = f->q[v] = 1.0F;
    return f;
}

void findings_free(struct findings *f)
{
    if (f == NULL)
        return;
    null_free(f->null);
    noise_prior_free(f->prior);
    debias_free(f->levels);
    for (size_t i = 0; i < f->n_items; i++)
        free_jumps(f->of_item[i]);
    g_free(f->sigma);
    g_free(f->ar);
    g_free(f->p);
    g_free(f->q);
    g_free(f->base);
    g_free(f->of_item);
    g_free(f->first_jump);
    g_free(f->jumps);
    g_free(f);
}

bool findings_learn(struct findings *f, const float *likelihoods, size_t n,
                    const struct null_source *source, struct parallel *team)
{
    f->prior = noise_prior_new(f->fit, likelihoods, n);
    struct null_source whole = *source;
    whole.prior = f->prior;
    f->null = null_new(&whole, &f->options.null, team);
    return f->null != NULL;
}

void findings_estimate(struct findings *f, const struct findings_item *item, struct workspace *ws)
{
    size_t mark = workspace_mark(ws), n = item->x->n_series;
    struct noise_estimate *noise = WORKSPACE_ALLOC(ws, struct noise_estimate, n);
    noise_prior_estimate(f->prior, item->x, noise, ws);
    for (size_t v = 0; v < n; v++) {
        f->sigma[item->first + v] = (float) noise[v].sigma;
        f->ar[item->first + v] = (float) noise[v].ar;
    }
    workspace_release(ws, mark);
}

static struct noise_estimate noise_of(const struct findings *f, size_t series)
{
    return (struct noise_estimate){(double) f->sigma[series], (double) f->ar[series]};
}

double findings_lambda(const struct findings *f, double factor, size_t series)
{
    struct noise_estimate noise = noise_of(f, series);
    return factor / f->options.null.lambda_factor * null_lambda(f->null, &noise);
}

/** Some series of an item, solved at the lambda of their noise. */
struct looked {
    size_t first; // series of the run
    struct block x;
    struct block u;
    struct jump *jumps; // room of one series
    double *p;
    GArray *found; // of the item; borrowed
};

// The levels between the jumps of a series, by least squares; changes of one unit mark them.
static void refit(struct findings *f, struct looked *looked, size_t v, size_t n_jumps,
                  struct workspace *ws)
{
    double *u = block_series(&looked->u, v), level = 0.0;
    size_t n = looked->u.n_time, next = 0, series = looked->first + v;
    for (size_t t = 0; t < n; t++) {
        if (next < n_jumps && t == jumps_sample(&looked->jumps[next], n)) {
            level += 1.0;
            next++;
        }
        u[t] = level;
    }
    struct block x = block_slice(&looked->x, v, 1), own = block_slice(&looked->u, v, 1);
    debias_apply(f->levels, &x, &own, &own, ws);
    f->base[series] = (float) u[0];
    for (size_t i = 0; i < n_jumps; i++) {
        size_t frame = jumps_sample(&looked->jumps[i], n);
        struct found_jump jump = {series, frame, looked->jumps[i].place, u[frame] - u[frame - 1],
                                  null_z(looked->p[i])};
        g_array_append_val(looked->found, jump);
    }
}

static void look_at_series(struct findings *f, struct looked *looked, size_t v, double lambda_max,
                           struct workspace *ws)
{
    size_t series = looked->first + v;
    struct noise_estimate noise = noise_of(f, series);
    double p = null_p_largest(f->null, &noise, lambda_max);
    f->p[series] = (float) p;
    if (!(p <= NULL_SCREEN))
        return;
    double lambda = null_lambda(f->null, &noise);
    struct block x = block_slice(&looked->x, v, 1), u = block_slice(&looked->u, v, 1);
    struct solve_input input = {.x = &x, .lambda = &lambda};
    struct series_result result;
    solver_run(null_solver(f->null), &input, &u, &result, ws);
    size_t n_jumps = null_jumps(f->null, &noise, f->options.alpha_jump, u.data, u.n_time,
                                looked->jumps, looked->p);
    if (n_jumps > 0)
        refit(f, looked, v, n_jumps, ws);
}

static void look_at_block(struct findings *f, const struct findings_item *item, size_t first,
                          GArray *found, struct workspace *ws)
{
    size_t mark = workspace_mark(ws), n_in = null_solver(f->null)->problem->op->n_in;
    size_t count = MIN((size_t) BLOCK_SERIES, item->x->n_series - first);
    struct looked looked = {.first = item->first + first,
                            .x = block_slice(item->x, first, count),
                            .u = {n_in, count, n_in, WORKSPACE_ALLOC(ws, double, n_in *count)},
                            .jumps = WORKSPACE_ALLOC(ws, struct jump, n_in),
                            .p = WORKSPACE_ALLOC(ws, double, n_in),
                            .found = found};
    for (size_t v = 0; v < count; v++) {
        const struct series_result *result = &item->results[first + v];
        if (item->state[first + v] == SERIES_SOLVED && result->status != SERIES_CONSTANT)
            look_at_series(f, &looked, v, result->lambda_max, ws);
    }
    workspace_release(ws, mark);
}

void findings_look(struct findings *f, const struct findings_item *item, struct workspace *ws)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(struct found_jump));
    f->of_item[item->index] = found;
    for (size_t first = 0; first < item->x->n_series; first += BLOCK_SERIES)
        look_at_block(f, item, first, found, ws);
}

static void join_jumps(struct findings *f)
{
    for (size_t i = 0; i < f->n_items; i++)
        f->n_jumps += f->of_item[i] == NULL ? 0 : f->of_item[i]->len;
    f->jumps = g_new(struct found_jump, f->n_jumps);
    size_t n = 0;
    for (size_t i = 0; i < f->n_items; i++) {
        guint len = f->of_item[i] == NULL ? 0 : f->of_item[i]->len;
        for (guint j = 0; j < len; j++) {
            f->jumps[n] = g_array_index(f->of_item[i], struct found_jump, j);
            f->first_jump[f->jumps[n++].series + 1]++;
        }
        free_jumps(g_steal_pointer(&f->of_item[i]));
    }
    for (size_t v = 0; v < f->n_series; v++)
        f->first_jump[v + 1] += f->first_jump[v];
}

// Over the series that have noise.
static double median_where_noise(const struct findings *f, const float *values)
{
    g_autofree double *own = g_new(double, MAX(f->n_series, 1));
    size_t n = 0;
    for (size_t v = 0; v < f->n_series; v++)
        if (f->sigma[v] > 0.0F)
            own[n++] = (double) values[v];
    return n == 0 ? 0.0 : median(own, n);
}

void findings_join(struct findings *f)
{
    g_autofree double *p = g_new(double, MAX(f->n_series, 1));
    g_autofree double *q = g_new(double, MAX(f->n_series, 1));
    for (size_t v = 0; v < f->n_series; v++) {
        p[v] = f->sigma[v] > 0.0F ? (double) f->p[v] : NAN;
        f->n_voxels += p[v] <= f->options.alpha_voxel;
    }
    null_false_discovery(p, f->n_series, q);
    for (size_t v = 0; v < f->n_series; v++)
        f->q[v] = isnan(q[v]) ? 1.0F : (float) q[v];
    join_jumps(f);
    f->sigma_median = median_where_noise(f, f->sigma);
    f->ar_median = median_where_noise(f, f->ar);
}

double findings_significant(const struct findings *f, size_t frame, size_t series)
{
    size_t begin = f->first_jump[series], end = f->first_jump[series + 1];
    double level = begin < end ? (double) f->base[series] : 0.0;
    for (size_t i = begin; i < end && f->jumps[i].frame <= frame; i++)
        level += f->jumps[i].size;
    return level;
}

double findings_innovation(const struct findings *f, size_t frame, size_t series)
{
    for (size_t i = f->first_jump[series]; i < f->first_jump[series + 1]; i++)
        if (f->jumps[i].frame == frame)
            return f->jumps[i].size;
    return 0.0;
}
