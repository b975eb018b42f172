// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/null.h"

#include "solvers/random.h"
#include "solvers/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_CLASSES = 11,  // of autocorrelation: -0.2, -0.1, .. 0.8
    N_BURN = 50,        // samples of an autoregressive series before those that are used
    TAIL_PARTS = 10,    // the tail is a tenth of the draws
    RANDOM_NULL = 0x4e, // what the numbers are drawn for
};

static const double first_ar = -0.2, class_width = 0.1;

/** A sample of maxima, sorted, and the law beyond its largest. */
struct maxima {
    double *sorted;    // owned; n_draws
    double tail_from2; // square beyond which the law holds
    double tail_mean;  // of the squares' excess
    double tail_share; // of the draws
};

struct ar_class {
    double ar;
    struct maxima largest; // lambda_max over the scale of the noise
    struct maxima jump;    // the largest jump over the scale of the noise
    double *of_draw;       // owned; n_draws: the first, in the order of the draws
};

struct null {
    struct null_source source; // borrowed
    struct null_options options;
    struct solver *exact; // owned
    size_t n_classes;
    struct ar_class classes[MOST_CLASSES + 1]; // the last one is of white noise
    double white_median;                       // q50
    size_t n_seen;                             // jumps at this sample and after it do not count
};

struct null_options null_options_default(void)
{
    return (struct null_options){
        .n_draws = 2000, .seed = 1, .lambda_factor = 0.8, .has_tail = true};
}

static void free_maxima(struct maxima *maxima)
{
    g_free(maxima->sorted);
}

void null_free(struct null *null)
{
    if (null == NULL)
        return;
    for (size_t i = 0; i <= null->n_classes; i++) {
        free_maxima(&null->classes[i].largest);
        free_maxima(&null->classes[i].jump);
        g_free(null->classes[i].of_draw);
    }
    solver_free(null->exact);
    g_free(null);
}

/* Distributions */

// How many of the sorted values are at least `value`.
static size_t count_from(const double *sorted, size_t n, double value)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return n - low;
}

static double p_of(const struct null *null, const struct maxima *maxima, double value)
{
    if (null->options.has_tail && maxima->tail_mean > 0.0 && value * value > maxima->tail_from2)
        return maxima->tail_share * exp((maxima->tail_from2 - value * value) / maxima->tail_mean);
    size_t n = null->options.n_draws;
    return (double) (1 + count_from(maxima->sorted, n, value)) / (double) (1 + n);
}

/* Draws */

// Stationary noise of variance 1.
static void draw_series(const struct null *null, const struct ar_class *class, size_t draw,
                        double *y, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    size_t n = null->source.n_read + N_BURN;
    double *normal = WORKSPACE_ALLOC(ws, double, n);
    uint64_t purpose = RANDOM_NULL + ((uint64_t) lround(100.0 * (class->ar + 1.0)) << 8);
    struct random_stream stream = random_stream_of(null->options.seed, purpose, draw);
    random_normal(&stream, normal, n);
    double value = normal[0], innovation = sqrt(1.0 - class->ar * class->ar);
    for (size_t t = 1; t < n; t++) {
        value = class->ar * value + innovation * normal[t];
        if (t >= N_BURN)
            y[t - N_BURN] = value;
    }
    workspace_release(ws, mark);
}

/** Some draws of a class, as the run's series are before they are solved. */
struct draws {
    const struct ar_class *class;
    size_t index[BLOCK_SERIES];
    struct block x;
    struct noise_estimate noise[BLOCK_SERIES];
};

// The draws of a block of them; screened: those alone that pass NULL_SCREEN.
static struct draws make_draws(const struct null *null, size_t index, bool screened,
                               struct workspace *ws)
{
    const struct null_source *source = &null->source;
    size_t n_blocks = (null->options.n_draws + BLOCK_SERIES - 1) / BLOCK_SERIES;
    const struct ar_class *class = &null->classes[index / n_blocks];
    struct draws draws = {.class = class};
    size_t first = index % n_blocks * BLOCK_SERIES, n = source->n_read;
    size_t end = MIN(first + BLOCK_SERIES, null->options.n_draws);
    struct block raw = {n, 0, n, WORKSPACE_ALLOC(ws, double, n *(end - first))};
    for (size_t draw = first; draw < end; draw++) {
        if (screened && p_of(null, &class->largest, class->of_draw[draw]) > NULL_SCREEN) {
            class->of_draw[draw] = 0.0; // no jump is looked for
            continue;
        }
        draws.index[raw.n_series++] = draw;
        draw_series(null, class, draw, block_series(&raw, raw.n_series - 1), ws);
    }
    clean_apply(source->clean, &raw, ws);
    draws.x = raw;
    draws.x.n_time = source->problem->op->n_out;
    draws.x.data += source->first;
    noise_prior_estimate(source->prior, &draws.x, draws.noise, ws);
    return draws;
}

