// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram_active_set.h"

#include "solvers/gram_factor.h"

#include <float.h>
#include <math.h>
#include <string.h>

// Columns that violate by this part of the worst violation join with it: with less, most of them
// leave again; with more, there are more rounds.
#define JOIN_FRACTION 0.6
// |c_j| up to lambda (1 + SLACK), plus what rounding does to c, is no violation.
#define SLACK 1e-10
// Stationarity on S that is left to rounding; beyond it the solution is refined once.
#define STATIONARITY 1e-12

enum { MAX_ROUNDS_WITHOUT_PROGRESS = 10 };

// What the method knows of a column outside S.
enum role { FREE, ACTIVE, REFUSED };

struct state {
    const struct gram_lasso *lasso;
    const struct gram *gram;
    struct gram_factor factor; // S and y = N (b_S - lambda sign)
    double *sign;              // of w on S
    double *w;                 // on S
    double *target;            // minimiser on S, for these signs
    double *c;                 // b - G w, all columns
    unsigned char *role;       // of each column
    size_t *violators;
    double b_max;
    double tolerance; // |c_j| above it violates
    double worst;     // max |c_j|
    size_t n_solves;
};

static bool join(struct state *s, size_t j, double sign, double w)
{
    if (!gram_factor_add(&s->factor, j, s->lasso->b[j] - s->lasso->lambda * sign))
        return false;
    size_t last = s->factor.n - 1;
    s->sign[last] = sign;
    s->w[last] = w;
    s->role[j] = ACTIVE;
    return true;
}

static void leave(struct state *s, size_t q)
{
    s->role[s->factor.index[q]] = FREE;
    gram_factor_drop(&s->factor, q);
    size_t after = s->factor.n - q;
    memmove(s->sign + q, s->sign + q + 1, after * sizeof(double));
    memmove(s->w + q, s->w + q + 1, after * sizeof(double));
    memmove(s->target + q, s->target + q + 1, after * sizeof(double));
}

// The part of the way from w to target at which a coefficient first reaches zero, *blocking; 1, and
// *blocking beyond the last, where all of them keep their signs.
static double step_to_zero(const struct state *s, size_t *blocking)
{
    double step = 1.0;
    *blocking = s->factor.n;
    for (size_t i = 0; i < s->factor.n; i++) {
        if (s->target[i] * s->sign[i] > 0.0)
            continue;
        double at_zero = s->w[i] / (s->w[i] - s->target[i]);
        if (!(at_zero >= 0.0))
            at_zero = 0.0;
        if (*blocking == s->factor.n || at_zero < step) {
            step = at_zero;
            *blocking = i;
        }
    }
    return step;
}

// To the minimiser on S. Where a coefficient would change its sign on the way, the move stops
// there, the coefficient leaves S and the move begins anew: no step raises the objective.
static void reduce(struct state *s)
{
    while (s->factor.n > 0) {
        s->n_solves++;
        gram_factor_solve(&s->factor, s->target);
        size_t blocking;
        double step = step_to_zero(s, &blocking);
        size_t n = s->factor.n;
        if (blocking == n) {
            memcpy(s->w, s->target, n * sizeof(double));
            return;
        }
        for (size_t i = 0; i < n; i++)
            s->w[i] += step * (s->target[i] - s->w[i]);
        for (size_t i = n; i-- > 0;)
            if (i == blocking || (s->w[i] * s->sign[i] <= 0.0 && s->target[i] * s->sign[i] <= 0.0))
                leave(s, i);
    }
}

// c is a sum of b and the w_i G_i, of which rounding loses the last bits.
static void look_at_all_columns(struct state *s)
{
    double scale = s->b_max;
    for (size_t i = 0; i < s->factor.n; i++) {
        size_t j = s->factor.index[i];
        scale += fabs(s->w[i]) * gram_entry(s->gram, j, j);
    }
    s->tolerance = s->lasso->lambda * (1.0 + SLACK) + 4.0 * DBL_EPSILON * scale;
    s->worst = s->gram->kernels->subtract_columns(s->gram->values, s->gram->ld, s->factor.index,
                                                  s->w, s->factor.n, s->lasso->b, s->c);
    if (!s->lasso->positive)
        return;
    s->worst = 0.0;
    for (size_t j = 0; j < s->gram->n; j++)
        s->worst = fmax(s->worst, s->c[j]);
}

// Rounding in the factor, after many columns have come and gone, leaves c_S off lambda sign by a
// little; one correction by the same factor takes that away.
static bool refine(struct state *s)
{
    double *correction = s->target;
    double off = 0.0;
    for (size_t i = 0; i < s->factor.n; i++) {
        correction[i] = s->c[s->factor.index[i]] - s->lasso->lambda * s->sign[i];
        off = fmax(off, fabs(correction[i]));
    }
    if (off <= STATIONARITY * s->lasso->lambda)
        return false;
    gram_factor_apply_inverse(&s->factor, correction);
    for (size_t i = 0; i < s->factor.n; i++)
        if ((s->w[i] + correction[i]) * s->sign[i] > 0.0)
            s->w[i] += correction[i];
    return true;
}

static size_t find_violators(const struct state *s)
{
    double bar = s->lasso->lambda + JOIN_FRACTION * (s->worst - s->lasso->lambda);
    bar = fmax(bar, s->tolerance);
    size_t count = 0;
    for (size_t j = 0; j < s->gram->n; j++)
        if ((s->lasso->positive ? s->c[j] : fabs(s->c[j])) >= bar && s->role[j] == FREE)
            s->violators[count++] = j;
    return count;
}

