// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_doubts.h"

#include "deconv/debias.h"
#include "solvers/cpu_clock.h"
#include "solvers/median.h"

#include <math.h>
#include <string.h>

/** Series [first, first + count) of the run, in the hands of one thread. */
struct item {
    size_t index;
    size_t first;
    size_t count;
    struct block raw;                          // n_read x count, cleaned in place
    struct block x;                            // of these, the n_time frames to deconvolve
    enum series_status state[RUN_ITEM_SERIES]; // of the raw series; SERIES_SOLVED: to be solved
};

/** A pass over all items. */
struct pass {
    struct run *run;
    struct recording samples;  // borrows all; the memory of the samples is run->activity's
    struct run_lambda lambda;  // of all series, unless there is a rule for each
    double *lambda_max;        // one an item: the largest of its series
    double *cpu_seconds;       // one an item: of the solver
    struct run_doubts *doubts; // of the pass that solves; NULL in others
    size_t *n_off_centre;      // one an item
    double *sums;              // n_time an item, of its series that were solved
    size_t *n_summed;          // of them, one an item
    float *likelihoods;        // of the noise of the series that it is learned from
    size_t *n_likely;          // of them, in each part of the run
    atomic_size_t n_done;      // items
    size_t n_items;            //
    double fraction_before;    // of the stage, before this pass
    double fraction;           // of the stage, that this pass is
};

static size_t count_items(const struct run *run)
{
    return (run->n_series + RUN_ITEM_SERIES - 1) / RUN_ITEM_SERIES;
}

// A series begins on a cache line, and not at a power of two from the one before.
static size_t padded(size_t n_time)
{
    return (n_time + 7) / 8 * 8 + 8;
}

static void gather(const struct pass *pass, struct item *item, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    double *frame = WORKSPACE_ALLOC(ws, double, item->count);
    for (size_t t = 0; t < pass->run->plan->n_read; t++) {
        recording_values(&pass->samples, t, item->first, item->count, frame);
        for (size_t v = 0; v < item->count; v++)
            item->raw.data[v * item->raw.stride + t] = frame[v];
    }
    workspace_release(ws, mark);
}

// The mean of each series as it was recorded, over the frames that count.
static void take_means(const struct run *run, const struct item *item)
{
    const struct confounds *confounds = run->plan->confounds;
    const bool *censored = confounds == NULL ? NULL : confounds->censored;
    for (size_t v = 0; v < item->count; v++) {
        const double *y = block_series(&item->raw, v);
        double sum = 0.0, n = 0.0;
        for (size_t t = 0; t < item->raw.n_time; t++) {
            bool counts = censored == NULL || !censored[t];
            sum += counts ? y[t] : 0.0;
            n += counts ? 1.0 : 0.0;
        }
        run->mean[item->first + v] = (float) (sum / fmax(n, 1.0));
    }
}

// What cannot be cleaned becomes zero, so that the rest of the block can.
static void classify(const struct pass *pass, struct item *item)
{
    bool is_percent = pass->run->plan->options->clean.standardize == STANDARDIZE_PSC;
    struct run_doubts *doubts = pass->doubts;
    for (size_t v = 0; v < item->count; v++) {
        double *y = block_series(&item->raw, v);
        item->state[v] = series_classify(y, item->raw.n_time);
        if (doubts != NULL && item->state[v] == SERIES_NONFINITE)
            run_doubts_note_nonfinite(doubts, y);
        if (is_percent && item->state[v] == SERIES_SOLVED && run_lacks_base(y, item->raw.n_time)) {
            item->state[v] = SERIES_CONSTANT;
            if (doubts != NULL)
                atomic_fetch_add(&doubts->n_baseless, 1);
        }
        if (item->state[v] != SERIES_SOLVED)
            memset(y, 0, item->raw.n_time * sizeof *y);
    }
}