static void measure_largest(void *data, size_t index, struct workspace *ws)
{
    const struct null *null = data;
    size_t mark = workspace_mark(ws);
    struct draws draws = make_draws(null, index, false, ws);
    for (size_t i = 0; i < draws.x.n_series; i++) {
        double scale = noise_estimate_scale(&draws.noise[i]);
        double lambda_max = problem_lambda_max(null->source.problem, block_series(&draws.x, i), ws);
        draws.class->of_draw[draws.index[i]] = scale > 0.0 ? lambda_max / scale : 0.0;
    }
    workspace_release(ws, mark);
}

static double largest_jump(const struct null *null, const double *u, size_t n, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct jump *jumps = WORKSPACE_ALLOC(ws, struct jump, n);
    size_t count = jumps_merge(u, n, jumps);
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        if (jumps_sample(&jumps[i], n) < null->n_seen)
            largest = fmax(largest, fabs(jumps[i].size));
    workspace_release(ws, mark);
    return largest;
}

static void measure_jumps(void *data, size_t index, struct workspace *ws)
{
    const struct null *null = data;
    size_t mark = workspace_mark(ws);
    struct draws draws = make_draws(null, index, true, ws);
    size_t n_in = null->source.problem->op->n_in;
    struct block u = {n_in, 1, n_in, WORKSPACE_ALLOC(ws, double, n_in)};
    for (size_t i = 0; i < draws.x.n_series; i++) {
        double scale = noise_estimate_scale(&draws.noise[i]);
        double lambda = null_lambda(null, &draws.noise[i]);
        struct block x = block_slice(&draws.x, i, 1);
        struct solve_input input = {.x = &x, .lambda = &lambda};
        struct series_result result;
        solver_run(null->exact, &input, &u, &result, ws);
        double jump = largest_jump(null, u.data, n_in, ws);
        draws.class->of_draw[draws.index[i]] = scale > 0.0 ? jump / scale : 0.0;
    }
    workspace_release(ws, mark);
}

/* From draws to distributions */

static void settle_maxima(const struct null *null, const double *of_draw, struct maxima *maxima)
{
    size_t n = null->options.n_draws, n_tail = n / TAIL_PARTS;
    memcpy(maxima->sorted, of_draw, n * sizeof *of_draw);
    sort_doubles(maxima->sorted, n);
    if (n_tail < 2)
        return;
    double from = maxima->sorted[n - n_tail - 1], sum = 0.0;
    for (size_t i = n - n_tail; i < n; i++)
        sum += maxima->sorted[i] * maxima->sorted[i] - from * from;
    maxima->tail_from2 = from * from;
    maxima->tail_mean = sum / (double) n_tail;
    maxima->tail_share = (double) n_tail / (double) n;
}

// Between the classes on both sides, linear in the logarithm.
static double interpolate(const struct null *null, const struct noise_estimate *noise, double value,
                          bool is_jump)
{
    double scale = noise_estimate_scale(noise);
    if (!(scale > 0.0))
        return 1.0;
    const struct ar_class *classes = null->classes;
    size_t last = null->n_classes - 1;
    double at = (noise->ar - classes[0].ar) / class_width;
    at = fmin(fmax(at, 0.0), (double) last);
    size_t low = MIN((size_t) at, last), high = MIN(low + 1, last);
    double p_low = p_of(null, is_jump ? &classes[low].jump : &classes[low].largest, value / scale);
    double p_high =
        p_of(null, is_jump ? &classes[high].jump : &classes[high].largest, value / scale);
    if (!(p_low > 0.0 && p_high > 0.0))
        return 0.0;
    double share = at - (double) low;
    return exp((1.0 - share) * log(p_low) + share * log(p_high));
}

double null_p_largest(const struct null *null, const struct noise_estimate *noise,
                      double lambda_max)
{
    return interpolate(null, noise, lambda_max, false);
}

double null_p_jump(const struct null *null, const struct noise_estimate *noise, double size)
{
    return interpolate(null, noise, fabs(size), true);
}

const struct solver *null_solver(const struct null *null)
{
    return null->exact;
}

double null_lambda(const struct null *null, const struct noise_estimate *noise)
{
    return null->options.lambda_factor * null->white_median * noise->sigma;
}

