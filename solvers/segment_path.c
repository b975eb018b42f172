// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/segment_path.h"

#include "solvers/segment_system.h"
#include "solvers/segment_tube.h"

#include <math.h>
#include <string.h>

enum {
    MOST_CAUSAL_SAMPLES = 2048, // their tables grow with the square of the response: 100 MB here
    BENDS_BETWEEN_REFRESHES = 256,
    MOST_NEWTON_STEPS = 40,
};

bool segment_path_applies(const linop *op)
{
    const struct filter *filter = op->filter;
    return filter != NULL && filter->n > 1 && (filter->full || filter->n <= MOST_CAUSAL_SAMPLES);
}

// One series on its way down. The equations' right hand side is that of the direction, what u gains
// as lambda falls, but while the point is computed afresh.
struct walk {
    const struct segment_filter *filter;
    const struct segment_kernels *kernels;
    double lambda;
    double rss;
    double penalty;
    const double *b;     // the dual string of the best constant
    const double *zeros; // as long
    struct segment_tube tube;
    size_t n; // knots beside the level, which is knot 0; knot n + 1 is the end
    ptrdiff_t *position;
    double *sign;
    double *jump;    // of u at the knots
    double *old;     // the direction before the knot that came or went
    size_t *barred;  // samples that cannot join: no candidates, then those refused
    size_t n_never;  // of them, those that are no candidates
    size_t n_barred; //
    struct segment_system system;
    size_t n_sound; // rows of the factor that hold
};

enum event { EVENT_END, EVENT_JOIN, EVENT_LEAVE };

// The end of a piece at `lambda`: a knot joins at sample `at`, or knot `at` leaves.
struct next {
    enum event event;
    double lambda;
    size_t at;
};

// ||x - level S||^2.
static double projected_norm2(const struct segment_filter *filter, const double *x, double level)
{
    double sum = 0.0;
    for (size_t t = 0; t < filter->n_out; t++) {
        double rest = x[t] - level * filter->level[t];
        sum += rest * rest;
    }
    return sum;
}

static void bar_those_that_are_no_candidates(struct walk *w)
{
    for (size_t t = 0; t < w->filter->n_in; t++)
        if ((w->filter->candidates[t / 64] >> t % 64 & 1) == 0)
            w->barred[w->n_barred++] = t;
    w->n_never = w->n_barred;
}

static struct walk begin(const struct segment_active_set *set, const double *x,
                         struct workspace *ws)
{
    const struct segment_filter *filter = set->filter;
    size_t n = filter->n_in + 1, padded = segment_padded(filter->n_in) + 1;
    double *b = WORKSPACE_ALLOC(ws, double, padded), *zeros = WORKSPACE_ALLOC(ws, double, padded);
    memset(zeros, 0, padded * sizeof *zeros);
    memset(b + filter->n_in, 0, (padded - filter->n_in) * sizeof *b);
    struct walk w = {.filter = filter,
                     .kernels = set->kernels->segment,
                     .b = b,
                     .zeros = zeros,
                     .tube = segment_tube_alloc(filter, set->kernels, zeros, ws),
                     .position = segment_alloc_positions(filter, ws),
                     .sign = WORKSPACE_ALLOC(ws, double, n + 1),
                     .jump = WORKSPACE_ALLOC(ws, double, n + 1),
                     .old = WORKSPACE_ALLOC(ws, double, n + 1),
                     .barred = WORKSPACE_ALLOC(ws, size_t, n)};
    segment_system_alloc(&w.system, filter, ws);
    w.system.knot = w.position;
    w.system.sign = w.sign;
    w.position[0] = 0;
    w.position[1] = filter->tables.end;
    w.sign[0] = w.sign[1] = w.jump[0] = 0.0;
    double level = 0.0;
    w.lambda = segment_correlate(filter, set->kernels, x, NULL, b, &level, ws);
    w.rss = projected_norm2(filter, x, level);
    bar_those_that_are_no_candidates(&w);
    return w;
}

// The values of the segments, from the first row that does not hold on. Returns how many jumps are
// not of their sign, or G_MAXSIZE where a pivot was lost to rounding.
static size_t solve(struct walk *w, const double *b, double lambda)
{
    struct segment_system *system = &w->system;
    system->b = b;
    system->lambda = lambda;
    system->n = w->n + 1;
    if (!w->kernels->factor(&w->filter->tables, system, w->n_sound))
        return G_MAXSIZE;
    w->n_sound = system->n;
    size_t n_wrong = w->kernels->solve(system);
    // The last step takes u back to zero.
    system->value[system->n] = 0.0;
    system->jump[system->n] = -system->value[system->n - 1];
    return n_wrong;
}

