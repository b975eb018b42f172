// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/segment_active_set.h"

#include "solvers/segment_system.h"

#include <math.h>
#include <string.h>

struct segment_active_set *segment_active_set_new(const struct filter *filter, size_t n_in,
                                                  const struct kernels *kernels)
{
    struct segment_active_set *set = g_new(struct segment_active_set, 1);
    set->filter = segment_filter_new(filter, n_in);
    set->kernels = kernels;
    return set;
}

void segment_active_set_free(struct segment_active_set *set)
{
    if (set == NULL)
        return;
    segment_filter_free(set->filter);
    g_free(set);
}

enum {
    MAX_EVALUATIONS = 300, // of the dual string
    MAX_STALLS = 10,       // of them without a fall of the objective beyond rounding
};

// A knot is added where |v| > lambda (1 + TUBE_TOLERANCE); the relative gap is at most that.
static const double TUBE_TOLERANCE = 1e-11;

// Parts of lambda_max: the normal equations of an ill-conditioned response can be solved down to
// the first or so; below the second they are not tried, there rounding of u alone weighs more.
static const double SAFE_RATIO = 1e-6, SMALLEST_RATIO = 1e-9;

// The knots of u beside the level, which is knot 0 and has no sign; knot n + 1 is the end. Jumps
// are those of the last accepted point, zero at new knots.
struct knots {
    size_t n;
    ptrdiff_t *position;
    double *sign;
    double *jump;
};

struct knot {
    ptrdiff_t position;
    double sign;
    double jump;
};

// The work on one series.
struct search {
    const struct segment_active_set *set;
    double lambda;
    const struct segment_pull *pull; // NULL: none
    double *b;                       // <step_a, x - level S>, zero at 0 and from the end on
    double *v;                       // room for the dual string
    const double *string;            // the dual string: b at first, then v
    uint64_t *free;                  // samples that may become knots
    uint64_t *rising;                // above the tube
    uint64_t *falling;               // below it
    struct knots knots;
    struct knot *saved; // the knots before any was dropped
    size_t n_saved;
    size_t *wrong; // knots whose target has the wrong sign, or none
    size_t *gone;  // those of them that are to be removed
    double *step;  // the part of the way to it at which the jump of such a knot reaches zero
    ptrdiff_t *found;
    double *found_sign;
    struct segment_system system;
    size_t n_sound;   // rows of the factor that hold for the present knots
    double gain;      // how far the objective is below that of the best constant
    bool pivots_held; // no pivot has been lost to rounding
    size_t n_solves;
};

static void begin_search(struct search *s, const struct segment_active_set *set,
                         struct workspace *ws)
{
    const struct segment_filter *filter = set->filter;
    size_t padded = segment_padded(filter->n_in), n_words = padded / 64;
    size_t n = filter->n_in + 1; // knots, the level and the end
    *s = (struct search){.set = set};
    s->b = WORKSPACE_ALLOC(ws, double, padded + 1);
    memset(s->b + filter->n_in, 0, (padded + 1 - filter->n_in) * sizeof *s->b);
    s->v = WORKSPACE_ALLOC(ws, double, padded);
    s->free = WORKSPACE_ALLOC(ws, uint64_t, 3 * n_words);
    s->rising = s->free + n_words;
    s->falling = s->rising + n_words;
    s->saved = WORKSPACE_ALLOC(ws, struct knot, n);
    s->step = WORKSPACE_ALLOC(ws, double, n);
    s->gone = WORKSPACE_ALLOC(ws, size_t, n + 1);
    s->found = WORKSPACE_ALLOC(ws, ptrdiff_t, n);
    s->found_sign = WORKSPACE_ALLOC(ws, double, n);
    s->knots.position = segment_alloc_positions(filter, ws);
    s->knots.sign = WORKSPACE_ALLOC(ws, double, n);
    s->knots.jump = WORKSPACE_ALLOC(ws, double, n);
    segment_system_alloc(&s->system, filter, ws);
    s->system.knot = s->knots.position;
    s->system.sign = s->knots.sign;
    s->system.b = s->b;
}

// The best constant: one knot, the level, and the end; the string is b.
static void begin_at_level(struct search *s, double lambda)
{
    const struct segment_filter *filter = s->set->filter;
    size_t padded = segment_padded(filter->n_in);
    s->lambda = s->system.lambda = lambda;
    s->knots.n = 0;
    s->knots.position[0] = 0;
    s->knots.position[1] = filter->tables.end;
    s->knots.sign[0] = s->knots.sign[1] = s->knots.jump[0] = 0.0;
    s->system.value[0] = 0.0;
    s->n_sound = 0;
    s->gain = 0.0;
    s->pivots_held = true;
    memcpy(s->free, filter->candidates, padded / 64 * sizeof *s->free);
    s->string = s->b;
}

