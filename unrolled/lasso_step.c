// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/lasso_step.h"

#include "unrolled/shrink.h"

void lasso_step_forward(const struct layer_call *call, double a, struct block *out, double *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct block slope = layer_block(call, call->context->op->n_in, tape);
    struct shrink shrink = {call->lambda, &a, 0};
    linop_adjoint(call->context->op, call->residual, &slope, call->ws);
    block_copy(call->in, out);
    block_add(out, -a, &slope);
    shrink_forward(&shrink, out, out);
    workspace_release(call->ws, mark);
}

void lasso_step_backward(const struct layer_call *call, double a, const double *tape,
                         const struct block *out_adjoint, const struct layer_gradient *gradient,
                         double *a_gradient)
{
    const linop *op = call->context->op;
    size_t mark = workspace_mark(call->ws);
    const struct block slope = layer_block(call, op->n_in, (double *) tape);
    struct block through = layer_block(call, op->n_in, NULL);
    struct block image = layer_block(call, op->n_out, NULL);
    struct shrink shrink = {call->lambda, &a, 0};
    block_copy(call->in, &through);
    block_add(&through, -a, &slope);
    shrink_backward(&shrink, &through, out_adjoint, &through, a_gradient, gradient->lambda);
    if (a_gradient != NULL)
        *a_gradient -= block_dot(&through, &slope);

    // d(in - a A'(A in - x)) = (I - a A'A) d(in) + a A' dx
    linop_apply(op, &through, &image, call->ws);
    block_scale(&image, -a);
    linop_adjoint(op, &image, gradient->in, call->ws);
    block_add(gradient->in, 1.0, &through);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
}

void lasso_descend(const struct layer_call *call, struct block *out, void *tape)
{
    lasso_step_forward(call, 1.0 / call->context->norm2, out, tape);
}

void lasso_descend_backward(const struct layer_call *call, const void *tape,
                            const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    lasso_step_backward(call, 1.0 / call->context->norm2, tape, out_adjoint, gradient, NULL);
}