static size_t find_direction(struct walk *w)
{
    return solve(w, w->zeros, -1.0);
}

static struct segment_steps steps(const struct walk *w)
{
    return (struct segment_steps){w->n + 2, w->position, w->system.jump, w->system.value};
}

static void insert(struct walk *w, size_t i, size_t t, double sign)
{
    size_t n_after = w->n + 2 - i;
    memmove(w->position + i + 1, w->position + i, n_after * sizeof *w->position);
    memmove(w->sign + i + 1, w->sign + i, n_after * sizeof *w->sign);
    memmove(w->jump + i + 1, w->jump + i, n_after * sizeof *w->jump);
    w->position[i] = (ptrdiff_t) t;
    w->sign[i] = sign;
    w->jump[i] = 0.0;
    w->n++;
    // Row i of the system depends on knots up to i + 1.
    w->n_sound = MIN(w->n_sound, i - 1);
}

static void drop(struct walk *w, size_t i)
{
    size_t n_after = w->n + 1 - i;
    memmove(w->position + i, w->position + i + 1, n_after * sizeof *w->position);
    memmove(w->sign + i, w->sign + i + 1, n_after * sizeof *w->sign);
    memmove(w->jump + i, w->jump + i + 1, n_after * sizeof *w->jump);
    w->n--;
    w->n_sound = MIN(w->n_sound, i - 1);
}

