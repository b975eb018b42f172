// SPDX-License-Identifier: BSD-3-Clause
// CPU time of one convolution and its transpose, by FIR loops and by FFT, a series, interleaved in
// one process; medians. The crossover decides what HRF_CONV_AUTO takes.
// usage: hrf_conv

#include "deconv/hrf_conv.h"

#include "solvers/cpu_clock.h"
#include "solvers/median.h"

#include <glib.h>
#include <stdio.h>

enum { REPEATS = 21, N_METHODS = 2 };

// Microseconds a series of x = A u, u = A' x on a block.
static double time_once(const linop *op, struct block *u, struct block *x, struct workspace *ws)
{
    size_t rounds = 1 + 200000 / (u->n_time * u->n_series);
    double begin = cpu_clock_s();
    for (size_t i = 0; i < rounds; i++) {
        linop_apply(op, u, x, ws);
        linop_adjoint(op, x, u, ws);
    }
    return 1e6 * (cpu_clock_s() - begin) / (double) (rounds * u->n_series);
}

static void compare_methods(size_t n_h, size_t n_time, struct workspace *ws)
{
    static const enum hrf_conv_method methods[N_METHODS] = {HRF_CONV_FIR, HRF_CONV_FFT};
    g_autofree double *h = g_new(double, n_h);
    g_autofree double *data = g_new0(double, 2 * BLOCK_SERIES * n_time);
    for (size_t k = 0; k < n_h; k++)
        h[k] = 1.0 / (double) n_h;
    for (size_t i = 0; i < BLOCK_SERIES * n_time; i++)
        data[i] = (double) (i % 17);
    struct block u = {n_time, BLOCK_SERIES, n_time, data};
    struct block x = {n_time, BLOCK_SERIES, n_time, data + BLOCK_SERIES * n_time};

    linop *ops[N_METHODS];
    double times[N_METHODS][REPEATS];
    for (size_t m = 0; m < N_METHODS; m++)
        ops[m] = hrf_conv_new(h, n_h, n_time, HRF_CONV_CAUSAL, methods[m], NULL);
    for (size_t r = 0; r < REPEATS; r++)
        for (size_t m = 0; m < N_METHODS; m++)
            times[m][r] = time_once(ops[m], &u, &x, ws);
    for (size_t m = 0; m < N_METHODS; m++)
        linop_free(ops[m]);
    double fir = median(times[0], REPEATS), fft = median(times[1], REPEATS);
    printf("%7zu %5zu %9.2f %9.2f %7.2f\n", n_time, n_h, fir, fft, fft / fir);
}

int main(void)
{
    static const size_t n_times[] = {128, 250, 490, 1200, 4096, 20000};
    static const size_t n_hs[] = {8, 16, 30, 44, 64, 96, 128, 192, 256, 384, 512, 1024, 2048};
    g_autoptr(owned_workspace) ws = workspace_new();
    printf("%7s %5s %9s %9s %7s\n", "frames", "h", "FIR us", "FFT us", "ratio");
    for (size_t i = 0; i < G_N_ELEMENTS(n_times); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(n_hs) && n_hs[j] <= n_times[i]; j++)
            compare_methods(n_hs[j], n_times[i], ws);
    return 0;
}
