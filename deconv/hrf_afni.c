// SPDX-License-Identifier: BSD-3-Clause
// AFNI's basis functions, 3dDeconvolve. Times in seconds.
#include "deconv/hrf_models.h"

#include <math.h>

static const char *const block_powers[] = {"4", "5", NULL};

enum { GAM_P, GAM_Q, N_GAM };
enum { TWOGAM_P1, TWOGAM_Q1, TWOGAM_RATIO, TWOGAM_P2, TWOGAM_Q2, N_TWOGAM };
enum { BLOCK_POWER, BLOCK_DURATION, N_BLOCK };
enum { WAV_DELAY, WAV_RISE, WAV_FALL, WAV_UNDERSHOOT, WAV_RESTORE, N_WAV };

// (t / pq)^p e^(p - t/q), of peak 1 at pq; Cohen 1997.
static double gam_extent(const double *p)
{
    return p[GAM_P] * p[GAM_Q] + 5.0 * sqrt(p[GAM_P]) * p[GAM_Q];
}

static double gam_response(const double *p, double t)
{
    if (!(t > 0.0 && t <= gam_extent(p)))
        return 0.0;
    return exp(p[GAM_P] * log(t / (p[GAM_P] * p[GAM_Q])) + p[GAM_P] - t / p[GAM_Q]);
}

static double twogam_extent(const double *p)
{
    return fmax(gam_extent(p + TWOGAM_P1), gam_extent(p + TWOGAM_P2));
}

static double twogam_response(const double *p, double t)
{
    return gam_response(p + TWOGAM_P1, t) - p[TWOGAM_RATIO] * gam_response(p + TWOGAM_P2, t);
}

static const double spmg_undershoot = 1.274527e-13;
static const double spmg_response = 0.0083333333;
static const double spmg_end_s = 25.0;

static double spmg1_response(const double *p G_GNUC_UNUSED, double t)
{
    if (!(t > 0.0 && t < spmg_end_s))
        return 0.0;
    return exp(-t) * (spmg_response * pow(t, 5.0) - spmg_undershoot * pow(t, 15.0));
}

static double spmg2_response(const double *p G_GNUC_UNUSED, double t)
{
    if (!(t > 0.0 && t < spmg_end_s))
        return 0.0;
    return exp(-t) *
           (spmg_response * pow(t, 4.0) * (5.0 - t) - spmg_undershoot * pow(t, 14.0) * (15.0 - t));
}

static double spmg3_response(const double *p, double t)
{
    if (!(t > 0.0 && t < spmg_end_s))
        return 0.0;
    double wider =
        0.00869011 * pow(t, 4.94057) * exp(-t / 1.01) - spmg_undershoot * pow(t, 15.0) * exp(-t);
    return 100.0 * (spmg1_response(p, t) - wider);
}

// e^-s sum_{j<=q} q!/j! s^j, the integral of s^q e^-s from s on; q = 4 or 5.
static double block_tail(size_t q, double s)
{
    double term = 1.0, sum = 1.0;
    for (size_t j = q; j >= 1; j--) {
        // Horner from the highest power: sum = s^q + q s^(q-1) + ... + q!.
        term *= (double) j;
        sum = sum * s + term;
    }
    return exp(-s) * sum;
}

static size_t block_power(const double *p)
{
    return 4 + (size_t) p[BLOCK_POWER];
}

static double block_integral(const double *p, double t)
{
    size_t q = block_power(p);
    return block_tail(q, fmax(t - p[BLOCK_DURATION], 0.0)) - block_tail(q, t);
}

static double block_extent(const double *p)
{
    return p[BLOCK_DURATION] + 15.0;
}

static double block_response(const double *p, double t)
{
    if (!(t > 0.0 && t < block_extent(p)))
        return 0.0;
    double peak_s = p[BLOCK_DURATION] / (1.0 - exp(-p[BLOCK_DURATION] / (double) block_power(p)));
    return block_integral(p, t) / block_integral(p, peak_s);
}

static const char *caution_block(const double *p G_GNUC_UNUSED)
{
    return "it is the response to seconds of stimulation, not an impulse response";
}

// Leite et al. 2002: cerebral blood volume after an iron oxide contrast agent.
static double mion_response(const double *p G_GNUC_UNUSED, double t)
{
    if (!(t > 0.0 && t <= 60.0))
        return 0.0;
    return 16.4486 * (-0.184 / 1.5 * exp(-t / 1.5) + 0.330 / 4.5 * exp(-t / 4.5) +
                      0.670 / 13.5 * exp(-t / 13.5));
}

static double mionn_response(const double *p, double t)
{
    return -mion_response(p, t);
}

// A smooth step from 0 at x = 0 to 1 at x = 1; Cox's waveform.
static double wav_step(double x)
{
    if (!(x > 0.0))
        return 0.0;
    if (x >= 1.0)
        return 1.0;
    return 0.50212657 * (tanh(tan(0.4 * G_PI * (2.0 * x - 1.0))) + 0.99576486);
}

static double wav_extent(const double *p)
{
    return p[WAV_DELAY] + p[WAV_RISE] + p[WAV_FALL] + p[WAV_RESTORE];
}

