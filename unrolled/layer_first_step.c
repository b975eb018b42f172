// SPDX-License-Identifier: BSD-3-Clause
// A first layer of coupled LISTA with one threshold, then SLISTA: the weights of the first layer
// may place z well, where steps along D' are all that later layers need.
#include "unrolled/coupled.h"
#include "unrolled/sparse_step.h"

#include <math.h>

static size_t tensors(const struct layer_context *context, size_t index,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    if (index == 0)
        return coupled_tensors(context, index, shapes);
    shapes[0] = (struct tensor_shape){"step", 1, 1};
    return 1;
}

static void init(const struct layer_context *context, size_t index, double *parameters)
{
    if (index == 0)
        coupled_init(context, index, parameters);
    else
        parameters[0] = 1.0 / context->norm2;
}

static void identity(const struct layer_context *context, size_t index, double *parameters)
{
    if (index == 0)
        coupled_identity(context, index, parameters);
    else
        parameters[0] = 0.0;
}

static void project(const struct layer_context *context, size_t index, double *parameters)
{
    if (index == 0)
        coupled_project(context, index, parameters);
    else
        parameters[0] = fmax(parameters[0], 0.0);
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    if (call->index == 0)
        coupled_forward(call, out, tape);
    else
        sparse_step_forward(call, call->parameters[0], out, tape);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    if (call->index == 0)
        coupled_backward(call, tape, out_adjoint, gradient);
    else
        sparse_step_backward(call, call->parameters[0], tape, out_adjoint, gradient,
                             gradient->parameters);
}

const struct layer_kind layer_first_step = {
    .network = "first_step",
    .variant = "",
    .problem = PROBLEM_LASSO,
    .one_threshold = true,
    .n_state = sparse_n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .step_kind = &layer_slista,
    .project = project,
    .tape_bytes = sparse_tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};
