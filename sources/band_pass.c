// SPDX-License-Identifier: BSD-3-Clause
#include "sources/band_pass.h"

#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <string.h>

// Length of a Hamming window in units of 1 / transition (MNE-Python has the same).
#define HAMMING_LENGTH 3.3

struct band_pass {
    size_t n;               // coefficients, odd
    double *h;              // owned
    size_t n_fft;           // samples of a transform; the filter leaves n_fft - n + 1 to a block
    size_t n_bins;          //
    fftw_complex *response; // owned; of h, over n_fft
    fftw_plan forward;      // owned
    fftw_plan backward;     // owned
};

static double sinc(double x)
{
    return x == 0.0 ? 1.0 : sin(G_PI * x) / (G_PI * x);
}

// An ideal low-pass of that cutoff, in cycles a sample, at distance t from the middle.
static double low_pass(double cutoff, double t)
{
    return 2.0 * cutoff * sinc(2.0 * cutoff * t);
}

// The middles of the transitions, in cycles a sample, and the length that the narrower one needs.
struct design {
    double low, high; // 0 and 1/2 where there is no edge
    size_t n;
};

static struct design design_of(const struct band_pass_input *input)
{
    double rate = input->rate_hz, narrow = INFINITY;
    struct design design = {0.0, 0.5, 1};
    if (input->low_hz > 0.0) {
        double width = fmin(fmax(0.25 * input->low_hz, 2.0), input->low_hz);
        design.low = (input->low_hz - 0.5 * width) / rate;
        narrow = fmin(narrow, width);
    }
    if (isfinite(input->high_hz)) {
        double width = fmin(fmax(0.25 * input->high_hz, 2.0), 0.5 * rate - input->high_hz);
        design.high = (input->high_hz + 0.5 * width) / rate;
        narrow = fmin(narrow, width);
    }
    if (isfinite(narrow))
        design.n = 2 * (size_t) ceil(0.5 * HAMMING_LENGTH * rate / narrow) + 1;
    return design;
}

// Hamming's window on the difference of two low-passes, scaled to gain 1 in the middle of the band.
static void set_coefficients(struct band_pass *filter, const struct design *design)
{
    double middle = 0.5 * (double) (filter->n - 1), gain = 0.0;
    double centre = design->low == 0.0    ? 0.0
                    : design->high == 0.5 ? 0.5
                                          : 0.5 * (design->low + design->high);
    for (size_t i = 0; i < filter->n; i++) {
        double t = (double) i - middle;
        double window = filter->n == 1 ? 1.0 : 0.54 + 0.46 * cos(G_PI * t / middle);
        double ideal =
            low_pass(design->high, t) - (design->low > 0.0 ? low_pass(design->low, t) : 0.0);
        filter->h[i] = window * ideal;
        gain += filter->h[i] * cos(2.0 * G_PI * centre * t);
    }
    for (size_t i = 0; i < filter->n; i++)
        filter->h[i] /= gain;
}

static void plan(struct band_pass *filter)
{
    filter->n_fft = 256;
    while (filter->n_fft < 4 * filter->n)
        filter->n_fft *= 2;
    filter->n_bins = filter->n_fft / 2 + 1;
    int n = (int) filter->n_fft;
    double *samples = fftw_alloc_real(filter->n_fft);
    filter->response = fftw_alloc_complex(filter->n_bins);
    filter->forward = fftw_plan_dft_r2c_1d(n, samples, filter->response, FFTW_ESTIMATE);
    filter->backward = fftw_plan_dft_c2r_1d(n, filter->response, samples, FFTW_ESTIMATE);
    memset(samples, 0, filter->n_fft * sizeof(double));
    memcpy(samples, filter->h, filter->n * sizeof(double));
    fftw_execute_dft_r2c(filter->forward, samples, filter->response);
    for (size_t k = 0; k < filter->n_bins; k++)
        filter->response[k] /= (double) filter->n_fft;
    fftw_free(samples);
}

struct band_pass *band_pass_new(const struct band_pass_input *input, GError **error)
{
    bool has_high = isfinite(input->high_hz);
    if (!(input->low_hz >= 0.0 && input->low_hz < input->high_hz &&
          input->low_hz < 0.5 * input->rate_hz) ||
        (has_high && !(input->high_hz < 0.5 * input->rate_hz))) {
        g_set_error(error, SOURCES_ERROR, SOURCES_ERROR_BAND,
                    "expected a band within 0..%g Hz, found %g..%g Hz", 0.5 * input->rate_hz,
                    input->low_hz, input->high_hz);
        return NULL;
    }
    struct design design = design_of(input);
    struct band_pass *filter = g_new0(struct band_pass, 1);
    filter->n = design.n;
    filter->h = g_new(double, design.n);
    set_coefficients(filter, &design);
    plan(filter);
    return filter;
}

void band_pass_free(struct band_pass *filter)
{
    if (filter == NULL)
        return;
    fftw_destroy_plan(filter->forward);
    fftw_destroy_plan(filter->backward);
    fftw_free(filter->response);
    g_free(filter->h);
    g_free(filter);
}

size_t band_pass_length(const struct band_pass *filter)
{
    return filter->n;
}

const double *band_pass_coefficients(const struct band_pass *filter)
{
    return filter->h;
}

// The series with `margin` samples more at both ends.
static void extend(const double *x, size_t n, size_t margin, double *out)
{
    for (size_t i = 1; i <= margin; i++) {
        out[margin - i] = i < n ? 2.0 * x[0] - x[i] : 0.0;
        out[margin + n - 1 + i] = i < n ? 2.0 * x[n - 1] - x[n - 1 - i] : 0.0;
    }
    memcpy(out + margin, x, n * sizeof(double));
}

void band_pass_apply(const struct band_pass *filter, double *x, size_t n, struct workspace *ws)
{
    if (n == 0)
        return;
    size_t mark = workspace_mark(ws);
    size_t margin = filter->n / 2, n_extended = n + 2 * margin;
    size_t step = filter->n_fft - filter->n + 1;
    double *extended = WORKSPACE_ALLOC(ws, double, n_extended);
    double *sum = WORKSPACE_ALLOC(ws, double, n_extended + filter->n_fft);
    double *block = WORKSPACE_ALLOC(ws, double, filter->n_fft);
    fftw_complex *spectrum = WORKSPACE_ALLOC(ws, fftw_complex, filter->n_bins);
    extend(x, n, margin, extended);
    memset(sum, 0, (n_extended + filter->n_fft) * sizeof(double));
    for (size_t first = 0; first < n_extended; first += step) {
        size_t count = MIN(step, n_extended - first);
        memset(block, 0, filter->n_fft * sizeof(double));
        memcpy(block, extended + first, count * sizeof(double));
        fftw_execute_dft_r2c(filter->forward, block, spectrum);
        for (size_t k = 0; k < filter->n_bins; k++)
            spectrum[k] *= filter->response[k];
        fftw_execute_dft_c2r(filter->backward, spectrum, block);
        for (size_t i = 0; i < filter->n_fft; i++)
            sum[first + i] += block[i];
    }
    memcpy(x, sum + 2 * margin, n * sizeof(double)); // margin of the series, margin of the filter
    workspace_release(ws, mark);
}
