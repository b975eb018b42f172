// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

/** The slots of coupled LISTA, for kinds of which some layers are of it. */
size_t coupled_tensors(const struct layer_context *context, size_t index,
                       struct tensor_shape shapes[LAYER_MAX_TENSORS]);
void coupled_init(const struct layer_context *context, size_t index, double *parameters);
void coupled_identity(const struct layer_context *context, size_t index, double *parameters);
void coupled_project(const struct layer_context *context, size_t index, double *parameters);
void coupled_forward(const struct layer_call *call, struct block *out, void *tape);
void coupled_backward(const struct layer_call *call, const void *tape,
                      const struct block *out_adjoint, const struct layer_gradient *gradient);
