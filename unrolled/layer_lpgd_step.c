// SPDX-License-Identifier: BSD-3-Clause
// LPGD-Taut with a learned step size a layer, u+ = prox_{lambda a TV}(u - a A'(A u - x)): the
// analogue of SLISTA for TV. Prox and derivative: Cherkaoui, Sulam and Moreau, 2020.
#include "unrolled/step_size.h"
#include "unrolled/tv_step.h"

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
    .n_state = tv_n_state,
    .tensors = step_size_tensors,
    .init = step_size_init,
    .identity = step_size_identity,
    .project = step_size_project,
    .tape_bytes = tv_step_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};
