// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf_conv.h"

#include "deconv/hrf.h"
#include "solvers/kernels.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

// FFTW makes and destroys plans on one thread at a time; running them needs no lock.
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

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
    // FFT only
    size_t n_fft;
    double complex *spectrum; // owned; n_fft / 2 + 1, of h / n_fft
    fftw_plan forward;        // owned
    fftw_plan backward;       // owned
};

static void hrf_conv_free(linop *op)
{
    struct hrf_conv *conv = (struct hrf_conv *) op;
    if (conv->forward != NULL) {
        pthread_mutex_lock(&planner);
        fftw_destroy_plan(conv->forward);
        fftw_destroy_plan(conv->backward);
        pthread_mutex_unlock(&planner);
    }
    g_free(conv->spectrum);
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

// a *= b, or the conjugate of b; by real products, without C's rules for infinities.
static void multiply(double complex *a, const double complex *b, size_t n, bool conjugate)
{
    double *re_im = (double *) a;
    const double *by = (const double *) b;
    double sign = conjugate ? -1.0 : 1.0;
    for (size_t f = 0; f < n; f++) {
        double re = re_im[2 * f], im = re_im[2 * f + 1];
        double by_re = by[2 * f], by_im = sign * by[2 * f + 1];
        re_im[2 * f] = re * by_re - im * by_im;
        re_im[2 * f + 1] = re * by_im + im * by_re;
    }
}

// out = the first samples of F^-1 (F in . s), s the spectrum of h or its conjugate.
static void fft_filter(const struct hrf_conv *conv, bool conjugate, const struct block *in,
                       struct block *out, struct workspace *ws)
{
    size_t n_frequencies = conv->n_fft / 2 + 1;
    size_t mark = workspace_mark(ws);
    double *padded = WORKSPACE_ALLOC(ws, double, conv->n_fft);
    double complex *spectrum = WORKSPACE_ALLOC(ws, double complex, n_frequencies);
    for (size_t v = 0; v < in->n_series; v++) {
        memcpy(padded, block_series(in, v), in->n_time * sizeof(double));
        memset(padded + in->n_time, 0, (conv->n_fft - in->n_time) * sizeof(double));
        fftw_execute_dft_r2c(conv->forward, padded, spectrum);
        multiply(spectrum, conv->spectrum, n_frequencies, conjugate);
        fftw_execute_dft_c2r(conv->backward, spectrum, padded);
        memcpy(block_series(out, v), padded, out->n_time * sizeof(double));
    }
    workspace_release(ws, mark);
}

static void fft_apply(const linop *op, const struct block *u, struct block *x, struct workspace *ws)
{
    fft_filter((const struct hrf_conv *) op, false, u, x, ws);
}

static void fft_adjoint(const linop *op, const struct block *x, struct block *u,
                        struct workspace *ws)
{
    fft_filter((const struct hrf_conv *) op, true, x, u, ws);
}

// The least even number >= n without prime factors above 7.
static size_t fast_length(size_t n)
{
    for (size_t length = n + n % 2;; length += 2) {
        size_t rest = length;
        for (size_t prime = 2; prime <= 7; prime++)
            while (rest % prime == 0)
                rest /= prime;
        if (rest == 1)
            return length;
    }
}

// Plans are for 64-byte aligned arrays, as those of a workspace: other alignments change bits.
static void plan_fft(struct hrf_conv *conv)
{
    size_t n_fft = fast_length(conv->base.n_in + conv->filter.n - 1);
    size_t n_frequencies = n_fft / 2 + 1;
    g_autoptr(owned_workspace) ws = workspace_new();
    double *padded = WORKSPACE_ALLOC(ws, double, n_fft);
    double complex *spectrum = WORKSPACE_ALLOC(ws, double complex, n_frequencies);
    conv->n_fft = n_fft;
    pthread_mutex_lock(&planner);
    conv->forward = fftw_plan_dft_r2c_1d((int) n_fft, padded, spectrum, FFTW_ESTIMATE);
    conv->backward = fftw_plan_dft_c2r_1d((int) n_fft, spectrum, padded, FFTW_ESTIMATE);
    pthread_mutex_unlock(&planner);

    memset(padded, 0, n_fft * sizeof(double));
    for (size_t k = 0; k < conv->filter.n; k++)
        padded[k] = conv->h[k] / (double) n_fft;
    fftw_execute_dft_r2c(conv->forward, padded, spectrum);
    conv->spectrum = g_memdup2(spectrum, n_frequencies * sizeof *spectrum);
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
    if (method == HRF_CONV_FFT || (method == HRF_CONV_AUTO && prefers_fft(n, n_time))) {
        plan_fft(conv);
        conv->base.apply = fft_apply;
        conv->base.adjoint = fft_adjoint;
    }
    conv->base.norm2 = norm2_of(conv);
    return &conv->base;
}