// Fills an item whose memory is taken from ws until the caller's release.
static void item_begin_at(const struct pass *pass, size_t first, size_t count, struct item *item,
                          struct workspace *ws)
{
    const struct run *run = pass->run;
    item->index = first / RUN_ITEM_SERIES;
    item->first = first;
    item->count = count;
    size_t stride = padded(run->plan->n_read);
    item->raw = (struct block){run->plan->n_read, item->count, stride,
                               WORKSPACE_ALLOC(ws, double, stride * item->count)};
    gather(pass, item, ws);
    take_means(run, item);
    classify(pass, item);
    if (run->plan->joined != NULL)
        run_joined_clean(run->plan->joined, &item->raw, ws);
    else
        clean_apply(run->plan->clean, &item->raw, ws);
    item->x = item->raw;
    item->x.n_time = run->plan->n_time;
    item->x.data += run->plan->first;
}

static void item_begin(const struct pass *pass, size_t index, struct item *item,
                       struct workspace *ws)
{
    size_t first = index * RUN_ITEM_SERIES;
    item_begin_at(pass, first, MIN(RUN_ITEM_SERIES, pass->run->n_series - first), item, ws);
}

static void item_end(struct pass *pass)
{
    size_t done = atomic_fetch_add(&pass->n_done, 1) + 1;
    double share = (double) done / (double) pass->n_items;
    host_progress(pass->run->plan->host, pass->fraction_before + pass->fraction * share);
}

// By the rule, for each series of an item; series that were put to zero have none.
static void choose_lambda(const struct run *run, const struct item *item, struct workspace *ws)
{
    double given[RUN_ITEM_SERIES], factor = run->plan->options->noise_factor;
    const double *map = run->plan->lambda_map;
    for (size_t v = 0; v < item->count && run->plan->options->rule == LAMBDA_MAP; v++)
        given[v] = map == NULL ? findings_lambda(run->findings, factor, item->first + v)
                               : map[run->recording->voxel[item->first + v]];
    lambda_rule_apply(run->plan->rule, &item->x,
                      run->plan->options->rule == LAMBDA_MAP ? given : NULL,
                      run->choices + item->first, ws);
    for (size_t v = 0; v < item->count && factor > 0.0; v++)
        run->choices[item->first + v].sigma = (double) run->findings->sigma[item->first + v];
}

static struct findings_item findings_item_of(const struct run *run, const struct item *item)
{
    return (struct findings_item){item->index, item->first, &item->x, item->state,
                                  run->results + item->first};
}

static void estimate_noise(const struct run *run, const struct item *item, struct workspace *ws)
{
    struct findings_item looked = findings_item_of(run, item);
    if (run->findings != NULL)
        findings_estimate(run->findings, &looked, ws);
}

static double largest_lambda_max(const struct run *run, const struct item *item,
                                 struct workspace *ws)
{
    const struct run_joined *joined = run->plan->joined;
    double largest = 0.0;
    for (size_t v = 0; v < item->count; v++) {
        const double *x = block_series(&item->x, v);
        if (item->state[v] == SERIES_SOLVED)
            largest = MAX(largest, joined != NULL
                                       ? run_joined_lambda_max(joined, x, ws)
                                       : problem_lambda_max(run_plan_solved(run->plan), x, ws));
    }
    return largest;
}

// Run scope: what one lambda for all is made of.
static void look_at_item(void *data, size_t index, struct workspace *ws)
{
    struct pass *pass = data;
    const struct run *run = pass->run;
    size_t mark = workspace_mark(ws);
    struct item item;
    item_begin(pass, index, &item, ws);
    double begin_s = cpu_clock_s();
    estimate_noise(run, &item, ws);
    if (run->plan->rule != NULL)
        choose_lambda(run, &item, ws);
    else
        pass->lambda_max[index] = largest_lambda_max(run, &item, ws);
    pass->cpu_seconds[index] += cpu_clock_s() - begin_s;
    workspace_release(ws, mark);
    item_end(pass);
}