size_t null_jumps(const struct null *null, const struct noise_estimate *noise, double alpha,
                  const double *u, size_t n, struct jump *jumps, double *p)
{
    size_t n_merged = jumps_merge(u, n, jumps), count = 0;
    for (size_t i = 0; i < n_merged; i++) {
        if (jumps_sample(&jumps[i], n) >= null->n_seen)
            continue;
        double own = null_p_jump(null, noise, jumps[i].size);
        if (!(own <= alpha))
            continue;
        jumps[count] = jumps[i];
        p[count++] = own;
    }
    return count;
}

/* Making it */

// Where less than half of the final response to a step is left to be seen.
static size_t find_seen(const linop *op)
{
    const struct filter *filter = op->filter;
    if (filter == NULL || filter->full)
        return op->n_in;
    double sum = 0.0, so_far = 0.0;
    for (size_t k = 0; k < filter->n; k++)
        sum += filter->h[k];
    for (size_t k = 0; k < MIN(filter->n, op->n_in); k++) {
        so_far += filter->h[k];
        if (so_far / sum >= 0.5)
            return op->n_in - k;
    }
    return op->n_in;
}

static struct ar_class new_class(const struct null *null, double ar)
{
    return (struct ar_class){.ar = ar,
                             .largest.sorted = g_new0(double, null->options.n_draws),
                             .jump.sorted = g_new0(double, null->options.n_draws),
                             .of_draw = g_new0(double, null->options.n_draws)};
}

// The classes on both sides of all autocorrelations, and that of white noise.
static void choose_classes(struct null *null)
{
    double low_ar, high_ar, last = MOST_CLASSES - 1;
    noise_prior_range(null->source.prior, &low_ar, &high_ar);
    double low = fmin(fmax(floor((low_ar - first_ar) / class_width + 1e-9), 0.0), last);
    double high = fmin(fmax(ceil((high_ar - first_ar) / class_width - 1e-9), low), last);
    null->n_classes = (size_t) (high - low) + 1;
    for (size_t i = 0; i < null->n_classes; i++)
        null->classes[i] = new_class(null, first_ar + class_width * (low + (double) i));
    null->classes[null->n_classes] = new_class(null, 0.0);
}

struct null *null_new(const struct null_source *source, const struct null_options *options,
                      struct parallel *team)
{
    g_assert(options->n_draws > 0 && source->problem->kind == PROBLEM_TV);
    g_autoptr(owned_null) null = g_new0(struct null, 1);
    null->source = *source;
    null->options = *options;
    null->n_seen = find_seen(source->problem->op);
    struct solver_options solver = solver_options_default();
    null->exact = solver_new_exact(source->problem, &solver, NULL);
    if (null->exact == NULL) // a causal response of thousands of samples
        null->exact = solver_new_fista(source->problem, &solver, NULL);
    choose_classes(null);
    size_t n_blocks = (options->n_draws + BLOCK_SERIES - 1) / BLOCK_SERIES;
    if (!parallel_for(team, (null->n_classes + 1) * n_blocks, measure_largest, null))
        return NULL;
    for (size_t i = 0; i <= null->n_classes; i++)
        settle_maxima(null, null->classes[i].of_draw, &null->classes[i].largest);
    null->white_median = null->classes[null->n_classes].largest.sorted[options->n_draws / 2];
    if (!parallel_for(team, null->n_classes * n_blocks, measure_jumps, null))
        return NULL;
    for (size_t i = 0; i < null->n_classes; i++)
        settle_maxima(null, null->classes[i].of_draw, &null->classes[i].jump);
    return g_steal_pointer(&null);
}

/* Statistics that need no draws */

// By Newton's steps from a rational start (Abramowitz and Stegun 26.2.23).
double null_z(double p)
{
    double tail = fmax(fmin(p, 1.0 - p), 1e-300), t = sqrt(-2.0 * log(tail));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int i = 0; i < 4; i++) {
        double above = 0.5 * erfc(z / sqrt(2.0));
        double density = exp(-0.5 * z * z) / sqrt(2.0 * G_PI);
        z += above > 0.0 && density > 0.0 ? log(above / tail) * above / density : 0.0;
    }
    return p <= 0.5 ? z : -z;
}

struct ranked {
    double p;
    size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p)
                        : (x->index > y->index) - (x->index < y->index);
}

void null_false_discovery(const double *p, size_t n, double *q)
{
    g_autofree struct ranked *ranked = g_new(struct ranked, MAX(n, 1));
    size_t n_tested = 0;
    for (size_t i = 0; i < n; i++) {
        q[i] = NAN;
        if (!isnan(p[i]))
            ranked[n_tested++] = (struct ranked){p[i], i};
    }
    qsort(ranked, n_tested, sizeof *ranked, compare_ranked);
    double least = 1.0;
    for (size_t i = n_tested; i-- > 0;) {
        least = fmin(least, ranked[i].p * (double) n_tested / (double) (i + 1));
        q[ranked[i].index] = least;
    }
}
