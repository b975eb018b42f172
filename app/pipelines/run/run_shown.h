// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/run/run.h"
#include "app/report/html_report.h"

/** What the report of a run is made from. */

/** Explained variance of white noise that is cleaned and solved as the run is. */
struct run_white {
    double *explained; // owned; ascending
    size_t n;
    double point; // that 99.9 % of such series stay below
};

/**
 * 512 draws at the median lambda / lambda_max of the run, by an exact method, on all threads: the
 * same for any number of them. `point` is that of a normal law of the logits. False if the team
 * was stopped.
 */
bool run_white_draw(const struct run *run, struct run_white *white);
void run_white_clear(struct run_white *white);

/** Whether each series has what noise would not show; n_series, owned by the caller. */
bool *run_shown_found(const struct run *run, double white_point);

/** Rises and falls of u, a frame: the mean over the series that are found; n_time each. */
void run_shown_rises(const struct run *run, const bool *found, double *rises, double *falls);

/** Framewise displacement of the frames that were deconvolved, mm; NULL: not known. Owned. */
double *run_shown_displacement(const struct run *run);

/** A kept series, with what was made of it. */
struct run_curves {
    double *x;      // owned; n_time
    double *fitted; // owned; n_time
    double *u;      // owned; n_in
};
struct run_curves run_curves_of(const struct run *run, size_t slot, struct workspace *ws);
void run_curves_clear(struct run_curves *curves);

/** Slots of run->traces. */
size_t run_n_slots(const struct run *run);

/** Kept series worth a look. */
struct run_exemplar {
    size_t slot;
    const char *label;
};
enum { RUN_N_EXEMPLARS = 4 };

/** The best explained and the median of what is found, a median of all, the least accurate. */
size_t run_choose_exemplars(const struct run *run, const bool *found,
                            struct run_exemplar chosen[RUN_N_EXEMPLARS]);

/** Carpets of kept series; texts are owned, and freed by run_carpets_clear. */
struct run_carpets {
    char *png[HTML_REPORT_N_CARPETS];
    char *span[HTML_REPORT_N_CARPETS];
    size_t n_rows;
    size_t n_found; // of them, the first
};
void run_carpets_draw(const struct run *run, const bool *found, struct run_carpets *carpets);
void run_carpets_clear(struct run_carpets *carpets);
