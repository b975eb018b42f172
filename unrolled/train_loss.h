// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/train.h"

/** Some of the samples: blocks of BLOCK_SERIES neighbours, by their numbers. */
struct train_part {
    const size_t *blocks;
    size_t n_blocks;
};

/**
 * The mean loss of samples (part NULL: of all) after the layers of a pass and, unless gradient is
 * NULL, its derivative in their parameters. NaN where a signal cut it short, which is never kept;
 * infinite where a sample is not finite. The sums do not depend on the number of threads.
 */
double train_mean_loss(const struct network *network, const struct network_pass *pass,
                       const struct train_samples *samples, const struct train_part *part,
                       struct parallel *team, double *gradient);
