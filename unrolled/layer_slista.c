// SPDX-License-Identifier: BSD-3-Clause
// SLISTA: ISTA with a learned step size a layer, z+ = ST(z - a D'(D z - x), lambda a).
// Ablin, Moreau, Massias and Gramfort, Learning step sizes for unfolded sparse coding, 2019.
// The same on the jumps of TV is the variant `step` of the synthesis networks.
#include "unrolled/sparse_step.h"
#include "unrolled/step_size.h"

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    sparse_step_forward(call, call->parameters[0], out, tape);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    sparse_step_backward(call, call->parameters[0], tape, out_adjoint, gradient,
                         gradient->parameters);
}

const struct layer_kind layer_slista = {
    .network = "slista",
    .variant = "",
    .problem = PROBLEM_LASSO,
    .n_state = sparse_n_state,
    .tensors = step_size_tensors,
    .init = step_size_init,
    .identity = step_size_identity,
    .project = step_size_project,
    .tape_bytes = sparse_tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};

const struct layer_kind layer_synthesis_step = {
    .network = "synthesis-lista",
    .variant = "step",
    .problem = PROBLEM_TV,
    .synthesis = true,
    .n_state = sparse_n_state,
    .tensors = step_size_tensors,
    .init = step_size_init,
    .identity = step_size_identity,
    .project = step_size_project,
    .start = sparse_start,
    .output = sparse_output,
    .output_adjoint = sparse_output_adjoint,
    .tape_bytes = sparse_tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};
