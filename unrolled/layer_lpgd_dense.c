// SPDX-License-Identifier: BSD-3-Clause
// LPGD-Taut with dense weights, u+ = prox_{lambda mu TV}(Wu u + Wx x); mu is 1 / L, or learned
// in the variant dense-threshold. Cherkaoui, Sulam and Moreau, Learning to solve TV regularised
// problems with unrolled algorithms, 2020.
#include "unrolled/dense.h"
#include "unrolled/tv_prox.h"
#include "unrolled/tv_step.h"
#include "unrolled/weights.h"

#include <math.h>
#include <string.h>

static size_t tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    size_t n = context->op->n_in;
    shapes[0] = (struct tensor_shape){"weight_u", n, n};
    shapes[1] = (struct tensor_shape){"weight_x", n, context->op->n_out};
    shapes[2] = (struct tensor_shape){"threshold", 1, 1};
    return context->kind->learns_threshold ? 3 : 2;
}

// Where the tensors stand in a layer's parameters.
static size_t x_offset(const struct layer_context *context)
{
    return context->op->n_in * context->op->n_in;
}

static size_t mu_offset(const struct layer_context *context)
{
    return x_offset(context) + context->op->n_in * context->op->n_out;
}

static double threshold_of(const struct layer_call *call)
{
    return call->context->kind->learns_threshold ? call->parameters[mu_offset(call->context)]
                                                 : 1.0 / call->context->norm2;
}

static void set_threshold(const struct layer_context *context, double mu, double *parameters)
{
    if (context->kind->learns_threshold)
        parameters[mu_offset(context)] = mu;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    weights_gradient_step(context->op, context->norm2, parameters);
    weights_adjoint(context->op, 1.0 / context->norm2, parameters + x_offset(context));
    set_threshold(context, 1.0 / context->norm2, parameters);
}

static void identity(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    weights_identity(context->op->n_in, parameters);
    memset(parameters + x_offset(context), 0,
           (mu_offset(context) - x_offset(context)) * sizeof(double));
    set_threshold(context, 0.0, parameters);
}

static void project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    parameters[mu_offset(context)] = fmax(parameters[mu_offset(context)], 0.0);
}

static struct dense weight_u(const struct layer_call *call)
{
    return (struct dense){call->parameters, call->context->op->n_in, call->context->op->n_in};
}

static struct dense weight_x(const struct layer_call *call)
{
    return (struct dense){call->parameters + x_offset(call->context), call->context->op->n_in,
                          call->context->op->n_out};
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    struct dense wu = weight_u(call);
    struct dense wx = weight_x(call);
    dense_apply(&wu, 1.0, call->in, 0.0, out);
    dense_apply(&wx, 1.0, call->x, 1.0, out);
    tv_prox_forward(call, out, threshold_of(call), out, tape, tv_step_bytes(call->context));
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    size_t mark = workspace_mark(call->ws);
    struct dense wu = weight_u(call);
    struct dense wx = weight_x(call);
    struct block through = layer_block(call, call->context->op->n_in, NULL);
    double slope = tv_prox_backward(call, threshold_of(call), tape, tv_step_bytes(call->context),
                                    out_adjoint, &through, gradient->lambda);
    double *parameters = gradient->parameters;
    if (parameters != NULL) {
        dense_gradient(&wu, 1.0, call->in, &through, parameters);
        dense_gradient(&wx, 1.0, call->x, &through, parameters + x_offset(call->context));
        if (call->context->kind->learns_threshold)
            parameters[mu_offset(call->context)] += slope;
    }
    dense_adjoint(&wu, 1.0, &through, 0.0, gradient->in);
    if (gradient->x != NULL)
        dense_adjoint(&wx, 1.0, &through, 1.0, gradient->x);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_lpgd_dense = {
    .network = "lpgd-taut",
    .variant = "dense",
    .problem = PROBLEM_TV,
    .n_state = tv_n_state,
    .tensors = tensors,
    .init = init,
    .tape_bytes = tv_step_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};

const struct layer_kind layer_lpgd_dense_threshold = {
    .network = "lpgd-taut",
    .variant = "dense-threshold",
    .problem = PROBLEM_TV,
    .learns_threshold = true,
    .n_state = tv_n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .step_kind = &layer_lpgd_step,
    .project = project,
    .tape_bytes = tv_step_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};
