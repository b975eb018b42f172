// SPDX-License-Identifier: BSD-3-Clause
// CPU time of prox_tv per sample, on signals of many shapes and lengths, with the samples that it
// looks at per sample, and the time of its two methods alone ("-" where that would be quadratic).
// usage: prox_tv [N ...]; without arguments n = 250, 1000, 20000 and 1000000

#include "solvers/prox_tv.h"

#include "solvers/cpu_clock.h"
#include "solvers/median.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>

// Many columns, so that the branch predictor does not learn one by heart.
enum { MAX_COLUMNS = 400, MAX_SAMPLES = 1000000, REPEATS = 5 };

static double normal(GRand *rand)
{
    double radius = sqrt(-2.0 * log(1.0 - g_rand_double(rand)));
    return radius * cos(2.0 * G_PI * g_rand_double(rand));
}

static double alternating(size_t t, double previous G_GNUC_UNUSED, GRand *rand G_GNUC_UNUSED)
{
    return t % 2 == 0 ? -1.0 : 1.0;
}

static double constant(size_t t G_GNUC_UNUSED, double previous G_GNUC_UNUSED,
                       GRand *rand G_GNUC_UNUSED)
{
    return 0.3;
}

static double noise(size_t t G_GNUC_UNUSED, double previous G_GNUC_UNUSED, GRand *rand)
{
    return normal(rand);
}

static double noisy_ramp(size_t t, double previous G_GNUC_UNUSED, GRand *rand)
{
    return 0.1 * (double) t + normal(rand);
}

static double parabola(size_t t, double previous G_GNUC_UNUSED, GRand *rand G_GNUC_UNUSED)
{
    return 1e-3 * (double) t * (double) t;
}

static double plateaus(size_t t, double previous G_GNUC_UNUSED, GRand *rand)
{
    return (double) (t / 25 * 7 % 11) + 0.1 * normal(rand);
}

static double ramp(size_t t, double previous G_GNUC_UNUSED, GRand *rand G_GNUC_UNUSED)
{
    return 0.1 * (double) t;
}

static double spikes(size_t t, double previous G_GNUC_UNUSED, GRand *rand)
{
    return (t % 37 == 0 ? 10.0 : 0.0) + 0.01 * normal(rand);
}

static double ties(size_t t G_GNUC_UNUSED, double previous G_GNUC_UNUSED, GRand *rand)
{
    return g_rand_int_range(rand, -2, 3);
}

static double walk(size_t t G_GNUC_UNUSED, double previous, GRand *rand)
{
    return previous + normal(rand);
}

static const struct kind {
    const char *name;
    double (*sample)(size_t t, double previous, GRand *rand);
} kinds[] = {
    {"alternating", alternating},
    {"constant", constant},
    {"noise", noise},
    {"noisy ramp", noisy_ramp},
    {"parabola", parabola},
    {"plateaus", plateaus},
    {"ramp", ramp},
    {"spikes", spikes},
    {"ties", ties},
    {"walk", walk},
};

static void fill_columns(const struct kind *kind, double *y, size_t n, size_t n_columns)
{
    GRand *rand = g_rand_new_with_seed(1);
    for (size_t i = 0; i < n * n_columns; i++)
        y[i] = kind->sample(i % n, i % n == 0 ? 0.0 : y[i - 1], rand);
    g_rand_free(rand);
}

struct columns {
    const double *y;
    size_t n;
    size_t n_columns;
    double mu;
    double *u;
    struct workspace *ws;
};

// The median over repeats; patience < 0: prox_tv itself, else the pieces alone.
static double ns_per_sample(const struct columns *c, double patience, size_t *n_visits)
{
    double times[REPEATS];
    struct tv_segments segments = tv_segments_alloc(c->n, c->ws);
    for (int r = 0; r < REPEATS; r++) {
        double begin = cpu_clock_s();
        *n_visits = 0;
        for (size_t i = 0; i < c->n_columns; i++) {
            if (patience < 0.0)
                prox_tv(c->y + i * c->n, c->n, c->mu, c->u, &segments, c->ws);
            else
                prox_tv_segments(c->y + i * c->n, c->n, c->mu, patience, &segments, c->ws);
            *n_visits += segments.n_visits;
        }
        times[r] = 1e9 * (cpu_clock_s() - begin) / (double) (c->n * c->n_columns);
    }
    workspace_release(c->ws, 0);
    return median(times, REPEATS);
}

static void report(const struct kind *kind, const struct columns *c)
{
    double n_samples = (double) (c->n * c->n_columns);
    size_t visits = 0;
    size_t unused = 0;
    double ns = ns_per_sample(c, -1.0, &visits);
    double hulls = ns_per_sample(c, 0.0, &unused);
    printf("%8zu  %-12s %6g %8.1f %8.2f %8.1f", c->n, kind->name, c->mu, ns,
           (double) visits / n_samples, hulls);
    if ((double) visits < 2.5 * n_samples)
        printf(" %8.1f\n", ns_per_sample(c, 3.0, &unused));
    else
        printf(" %8s\n", "-");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const size_t lengths[] = {250, 1000, 20000, 1000000};
    static const double mus[] = {0.1, 1.0, 10.0, 100.0};
    size_t n_lengths = argc > 1 ? (size_t) argc - 1 : G_N_ELEMENTS(lengths);
    struct workspace *ws = workspace_new();
    printf("%8s  %-12s %6s %8s %8s %8s %8s\n", "n", "signal", "mu", "ns", "visits", "hulls",
           "Condat");
    for (size_t i = 0; i < n_lengths; i++) {
        size_t n = argc > 1 ? g_ascii_strtoull(argv[i + 1], NULL, 10) : lengths[i];
        size_t n_columns = CLAMP(MAX_SAMPLES / MAX(n, 1), 1, MAX_COLUMNS);
        double *y = g_new(double, n *n_columns);
        double *u = g_new(double, n);
        for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
            fill_columns(&kinds[k], y, n, n_columns);
            for (size_t m = 0; m < G_N_ELEMENTS(mus); m++) {
                struct columns columns = {y, n, n_columns, mus[m], u, ws};
                report(&kinds[k], &columns);
            }
        }
        g_free(y);
        g_free(u);
    }
    workspace_free(ws);
    return EXIT_SUCCESS;
}