static size_t find_violators_one_per_run(const struct state *s)
{
    size_t count = 0;
    for (size_t j = 0; j < s->gram->n;) {
        if (fabs(s->c[j]) <= s->tolerance) {
            j++;
            continue;
        }
        bool positive = s->c[j] > 0.0;
        size_t worst = s->gram->n;
        for (; j < s->gram->n && fabs(s->c[j]) > s->tolerance && (s->c[j] > 0.0) == positive; j++)
            if (s->role[j] == FREE && (worst == s->gram->n || fabs(s->c[j]) > fabs(s->c[worst])))
                worst = j;
        if (worst < s->gram->n)
            s->violators[count++] = worst;
    }
    return count;
}

// How far w can go along direction, a multiple of sign, until a coefficient of S is zero.
static double step_along(const struct state *s, const double *direction, double sign,
                         size_t *blocking)
{
    double step = INFINITY;
    *blocking = s->factor.n;
    for (size_t i = 0; i < s->factor.n; i++) {
        if (!(sign * direction[i] * s->sign[i] < 0.0) || fabs(s->w[i] / direction[i]) >= step)
            continue;
        step = fabs(s->w[i] / direction[i]);
        *blocking = i;
    }
    return step;
}

// Column j violates but depends on S: along (1, -G_SS^-1 G_Sj) M w stays and, w being the minimiser
// on S, ||w||_1 falls. The move ends where a coefficient of S reaches zero; it leaves, j joins.
static bool exchange(struct state *s, size_t j, double sign)
{
    double *direction = s->target;
    double w = 0.0;
    do {
        size_t blocking;
        gram_factor_null_direction(&s->factor, direction);
        double step = step_along(s, direction, sign, &blocking);
        if (blocking == s->factor.n) {
            s->role[j] = REFUSED;
            return false;
        }
        w += step * sign;
        for (size_t i = 0; i < s->factor.n; i++)
            s->w[i] += step * sign * direction[i];
        leave(s, blocking);
    } while (!join(s, j, sign, w));
    return true;
}

// True if S has changed. Only the first to join meets the minimiser on S, which an exchange needs;
// a later one that depends on S violates again in the next round, or no more.
static bool add_violators(struct state *s)
{
    size_t count = s->lasso->one_per_run ? find_violators_one_per_run(s) : find_violators(s);
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        size_t j = s->violators[i];
        double sign = s->c[j] > 0.0 ? 1.0 : -1.0;
        if (join(s, j, sign, 0.0))
            changed = true;
        else if (!changed)
            changed = exchange(s, j, sign);
    }
    return changed;
}

// The objective at the minimiser on S is 1/2 (||x||^2 - ||y||^2).
static double fall(const struct state *s)
{
    double sum = 0.0;
    for (size_t i = 0; i < s->factor.n; i++)
        sum += s->factor.y[i] * s->factor.y[i];
    return sum;
}

static bool iterate(struct state *s)
{
    double best = -1.0;
    int rounds = 0;
    bool refined = false;
    for (;;) {
        look_at_all_columns(s);
        if (s->worst <= s->tolerance) {
            if (refined || !refine(s))
                return true;
            refined = true;
            continue;
        }
        double now = fall(s);
        rounds = now > best ? 0 : rounds + 1;
        best = fmax(now, best);
        if (rounds > MAX_ROUNDS_WITHOUT_PROGRESS || !add_violators(s))
            return false;
        reduce(s);
        refined = false;
    }
}

static struct state begin(const struct gram_lasso *lasso, struct workspace *ws)
{
    const struct gram *gram = lasso->gram;
    size_t most = triangle_padded(gram->rank + 1);
    struct state s = {.lasso = lasso,
                      .gram = gram,
                      .factor = gram_factor_begin(gram, ws),
                      .sign = WORKSPACE_ALLOC(ws, double, most),
                      .w = WORKSPACE_ALLOC(ws, double, most),
                      .target = WORKSPACE_ALLOC(ws, double, most),
                      .c = WORKSPACE_ALLOC(ws, double, gram->ld),
                      .role = WORKSPACE_ALLOC(ws, unsigned char, gram->n),
                      .violators = WORKSPACE_ALLOC(ws, size_t, gram->n)};
    memset(s.role, FREE, gram->n);
    for (size_t j = 0; j < gram->n; j++)
        s.b_max = fmax(s.b_max, fabs(lasso->b[j]));
    return s;
}

struct gram_active_set_result gram_active_set_solve(const struct gram_lasso *lasso, double *w,
                                                    struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct state s = begin(lasso, ws);
    for (size_t j = 0; j < lasso->gram->n; j++)
        if (lasso->positive ? w[j] > 0.0 : w[j] != 0.0)
            join(&s, j, w[j] > 0.0 ? 1.0 : -1.0, w[j]);
    reduce(&s);
    bool finished = iterate(&s);
    memset(w, 0, lasso->gram->n * sizeof(double));
    for (size_t i = 0; i < s.factor.n; i++)
        w[s.factor.index[i]] = s.w[i];
    workspace_release(ws, mark);
    return (struct gram_active_set_result){finished, s.n_solves};
}
