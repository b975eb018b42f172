// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram_path.h"

#include "solvers/gram_factor.h"

#include <math.h>
#include <string.h>

enum role { FREE, ACTIVE, REFUSED };

struct state {
    const struct gram *gram;
    const double *b;
    double lambda;
    struct gram_factor factor; // S and y = N sign
    double *sign;              // of c on S
    double *w;                 // on S
    double *direction;         // of w on S as lambda falls
    // For columns outside S that may join; zero for the others, which then never seem to.
    double *c;     // b - G w
    double *slope; // of c as lambda falls
    unsigned char *role;
    size_t n_refused;
    double *zeros;
};

enum event { EVENT_END, EVENT_JOIN, EVENT_LEAVE };

// The end of a piece: after a fall of lambda by `step`, column `j` joins or row `j` leaves.
struct next {
    enum event event;
    double step;
    size_t j;
};

static double correlation(const struct state *s, size_t j)
{
    double c = s->b[j];
    for (size_t i = 0; i < s->factor.n; i++)
        c -= gram_entry(s->gram, s->factor.index[i], j) * s->w[i];
    return c;
}

static void join(struct state *s, size_t j, double sign)
{
    bool joined = gram_factor_add(&s->factor, j, sign);
    s->c[j] = 0.0;
    s->role[j] = joined ? ACTIVE : REFUSED;
    if (joined) {
        s->sign[s->factor.n - 1] = sign;
        s->w[s->factor.n - 1] = 0.0;
    } else {
        s->n_refused++;
    }
}

// A column that depends on S cannot violate before S loses one.
static void readmit_refused(struct state *s)
{
    for (size_t j = 0; j < s->gram->n && s->n_refused > 0; j++) {
        if (s->role[j] != REFUSED)
            continue;
        s->role[j] = FREE;
        s->c[j] = correlation(s, j);
        s->n_refused--;
    }
}

// Without column j the others let |c_j| fall faster than lambda, by (G_SS^-1 sign)_j sign_j < 0
// over a diagonal entry: it stands at lambda and does not join again at once.
static void leave(struct state *s, size_t q)
{
    size_t j = s->factor.index[q];
    gram_factor_drop(&s->factor, q);
    size_t after = s->factor.n - q;
    s->role[j] = FREE;
    s->c[j] = s->lambda * s->sign[q];
    memmove(s->sign + q, s->sign + q + 1, after * sizeof(double));
    memmove(s->w + q, s->w + q + 1, after * sizeof(double));
    readmit_refused(s);
}

// w = G_SS^-1 (b_S - lambda sign), so that its error does not grow along the path.
static void find_direction(struct state *s)
{
    size_t n = s->factor.n;
    gram_factor_solve(&s->factor, s->direction);
    for (size_t i = 0; i < n; i++)
        s->w[i] = s->b[s->factor.index[i]] - s->lambda * s->sign[i];
    gram_factor_apply_inverse(&s->factor, s->w);
    s->gram->kernels->subtract_columns(s->gram->values, s->gram->ld, s->factor.index, s->direction,
                                       n, s->zeros, s->slope);
    for (size_t i = 0; i < n; i++)
        s->slope[s->factor.index[i]] = 0.0;
    for (size_t j = 0; j < s->gram->n && s->n_refused > 0; j++)
        if (s->role[j] == REFUSED)
            s->slope[j] = 0.0;
}

static struct next find_leaving(const struct state *s, struct next next)
{
    for (size_t i = 0; i < s->factor.n; i++) {
        if (!(s->direction[i] * s->sign[i] < 0.0))
            continue;
        double step = fmax(-s->w[i] / s->direction[i], 0.0);
        if (step < next.step)
            next = (struct next){EVENT_LEAVE, step, i};
    }
    return next;
}

static struct next find_event(const struct state *s, double lambda_end)
{
    struct next next = {EVENT_END, s->lambda - lambda_end, 0};
    size_t j;
    double step = s->gram->kernels->first_crossing(s->c, s->slope, s->gram->ld, s->lambda, &j);
    if (step < next.step)
        next = (struct next){EVENT_JOIN, step, j};
    return find_leaving(s, next);
}

static void move(struct state *s, double step)
{
    for (size_t j = 0; j < s->gram->ld; j++)
        s->c[j] += step * s->slope[j];
    for (size_t i = 0; i < s->factor.n; i++)
        s->w[i] += step * s->direction[i];
    s->lambda -= step;
}

static struct state begin(const struct gram *gram, const double *b, struct workspace *ws)
{
    size_t most = triangle_padded(gram->rank + 1);
    struct state s = {.gram = gram,
                      .b = b,
                      .factor = gram_factor_begin(gram, ws),
                      .sign = WORKSPACE_ALLOC(ws, double, most),
                      .w = WORKSPACE_ALLOC(ws, double, most),
                      .direction = WORKSPACE_ALLOC(ws, double, most),
                      .c = WORKSPACE_ALLOC(ws, double, gram->ld),
                      .slope = WORKSPACE_ALLOC(ws, double, gram->ld),
                      .role = WORKSPACE_ALLOC(ws, unsigned char, gram->n),
                      .zeros = WORKSPACE_ALLOC(ws, double, gram->ld)};
    memcpy(s.c, b, gram->ld * sizeof(double));
    memset(s.role, FREE, gram->n);
    memset(s.zeros, 0, gram->ld * sizeof(double));
    return s;
}

static size_t largest(const double *c, size_t n)
{
    size_t j = 0;
    for (size_t i = 1; i < n; i++)
        if (fabs(c[i]) > fabs(c[j]))
            j = i;
    return j;
}

struct gram_path_result gram_path_follow(const struct gram *gram, const double *b,
                                         double lambda_end, gram_path_visit *visit, void *data,
                                         struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct state s = begin(gram, b, ws);
    size_t first = largest(b, gram->n);
    s.lambda = fabs(b[first]);
    struct gram_path_result result = {.finished = !(s.lambda > lambda_end)};
    size_t most_pieces = 100 + 10 * (gram->n + gram->rank);

    if (!result.finished)
        join(&s, first, b[first] > 0.0 ? 1.0 : -1.0);
    while (!result.finished && result.n_pieces < most_pieces) {
        find_direction(&s);
        struct next next = find_event(&s, lambda_end);
        struct gram_path_piece piece = {s.lambda, s.lambda - next.step, s.factor.n, s.factor.index,
                                        s.w,      s.direction};
        if (next.event == EVENT_END)
            piece.to = lambda_end;
        result.n_pieces++;
        result.finished = !visit(data, &piece) || next.event == EVENT_END;
        move(&s, next.step);
        if (next.event == EVENT_LEAVE)
            leave(&s, next.j);
        else if (next.event == EVENT_JOIN)
            join(&s, next.j, s.c[next.j] > 0.0 ? 1.0 : -1.0);
    }
    workspace_release(ws, mark);
    return result;
}
