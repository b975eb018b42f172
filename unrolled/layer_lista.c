// SPDX-License-Identifier: BSD-3-Clause
// LISTA: z+ = ST(Wz z + Wx x, lambda th), everything learned.
// Gregor and LeCun, Learning fast approximations of sparse coding, 2010.
// For the Lasso every entry has a threshold; on the jumps of TV there is one, in units of 1 / L.
#include "unrolled/dense.h"
#include "unrolled/shrink.h"
#include "unrolled/sparse_step.h"
#include "unrolled/weights.h"

#include <math.h>
#include <string.h>

static size_t tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    size_t n = context->design->n_in;
    shapes[0] = (struct tensor_shape){"weight_z", n, n};
    shapes[1] = (struct tensor_shape){"weight_x", n, context->design->n_out};
    shapes[2] = (struct tensor_shape){"threshold", sparse_n_thresholds(context), 1};
    return 3;
}

// Where the tensors stand in a layer's parameters.
static size_t x_offset(const struct layer_context *context)
{
    return context->design->n_in * context->design->n_in;
}

static size_t th_offset(const struct layer_context *context)
{
    return x_offset(context) + context->design->n_in * context->design->n_out;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    weights_gradient_step(context->design, context->norm2, parameters);
    weights_adjoint(context->design, 1.0 / context->norm2, parameters + x_offset(context));
    sparse_init_thresholds(context, parameters + th_offset(context));
}

static void identity(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    size_t n_others = th_offset(context) + sparse_n_thresholds(context) - x_offset(context);
    weights_identity(context->design->n_in, parameters);
    memset(parameters + x_offset(context), 0, n_others * sizeof(double));
}

static void project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    sparse_project_thresholds(context, parameters + th_offset(context));
}

static struct dense weight_z(const struct layer_call *call)
{
    size_t n = call->context->design->n_in;
    return (struct dense){call->parameters, n, n};
}

static struct dense weight_x(const struct layer_call *call)
{
    const linop *design = call->context->design;
    return (struct dense){call->parameters + x_offset(call->context), design->n_in, design->n_out};
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct dense wz = weight_z(call);
    struct dense wx = weight_x(call);
    struct shrink shrink = sparse_shrink(call, call->parameters + th_offset(call->context));
    struct block a = layer_block(call, call->context->design->n_in, tape);
    dense_apply(&wz, 1.0, call->in, 0.0, &a);
    dense_apply(&wx, 1.0, call->x, 1.0, &a);
    shrink_forward(&shrink, &a, out);
    workspace_release(call->ws, mark);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    size_t mark = workspace_mark(call->ws);
    struct dense wz = weight_z(call);
    struct dense wx = weight_x(call);
    struct shrink shrink = sparse_shrink(call, call->parameters + th_offset(call->context));
    const struct block a = layer_block(call, call->context->design->n_in, (double *) tape);
    struct block through = layer_block(call, call->context->design->n_in, NULL);
    double *parameters = gradient->parameters;
    double *x_gradient = parameters == NULL ? NULL : parameters + x_offset(call->context);
    double *th_gradient = parameters == NULL ? NULL : parameters + th_offset(call->context);
    shrink_backward(&shrink, &a, out_adjoint, &through, th_gradient, gradient->lambda);
    dense_gradient(&wz, 1.0, call->in, &through, parameters);
    dense_gradient(&wx, 1.0, call->x, &through, x_gradient);
    dense_adjoint(&wz, 1.0, &through, 0.0, gradient->in);
    if (gradient->x != NULL)
        dense_adjoint(&wx, 1.0, &through, 1.0, gradient->x);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_lista = {
    .network = "lista",
    .variant = "",
    .problem = PROBLEM_LASSO,
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

const struct layer_kind layer_synthesis_dense = {
    .network = "synthesis-lista",
    .variant = "dense",
    .problem = PROBLEM_TV,
    .synthesis = true,
    .one_threshold = true,
    .n_state = sparse_n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .step_kind = &layer_synthesis_step,
    .project = project,
    .start = sparse_start,
    .output = sparse_output,
    .output_adjoint = sparse_output_adjoint,
    .tape_bytes = sparse_tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};
