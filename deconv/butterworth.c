// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/butterworth.h"

#include <complex.h>
#include <math.h>

/* Design */

// The poles of a filter in the z plane: complex ones stand for themselves and their conjugate,
// real ones come in pairs but for at most one.
struct poles {
    size_t n;
    double complex pole[BUTTERWORTH_MAX_SECTIONS][2]; // of a section; [1] is 0 where it has one
    bool single[BUTTERWORTH_MAX_SECTIONS];
    double gain; // of the digital filter, by the bilinear transform
};

// With T = 1/2, as s = 4 (z - 1) / (z + 1).
static const double bilinear_scale = 4.0;

static double warp(double edge)
{
    return bilinear_scale * tan(0.5 * G_PI * edge);
}

static double complex to_z(double complex s)
{
    return (bilinear_scale + s) / (bilinear_scale - s);
}

static void add_section(struct poles *poles, double complex s0, double complex s1)
{
    poles->pole[poles->n][0] = to_z(s0);
    poles->pole[poles->n][1] = to_z(s1);
    poles->gain /= creal((bilinear_scale - s0) * (bilinear_scale - s1));
    poles->n++;
}

static void add_single(struct poles *poles, double s)
{
    poles->pole[poles->n][0] = to_z(s);
    poles->single[poles->n] = true;
    poles->gain /= bilinear_scale - s;
    poles->n++;
}

// Pole k of the prototype of cutoff 1 in the upper half plane, k = 0 being the real one, -1.
static double complex prototype_pole(size_t k)
{
    return -cexp(I * G_PI * (double) k / BUTTERWORTH_ORDER);
}

static struct poles low_pass_poles(double edge)
{
    double w = warp(edge);
    struct poles poles = {.gain = pow(w, BUTTERWORTH_ORDER)};
    add_single(&poles, -w);
    for (size_t k = 1; k <= BUTTERWORTH_ORDER / 2; k++)
        add_section(&poles, w * prototype_pole(k), w * conj(prototype_pole(k)));
    return poles;
}

static struct poles high_pass_poles(double edge)
{
    double w = warp(edge);
    struct poles poles = {.gain = pow(bilinear_scale, BUTTERWORTH_ORDER)};
    add_single(&poles, -w);
    for (size_t k = 1; k <= BUTTERWORTH_ORDER / 2; k++)
        add_section(&poles, w / prototype_pole(k), w / conj(prototype_pole(k)));
    return poles;
}

// s -> (s^2 + w^2) / (s bandwidth): each pole of the prototype becomes two.
static struct poles band_pass_poles(double low, double high)
{
    double bandwidth = warp(high) - warp(low), w2 = warp(high) * warp(low);
    struct poles poles = {.gain = pow(bilinear_scale * bandwidth, BUTTERWORTH_ORDER)};
    for (size_t k = 0; k <= BUTTERWORTH_ORDER / 2; k++) {
        double complex half = 0.5 * bandwidth * prototype_pole(k);
        double complex root = csqrt(half * half - w2);
        if (k == 0) {
            // Two real poles, or a conjugate pair.
            add_section(&poles, half + root, half - root);
            continue;
        }
        add_section(&poles, half + root, conj(half + root));
        add_section(&poles, half - root, conj(half - root));
    }
    return poles;
}

// The state that a constant `level` at the section's input has led to, and the level it puts out.
static double settle(struct biquad *section, double level)
{
    double gain = (section->b0 + section->b1 + section->b2) / (1.0 + section->a1 + section->a2);
    section->start2 = (section->b2 - section->a2 * gain) * level;
    section->start1 = (section->b1 - section->a1 * gain) * level + section->start2;
    return gain * level;
}

// Zeros of a second-order section: both at z0 = +-1, or one at each (z0 = 0).
static struct butterworth from_poles(const struct poles *poles, double z0)
{
    struct butterworth filter = {.n_sections = poles->n};
    double level = 1.0;
    size_t n_first_order = 0;
    for (size_t i = 0; i < poles->n; i++) {
        double complex p = poles->pole[i][0], q = poles->pole[i][1];
        double gain = i == 0 ? poles->gain : 1.0;
        struct biquad *section = &filter.sections[i];
        *section = (struct biquad){.b0 = gain, .a1 = -creal(p + q), .a2 = creal(p * q)};
        if (poles->single[i]) {
            n_first_order++;
            section->b1 = -z0 * gain;
        } else {
            section->b1 = -2.0 * z0 * gain;
            section->b2 = z0 == 0.0 ? -gain : gain;
        }
        level = settle(section, level);
    }
    filter.n_padding = 3 * (2 * poles->n + 1 - n_first_order);
    return filter;
}