// The results of series that were not fit to be solved say so, and their activity is zero.
static void settle(const struct item *item, size_t v, struct series_result *result, double *u,
                   size_t n)
{
    if (item->state[v] == SERIES_NONFINITE)
        *result = (struct series_result){.status = SERIES_NONFINITE};
    else if (item->state[v] == SERIES_CONSTANT || result->status == SERIES_CONSTANT)
        *result = (struct series_result){.status = SERIES_CONSTANT};
    else
        return;
    memset(u, 0, n * sizeof *u);
}

// Of what is left when the level is taken out; spikes are kept apart too.
static void solve_mixture(const struct run *run, const struct solve_input *input, struct block *u,
                          struct series_result *results, struct workspace *ws)
{
    const struct run_plan *plan = run->plan;
    const struct block *x = input->x;
    size_t mark = workspace_mark(ws), n = run_plan_solved(plan)->op->n_in;
    struct block projected = {x->n_time, x->n_series, x->n_time,
                              WORKSPACE_ALLOC(ws, double, x->n_time * x->n_series)};
    struct block z = {n, x->n_series, n, WORKSPACE_ALLOC(ws, double, n * x->n_series)};
    double *spikes = WORKSPACE_ALLOC(ws, double, u->n_time);
    for (size_t v = 0; v < x->n_series; v++)
        problem_project(plan->problem, block_series(x, v), block_series(&projected, v));
    struct solve_input own = *input;
    own.x = &projected;
    solver_run(plan->solver, &own, &z, results, ws);
    for (size_t v = 0; v < x->n_series; v++) {
        mixture_expand(plan->mixture, block_series(x, v), block_series(&z, v), block_series(u, v),
                       spikes);
        for (size_t t = 0; t < u->n_time; t++)
            run->spikes[t * run->n_series + input->first_series + v] = (float) spikes[t];
    }
    workspace_release(ws, mark);
}

static void solve_blocks(const struct pass *pass, const struct item *item, struct block *u,
                         struct series_result *results, struct workspace *ws)
{
    const struct run *run = pass->run;
    bool own = run->plan->rule != NULL && !run->plan->one_lambda;
    double lambda[BLOCK_SERIES];
    if (own)
        choose_lambda(run, item, ws);
    // A slow method may take seconds over a block: do not finish the item for a run that is
    // stopped.
    for (size_t first = 0; first < item->count && !atomic_load(run->plan->host->stop);
         first += BLOCK_SERIES) {
        size_t count = MIN((size_t) BLOCK_SERIES, item->count - first);
        struct block x = block_slice(&item->x, first, count);
        struct block part = block_slice(u, first, count);
        for (size_t v = 0; v < count; v++)
            lambda[v] = own ? run->choices[item->first + first + v].lambda : pass->lambda.value;
        struct solve_input input = {.x = &x,
                                    .lambda = lambda,
                                    .lambda_is_ratio = pass->lambda.is_ratio,
                                    .first_series = item->first + first};
        if (run->plan->joined != NULL)
            run_joined_solve(run->plan->joined, &input, &part, results + first, ws);
        else if (run->plan->mixture != NULL)
            solve_mixture(run, &input, &part, results + first, ws);
        else
            solver_run(run->plan->solver, &input, &part, results + first, ws);
    }
    for (size_t v = 0; v < item->count; v++)
        settle(item, v, &results[v], block_series(u, v), u->n_time);
}

// Activity takes the place of the samples that it came from: see run_solve.
static void store_activity(struct run_series *activity, const struct item *item,
                           const struct block *u)
{
    for (size_t t = 0; t < u->n_time; t++)
        for (size_t v = 0; v < item->count; v++) {
            size_t at = t * activity->n_series + item->first + v;
            double value = u->data[v * u->stride + t];
            if (activity->type == SAMPLE_FLOAT)
                activity->values.f[at] = (float) value;
            else
                activity->values.d[at] = value;
        }
}

static void store_debiased(const struct run *run, const struct item *item, const struct block *u,
                           struct workspace *ws)
{
    if (run->debiased == NULL)
        return;
    size_t mark = workspace_mark(ws);
    struct block levels = *u;
    levels.data = WORKSPACE_ALLOC(ws, double, u->stride * item->count);
    debias_apply(run->plan->levels, &item->x, u, &levels, ws);
    for (size_t t = 0; t < u->n_time; t++)
        for (size_t v = 0; v < item->count; v++)
            run->debiased[t * run->n_series + item->first + v] =
                (float) levels.data[v * levels.stride + t];
    workspace_release(ws, mark);
}

