// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/train.h"

/** Whether the last of `depth` layers has so few numbers that they are searched one by one. */
bool train_search_applies(const struct network *network, size_t depth);

/**
 * Sets the numbers of the last of `depth` layers where the loss is least, one after the other and
 * round again, on a grid that is then refined; the layers before stay. A layer of a few numbers is
 * far from where gradients lead at first: steps of 2 to 60 / L are not reached from 1 / L.
 */
void train_search(struct network *network, size_t depth, bool safeguard,
                  const struct train_samples *samples, struct parallel *team);
