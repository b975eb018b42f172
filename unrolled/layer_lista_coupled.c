// SPDX-License-Identifier: BSD-3-Clause
// Coupled LISTA: z+ = ST(z - W (D z - x), lambda th), W and thresholds learned.
// Chen, Liu, Wang and Yin, Theoretical linear convergence of unfolded ISTA, 2018.
// For the Lasso every entry has a threshold; on the jumps of TV there is one, in units of 1 / L.
#include "unrolled/coupled.h"
#include "unrolled/dense.h"
#include "unrolled/shrink.h"
#include "unrolled/sparse_step.h"
#include "unrolled/weights.h"

#include <math.h>
#include <string.h>

static size_t n_weights(const struct layer_context *context)
{
    return context->design->n_in * context->design->n_out;
}

size_t coupled_tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                       struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    shapes[0] = (struct tensor_shape){"weight", context->design->n_in, context->design->n_out};
    shapes[1] = (struct tensor_shape){"threshold", sparse_n_thresholds(context), 1};
    return 2;
}

void coupled_init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                  double *parameters)
{
    weights_adjoint(context->design, 1.0 / context->norm2, parameters);
    sparse_init_thresholds(context, parameters + n_weights(context));
}

void coupled_identity(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      double *parameters)
{
    memset(parameters, 0, (n_weights(context) + sparse_n_thresholds(context)) * sizeof(double));
}

void coupled_project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    sparse_project_thresholds(context, parameters + n_weights(context));
}

static struct dense weight_of(const struct layer_call *call)
{
    return (struct dense){call->parameters, call->context->design->n_in,
                          call->context->design->n_out};
}

void coupled_forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct dense w = weight_of(call);
    struct shrink shrink = sparse_shrink(call, call->parameters + n_weights(call->context));
    struct block a = layer_block(call, call->context->op->n_in, tape);
    block_copy(call->in, &a);
    dense_apply(&w, -1.0, call->residual, 1.0, &a);
    shrink_forward(&shrink, &a, out);
    workspace_release(call->ws, mark);
}

void coupled_backward(const struct layer_call *call, const void *tape,
                      const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    const linop *design = call->context->design;
    size_t mark = workspace_mark(call->ws);
    struct dense w = weight_of(call);
    struct shrink shrink = sparse_shrink(call, call->parameters + n_weights(call->context));
    const struct block a = layer_block(call, design->n_in, (double *) tape);
    struct block through = layer_block(call, design->n_in, NULL);
    struct block image = layer_block(call, design->n_out, NULL);
    double *parameters = gradient->parameters;
    double *th_gradient = parameters == NULL ? NULL : parameters + n_weights(call->context);
    shrink_backward(&shrink, &a, out_adjoint, &through, th_gradient, gradient->lambda);
    dense_gradient(&w, -1.0, call->residual, &through, parameters);

    // d(in - W (D in - x)) = (I - W D) d(in) + W dx
    dense_adjoint(&w, -1.0, &through, 0.0, &image);
    linop_adjoint(design, &image, gradient->in, call->ws);
    block_add(gradient->in, 1.0, &through);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_lista_coupled = {
    .network = "lista-coupled",
    .variant = "",
    .problem = PROBLEM_LASSO,
    .n_state = sparse_n_state,
    .tensors = coupled_tensors,
    .init = coupled_init,
    .identity = coupled_identity,
    .step_kind = &layer_slista,
    .project = coupled_project,
    .tape_bytes = sparse_tape_bytes,
    .forward = coupled_forward,
    .backward = coupled_backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};

const struct layer_kind layer_synthesis_coupled = {
    .network = "synthesis-lista",
    .variant = "coupled",
    .problem = PROBLEM_TV,
    .synthesis = true,
    .one_threshold = true,
    .n_state = sparse_n_state,
    .tensors = coupled_tensors,
    .init = coupled_init,
    .identity = coupled_identity,
    .step_kind = &layer_synthesis_step,
    .project = coupled_project,
    .start = sparse_start,
    .output = sparse_output,
    .output_adjoint = sparse_output_adjoint,
    .tape_bytes = sparse_tape_bytes,
    .forward = coupled_forward,
    .backward = coupled_backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};