static void store_fit(const struct run *run, const struct item *item, const struct block *u,
                      struct workspace *ws)
{
    if (run->fitted == NULL && run->residual == NULL)
        return;
    size_t mark = workspace_mark(ws);
    struct block fit = {run->plan->n_time, item->count, padded(run->plan->n_time),
                        WORKSPACE_ALLOC(ws, double, padded(run->plan->n_time) * item->count)};
    linop_apply(run->plan->op, u, &fit, ws);
    const bool *censored = run_plan_censored(run->plan);
    for (size_t t = 0; t < run->plan->n_time; t++)
        for (size_t v = 0; v < item->count; v++) {
            size_t at = t * run->n_series + item->first + v;
            double value = fit.data[v * fit.stride + t], x = item->x.data[v * item->x.stride + t];
            bool unseen = censored != NULL && censored[t]; // nothing is to be explained there
            if (run->fitted != NULL)
                run->fitted[at] = (float) value;
            if (run->residual != NULL)
                run->residual[at] = (float) (unseen ? 0.0 : x - value);
        }
    workspace_release(ws, mark);
}

static bool has_solution(const struct run *run, size_t series)
{
    enum series_status status = run->results[series].status;
    return status == SERIES_SOLVED || status == SERIES_INACCURATE;
}

static double trace_value(const struct run *run, size_t series, enum run_trace_kind kind)
{
    if (kind == RUN_TRACE_GAP)
        return run->results[series].relative_gap;
    return run->swings[series] == SWINGS_NONE ? (double) run->explained[series] : -INFINITY;
}

// Which series of an item is kept in a slot of it; its count: none.
static size_t choose_trace(const struct run *run, const struct item *item, size_t kind)
{
    size_t best = item->count;
    double largest = -INFINITY;
    if (kind >= RUN_TRACE_SPREAD) {
        size_t v = (kind - RUN_TRACE_SPREAD) * item->count / (run->n_kept - RUN_TRACE_SPREAD);
        return has_solution(run, item->first + v) ? v : item->count;
    }
    for (size_t v = 0; v < item->count; v++) {
        double value = trace_value(run, item->first + v, (enum run_trace_kind) kind);
        if (has_solution(run, item->first + v) && value > largest) {
            largest = value;
            best = v;
        }
    }
    return best;
}

static void keep_traces(struct run *run, const struct item *item)
{
    for (size_t kind = 0; kind < run->n_kept; kind++) {
        size_t best = choose_trace(run, item, kind);
        if (best == item->count)
            continue;
        size_t slot = item->index * run->n_kept + kind;
        run->traces[slot] = (struct run_trace){item->first + best, true};
        const double *x = block_series(&item->x, best);
        for (size_t t = 0; t < run->plan->n_time; t++)
            run->trace_x[slot * run->plan->n_time + t] = (float) x[t];
    }
}

// The sum of the series of an item that were to be solved, frame by frame.
static void sum_series(const struct pass *pass, const struct item *item)
{
    double *sums = pass->sums + item->index * item->x.n_time;
    for (size_t v = 0; v < item->count; v++) {
        if (item->state[v] != SERIES_SOLVED)
            continue;
        const double *x = block_series(&item->x, v);
        for (size_t t = 0; t < item->x.n_time; t++)
            sums[t] += x[t];
        pass->n_summed[item->index]++;
    }
}

static size_t count_off_centre(const struct item *item)
{
    size_t count = 0;
    for (size_t v = 0; v < item->count; v++)
        count += series_is_off_centre(block_series(&item->x, v), item->x.n_time);
    return count;
}