// Notes the peak of the excursion over the samples [begin, end), of that sign.
static void note_excursion(struct search *s, size_t begin, size_t end, double sign, size_t *n_found)
{
    const struct segment_kernels *kernels = s->set->kernels->segment;
    s->found[*n_found] = (ptrdiff_t) (begin + kernels->peak(s->string + begin, end - begin));
    s->found_sign[(*n_found)++] = sign;
}

// The peak of every excursion from the tube, into found: how many there are. An excursion begins
// or ends at each change of a mark from one sample to the next.
static size_t find_excursions(struct search *s)
{
    const struct segment_kernels *kernels = s->set->kernels->segment;
    size_t n_words = segment_padded(s->set->filter->n_in) / 64, n_found = 0, begin = 0;
    kernels->mark(s->string, s->lambda * (1.0 + TUBE_TOLERANCE), s->free, n_words, s->rising,
                  s->falling);
    uint64_t up_before = 0, down_before = 0; // the last marks of the word before
    int sign = 0;                            // of the excursion that is going on, or none
    for (size_t word = 0; word < n_words; word++) {
        uint64_t up = s->rising[word], down = s->falling[word];
        uint64_t changes = (up ^ (up << 1 | up_before)) | (down ^ (down << 1 | down_before));
        up_before = up >> 63;
        down_before = down >> 63;
        for (; changes != 0; changes &= changes - 1) {
            size_t bit = (size_t) __builtin_ctzll(changes);
            if (sign != 0)
                note_excursion(s, begin, 64 * word + bit, sign, &n_found);
            begin = 64 * word + bit;
            sign = (int) (up >> bit & 1) - (int) (down >> bit & 1);
        }
    }
    if (sign != 0)
        note_excursion(s, begin, 64 * n_words, sign, &n_found);
    return n_found;
}

static void set_knot(struct knots *to, size_t i, const struct knots *from, size_t j)
{
    to->position[i] = from->position[j];
    to->sign[i] = from->sign[j];
    to->jump[i] = from->jump[j];
}

// Row i of the system depends on knots up to i + 1: a change at knot i spoils row i - 1.
static void knot_changed(struct search *s, size_t i)
{
    s->n_sound = MIN(s->n_sound, i - 1);
}

// Merges the n_found new knots into the sorted list, from its end.
static void add_found(struct search *s, size_t n_found)
{
    struct knots *knots = &s->knots;
    size_t old = knots->n + 1, to = old + n_found;
    knots->n += n_found;
    while (n_found > 0) {
        if (knots->position[old] > s->found[n_found - 1]) {
            set_knot(knots, to--, knots, old--);
            continue;
        }
        n_found--;
        size_t t = (size_t) s->found[n_found];
        s->free[t / 64] &= ~((uint64_t) 1 << t % 64);
        knots->position[to] = s->found[n_found];
        knots->sign[to] = s->found_sign[n_found];
        knots->jump[to--] = 0.0;
    }
    knot_changed(s, to + 1);
}

// Removes the first n_gone > 0 knots of the list s->gone, which are in their order.
static void remove_gone(struct search *s, size_t n_gone)
{
    struct knots *knots = &s->knots;
    const size_t *gone = s->gone;
    knot_changed(s, gone[0]);
    for (size_t i = 0; i < n_gone; i++) {
        size_t t = (size_t) knots->position[gone[i]];
        s->free[t / 64] |= (uint64_t) 1 << t % 64;
    }
    s->gone[n_gone] = knots->n + 2;
    size_t to = gone[0];
    for (size_t i = to; i < knots->n + 2; i++) {
        bool goes = i == *gone;
        set_knot(knots, to, knots, i);
        gone += goes;
        to += !goes;
    }
    knots->n -= n_gone;
}

// The minimiser over all u with jumps at the knots alone, for these signs: the target. Returns how
// many of its jumps do not have their sign.
static size_t solve_on_knots(struct search *s)
{
    const struct segment_kernels *kernels = s->set->kernels->segment;
    struct segment_system *system = &s->system;
    system->n = s->knots.n + 1;
    s->pivots_held &= kernels->factor(&s->set->filter->tables, system, s->n_sound);
    s->n_sound = system->n;
    s->n_solves++;
    size_t n_wrong = kernels->solve(system);
    s->wrong = system->wrong + system->n - n_wrong;
    return n_wrong;
}

