// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf_fft.h"

#include <complex.h>
#include <fftw3.h>
#include <glib.h>
#include <pthread.h>
#include <string.h>

// FFTW makes and destroys plans on one thread at a time; running them needs no lock.
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

struct hrf_fft {
    size_t n_fft;
    double complex *spectrum; // owned; n_fft / 2 + 1, of h / n_fft
    fftw_plan forward;        // owned
    fftw_plan backward;       // owned
};

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
struct hrf_fft *hrf_fft_new(const double *h, size_t n_h, size_t n_in)
{
    size_t n_fft = fast_length(n_in + n_h - 1);
    size_t n_frequencies = n_fft / 2 + 1;
    g_autoptr(owned_workspace) ws = workspace_new();
    double *padded = WORKSPACE_ALLOC(ws, double, n_fft);
    double complex *spectrum = WORKSPACE_ALLOC(ws, double complex, n_frequencies);
    struct hrf_fft *fft = g_new0(struct hrf_fft, 1);
    fft->n_fft = n_fft;
    pthread_mutex_lock(&planner);
    fft->forward = fftw_plan_dft_r2c_1d((int) n_fft, padded, spectrum, FFTW_ESTIMATE);
    fft->backward = fftw_plan_dft_c2r_1d((int) n_fft, spectrum, padded, FFTW_ESTIMATE);
    pthread_mutex_unlock(&planner);

    memset(padded, 0, n_fft * sizeof(double));
    for (size_t k = 0; k < n_h; k++)
        padded[k] = h[k] / (double) n_fft;
    fftw_execute_dft_r2c(fft->forward, padded, spectrum);
    fft->spectrum = g_memdup2(spectrum, n_frequencies * sizeof *spectrum);
    return fft;
}

void hrf_fft_free(struct hrf_fft *fft)
{
    if (fft == NULL)
        return;
    pthread_mutex_lock(&planner);
    fftw_destroy_plan(fft->forward);
    fftw_destroy_plan(fft->backward);
    pthread_mutex_unlock(&planner);
    g_free(fft->spectrum);
    g_free(fft);
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

void hrf_fft_filter(const struct hrf_fft *fft, bool conjugate, const struct block *in,
                    struct block *out, struct workspace *ws)
{
    size_t n_frequencies = fft->n_fft / 2 + 1;
    size_t mark = workspace_mark(ws);
    double *padded = WORKSPACE_ALLOC(ws, double, fft->n_fft);
    double complex *spectrum = WORKSPACE_ALLOC(ws, double complex, n_frequencies);
    for (size_t v = 0; v < in->n_series; v++) {
        memcpy(padded, block_series(in, v), in->n_time * sizeof(double));
        memset(padded + in->n_time, 0, (fft->n_fft - in->n_time) * sizeof(double));
        fftw_execute_dft_r2c(fft->forward, padded, spectrum);
        multiply(spectrum, fft->spectrum, n_frequencies, conjugate);
        fftw_execute_dft_c2r(fft->backward, spectrum, padded);
        memcpy(block_series(out, v), padded, out->n_time * sizeof(double));
    }
    workspace_release(ws, mark);
}