// How much of a series its response explains, by the objective that was certified, how much its
// activity varies, and where.
static void describe_fit(const struct run *run, const struct item *item, const struct block *u,
                         struct workspace *ws)
{
    size_t edge = swings_edge(u->n_time, run->plan->tr_s);
    for (size_t v = 0; v < item->count; v++) {
        const struct series_result *result = &run->results[item->first + v];
        bool fitted = result->status == SERIES_SOLVED || result->status == SERIES_INACCURATE;
        const double *x = block_series(&item->x, v), *own = block_series(u, v);
        double sum2 = 0.0, mean = 0.0, variance = 0.0, n = (double) u->n_time;
        for (size_t t = 0; t < item->x.n_time; t++)
            sum2 += x[t] * x[t];
        for (size_t t = 0; t < u->n_time; t++)
            mean += own[t] / n;
        for (size_t t = 0; t < u->n_time; t++)
            variance += (own[t] - mean) * (own[t] - mean) / n;
        double penalty = run->plan->joined != NULL ? run_joined_penalty(run->plan->joined, own)
                                                   : problem_penalty(run->plan->problem, own);
        double rss = run->plan->mixture != NULL
                         ? 2.0 * problem_objective(run->plan->problem, x, own, 0.0, ws)
                         : 2.0 * (result->objective - result->lambda * penalty);
        double explained = fitted && sum2 > 0.0 ? 1.0 - rss / sum2 : 0.0;
        struct swings swings = swings_measure(own, u->n_time, edge, x, item->x.n_time);
        run->explained[item->first + v] = (float) fmin(fmax(explained, 0.0), 1.0);
        run->deviation[item->first + v] = (float) sqrt(variance);
        run->swings[item->first + v] = (uint8_t) swings_kind_of(&swings, u->n_time, edge);
    }
}

static void solve_item(void *data, size_t index, struct workspace *ws)
{
    struct pass *pass = data;
    struct run *run = pass->run;
    size_t mark = workspace_mark(ws);
    struct item item;
    item_begin(pass, index, &item, ws);
    size_t n = run->plan->op->n_in;
    struct block u = {n, item.count, padded(n),
                      WORKSPACE_ALLOC(ws, double, padded(n) * item.count)};
    struct series_result *results = run->results + item.first;
    double begin_s = cpu_clock_s();
    estimate_noise(run, &item, ws);
    solve_blocks(pass, &item, &u, results, ws);
    pass->cpu_seconds[index] += cpu_clock_s() - begin_s;
    struct findings_item looked = findings_item_of(run, &item);
    if (run->findings != NULL && run->plan->options->finds)
        findings_look(run->findings, &looked, ws);
    describe_fit(run, &item, &u, ws);
    if (!run_plan_centres(run->plan))
        pass->n_off_centre[index] = count_off_centre(&item);
    store_fit(run, &item, &u, ws);
    store_debiased(run, &item, &u, ws);
    keep_traces(run, &item);
    sum_series(pass, &item);
    for (size_t v = 0; v < item.count; v++)
        run_doubts_note_largest(pass->doubts, item.first + v, block_series(&item.x, v),
                                item.x.n_time);
    store_activity(&run->activity, &item, &u);
    workspace_release(ws, mark);
    item_end(pass);
}

static bool run_pass(struct pass *pass, parallel_body *body, GError **error)
{
    const struct host *host = pass->run->plan->host;
    if (parallel_for(host->team, pass->n_items, body, pass) && !atomic_load(host->stop))
        return true;
    host_stopped(host, error);
    return false;
}

// The one lambda of all series, from a pass over them.
static bool find_one_lambda(struct pass *pass, GError **error)
{
    struct run *run = pass->run;
    const struct lambda_rule *rule = run->plan->rule;
    pass->fraction = 0.25;
    if (!run_pass(pass, look_at_item, error))
        return false;
    double largest = 0.0;
    for (size_t i = 0; i < pass->n_items; i++)
        largest = MAX(largest, pass->lambda_max[i]);
    double value = rule == NULL ? run->plan->options->lambda * largest
                                : lambda_rule_share(rule, run->choices, run->n_series);
    pass->lambda = (struct run_lambda){value, false};
    pass->fraction_before = pass->fraction;
    pass->fraction = 1.0 - pass->fraction_before;
    atomic_store(&pass->n_done, 0);
    return true;
}