static double wav_response(const double *p, double t)
{
    double top = p[WAV_DELAY] + p[WAV_RISE], bottom = top + p[WAV_FALL], under = p[WAV_UNDERSHOOT];
    if (t < p[WAV_DELAY])
        return 0.0;
    if (t < top)
        return wav_step((t - p[WAV_DELAY]) / p[WAV_RISE]);
    if (t < bottom)
        return (1.0 + under) * wav_step((bottom - t) / p[WAV_FALL]) - under;
    return -under * wav_step((bottom + p[WAV_RESTORE] - t) / p[WAV_RESTORE]);
}

static const struct hrf_parameter gam_parameters[N_GAM] = {
    {"p", 8.6, 0.01, 1000.0, "power; the peak is at p q", NULL},
    {"q", 0.547, 0.01, 100.0, "time scale, s", NULL},
};
static const struct hrf_parameter twogam_parameters[N_TWOGAM] = {
    {"p1", 8.6, 0.01, 1000.0, "power of the response", NULL},
    {"q1", 0.547, 0.01, 100.0, "time scale of the response, s", NULL},
    {"r", 0.2, 0.0, 1e6, "undershoot / response", NULL},
    {"p2", 8.6, 0.01, 1000.0, "power of the undershoot", NULL},
    {"q2", 1.4, 0.01, 100.0, "time scale of the undershoot, s", NULL},
};
static const struct hrf_parameter block_parameters[N_BLOCK] = {
    {"q", 0.0, 0.0, 1.0, "power of the response to an impulse", block_powers},
    {"d", 1.0, 0.001, 1000.0, "stimulation, s", NULL},
};
static const struct hrf_parameter wav_parameters[N_WAV] = {
    {"delay", 2.0, 0.0, 100.0, "delay, s", NULL},
    {"rise", 4.0, 0.01, 100.0, "time of rise, s", NULL},
    {"fall", 6.0, 0.01, 100.0, "time of fall, s", NULL},
    {"under", 0.2, 0.0, 100.0, "undershoot / peak", NULL},
    {"restore", 2.0, 0.01, 100.0, "time of return to 0, s", NULL},
};

const struct hrf_model hrf_block = {
    .name = "block",
    .summary = "response to d seconds of stimulation, peak 1",
    .source = "AFNI 3dDeconvolve BLOCK",
    HRF_PARAMETERS(block_parameters),
    .extent_s = block_extent,
    .sample = hrf_sample_response,
    .response = block_response,
    .caution = caution_block,
};

const struct hrf_model hrf_gam = {
    .name = "gam",
    .summary = "(t / pq)^p exp(p - t / q), peak 1 at pq",
    .source = "AFNI 3dDeconvolve GAM; Cohen 1997",
    HRF_PARAMETERS(gam_parameters),
    .extent_s = gam_extent,
    .sample = hrf_sample_response,
    .response = gam_response,
};

const struct hrf_model hrf_mion = {
    .name = "mion",
    .summary = "cerebral blood volume after an iron oxide agent",
    .source = "AFNI 3dDeconvolve MION; Leite et al. 2002",
    .length_s = 60.0,
    .sample = hrf_sample_response,
    .response = mion_response,
};

const struct hrf_model hrf_mionn = {
    .name = "mionn",
    .summary = "mion upside down, as the signal falls",
    .source = "AFNI 3dDeconvolve MIONN; Leite et al. 2002",
    .length_s = 60.0,
    .sample = hrf_sample_response,
    .response = mionn_response,
};

const struct hrf_model hrf_spmg1 = {
    .name = "spmg1",
    .summary = "SPM's response as AFNI has it, not normalised",
    .source = "AFNI 3dDeconvolve SPMG1",
    .length_s = 25.0,
    .sample = hrf_sample_response,
    .response = spmg1_response,
};

const struct hrf_model hrf_spmg2 = {
    .name = "spmg2",
    .summary = "derivative of spmg1 by time",
    .source = "AFNI 3dDeconvolve SPMG2",
    .length_s = 25.0,
    .sample = hrf_sample_response,
    .response = spmg2_response,
    .caution = hrf_caution_derivative,
};

const struct hrf_model hrf_spmg3 = {
    .name = "spmg3",
    .summary = "derivative of spmg1 by dispersion",
    .source = "AFNI 3dDeconvolve SPMG3",
    .length_s = 25.0,
    .sample = hrf_sample_response,
    .response = spmg3_response,
    .caution = hrf_caution_derivative,
};

const struct hrf_model hrf_twogam = {
    .name = "twogam",
    .summary = "gam(p1, q1) - r gam(p2, q2)",
    .source = "AFNI 3dDeconvolve TWOGAM",
    HRF_PARAMETERS(twogam_parameters),
    .extent_s = twogam_extent,
    .sample = hrf_sample_response,
    .response = twogam_response,
};

const struct hrf_model hrf_wav = {
    .name = "wav",
    .summary = "smooth rise, fall and undershoot, peak 1",
    .source = "AFNI waver -WAV; Cox 1996",
    HRF_PARAMETERS(wav_parameters),
    .extent_s = wav_extent,
    .sample = hrf_sample_response,
    .response = wav_response,
};
