// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf_conv.h"

#include "deconv/hrf.h"
#include "deconv/hrf_fft.h"
#include "solvers/kernels.h"

#include <complex.h>
#include <math.h>
#include <string.h>

// Where the FFT becomes faster: a response of more than 128 .. 192 samples, for 250 to 4096 frames
// (bench/hrf_conv, Zen 4 with AVX-512). One application and its transpose, us a series:
//   frames 490:  response 44: FIR 2.3, FFT 7.0;  128: 5.3, 5.5;  256: 9.6, 5.2
//   frames 1200: response 44: FIR 4.5, FFT 10;  128: 12, 11;  256: 23, 15
// Responses of 32 s have 17 samples at 2 s, 44 at 0.735 s.
enum { FFT_RESPONSE = 144, FFT_FRAMES = 200 };

enum { MOST_POWER_FRAMES = 8192, LONG_IN_RESPONSES = 64 };

struct hrf_conv {
    linop base;
    struct filter filter;
    double *h;                     // owned; n samples
    double *reversed;              // owned; h backwards
    const struct kernels *kernels; // of this processor
    struct hrf_fft *fft;           // owned; NULL: direct sums
};

static void hrf_conv_free(linop *op)
{
    struct hrf_conv *conv = (struct hrf_conv *) op;
    hrf_fft_free(conv->fft);
    g_free(conv->h);
    g_free(conv->reversed);
    g_free(conv);
}

// Series of u stand in a padded copy, with zeros before and after, so that one loop without
// edges computes every sample.
static void fir_apply(const linop *op, const struct block *u, struct block *x, struct workspace *ws)
{
    const struct hrf_conv *conv = (const struct hrf_conv *) op;
    size_t n_before = conv->filter.n - 1, n_after = op->n_out - op->n_in;
    size_t mark = workspace_mark(ws);
    double *padded = WORKSPACE_ALLOC(ws, double, n_before + op->n_in + n_after);
    memset(padded, 0, n_before * sizeof(double));
    memset(padded + n_before + op->n_in, 0, n_after * sizeof(double));
    for (size_t v = 0; v < u->n_series; v++) {
        memcpy(padded + n_before, block_series(u, v), op->n_in * sizeof(double));
        conv->kernels->fir(conv->reversed, conv->filter.n, padded, block_series(x, v), op->n_out);
    }
    workspace_release(ws, mark);
}

// The full convolution's adjoint never leaves x; the causal one meets n - 1 zeros after it.
static void fir_adjoint(const linop *op, const struct block *x, struct block *u,
                        struct workspace *ws)
{
    const struct hrf_conv *conv = (const struct hrf_conv *) op;
    size_t n_h = conv->filter.n, n_after = op->n_in + n_h - 1 - op->n_out;
    size_t mark = workspace_mark(ws);
    double *padded = WORKSPACE_ALLOC(ws, double, op->n_out + n_after);
    memset(padded + op->n_out, 0, n_after * sizeof(double));
    for (size_t v = 0; v < x->n_series; v++) {
        const double *samples = block_series(x, v);
        if (n_after > 0)
            samples = memcpy(padded, samples, op->n_out * sizeof(double));
        conv->kernels->fir(conv->h, n_h, samples, block_series(u, v), op->n_in);
    }
    workspace_release(ws, mark);
}

static void fft_apply(const linop *op, const struct block *u, struct block *x, struct workspace *ws)
{
    hrf_fft_filter(((const struct hrf_conv *) op)->fft, false, u, x, ws);
}

static void fft_adjoint(const linop *op, const struct block *x, struct block *u,
                        struct workspace *ws)
{
    hrf_fft_filter(((const struct hrf_conv *) op)->fft, true, x, u, ws);
}

static bool check_sizes(size_t n_h, size_t n_time, enum hrf_conv_kind kind, GError **error)
{
    if (n_h >= 1 && n_time >= 1 && n_time <= G_MAXINT / 4 && n_h <= G_MAXINT / 4 &&
        (kind == HRF_CONV_CAUSAL || n_h <= n_time))
        return true;
    if (kind == HRF_CONV_FULL && n_h > n_time)
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "conv: full needs at least as many frames as the response has samples: "
                    "%zu frames, %zu samples",
                    n_time, n_h);
    else
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "conv: expected 1 frame and 1 sample or more, got %zu and %zu", n_time, n_h);
    return false;
}

static bool check_response(const double *h, size_t n, GError **error)
{
    bool has_any = false;
    for (size_t k = 0; k < n; k++) {
        has_any |= h[k] != 0.0;
        if (!isfinite(h[k])) {
            g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                        "conv: sample %zu of the response is not finite", k);
            return false;
        }
    }
    if (!has_any)
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_VALUE,
                    "conv: the response is 0 in all of the first %zu frames", n);
    return has_any;
}

// The largest |H(f)|^2, which ||A||^2 does not exceed and comes close to where the series is much
// longer than the response. It is a trigonometric polynomial of degree n - 1: between `GRID` n
// points it exceeds the largest of them by 1 / cos(pi / GRID) at most (Ehlich and Zeller 1964).
static double spectral_norm2(const double *h, size_t n)
{
    enum { GRID = 128 };
    double largest = 0.0;
    for (size_t i = 0; i <= GRID / 2 * n; i++) {
        double complex turn = cexp(-2.0 * I * G_PI * (double) i / (double) (GRID * n)), sum = 0.0;
        for (size_t k = n; k-- > 0;)
            sum = sum * turn + h[k];
        largest = fmax(largest, creal(sum * conj(sum)));
    }
    return largest / cos(G_PI / GRID);
}

// By power iteration, whose cost grows faster than the series.
static double norm2_of(const struct hrf_conv *conv)
{
    size_t n_time = conv->base.n_out, n = conv->filter.n;
    if (n_time > MOST_POWER_FRAMES && n_time / LONG_IN_RESPONSES >= n)
        return spectral_norm2(conv->h, n);
    return linop_power_norm2(&conv->base);
}

static bool prefers_fft(size_t n_h, size_t n_time)
{
    return n_h > FFT_RESPONSE && n_time > FFT_FRAMES;
}

linop *hrf_conv_new(const double *h, size_t n_h, size_t n_time, enum hrf_conv_kind kind,
                    enum hrf_conv_method method, GError **error)
{
    if (!check_sizes(n_h, n_time, kind, error))
        return NULL;
    size_t n = MIN(n_h, n_time);
    if (!check_response(h, n, error))
        return NULL;
    struct hrf_conv *conv = g_new0(struct hrf_conv, 1);
    conv->h = g_memdup2(h, n * sizeof(double));
    conv->reversed = g_new(double, n);
    for (size_t k = 0; k < n; k++)
        conv->reversed[n - 1 - k] = h[k];
    conv->kernels = kernels_best();
    conv->filter = (struct filter){conv->h, n, kind == HRF_CONV_FULL};
    conv->base = (linop){.n_in = kind == HRF_CONV_FULL ? n_time - n + 1 : n_time,
                         .n_out = n_time,
                         .filter = &conv->filter,
                         .apply = fir_apply,
                         .adjoint = fir_adjoint,
                         .free = hrf_conv_free};
    if (method == HRF_CONV_FFT || (method == HRF_CONV_AUTO && prefers_fft(n, n_time)))
        conv->fft = hrf_fft_new(h, n, conv->base.n_in);
    if (conv->fft != NULL) {
        conv->base.apply = fft_apply;
        conv->base.adjoint = fft_adjoint;
    }
    conv->base.norm2 = norm2_of(conv);
    return &conv->base;
}
