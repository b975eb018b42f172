// SPDX-License-Identifier: BSD-3-Clause
// LPGD-Taut with a learned step size a layer, u+ = prox_{lambda a TV}(u - a A'(A u - x)): the
// analogue of SLISTA for TV. Prox and derivative: Cherkaoui, Sulam and Moreau, 2020.
#include "unrolled/tv_step.h"

#include <math.h>

static size_t n_state(const struct layer_context *context)
{
    return context->op->n_in;
}

static size_t tensors(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    shapes[0] = (struct tensor_shape){"step", 1, 1};
    return 1;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    parameters[0] = 1.0 / context->norm2;
}

static void identity(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    parameters[0] = 0.0;
}

static void project(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    parameters[0] = fmax(parameters[0], 0.0);
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    struct tv_step step = {call->parameters[0], call->in, call->residual};
    tv_step_forward(call, &step, out, tape);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    struct tv_step step = {call->parameters[0], call->in, call->residual};
    double slope = tv_step_backward(call, &step, tape, out_adjoint, gradient->in, gradient);
    if (gradient->parameters != NULL)
        gradient->parameters[0] += slope;
}

const struct layer_kind layer_lpgd_step = {
    .network = "lpgd-taut",
    .variant = "step",
    .problem = PROBLEM_TV,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .project = project,
    .tape_bytes = tv_step_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};
