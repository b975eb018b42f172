// SPDX-License-Identifier: BSD-3-Clause
// A learned symmetric metric: z+ = ST(z - H D'(D z - x), lambda th), H and thresholds learned.
#include "unrolled/dense.h"
#include "unrolled/sparse_step.h"
#include "unrolled/weights.h"

#include <string.h>

static size_t n_weights(const struct layer_context *context)
{
    return context->design->n_in * context->design->n_in;
}

static size_t tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    size_t n = context->design->n_in;
    shapes[0] = (struct tensor_shape){"metric", n, n};
    shapes[1] = (struct tensor_shape){"threshold", sparse_n_thresholds(context), 1};
    return 2;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    weights_identity(context->design->n_in, parameters);
    for (size_t i = 0; i < n_weights(context); i++)
        parameters[i] /= context->norm2;
    sparse_init_thresholds(context, parameters + n_weights(context));
}

static void identity(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    memset(parameters, 0, (n_weights(context) + sparse_n_thresholds(context)) * sizeof(double));
}

// To the nearest symmetric metric.
static void project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    size_t n = context->design->n_in;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double mean = 0.5 * (parameters[i * n + j] + parameters[j * n + i]);
            parameters[i * n + j] = parameters[j * n + i] = mean;
        }
    sparse_project_thresholds(context, parameters + n_weights(context));
}

// The tape: D' r, then what is thresholded, series after series.
static size_t tape_bytes(const struct layer_context *context)
{
    return 2 * context->design->n_in * sizeof(double);
}

static struct block taped(const struct layer_call *call, const void *tape, size_t part)
{
    size_t n = call->context->design->n_in;
    return (struct block){n, call->in->n_series, 2 * n, (double *) tape + part * n};
}

static struct dense metric_of(const struct layer_call *call)
{
    size_t n = call->context->design->n_in;
    return (struct dense){call->parameters, n, n};
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t n = call->context->design->n_in;
    size_t mark = workspace_mark(call->ws);
    if (tape == NULL)
        tape = WORKSPACE_ALLOC(call->ws, char, call->in->n_series *tape_bytes(call->context));
    struct dense h = metric_of(call);
    struct shrink shrink = sparse_shrink(call, call->parameters + n * n);
    struct block slope = taped(call, tape, 0);
    struct block a = taped(call, tape, 1);
    linop_adjoint(call->context->design, call->residual, &slope, call->ws);
    block_copy(call->in, &a);
    dense_apply(&h, -1.0, &slope, 1.0, &a);
    shrink_forward(&shrink, &a, out);
    workspace_release(call->ws, mark);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    const linop *design = call->context->design;
    size_t mark = workspace_mark(call->ws);
    struct dense h = metric_of(call);
    size_t th_offset = n_weights(call->context);
    struct shrink shrink = sparse_shrink(call, call->parameters + th_offset);
    struct block slope = taped(call, tape, 0);
    struct block a = taped(call, tape, 1);
    struct block through = layer_block(call, design->n_in, NULL);
    struct block turned = layer_block(call, design->n_in, NULL);
    struct block image = layer_block(call, design->n_out, NULL);
    double *parameters = gradient->parameters;
    shrink_backward(&shrink, &a, out_adjoint, &through,
                    parameters == NULL ? NULL : parameters + th_offset, gradient->lambda);
    dense_gradient(&h, -1.0, &slope, &through, parameters);

    // d(in - H D'(D in - x)) = (I - H D'D) d(in) + H D' dx
    dense_adjoint(&h, -1.0, &through, 0.0, &turned);
    linop_apply(design, &turned, &image, call->ws);
    linop_adjoint(design, &image, gradient->in, call->ws);
    block_add(gradient->in, 1.0, &through);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_hessian = {
    .network = "hessian",
    .variant = "",
    .problem = PROBLEM_LASSO,
    .n_state = sparse_n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .step_kind = &layer_slista,
    .project = project,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};
