// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "sources/data_space.h"

/** Stretches of a continuous recording, all of one length. Borrowed. */
struct epochs {
    const double *data; // row-major: the n_data samples of a channel are contiguous
    size_t n_channels;
    size_t n_data;
    const enum sensor_kind *kind;
    const size_t *first; // sample at which each begins; it ends within the data
    size_t n_epochs;
    size_t n_time;                  // samples of each
    size_t baseline[2];             // samples of an epoch whose mean is taken out; equal: none
    const struct data_space *space; // of the samples; NULL: all of it
    const struct projector_matrix *projector; // of that space
    double
        peak_to_peak[SENSOR_KINDS]; // an epoch with a channel above it is rejected; INFINITY: none
};

struct epochs_average {
    size_t n_used;
    bool *is_used;                   // owned; of each epoch
    size_t n_rejected[SENSOR_KINDS]; // by the first kind of channel found above its bound
    size_t n_nonfinite;              // with a NaN or infinity: never used
    double *mean;                    // owned; row-major n_channels x n_time; 0 if none is used
};

/** The mean of the epochs that are not rejected. */
struct epochs_average *epochs_average_new(const struct epochs *epochs);
void epochs_average_free(struct epochs_average *average);
typedef struct epochs_average owned_epochs_average; // for g_autoptr(owned_epochs_average)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_epochs_average, epochs_average_free)

struct epochs_covariance {
    double *matrix;   // owned; n_channels x n_channels
    size_t n_free;    // samples less one mean an epoch
    double shrinkage; // rho
};

/**
 * Covariance of noise from the samples [begin, end) of the epochs in use, their mean taken out of
 * each: C = sum (x - mean)(x - mean)' / n_free, then (1 - rho) C + rho T, T diagonal with the mean
 * variance of the channels of a kind. shrinkage: rho in 0..1, or NaN for the one that Ledoit and
 * Wolf (2004) estimate, with kinds of sensors brought to the same variance. With a space, samples
 * are projected and C and T stay within it: in units of equal variance T is, of each group,
 * the projector on its space times the trace of C over the rank. NULL if n_free is 0.
 */
struct epochs_covariance *epochs_covariance_new(const struct epochs *epochs, const bool *is_used,
                                                size_t begin, size_t end, double shrinkage);
void epochs_covariance_free(struct epochs_covariance *covariance);
typedef struct epochs_covariance owned_epochs_covariance; // for g_autoptr
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_epochs_covariance, epochs_covariance_free)
