// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/prox_tv.h"

#include <float.h>
#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

// Throughout, w = cumsum(y - u) is how far the string hangs below the cumulative sum of y:
// |w| <= mu, it is zero at both ends, mu on the lower wall and -mu on the upper one. A string
// that leaves the lower wall bends down (sign -1), one that leaves the upper wall bends up (+1).

struct tv_segments tv_segments_alloc(size_t n_time, struct workspace *ws)
{
    return (struct tv_segments){.start = WORKSPACE_ALLOC(ws, size_t, n_time + 1),
                                .sign = WORKSPACE_ALLOC(ws, signed char, n_time + 1)};
}

static inline void begin_segment(struct tv_segments *segments, size_t start, signed char sign)
{
    segments->start[segments->n] = start;
    segments->sign[segments->n] = sign;
    segments->n++;
}

// A signed conversion is one instruction, an unsigned one a branch and several.
static inline double as_double(size_t n)
{
    return (double) (gint64) n;
}

// The segment that begins at a sample, as far as it is known.
struct open_segment {
    size_t begin;
    size_t end;                   // samples begin .. end - 1 have been looked at
    double low, high;             // least and greatest value that keep the string inside the tube
    double w_low, w_high;         // w at end - 1 for these values
    size_t touch_low, touch_high; // where they last touched the wall that limits them
};

// Takes in samples until no value is left, and says which way the string must bend: down at
// touch_low if even `low` is too high, up at touch_high if even `high` is too low.
static inline signed char extend(struct open_segment *open, const double *y, size_t n, double mu)
{
    struct open_segment s = *open;
    signed char bend = 0;
    for (; s.end < n; s.end++) {
        double w_low = s.w_low + (y[s.end] - s.low);
        double w_high = s.w_high + (y[s.end] - s.high);
        if (w_low < -mu || w_high > mu) {
            bend = w_low < -mu ? -1 : 1;
            break;
        }
        s.w_low = w_low;
        s.w_high = w_high;
        if (w_low >= mu) {
            s.low += (w_low - mu) * (1.0 / as_double(s.end - s.begin + 1));
            s.w_low = mu;
            s.touch_low = s.end;
        }
        if (w_high <= -mu) {
            s.high += (w_high + mu) * (1.0 / as_double(s.end - s.begin + 1));
            s.w_high = -mu;
            s.touch_high = s.end;
        }
    }
    // The string ends at w = 0.
    if (s.end == n)
        bend = s.w_low < 0.0 ? -1 : s.w_high > 0.0 ? 1 : 0;
    *open = s;
    return bend;
}

// Condat 2013. Each bend goes back to just after the touched sample. Returns false, with the last
// segment of the list begun but not searched, when it went back too often.
static bool construct_segments(const double *y, size_t n, double mu, double patience,
                               struct tv_segments *segments)
{
    size_t waste = 0;
    struct open_segment open = {.end = 1, .low = y[0] - mu, .high = y[0] + mu};
    for (;;) {
        open.w_low = mu;
        open.w_high = -mu;
        open.touch_low = open.touch_high = open.begin;
        signed char bend = extend(&open, y, n, mu);
        segments->n_visits += open.end - open.begin;
        if (bend == 0)
            return true;

        size_t begin = 1 + (bend < 0 ? open.touch_low : open.touch_high);
        begin_segment(segments, begin, bend);
        waste += open.end - begin;
        size_t earned = begin + n / 16;
        if (!(as_double(waste) <= patience * as_double(earned)))
            return false;
        open.begin = begin;
        open.end = begin + 1;
        open.low = bend < 0 ? y[begin] : y[begin] - 2.0 * mu;
        open.high = bend < 0 ? y[begin] + 2.0 * mu : y[begin];
    }
}

// A straight piece of a hull: it rises by `rise` over `length` samples.
struct piece {
    double rise;
    double length;
};

// The greatest convex function below a wall, from the last bend of the string on: pieces of
// increasing slope. The lower wall is kept upside down, so that both are the same.
struct hull {
    struct piece *first;
    struct piece *last;
};

static inline bool is_steeper(struct piece a, struct piece b)
{
    return a.rise * b.length > b.rise * a.length;
}

static inline void hull_append(struct hull *hull, double rise)
{
    struct piece piece = {rise, 1.0};
    while (hull->last >= hull->first && !is_steeper(piece, *hull->last)) {
        piece.rise += hull->last->rise;
        piece.length += hull->last->length;
        hull->last--;
    }
    *++hull->last = piece;
}

// The string follows the first piece of a hull to its end and bends there.
static inline void follow(struct hull *hull, signed char bend, struct tv_segments *segments)
{
    size_t length = (size_t) hull->first->length;
    begin_segment(segments, segments->start[segments->n - 1] + length, bend);
    hull->first++;
}

// While the line to the newest point of one wall, which is all of its hull, leaves the tube
// through the other wall, the string follows that other wall.
static inline void tighten(struct hull *line, struct hull *wall, signed char bend,
                           struct tv_segments *segments)
{
    while (wall->first < wall->last) {
        struct piece mirrored = {-line->first->rise, line->first->length};
        if (!is_steeper(mirrored, *wall->first))
            break;
        line->first->rise += wall->first->rise;
        line->first->length -= wall->first->length;
        follow(wall, bend, segments);
    }
}

