// SPDX-License-Identifier: BSD-3-Clause
// How much slower the synthesis form of TV is: ||A L||^2 / ||A||^2 of Gaussian A against the bound
// (2 k + 1) / (4 pi^2) and the conjecture 1 / (32 cos^2(k pi / (2 k + 1))), which grow as k and
// k^2. Cherkaoui, Sulam and Moreau, 2020, proposition 2.1 and figure 1.
#include "app/reproduce/reproduction.h"
#include "solvers/random.h"
#include "solvers/synthesis.h"

#include <glib.h>
#include <math.h>

static const struct panel panels[] = {{"Ratio of the Lipschitz constants", "ratio", "k, unknowns",
                                       "||A L||^2 / ||A||^2", 0.0, true, true, false},
                                      {0}};

static double bound(double k)
{
    return (2.0 * k + 1.0) / (4.0 * G_PI * G_PI);
}

static double conjecture(double k)
{
    double c = cos(k * G_PI / (2.0 * k + 1.0));
    return 1.0 / (32.0 * c * c);
}

struct draws {
    struct reproduction *r;
    size_t k;
    double *ratios;
};

static void draw(void *data, size_t index, struct workspace *ws)
{
    const struct draws *draws = data;
    size_t k = draws->k, mark = workspace_mark(ws);
    double *matrix = WORKSPACE_ALLOC(ws, double, k *k);
    struct random_stream stream = random_stream_of(draws->r->seed, k, index);
    random_normal(&stream, matrix, k * k);
    g_autoptr(linop) op = linop_new_dense(matrix, k, k);
    g_autoptr(linop) synthesis = linop_new_synthesis(op);
    draws->ratios[index] = synthesis->norm2 / op->norm2;
    workspace_release(ws, mark);
}

// ||L||^2 of the cumulative sum on n samples, against its closed form.
static void check_sum_norm(struct reproduction *r)
{
    double worst = 0.0;
    for (size_t n = 2; n <= 100; n += 7) {
        g_autoptr(linop) identity = linop_new_identity(n);
        g_autoptr(linop) sum = linop_new_synthesis(identity);
        double s = sin(G_PI / (2.0 * (2.0 * (double) n + 1.0)));
        // The operator's norm is an upper bound, 0.05 % above.
        worst = fmax(worst, fabs(sum->norm2 / 1.0005 * 4.0 * s * s - 1.0));
    }
    reproduction_check(r, "||L||^2 is 1 / (4 sin^2(pi / (2 (2 n + 1)))) to the power iteration",
                       worst <= 1e-4, worst, 1e-4);
}

static void check_slope(struct reproduction *r, const size_t *sizes, size_t n)
{
    double sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0, count = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (sizes[i] < 50)
            continue;
        double x = log((double) sizes[i]);
        double y = log(reproduction_mean(r, "Gaussian, mean", (double) sizes[i], "ratio"));
        sx += x, sy += y, sxx += x * x, sxy += x * y, count += 1.0;
    }
    double slope = (count * sxy - sx * sy) / (count * sxx - sx * sx);
    reproduction_check(r, "the mean grows as k^2: log-log slope for k >= 50 within 2 +- 0.1",
                       fabs(slope - 2.0) <= 0.1, slope, 2.0);
}

static bool run(struct reproduction *r, GError **error)
{
    static const size_t sizes[] = {10, 14, 20, 30, 43, 60, 85, 120, 170, 240, 300, 430, 620, 1000};
    size_t n_sizes = r->full ? G_N_ELEMENTS(sizes) : 11, n_draws = r->full ? 1000 : 50;
    double least = INFINITY, low = INFINITY, high = 0.0;
    reproduction_set(r, "draws", "%zu", n_draws);
    for (size_t i = 0; i < n_sizes; i++) {
        double k = (double) sizes[i], mean = 0.0;
        g_autofree double *ratios = g_new(double, n_draws);
        struct draws draws = {r, sizes[i], ratios};
        if (!parallel_for(r->host->team, n_draws, draw, &draws)) {
            host_stopped(r->host, error);
            return false;
        }
        for (size_t d = 0; d < n_draws; d++)
            mean += ratios[d] / (double) n_draws;
        reproduction_result(r, "Gaussian, mean", k, r->seed, "ratio", mean);
        reproduction_result(r, "bound of the theorem", k, r->seed, "ratio", bound(k));
        reproduction_result(r, "conjecture", k, r->seed, "ratio", conjecture(k));
        least = fmin(least, mean / bound(k));
        low = k >= 40 ? fmin(low, mean / conjecture(k)) : low;
        high = k >= 40 ? fmax(high, mean / conjecture(k)) : high;
        host_progress(r->host, (double) (i + 1) / (double) n_sizes);
    }
    check_sum_norm(r);
    check_slope(r, sizes, n_sizes);
    reproduction_check(r, "the mean is above the theorem's bound at every k", least >= 1.0, least,
                       1.0);
    reproduction_check(r, "mean / conjecture is above 1.9 for k >= 40", low >= 1.9, low, 1.9);
    reproduction_check(r, "mean / conjecture is below 2.3 for k >= 40", high <= 2.3, high, 2.3);
    reproduction_note(r, "Square Gaussian A, %zu draws a size.", n_draws);
    return true;
}

const struct experiment reproduce_tv_rates = {.id = "tv-rates",
                                              .title = "Analysis converges faster than synthesis",
                                              .panels = panels,
                                              .run = run};
