// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/debias.h"
#include "deconv/null.h"
#include "solvers/solver.h"

/** How it is decided what noise would not have shown. */
struct findings_options {
    struct null_options null;
    double alpha_voxel; // of lambda_max, a voxel
    double alpha_jump;  // of the largest jump, a series
};

/** 0.001 a voxel, 0.05 a series, and the null's own. */
struct findings_options findings_options_default(void);

/** A jump that noise would not have shown. */
struct found_jump {
    size_t series;
    size_t frame; // the first after it
    double place; // in frames, between two
    double size;  // of the levels as they are refitted
    double z;     // of its family-wise probability
};

/**
 * What is found in the series of one run, beyond noise. Series are looked at in items, by any
 * thread; the arrays have one entry a series.
 */
struct findings {
    struct findings_options options;
    size_t n_series;
    size_t n_items;
    const struct noise_fit *fit; // borrowed
    struct noise_prior *prior;   // owned; once findings_learn was called
    struct null *null;           // owned; the same
    struct debias *levels;       // owned
    float *sigma;                // owned; of the noise, in the unit of the series
    float *ar;                   // owned; its autocorrelation
    float *p;                    // owned; of lambda_max; 1 where nothing is tested
    float *q;                    // owned; false discovery rate
    float *base;                 // owned; the level before the first jump
    GArray **of_item;            // owned, of owned arrays of struct found_jump
    size_t *first_jump;          // owned; n_series + 1: of each series, in `jumps`
    struct found_jump *jumps;    // owned; by series and frame
    size_t n_jumps;
    size_t n_voxels; // with p up to alpha_voxel
    double sigma_median;
    double ar_median;
};

/** fit and op are borrowed. */
struct findings *findings_new(const struct findings_options *options, const struct noise_fit *fit,
                              const linop *op, size_t n_series, size_t n_items);
void findings_free(struct findings *findings);

/**
 * Learns the noise from the likelihoods of n series, and draws its null. source lacks the prior.
 * False if the team was stopped.
 */
bool findings_learn(struct findings *findings, const float *likelihoods, size_t n,
                    const struct null_source *source, struct parallel *team);

/** Series [first, first + n) of the run, an item. */
struct findings_item {
    size_t index;
    size_t first;
    const struct block *x;
    const enum series_status *state;     // SERIES_SOLVED: to be looked at
    const struct series_result *results; // of them
};

/** The noise of every series of an item, into sigma and ar. */
void findings_estimate(struct findings *findings, const struct findings_item *item,
                       struct workspace *ws);

/** C times the median lambda_max of white noise, for a series whose noise was estimated. */
double findings_lambda(const struct findings *findings, double factor, size_t series);

/** Probabilities and jumps of an item whose noise was estimated. */
void findings_look(struct findings *findings, const struct findings_item *item,
                   struct workspace *ws);

/** Puts the items together: rates of false discovery, jumps, counts. */
void findings_join(struct findings *findings);

/** Activity of the jumps that were found alone, with its levels refitted; 0 where there are none.
 */
double findings_significant(const struct findings *findings, size_t frame, size_t series);

/** The jump that was found at a frame, or 0. */
double findings_innovation(const struct findings *findings, size_t frame, size_t series);