// The part of the way to the target at which the jumps of the wrong knots reach zero.
static void find_steps(struct search *s, size_t n_wrong)
{
    for (size_t i = 0; i < n_wrong; i++) {
        double jump = s->knots.jump[s->wrong[i]];
        double step = jump / (jump - s->system.jump[s->wrong[i]]);
        s->step[i] = step > 0.0 ? step : 0.0;
    }
}

// What a pull takes from the dual string: its weight times the sum of u from each sample on.
static void pull_string(struct search *s)
{
    const ptrdiff_t *position = s->knots.position;
    double weight = s->pull->weight, after = 0.0; // the sum of u from the end of the segment on
    for (size_t i = s->knots.n + 1; i-- > 0;) {
        double value = s->system.value[i];
        double from_zero = after + value * (double) position[i + 1];
        for (ptrdiff_t t = position[i]; t < position[i + 1]; t++)
            s->v[t] -= weight * (from_zero - value * (double) t);
        after = from_zero - value * (double) position[i];
    }
}

static void evaluate_dual_string(struct search *s)
{
    struct knots *knots = &s->knots;
    // The last step takes u back to zero.
    knots->jump[knots->n + 1] = -s->system.value[knots->n];
    s->system.value[knots->n + 1] = 0.0;
    struct segment_steps u = {knots->n + 2, knots->position, knots->jump, s->system.value};
    ptrdiff_t end = (ptrdiff_t) segment_padded(s->set->filter->n_in);
    s->set->kernels->segment->dual_string(&s->set->filter->tables, &u, s->b, 0, end, s->v);
    if (s->pull != NULL)
        pull_string(s);
    s->string = s->v;
}

// The gain by the dual string, of use where the equations cannot be trusted: with w the jumps,
// <A u, x> = sum_j w_j b_j and <A u, x - A u> = sum_j w_j v_j over the knots.
static double measure_gain(const struct search *s)
{
    const struct knots *knots = &s->knots;
    double gain = 0.0;
    for (size_t i = 0; i <= knots->n; i++) {
        size_t t = (size_t) knots->position[i];
        double penalty = i == 0 ? 0.0 : s->lambda * fabs(knots->jump[i]);
        gain += 0.5 * knots->jump[i] * (s->b[t] + s->string[t]) - penalty;
    }
    return gain;
}

// How far the objective of the target is below that of the best constant, by the factor.
static double target_gain(const struct search *s)
{
    return s->system.gain[s->system.n];
}

// Moves to the target. False if a pivot has been lost to rounding and the objective rises.
static bool accept_target(struct search *s)
{
    double gain = target_gain(s);
    double *left_behind = s->knots.jump;
    s->knots.jump = s->system.jump;
    s->system.jump = left_behind;
    if (!s->pivots_held) {
        evaluate_dual_string(s);
        gain = measure_gain(s);
        if (!(gain > s->gain))
            return false;
    }
    s->gain = gain;
    return true;
}

// Whether no knot near the i-th wrong one blocks before it; of equal steps that are not zero the
// first blocks.
static bool blocks_first(const struct search *s, size_t i, size_t n_wrong)
{
    const ptrdiff_t *position = s->knots.position;
    ptrdiff_t here = position[s->wrong[i]], near = MAX(s->set->filter->tables.reach / 3, 1);
    for (size_t j = i; j-- > 0 && here - position[s->wrong[j]] < near;)
        if (s->step[j] < s->step[i] || (s->step[j] == s->step[i] && s->step[i] > 0.0))
            return false;
    for (size_t j = i + 1; j < n_wrong && position[s->wrong[j]] - here < near; j++)
        if (s->step[j] < s->step[i])
            return false;
    return true;
}

// The fast way to a point whose jumps have their signs: wherever jumps would change sign, the one
// that blocks first among its neighbours goes, everywhere at once. Knots that far apart hardly
// feel each other, so that the objective nearly always falls: if it does not, false.
static bool minimise_together(struct search *s)
{
    for (;;) {
        size_t n_wrong = solve_on_knots(s);
        if (n_wrong == 0)
            return (target_gain(s) > s->gain || !s->pivots_held) && accept_target(s);
        find_steps(s, n_wrong);
        size_t n_gone = 0;
        for (size_t i = 0; i < n_wrong; i++)
            if (blocks_first(s, i, n_wrong))
                s->gone[n_gone++] = s->wrong[i];
        remove_gone(s, n_gone);
    }
}