// The rest of the string from the begin of the last segment of the list, in linear time: every
// sample enters each hull once and leaves it once.
static void follow_hulls(const double *y, size_t n, double mu, struct tv_segments *segments,
                         struct workspace *ws)
{
    size_t begin = segments->start[segments->n - 1];
    double w = -mu * segments->sign[segments->n - 1];
    size_t mark = workspace_mark(ws);
    struct hull upper = {.first = WORKSPACE_ALLOC(ws, struct piece, n - begin)};
    struct hull lower = {.first = WORKSPACE_ALLOC(ws, struct piece, n - begin)};
    upper.last = upper.first;
    lower.last = lower.first;
    *upper.first = (struct piece){mu + w + y[begin], 1.0};
    *lower.first = (struct piece){mu - w - y[begin], 1.0};

    for (size_t t = begin + 1; t < n; t++) {
        // Both walls meet the string at its end.
        double closing = t + 1 == n ? mu : 0.0;
        hull_append(&upper, y[t] - closing);
        hull_append(&lower, -y[t] - closing);
        if (lower.first == lower.last)
            tighten(&lower, &upper, 1, segments);
        else if (upper.first == upper.last)
            tighten(&upper, &lower, -1, segments);
    }
    while (upper.first < upper.last && lower.first == lower.last)
        follow(&upper, 1, segments);
    while (lower.first < lower.last && upper.first == upper.last)
        follow(&lower, -1, segments);
    segments->n_visits += n - begin;
    workspace_release(ws, mark);
}

// With room for sums of it.
static double finite(double mu)
{
    return fmin(mu, DBL_MAX / 8.0);
}

void prox_tv_segments(const double *y, size_t n, double mu, double patience,
                      struct tv_segments *segments, struct workspace *ws)
{
    segments->n = 0;
    segments->n_visits = 0;
    mu = finite(mu);
    begin_segment(segments, 0, 0);
    if (!construct_segments(y, n, mu, patience, segments))
        follow_hulls(y, n, mu, segments, ws);
    segments->start[segments->n] = n;
    segments->sign[segments->n] = 0;
}

// Pairwise, so that rounding grows with log n; in four parts, since additions wait for each other.
static double sum_of_differences(const double *a, size_t n, double from)
{
    if (n > 128) {
        size_t half = n / 2;
        return sum_of_differences(a, half, from) + sum_of_differences(a + half, n - half, from);
    }
    double part[4] = {0.0, 0.0, 0.0, 0.0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            part[j] += a[i + j] - from;
    for (; i < n; i++)
        part[i % 4] += a[i] - from;
    return (part[0] + part[1]) + (part[2] + part[3]);
}

// The mean of a, plus extra / n. Equal samples have exactly their value as mean.
static inline double mean_with(const double *a, size_t n, double extra)
{
    if (n == 1)
        return a[0] + extra;
    return a[0] + (sum_of_differences(a + 1, n - 1, a[0]) + extra) / as_double(n);
}

// On a segment, u = mean(y) + mu (sign of the jump out - sign of the jump in) / length. Computed
// from the samples anew, it is free of the rounding that piled up in the search.
static void fill_segments(const double *y, double mu, const struct tv_segments *segments, double *u)
{
    for (size_t q = 0; q < segments->n; q++) {
        size_t begin = segments->start[q];
        size_t end = segments->start[q + 1];
        double pull = mu * (segments->sign[q + 1] - segments->sign[q]);
        double value = mean_with(y + begin, end - begin, pull);
        for (size_t t = begin; t < end; t++)
            u[t] = value;
    }
}

// For mu <= 0 every sample is a segment.
static void keep_samples(const double *y, size_t n, struct tv_segments *segments)
{
    segments->n = 0;
    segments->n_visits = n;
    begin_segment(segments, 0, 0);
    for (size_t t = 1; t < n; t++)
        begin_segment(segments, t, (signed char) ((y[t] > y[t - 1]) - (y[t] < y[t - 1])));
    segments->start[n] = n;
    segments->sign[n] = 0;
}

void prox_tv(const double *y, size_t n, double mu, double *u, struct tv_segments *segments,
             struct workspace *ws)
{
    const double patience = 1.25; // measured: noise of any strength goes back by 1.0 or less
    if (!(mu > 0.0)) {
        if (segments != NULL)
            keep_samples(y, n, segments);
        memmove(u, y, n * sizeof *u);
        return;
    }
    size_t mark = workspace_mark(ws);
    struct tv_segments scratch;
    if (segments == NULL) {
        scratch = tv_segments_alloc(n, ws);
        segments = &scratch;
    }
    prox_tv_segments(y, n, mu, patience, segments, ws);
    fill_segments(y, finite(mu), segments, u);
    workspace_release(ws, mark);
}

double prox_tv_backward(const struct tv_segments *segments, const double *g, double *dloss_dy)
{
    double dloss_dmu = 0.0;
    for (size_t q = 0; q < segments->n; q++) {
        size_t begin = segments->start[q];
        size_t end = segments->start[q + 1];
        double mean = mean_with(g + begin, end - begin, 0.0);
        dloss_dmu += (segments->sign[q + 1] - segments->sign[q]) * mean;
        for (size_t t = begin; t < end; t++)
            dloss_dy[t] = mean;
    }
    return dloss_dmu;
}