struct butterworth butterworth_design(double low, double high)
{
    g_assert(low >= 0.0 && low < 1.0 && high >= 0.0 && high < 1.0 && (low > 0.0 || high > 0.0));
    if (low > 0.0 && high > 0.0) {
        g_assert(low < high);
        struct poles poles = band_pass_poles(low, high);
        return from_poles(&poles, 0.0);
    }
    struct poles poles = low > 0.0 ? high_pass_poles(low) : low_pass_poles(high);
    return from_poles(&poles, low > 0.0 ? 1.0 : -1.0);
}

/* Application: a recursion is one long chain of dependent operations, so LANES series run side by
   side, sample t of series i at x[t * LANES + i]. */

enum { LANES = 8 };

struct states {
    double first[BUTTERWORTH_MAX_SECTIONS][LANES];
    double second[BUTTERWORTH_MAX_SECTIONS][LANES];
};

static void start(const struct butterworth *filter, const double *first_samples,
                  struct states *states)
{
    for (size_t s = 0; s < filter->n_sections; s++) {
        for (size_t i = 0; i < LANES; i++) {
            states->first[s][i] = filter->sections[s].start1 * first_samples[i];
            states->second[s][i] = filter->sections[s].start2 * first_samples[i];
        }
    }
}

// One sample of every lane through every section (transposed direct form II).
static inline void step(const struct butterworth *filter, struct states *states, double *x)
{
    for (size_t s = 0; s < filter->n_sections; s++) {
        const struct biquad *c = &filter->sections[s];
        for (size_t i = 0; i < LANES; i++) {
            double in = x[i], out = c->b0 * in + states->first[s][i];
            states->first[s][i] = c->b1 * in - c->a1 * out + states->second[s][i];
            states->second[s][i] = c->b2 * in - c->a2 * out;
            x[i] = out;
        }
    }
}

static void forward_and_backward(const struct butterworth *filter, double *x, size_t n)
{
    struct states states;
    start(filter, x, &states);
    for (size_t t = 0; t < n; t++)
        step(filter, &states, x + t * LANES);
    start(filter, x + (n - 1) * LANES, &states);
    for (size_t t = n; t-- > 0;)
        step(filter, &states, x + t * LANES);
}

// Up to LANES series into lanes with their reflected ends; lanes left over are zero.
static void extend(const struct block *y, size_t n_padding, double *x)
{
    size_t n = y->n_time;
    for (size_t i = 0; i < LANES; i++) {
        if (i >= y->n_series) {
            for (size_t t = 0; t < n + 2 * n_padding; t++)
                x[t * LANES + i] = 0.0;
            continue;
        }
        const double *series = block_series(y, i);
        for (size_t t = 0; t < n_padding; t++) {
            x[t * LANES + i] = 2.0 * series[0] - series[n_padding - t];
            x[(n_padding + n + t) * LANES + i] = 2.0 * series[n - 1] - series[n - 2 - t];
        }
        for (size_t t = 0; t < n; t++)
            x[(n_padding + t) * LANES + i] = series[t];
    }
}

void butterworth_apply(const struct butterworth *filter, struct block *y, struct workspace *ws)
{
    g_assert(y->n_time > filter->n_padding);
    size_t n_extended = y->n_time + 2 * filter->n_padding;
    size_t mark = workspace_mark(ws);
    double *x = WORKSPACE_ALLOC(ws, double, n_extended *LANES);
    for (size_t first = 0; first < y->n_series; first += LANES) {
        struct block lanes = block_slice(y, first, MIN(LANES, y->n_series - first));
        extend(&lanes, filter->n_padding, x);
        forward_and_backward(filter, x, n_extended);
        for (size_t i = 0; i < lanes.n_series; i++)
            for (size_t t = 0; t < y->n_time; t++)
                block_series(&lanes, i)[t] = x[(filter->n_padding + t) * LANES + i];
    }
    workspace_release(ws, mark);
}
