// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

/**
 * The one number of a layer that learns its step size and nothing else: layer_kind.tensors, .init
 * (1 / L), .identity (0) and .project (not negative).
 */
size_t step_size_tensors(const struct layer_context *context, size_t index,
                         struct tensor_shape shapes[LAYER_MAX_TENSORS]);
void step_size_init(const struct layer_context *context, size_t index, double *parameters);
void step_size_identity(const struct layer_context *context, size_t index, double *parameters);
void step_size_project(const struct layer_context *context, size_t index, double *parameters);
