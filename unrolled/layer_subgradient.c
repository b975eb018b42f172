// SPDX-License-Identifier: BSD-3-Clause
// A step along a subgradient, u+ = u - a (A'(A u - x) + lambda nabla' sign(nabla u)): what one has
// without a prox. Kept as a comparison.
#include "unrolled/step_size.h"
#include "unrolled/tv_step.h"

static void init(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    // A subgradient method has no safe step; this one is as good as none.
    parameters[0] = 1e-10;
}

static void forward(const struct layer_call *call, struct block *out, void *tape G_GNUC_UNUSED)
{
    double a = call->parameters[0];
    linop_adjoint(call->context->op, call->residual, out, call->ws);
    for (size_t v = 0; v < out->n_series; v++)
        problem_penalty_subgradient(call->context->problem, block_series(call->in, v),
                                    call->lambda[v], block_series(out, v));
    block_scale(out, -a);
    block_add(out, 1.0, call->in);
}

static double series_dot(const struct block *a, const struct block *b, size_t v)
{
    double sum = 0.0;
    for (size_t i = 0; i < a->n_time; i++)
        sum += block_series(a, v)[i] * block_series(b, v)[i];
    return sum;
}

static void backward(const struct layer_call *call, const void *tape G_GNUC_UNUSED,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    const linop *op = call->context->op;
    size_t mark = workspace_mark(call->ws);
    double a = call->parameters[0];
    struct block kinks = layer_block(call, op->n_in, NULL);
    struct block slope = layer_block(call, op->n_in, NULL);
    struct block image = layer_block(call, op->n_out, NULL);
    for (size_t v = 0; v < kinks.n_series; v++) {
        for (size_t i = 0; i < op->n_in; i++)
            block_series(&kinks, v)[i] = 0.0;
        problem_penalty_subgradient(call->context->problem, block_series(call->in, v), 1.0,
                                    block_series(&kinks, v));
        double along = series_dot(out_adjoint, &kinks, v);
        if (gradient->lambda != NULL)
            gradient->lambda[v] -= a * along;
        if (gradient->parameters != NULL)
            gradient->parameters[0] -= call->lambda[v] * along;
    }
    linop_adjoint(op, call->residual, &slope, call->ws);
    if (gradient->parameters != NULL)
        gradient->parameters[0] -= block_dot(out_adjoint, &slope);
    linop_apply(op, out_adjoint, &image, call->ws);
    block_scale(&image, -a);
    linop_adjoint(op, &image, gradient->in, call->ws);
    block_add(gradient->in, 1.0, out_adjoint);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_subgradient_step = {
    .network = "subgradient-step",
    .variant = "",
    .problem = PROBLEM_TV,
    .n_state = tv_n_state,
    .tensors = step_size_tensors,
    .init = init,
    .identity = step_size_identity,
    .project = step_size_project,
    .tape_bytes = tv_step_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};