static bool make_room(struct run *run, GError **error)
{
    run->n_kept = run_n_kept(run->n_series);
    size_t n_slots = count_items(run) * run->n_kept;
    unsigned images = run->plan->options->images;
    size_t n_samples = run->plan->n_time * run->n_series; // checked against the memory limit
    const struct {
        void **memory;
        size_t n;
        size_t size;
        bool wanted;
    } rooms[] = {
        {(void **) &run->results, run->n_series, sizeof *run->results, true},
        {(void **) &run->explained, run->n_series, sizeof *run->explained, true},
        {(void **) &run->deviation, run->n_series, sizeof *run->deviation, true},
        {(void **) &run->mean, run->n_series, sizeof *run->mean, true},
        {(void **) &run->swings, run->n_series, sizeof *run->swings, true},
        {(void **) &run->global, run->plan->n_time, sizeof *run->global, true},
        {(void **) &run->traces, n_slots, sizeof *run->traces, true},
        {(void **) &run->trace_x, n_slots * run->plan->n_time, sizeof *run->trace_x, true},
        {(void **) &run->choices, run->n_series, sizeof *run->choices, run->plan->rule != NULL},
        {(void **) &run->fitted, n_samples, sizeof *run->fitted, (images & RUN_FITTED) != 0},
        {(void **) &run->residual, n_samples, sizeof *run->residual, (images & RUN_RESIDUAL) != 0},
        {(void **) &run->debiased, run->plan->op->n_in * run->n_series, sizeof *run->debiased,
         (images & RUN_DEBIASED) != 0},
        {(void **) &run->spikes, run->plan->op->n_in * run->n_series, sizeof *run->spikes,
         (images & RUN_SPIKES) != 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rooms); i++) {
        if (!rooms[i].wanted)
            continue;
        *rooms[i].memory = g_try_malloc0_n(rooms[i].n, rooms[i].size);
        if (*rooms[i].memory != NULL)
            continue;
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory",
                    run->plan->options->bold);
        return false;
    }
    return true;
}

enum { NOISE_ITEMS = 16, NOISE_SERIES = BLOCK_SERIES }; // what the noise is learned from

// The likelihoods of the noise of some series; those of the others of the run will be like them.
static void look_at_noise(void *data, size_t index, struct workspace *ws)
{
    struct pass *pass = data;
    const struct run *run = pass->run;
    size_t mark = workspace_mark(ws), n_models = noise_fit_n_models();
    size_t first = index * run->n_series / NOISE_ITEMS;
    size_t end = MIN((index + 1) * run->n_series / NOISE_ITEMS, first + NOISE_SERIES);
    if (end == first)
        return;
    struct item item;
    item_begin_at(pass, first, end - first, &item, ws);
    float *likelihoods = pass->likelihoods + index * NOISE_SERIES * n_models;
    noise_fit_likelihoods(run->findings->fit, &item.x, likelihoods, ws);
    pass->n_likely[index] = item.count;
    workspace_release(ws, mark);
}

// Before any series is solved: what the noise of the run is, and what it alone would show.
static bool learn_noise(struct pass *pass, GError **error)
{
    struct run *run = pass->run;
    run_begin_findings(run, pass->n_items);
    if (run->findings == NULL)
        return true;
    size_t n_models = noise_fit_n_models(), n = 0;
    size_t n_likely[NOISE_ITEMS] = {0};
    g_autofree float *likelihoods = g_new(float, NOISE_ITEMS *NOISE_SERIES *n_models);
    pass->likelihoods = likelihoods;
    pass->n_likely = n_likely;
    bool done = parallel_for(run->plan->host->team, NOISE_ITEMS, look_at_noise, pass);
    for (size_t i = 0; i < NOISE_ITEMS; i++) {
        memmove(likelihoods + n * n_models, likelihoods + i * NOISE_SERIES * n_models,
                n_likely[i] * n_models * sizeof *likelihoods);
        n += n_likely[i];
    }
    pass->likelihoods = NULL;
    pass->n_likely = NULL;
    if (done)
        return run_learn_noise(run, likelihoods, n, error);
    host_stopped(run->plan->host, error);
    return false;
}

