// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/noise.h"

#include "solvers/median.h"

#include <math.h>

// The high-pass of db3, Daubechies 1988, as it meets the samples from the last to the first.
static const double db3[] = {0.3326705529509569,  -0.8068915093133388,  0.4598775021193313,
                             0.13501102001039084, -0.08544127388224149, -0.035226291882100656};
enum { N_TAPS = G_N_ELEMENTS(db3) };

double noise_sigma(const double *y, size_t n, struct workspace *ws)
{
    g_assert(n >= NOISE_MIN_SAMPLES);
    size_t mark = workspace_mark(ws);
    size_t n_details = (n - N_TAPS) / 2 + 1;
    double *details = WORKSPACE_ALLOC(ws, double, n_details);
    for (size_t j = 0; j < n_details; j++) {
        details[j] = 0.0;
        for (size_t k = 0; k < N_TAPS; k++)
            details[j] += db3[k] * y[2 * j + N_TAPS - 1 - k];
    }
    double middle = median(details, n_details);
    for (size_t j = 0; j < n_details; j++)
        details[j] = fabs(details[j] - middle);
    // The median absolute deviation of the standard normal distribution.
    double sigma = median(details, n_details) / 0.6744897501960817;
    workspace_release(ws, mark);
    return sigma;
}

char *noise_warning(double high_hz, double tr_s)
{
    double half_nyquist_hz = 0.25 / tr_s;
    if (!(high_hz > 0.0 && high_hz < half_nyquist_hz))
        return NULL;
    return g_strdup_printf(
        "noise: the low-pass at %g Hz takes out the frequencies above %g Hz that "
        "the noise level is measured at: it measures the filter",
        high_hz, half_nyquist_hz);
}
