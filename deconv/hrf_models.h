// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/hrf.h"

/** The models of the table in hrf.c, by families: a file each, and what they share. */

extern const struct hrf_model hrf_block;
extern const struct hrf_model hrf_double_gamma;
extern const struct hrf_model hrf_fir;
extern const struct hrf_model hrf_gam;
extern const struct hrf_model hrf_glover;
extern const struct hrf_model hrf_hemolearn;
extern const struct hrf_model hrf_mion;
extern const struct hrf_model hrf_mionn;
extern const struct hrf_model hrf_nilearn_spm;
extern const struct hrf_model hrf_nipy_afnit;
extern const struct hrf_model hrf_nipy_ddspmt;
extern const struct hrf_model hrf_nipy_dglovert;
extern const struct hrf_model hrf_nipy_dspmt;
extern const struct hrf_model hrf_nipy_glovert;
extern const struct hrf_model hrf_nipy_spmt;
extern const struct hrf_model hrf_pybold;
extern const struct hrf_model hrf_pyta;
extern const struct hrf_model hrf_scaled;
extern const struct hrf_model hrf_spm;
extern const struct hrf_model hrf_spm_fourier;
extern const struct hrf_model hrf_spm_gamma;
extern const struct hrf_model hrf_spmg1;
extern const struct hrf_model hrf_spmg2;
extern const struct hrf_model hrf_spmg3;
extern const struct hrf_model hrf_twogam;
extern const struct hrf_model hrf_wav;

/** The members of a model that name its table of parameters. */
#define HRF_PARAMETERS(table) .parameters = (table), .n_parameters = G_N_ELEMENTS(table)

/** Words of a parameter: 0 "no", 1 "yes". */
extern const char *const hrf_no_yes[];

/** Why a derivative is not to be deconvolved with. */
extern const char hrf_derivative_caution[];
const char *hrf_caution_derivative(const double *p);

/** The density of the gamma distribution of the given shape at t; 0 for t <= 0. */
double hrf_gamma_density(double t, double shape);

/** The same on an axis of units of `scale`: density(t / scale) / scale. */
double hrf_gamma_density_scaled(double t, double shape, double scale);

/** The time of sample k, s. */
double hrf_grid_time(const struct hrf_grid *grid, size_t k);

/** h[k] = model->response at the time of sample k: hrf_model.sample of most. */
void hrf_sample_response(const struct hrf_model *model, const double *p,
                         const struct hrf_grid *grid, double *h);

/** h /= by, for n samples. */
void hrf_divide(double *h, size_t n, double by);

/**
 * Makes the last of `count` columns of n samples orthogonal to those before it, which are so
 * already.
 */
void hrf_orthogonalise(double *columns, size_t n, size_t count);
