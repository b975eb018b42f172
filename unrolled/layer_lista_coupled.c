// SPDX-License-Identifier: BSD-3-Clause
// Coupled LISTA: z+ = ST(z - W (A z - x), lambda th), W and a threshold for each entry learned.
// Chen, Liu, Wang and Yin, Theoretical linear convergence of unfolded ISTA, 2018.
#include "unrolled/dense.h"
#include "unrolled/lasso_step.h"
#include "unrolled/shrink.h"

#include <math.h>
#include <string.h>

static size_t n_state(const struct layer_context *context)
{
    return context->op->n_in;
}

static size_t tensors(const struct layer_context *context,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    shapes[0] = (struct tensor_shape){"weight", context->op->n_in, context->op->n_out};
    shapes[1] = (struct tensor_shape){"threshold", context->op->n_in, 1};
    return 2;
}

static size_t n_weights(const struct layer_context *context)
{
    return context->op->n_in * context->op->n_out;
}

static const char *refuse(const struct problem *problem)
{
    return problem->op->matrix == NULL ? "needs a dense operator" : NULL;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    // The operator is column-major n_out x n_in: its memory read row-major is A'.
    for (size_t i = 0; i < n_weights(context); i++)
        parameters[i] = context->op->matrix[i] / context->norm2;
    for (size_t i = 0; i < context->op->n_in; i++)
        parameters[n_weights(context) + i] = 1.0 / context->norm2;
}

static void identity(const struct layer_context *context, double *parameters)
{
    memset(parameters, 0, (n_weights(context) + context->op->n_in) * sizeof(double));
}

static void project(const struct layer_context *context, double *parameters)
{
    double *th = parameters + n_weights(context);
    for (size_t i = 0; i < context->op->n_in; i++)
        th[i] = fmax(th[i], 0.0);
}

// The tape holds z - W (A z - x), what is thresholded.
static size_t tape_bytes(const struct layer_context *context)
{
    return context->op->n_in * sizeof(double);
}

static struct dense weight_of(const struct layer_call *call)
{
    return (struct dense){call->parameters, call->context->op->n_in, call->context->op->n_out};
}

static struct shrink shrink_of(const struct layer_call *call)
{
    return (struct shrink){call->lambda, call->parameters + n_weights(call->context), 1};
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct dense w = weight_of(call);
    struct shrink shrink = shrink_of(call);
    struct block a = layer_block(call, call->context->op->n_in, tape);
    block_copy(call->in, &a);
    dense_apply(&w, -1.0, call->residual, 1.0, &a);
    shrink_forward(&shrink, &a, out);
    workspace_release(call->ws, mark);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    const linop *op = call->context->op;
    size_t mark = workspace_mark(call->ws);
    struct dense w = weight_of(call);
    struct shrink shrink = shrink_of(call);
    const struct block a = layer_block(call, op->n_in, (double *) tape);
    struct block through = layer_block(call, op->n_in, NULL);
    struct block image = layer_block(call, op->n_out, NULL);
    double *parameters = gradient->parameters;
    double *th_gradient = parameters == NULL ? NULL : parameters + n_weights(call->context);
    shrink_backward(&shrink, &a, out_adjoint, &through, th_gradient, gradient->lambda);
    dense_gradient(&w, -1.0, call->residual, &through, parameters);

    // d(in - W (A in - x)) = (I - W A) d(in) + W dx
    dense_adjoint(&w, -1.0, &through, 0.0, &image);
    linop_adjoint(op, &image, gradient->in, call->ws);
    block_add(gradient->in, 1.0, &through);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_lista_coupled = {
    .network = "lista-coupled",
    .variant = "",
    .problem = PROBLEM_LASSO,
    .refuse = refuse,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .project = project,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = lasso_descend,
    .descend_backward = lasso_descend_backward,
};
