// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/run/run.h"

#include <stdatomic.h>

/** What a run is looked at for while it is solved; threads write apart, or by counting. */
struct run_doubts {
    atomic_size_t *n_nonfinite; // owned; of each frame that is read: series that are not finite
    atomic_size_t n_baseless;   // series with a mean below their standard deviation, for psc
    uint8_t *largest;           // owned; of each series the frame of its largest value, to 255
    size_t n_read;
};

/** NULL, with IO_ERROR_MEMORY, where there is no room for it. */
struct run_doubts *run_doubts_new(const struct run *run, GError **error);
void run_doubts_free(struct run_doubts *doubts);
typedef struct run_doubts owned_run_doubts; // for g_autoptr(owned_run_doubts)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_run_doubts, run_doubts_free)

/** Notes in which frames a series of n_read samples is not finite. */
void run_doubts_note_nonfinite(struct run_doubts *doubts, const double *y);

/** Notes in which frame a cleaned series has its largest absolute value. */
void run_doubts_note_largest(struct run_doubts *doubts, size_t series, const double *x, size_t n);

/** Whether the mean of n samples is below their standard deviation: no percent can be of it. */
bool run_lacks_base(const double *y, size_t n);

/**
 * For `psc`: looks at some of the series before any is solved. Error: APP_ERROR_INPUT where the
 * mean of most is below their standard deviation, with the ratio.
 */
bool run_check_base(const struct run *run, GError **error);

/**
 * Tells, once all is solved, of frames that are not finite, of series without a base, and of a
 * beginning that rules the map. Error: APP_ERROR_UNSOLVED where no series was solved.
 */
bool run_tell_doubts(struct run *run, const struct run_doubts *doubts, GError **error);