// The knot that is the first at sample t or after it.
static size_t knot_from(const struct walk *w, size_t t)
{
    size_t low = 0, high = w->n + 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (w->position[middle] < (ptrdiff_t) t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Knots and barred samples neither move nor join; nor does the padding.
static void silence(struct walk *w, ptrdiff_t begin, ptrdiff_t end)
{
    double *slope = w->tube.slope, *c = w->tube.c;
    for (size_t i = knot_from(w, (size_t) begin); i <= w->n && w->position[i] < end; i++)
        c[w->position[i]] = slope[w->position[i]] = 0.0;
    for (size_t i = 0; i < w->n_barred; i++)
        if ((ptrdiff_t) w->barred[i] >= begin && (ptrdiff_t) w->barred[i] < end)
            c[w->barred[i]] = slope[w->barred[i]] = 0.0;
    for (ptrdiff_t t = w->filter->tables.end; t < end; t++)
        c[t] = slope[t] = 0.0;
}

// The string takes the direction that was found, over the samples [begin, end). A knot that has
// left stands at lambda: without it c falls faster than that, and it does not join again at once.
static void turn_string(struct walk *w, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t left, double c)
{
    struct segment_steps u = steps(w);
    segment_tube_widen(&w->tube, &begin, &end);
    segment_tube_turn(&w->tube, &u, begin, end, w->lambda);
    if (left >= 0)
        w->tube.c[left] = c;
    silence(w, begin, end);
    segment_tube_look(&w->tube, begin, end);
}

// Below, what of a direction is rounding of its own.
static bool is_same(double value, double old)
{
    return fabs(value - old) <= 1e-12 * fabs(value);
}

// The samples from which on, and to which, a string is another since a knot came to be the i-th
// (shift 1) or left from there (shift -1): responses to the segments whose values are others reach
// no farther.
static void find_range(const struct walk *w, size_t i, ptrdiff_t shift, ptrdiff_t *begin,
                       ptrdiff_t *end)
{
    const double *value = w->system.value, *old = w->old;
    size_t first = 0, last = w->n;
    while (first + 1 < i && is_same(value[first], old[first]))
        first++;
    while (last > i && is_same(value[last], old[(ptrdiff_t) last - shift]))
        last--;
    *begin = w->position[first] - w->filter->tables.reach;
    *end = w->position[last + 1] + w->filter->tables.reach;
}

// u and c from the equations for this lambda, so that errors do not grow along the path.
static void refresh(struct walk *w)
{
    size_t n_tiles = w->tube.n_tiles;
    ptrdiff_t end = (ptrdiff_t) n_tiles * SEGMENT_TILE;
    w->n_sound = 0;
    if (solve(w, w->b, w->lambda) != G_MAXSIZE) {
        struct segment_steps u = steps(w);
        w->kernels->dual_string(&w->filter->tables, &u, w->b, 0, end, w->tube.c);
        memcpy(w->jump, w->system.jump, (w->n + 1) * sizeof *w->jump);
        for (size_t tile = 0; tile < n_tiles; tile++)
            w->tube.held[tile] = w->lambda;
    }
    w->n_sound = 0;
}

// Adds the knot and finds the direction with it; where rounding cannot tell it from the others, it
// is refused.
static size_t join(struct walk *w, size_t t, bool everywhere)
{
    double sign = segment_tube_at(&w->tube, t, w->lambda) > 0.0 ? 1.0 : -1.0;
    size_t i = knot_from(w, t);
    memcpy(w->old, w->system.value, (w->n + 1) * sizeof *w->old);
    insert(w, i, t, sign);
    size_t n_wrong = find_direction(w);
    ptrdiff_t begin = 0, end = (ptrdiff_t) w->tube.n_tiles * SEGMENT_TILE;
    if (n_wrong == G_MAXSIZE) {
        drop(w, i);
        w->barred[w->n_barred++] = t;
        n_wrong = find_direction(w);
    } else if (!everywhere) {
        find_range(w, i, 1, &begin, &end);
    }
    turn_string(w, begin, end, -1, 0.0);
    return n_wrong;
}

// A sample that was refused may be told from the knots that are left.
static size_t leave(struct walk *w, size_t i, bool everywhere)
{
    ptrdiff_t t = w->position[i], begin = 0, end = (ptrdiff_t) w->tube.n_tiles * SEGMENT_TILE;
    double c = w->lambda * w->sign[i];
    memcpy(w->old, w->system.value, (w->n + 1) * sizeof *w->old);
    drop(w, i);
    if (w->n_barred > w->n_never) {
        w->n_barred = w->n_never;
        refresh(w);
        everywhere = true;
    }
    size_t n_wrong = find_direction(w);
    if (n_wrong == G_MAXSIZE)
        return n_wrong;
    if (!everywhere)
        find_range(w, i, -1, &begin, &end);
    turn_string(w, begin, end, t, c);
    return n_wrong;
}

static struct next find_event(struct walk *w, double lambda_end, size_t n_wrong)
{
    struct next next = {EVENT_END, lambda_end, 0};
    const size_t *wrong = w->system.wrong + w->system.n - n_wrong;
    for (size_t i = 0; i < n_wrong; i++) {
        double direction = w->system.jump[wrong[i]], jump = w->jump[wrong[i]];
        double step = direction == 0.0 ? HUGE_VAL : -jump / direction;
        double lambda = step > 0.0 ? w->lambda - step : w->lambda;
        if (lambda > next.lambda)
            next = (struct next){EVENT_LEAVE, lambda, wrong[i]};
    }
    size_t at = 0;
    double lambda = segment_tube_next(&w->tube, w->lambda, next.lambda, &at);
    if (lambda > next.lambda)
        next = (struct next){EVENT_JOIN, lambda, at};
    return next;
}

// On a piece the penalty changes by the change of lambda times sign' M^-1 sign, twice the factor's
// gain, and RSS by that of lambda^2.
static void move(struct walk *w, double to)
{
    double step = w->lambda - to, curvature = 2.0 * w->system.gain[w->system.n];
    for (size_t i = 0; i <= w->n; i++)
        w->jump[i] += step * w->system.jump[i];
    w->penalty += step * curvature;
    w->rss = fmax(w->rss - step * (w->lambda + to) * curvature, 0.0);
    w->lambda = to;
}

static size_t largest(const double *c, size_t n)
{
    size_t at = 0;
    for (size_t t = 1; t < n; t++)
        if (fabs(c[t]) > fabs(c[at]))
            at = t;
    return at;
}

static size_t take_first_knot(struct walk *w)
{
    size_t n_in = w->filter->n_in;
    memcpy(w->tube.c, w->b, (segment_padded(n_in) + 1) * sizeof *w->tube.c);
    for (size_t tile = 0; tile < w->tube.n_tiles; tile++)
        w->tube.held[tile] = w->lambda;
    silence(w, 0, (ptrdiff_t) segment_padded(n_in));
    return join(w, largest(w->tube.c, n_in), true);
}

static bool descend(struct walk *w, double lambda_end, homotopy_visit *visit, void *data)
{
    size_t most_bends = 100 + 20 * w->filter->n_in, n_wrong = take_first_knot(w);
    for (size_t n_bends = 1; n_wrong != G_MAXSIZE && n_bends < most_bends; n_bends++) {
        struct next next = find_event(w, lambda_end, n_wrong);
        move(w, next.lambda);
        struct path_point point = {w->lambda, w->rss, w->penalty, w->n};
        if (!visit(data, &point) || next.event == EVENT_END)
            return true;
        bool refreshed = n_bends % BENDS_BETWEEN_REFRESHES == 0;
        if (refreshed)
            refresh(w);
        if (next.event == EVENT_JOIN)
            n_wrong = join(w, next.at, refreshed);
        else
            n_wrong = leave(w, next.at, refreshed);
    }
    return false;
}

bool segment_path_follow(const struct segment_active_set *set, const double *x, double lambda_end,
                         homotopy_visit *visit, void *data, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct walk w = begin(set, x, ws);
    struct path_point first = {.lambda = w.lambda, .residual_norm2 = w.rss};
    bool finished = true;
    if (visit(data, &first) && w.lambda > lambda_end)
        finished = descend(&w, lambda_end, visit, data);
    workspace_release(ws, mark);
    return finished;
}

// Takes over the knots of the minimiser at lambda: RSS there, and what it changes by with lambda^2.
// False where a pivot is lost to rounding.
static bool measure(struct walk *w, const struct segment_knots *knots, double lambda, double norm2,
                    double *curvature)
{
    w->n = knots->n;
    for (size_t i = 0; i < knots->n; i++) {
        w->position[i + 1] = ABS(knots->at[i]);
        w->sign[i + 1] = knots->at[i] > 0 ? 1.0 : -1.0;
    }
    w->position[w->n + 1] = w->filter->tables.end;
    w->sign[w->n + 1] = 0.0;
    w->n_sound = 0;
    if (solve(w, w->b, lambda) == G_MAXSIZE)
        return false;
    double penalty = 0.0;
    for (size_t i = 1; i <= w->n; i++)
        penalty += w->sign[i] * w->system.jump[i];
    w->rss = norm2 - 2.0 * w->system.gain[w->system.n] - 2.0 * lambda * penalty;
    w->n_sound = 0;
    if (find_direction(w) == G_MAXSIZE)
        return false;
    *curvature = 2.0 * w->system.gain[w->system.n];
    return true;
}

// Newton's steps in lambda^2: RSS is straight in it between bends, and nearly always concave, so
// that all steps but the first go up.
static double find_residual(const struct segment_active_set *set, struct walk *w, const double *x,
                            double target, double least, struct workspace *ws)
{
    size_t n_in = w->filter->n_in;
    double *u = WORKSPACE_ALLOC(ws, double, n_in);
    struct segment_knots knots = {.at = WORKSPACE_ALLOC(ws, int32_t, n_in)};
    struct segment_pull none = {.linear = w->zeros};
    double norm2 = w->rss, low = least, high = w->lambda, lambda = fmax(0.1 * high, least);
    for (size_t n_steps = 0; n_steps < MOST_NEWTON_STEPS; n_steps++) {
        double curvature = 0.0;
        if (!segment_active_set_pulled(set, x, lambda, &none, &knots, u, ws).finished ||
            !measure(w, &knots, lambda, norm2, &curvature))
            return NAN;
        double excess = w->rss - target, square = lambda * lambda - excess / curvature;
        if (excess > 0.0 && lambda <= least)
            return least;
        if (excess > 0.0)
            high = lambda;
        else
            low = lambda;
        // Minimisers far below are dear, and the first step may go there.
        double next = fmax(sqrt(fmax(square, 0.0)), fmax(0.25 * lambda, least));
        if (fabs(next - lambda) <= 1e-10 * lambda)
            return next;
        lambda = next >= low && next < high ? next : sqrt(low * high);
    }
    return NAN;
}

double segment_path_find_residual(const struct segment_active_set *set, const double *x,
                                  double target, double least, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct walk w = begin(set, x, ws);
    double lambda = w.lambda;
    if (w.rss > target && w.lambda > least)
        lambda = find_residual(set, &w, x, target, least, ws);
    workspace_release(ws, mark);
    return lambda;
}