static void find_sigma(struct run *run)
{
    g_autofree double *sigma = g_new(double, run->n_series);
    size_t n = 0;
    for (size_t v = 0; v < run->n_series && run->plan->rule != NULL; v++)
        if (run->choices[v].lambda_max > 0.0 && isfinite(run->choices[v].sigma))
            sigma[n++] = run->choices[v].sigma;
    if (n > 0)
        run->sigma = median(sigma, n);
}

static void warn_of_means(struct run *run, const struct pass *pass)
{
    size_t count = 0;
    for (size_t i = 0; i < pass->n_items; i++)
        count += pass->n_off_centre[i];
    if (count > 0)
        run_warn(run,
                 "%s: %zu series have a mean above their standard deviation: the edges of their "
                 "activity are artefacts (--detrend or --standardize takes means out)",
                 run->plan->options->bold, count);
}

// In the order of the items, whoever took them.
static void find_global(struct run *run, const struct pass *pass)
{
    size_t n_time = run->plan->n_time, n = 0;
    for (size_t i = 0; i < pass->n_items; i++) {
        for (size_t t = 0; t < n_time; t++)
            run->global[t] += pass->sums[i * n_time + t];
        n += pass->n_summed[i];
    }
    for (size_t t = 0; t < n_time; t++)
        run->global[t] /= (double) MAX(n, 1);
}

// The results of the passes that are not one a series.
static void conclude(struct run *run, const struct pass *pass)
{
    for (size_t i = 0; i < pass->n_items; i++)
        run->solve_cpu_seconds += pass->cpu_seconds[i];
    run->lambda = pass->lambda;
    run->outcome = outcome_of(run->results, run->n_series);
    if (run->findings != NULL)
        findings_join(run->findings);
    find_sigma(run);
    find_global(run, pass);
    warn_of_means(run, pass);
}

static size_t count_finished(const struct run_plan *plan)
{
    return plan->network.n_finished == NULL ? 0 : atomic_load(plan->network.n_finished);
}

bool run_solve(struct run *run, GError **error)
{
    const struct run_plan *plan = run->plan;
    g_autoptr(owned_run_doubts) doubts = run_doubts_new(run, error);
    if (doubts == NULL || !make_room(run, error))
        return false;
    size_t n_items = count_items(run), n_finished = count_finished(plan);
    g_autofree double *lambda_max = g_new0(double, n_items);
    g_autofree double *cpu_seconds = g_new0(double, n_items);
    g_autofree size_t *n_off_centre = g_new0(size_t, n_items);
    g_autofree double *sums = g_new0(double, n_items * plan->n_time);
    g_autofree size_t *n_summed = g_new0(size_t, n_items);
    struct pass pass = {.run = run,
                        .samples = *run->recording,
                        .lambda = {plan->options->lambda, plan->options->rule == LAMBDA_RATIO},
                        .lambda_max = lambda_max,
                        .cpu_seconds = cpu_seconds,
                        .n_off_centre = n_off_centre,
                        .sums = sums,
                        .n_summed = n_summed,
                        .n_items = n_items,
                        .fraction = 1.0};
    run->activity = (struct run_series){.type = run->recording->type, .n_series = run->n_series};
    run->activity.values.any = g_steal_pointer(&run->recording->samples.any);
    host_progress_begin(plan->host, "solve");
    if (!learn_noise(&pass, error))
        return false;
    if (plan->one_lambda && !find_one_lambda(&pass, error))
        return false;
    pass.doubts = doubts;
    if (!run_pass(&pass, solve_item, error))
        return false;
    host_progress_end(plan->host);
    run->n_finished = count_finished(plan) - n_finished;
    conclude(run, &pass);
    return run_tell_doubts(run, doubts, error);
}
