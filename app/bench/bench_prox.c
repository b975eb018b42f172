// SPDX-License-Identifier: BSD-3-Clause
#include "app/bench/bench_prox.h"

#include "app/bench/bench.h"
#include "solvers/cpu_clock.h"
#include "solvers/median.h"
#include "solvers/prox_tv.h"
#include "solvers/random.h"

static const double radii[] = {0.1, 1.0, 10.0};

static void draw_noise(struct random_stream *stream, double *y, size_t n)
{
    random_normal(stream, y, n);
}

static void draw_plateaus(struct random_stream *stream, double *y, size_t n)
{
    random_normal(stream, y, n);
    for (size_t t = 0; t < n; t++)
        y[t] = (double) (t / 25 * 7 % 11) + 0.1 * y[t];
}

static void draw_ramp(struct random_stream *stream, double *y, size_t n)
{
    (void) stream;
    for (size_t t = 0; t < n; t++)
        y[t] = 0.1 * (double) t;
}

static void draw_walk(struct random_stream *stream, double *y, size_t n)
{
    random_normal(stream, y, n);
    for (size_t t = 1; t < n; t++)
        y[t] += y[t - 1];
}

static const struct shape {
    const char *name;
    void (*draw)(struct random_stream *stream, double *y, size_t n);
} shapes[] = {
    {"noise", draw_noise},
    {"plateaus", draw_plateaus},
    {"ramp", draw_ramp},
    {"walk", draw_walk},
};

/** Signals of one length, many, so that the processor does not learn one by heart. */
struct signals {
    const char *name;
    const double *y; // n_signals x n, row-major
    size_t n;
    size_t n_signals;
};

enum { METHOD_IN_USE, METHOD_HULLS, N_METHODS };

static double time_round(const struct signals *signals, double mu, size_t method, double *u,
                         struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct tv_segments segments = tv_segments_alloc(signals->n, ws);
    double begin = cpu_clock_s();
    for (size_t i = 0; i < signals->n_signals; i++) {
        const double *y = signals->y + i * signals->n;
        if (method == METHOD_IN_USE)
            prox_tv(y, signals->n, mu, u, NULL, ws);
        else
            prox_tv_segments(y, signals->n, mu, 0.0, &segments, ws);
    }
    double seconds = cpu_clock_s() - begin;
    workspace_release(ws, mark);
    return 1e9 * seconds / (double) (signals->n * signals->n_signals);
}

static void report(const struct signals *signals, double mu, size_t n_rounds, struct workspace *ws,
                   const struct bench_prox_rows *rows)
{
    g_autofree double *ns = g_new(double, N_METHODS *n_rounds);
    g_autofree double *u = g_new(double, signals->n);
    for (size_t r = 0; r < n_rounds; r++)
        for (size_t m = 0; m < N_METHODS; m++)
            ns[m * n_rounds + r] = time_round(signals, mu, m, u, ws);
    const struct bench_prox_row row = {signals->name, signals->n, mu, median(ns, n_rounds),
                                       median(ns + n_rounds, n_rounds)};
    rows->add(rows->data, &row);
}

static void report_signals(const struct signals *signals, size_t n_rounds,
                           const struct bench_prox_rows *rows)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    for (size_t m = 0; m < G_N_ELEMENTS(radii); m++)
        report(signals, radii[m], n_rounds, ws, rows);
}

static bool report_drawn(const struct host *host, uint64_t seed, size_t n_rounds,
                         const struct bench_prox_rows *rows, GError **error)
{
    enum { N_SAMPLES = 200000 };
    static const size_t lengths[] = {250, 1000, 20000, N_SAMPLES};
    g_autofree double *y = g_new(double, N_SAMPLES);
    for (size_t s = 0; s < G_N_ELEMENTS(shapes); s++) {
        for (size_t l = 0; l < G_N_ELEMENTS(lengths); l++) {
            struct signals signals = {shapes[s].name, y, lengths[l], N_SAMPLES / lengths[l]};
            for (size_t i = 0; i < signals.n_signals; i++) {
                struct random_stream stream = random_stream_of(seed, s, i);
                shapes[s].draw(&stream, y + i * signals.n, signals.n);
            }
            if (host_stopped(host, error))
                return false;
            report_signals(&signals, n_rounds, rows);
        }
    }
    return true;
}

bool bench_prox(const struct host *host, const struct array *data, uint64_t seed, size_t n_rounds,
                const struct bench_prox_rows *rows, GError **error)
{
    if (data == NULL)
        return report_drawn(host, seed, n_rounds, rows, error);
    struct signals signals = {"data", data->values, data->n_columns, data->n_rows};
    report_signals(&signals, n_rounds, rows);
    return true;
}
