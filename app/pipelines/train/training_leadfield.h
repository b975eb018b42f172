// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "app/pipelines/train/training.h"

/**
 * The operator and the samples of a training on a leadfield of fixed orientation: training->op,
 * leadfield, train.x and, where --validation asks for it, validation.x. Data that are no recording
 * are an array of whitened samples; without data, samples are standard normal. Errors: any.
 */
bool training_read_leadfield(struct training *training, GError **error);