// The sure way: move towards the minimiser on the knots until the first jump reaches zero, remove
// that knot, and again. The objective falls at every move. False if rounding spoils the equations.
static bool minimise_one_by_one(struct search *s)
{
    struct knots *knots = &s->knots;
    for (;;) {
        size_t n_wrong = solve_on_knots(s), first = 0;
        if (n_wrong == 0)
            return accept_target(s);
        find_steps(s, n_wrong);
        for (size_t i = 1; i < n_wrong; i++)
            first = s->step[i] < s->step[first] ? i : first;
        for (size_t i = 0; i <= knots->n; i++)
            knots->jump[i] += s->step[first] * (s->system.jump[i] - knots->jump[i]);
        size_t n_gone = 0;
        for (size_t i = 0; i < n_wrong; i++)
            if (i == first || knots->jump[s->wrong[i]] * knots->sign[s->wrong[i]] <= 0.0)
                s->gone[n_gone++] = s->wrong[i];
        remove_gone(s, n_gone);
    }
}

static void mark_free(struct search *s, bool is_free)
{
    for (size_t i = 1; i <= s->knots.n; i++) {
        size_t t = (size_t) s->knots.position[i];
        uint64_t bit = (uint64_t) 1 << t % 64;
        s->free[t / 64] = is_free ? s->free[t / 64] | bit : s->free[t / 64] & ~bit;
    }
}

static void save_knots(struct search *s)
{
    s->n_saved = s->knots.n;
    for (size_t i = 0; i < s->knots.n + 2; i++)
        s->saved[i] = (struct knot){s->knots.position[i], s->knots.sign[i], s->knots.jump[i]};
}

// Back to the last accepted point, with the knots that have been added since.
static void restore_knots(struct search *s)
{
    mark_free(s, true);
    s->knots.n = s->n_saved;
    for (size_t i = 0; i < s->knots.n + 2; i++) {
        s->knots.position[i] = s->saved[i].position;
        s->knots.sign[i] = s->saved[i].sign;
        s->knots.jump[i] = s->saved[i].jump;
    }
    mark_free(s, false);
    s->n_sound = 0;
}

// The values of the segments from their jumps.
static void sum_jumps(struct search *s)
{
    double value = 0.0;
    for (size_t i = 0; i <= s->knots.n; i++)
        s->system.value[i] = value += s->knots.jump[i];
}

// From the accepted point, knots having been added, to one where the objective is lower and all
// jumps have their signs. False where rounding allows none: u stays where it was.
static bool minimise(struct search *s)
{
    save_knots(s);
    if (minimise_together(s))
        return true;
    restore_knots(s);
    if (minimise_one_by_one(s))
        return true;
    restore_knots(s);
    sum_jumps(s);
    return false;
}

// From the best constant to the minimiser; the number of evaluations of the dual string. False
// where rounding stops the objective from falling any further.
static bool descend(struct search *s, size_t *n_evaluations)
{
    size_t n_stalls = 0;
    for (*n_evaluations = 1;; ++*n_evaluations) {
        size_t n_found = find_excursions(s);
        if (n_found == 0)
            return true;
        if (*n_evaluations == MAX_EVALUATIONS || n_stalls == MAX_STALLS)
            return false;
        double gain = s->gain;
        add_found(s, n_found);
        if (!minimise(s))
            return false;
        n_stalls = s->gain > gain * (1.0 + 1e-15) ? 0 : n_stalls + 1;
        evaluate_dual_string(s);
    }
}

static void write_segments(const struct search *s, double level, double *u)
{
    for (size_t i = 0; i <= s->knots.n; i++)
        for (ptrdiff_t t = s->knots.position[i]; t < s->knots.position[i + 1]; t++)
            u[t] = level + s->system.value[i];
}

// With a weight every sample can be told from its neighbours, and is a candidate.
static void begin_pulled(struct search *s, double lambda)
{
    size_t n = s->set->filter->n_in;
    begin_at_level(s, lambda);
    if (s->pull->weight == 0.0)
        return;
    memset(s->free, 0, segment_padded(n) / 64 * sizeof *s->free);
    for (size_t t = 1; t < n; t++)
        s->free[t / 64] |= (uint64_t) 1 << t % 64;
}

