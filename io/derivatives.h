// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/**
 * What preprocessing leaves beside a run, by its entities, whatever the generation of the program:
 * files of the run's folder.
 */

/**
 * The mask of the brain, `..._desc-brain_mask.nii[.gz]`, of the same space and resolution; NULL:
 * there is none, or the run's name is none of BIDS. To be freed.
 */
char *derivatives_find_mask(const char *run);

/**
 * The table of confounds, `..._desc-confounds_timeseries.tsv` or, older, `_regressors.tsv`, which
 * is one for all spaces and echoes; NULL: there is none. To be freed.
 */
char *derivatives_find_confounds(const char *run);
