// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/train.h"

/**
 * Whether the last of `depth` layers has so few numbers that they are searched one by one, or can
 * be a step whose size is searched.
 */
bool train_search_applies(const struct network *network, size_t depth);

/**
 * Sets the numbers, or the step, of the last of `depth` layers where the loss is least, one after
 * the other and round again, on a grid that is then refined; the layers before stay. A layer of a
 * few numbers is far from where gradients lead at first: steps of 2 to 60 / L are not reached from
 * 1 / L. The loss is that of at most 128 samples, evenly spaced.
 */
void train_search(struct network *network, size_t depth, const struct train_options *options,
                  const struct train_samples *samples);

/**
 * Puts one more layer between the first depth - 1 layers of a network of steps, or before or after
 * them, where and with the step that make the loss of those samples least. Long and short steps
 * take turns in good networks; what is appended alone keeps the turns of the network before. False
 * where layers cannot change places.
 */
bool train_insert(struct network *network, size_t depth, const struct train_options *options,
                  const struct train_samples *samples);