// Takes over those knots that are candidates, as if they had been found at the best constant, and
// minimises on them.
static bool begin_at_knots(struct search *s, const struct segment_knots *knots)
{
    size_t n_found = 0;
    for (size_t i = 0; i < knots->n; i++) {
        size_t t = (size_t) ABS(knots->at[i]);
        if ((s->free[t / 64] >> t % 64 & 1) == 0)
            continue;
        s->found[n_found] = (ptrdiff_t) t;
        s->found_sign[n_found++] = knots->at[i] > 0 ? 1.0 : -1.0;
    }
    if (n_found == 0)
        return true;
    add_found(s, n_found);
    save_knots(s);
    if (!minimise_together(s))
        return false;
    evaluate_dual_string(s);
    return true;
}

static void keep_knots(const struct search *s, struct segment_knots *knots)
{
    knots->n = s->knots.n;
    for (size_t i = 0; i < knots->n; i++) {
        int32_t at = (int32_t) s->knots.position[i + 1];
        knots->at[i] = s->knots.sign[i + 1] > 0.0 ? at : -at;
    }
}

struct segment_result segment_active_set_pulled(const struct segment_active_set *set,
                                                const double *x, double lambda,
                                                const struct segment_pull *pull,
                                                struct segment_knots *knots, double *u,
                                                struct workspace *ws)
{
    g_assert(pull->weight >= 0.0 && set->filter->n_in <= G_MAXINT32);
    size_t mark = workspace_mark(ws);
    struct search s;
    begin_search(&s, set, ws);
    s.pull = pull;
    s.system.pull = pull->weight;
    double level = 0.0;
    struct segment_result result = {.lambda = lambda};
    result.lambda_max = segment_correlate(set->filter, set->kernels, x, s.pull, s.b, &level, ws);
    begin_pulled(&s, lambda);
    if (!begin_at_knots(&s, knots))
        begin_pulled(&s, lambda);
    result.finished = descend(&s, &result.n_evaluations) && s.pivots_held;
    write_segments(&s, level, u);
    keep_knots(&s, knots);
    result.n_knots = s.knots.n;
    result.n_solves = s.n_solves;
    workspace_release(ws, mark);
    return result;
}

struct segment_result segment_active_set_solve(const struct segment_active_set *set,
                                               const double *x, double lambda, bool is_ratio,
                                               double *u, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct search s;
    begin_search(&s, set, ws);
    double level = 0.0;
    struct segment_result result = {.finished = true};
    result.lambda_max = segment_correlate(set->filter, set->kernels, x, s.pull, s.b, &level, ws);
    result.lambda = is_ratio ? lambda * result.lambda_max : lambda;
    double least = SMALLEST_RATIO * result.lambda_max, safe = SAFE_RATIO * result.lambda_max;
    begin_at_level(&s, fmax(result.lambda, least));
    if (result.lambda_max > 0.0)
        result.finished = descend(&s, &result.n_evaluations) && s.pivots_held;
    if (!result.finished && s.lambda < safe) {
        begin_at_level(&s, safe);
        descend(&s, &result.n_evaluations);
    }
    write_segments(&s, level, u);
    result.n_knots = s.knots.n;
    result.n_solves = s.n_solves;
    workspace_release(ws, mark);
    return result;
}

// Knots where the segments begin, without signs: the penalty is zero.
static void put_knots(struct search *s, const size_t *begin, size_t n_segments)
{
    struct knots *knots = &s->knots;
    knots->n = n_segments - 1;
    for (size_t i = 0; i < n_segments; i++) {
        knots->position[i] = (ptrdiff_t) begin[i];
        knots->sign[i] = knots->jump[i] = 0.0;
    }
    knots->position[n_segments] = s->set->filter->tables.end;
    knots->sign[n_segments] = 0.0;
}

bool segment_active_set_refit(const struct segment_active_set *set, const double *x,
                              const size_t *begin, size_t n_segments, double *u,
                              struct workspace *ws)
{
    g_assert(n_segments > 0 && begin[0] == 0);
    size_t mark = workspace_mark(ws);
    struct search s;
    begin_search(&s, set, ws);
    double level = 0.0;
    segment_correlate(set->filter, set->kernels, x, s.pull, s.b, &level, ws);
    begin_at_level(&s, 0.0);
    put_knots(&s, begin, n_segments);
    solve_on_knots(&s);
    if (s.pivots_held)
        write_segments(&s, level, u);
    workspace_release(ws, mark);
    return s.pivots_held;
}
