// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/tv_step.h"

#include "unrolled/tv_prox.h"

// The tape of a series: A' r, n_in doubles, then that of the prox. A kind may need a longer one for
// its own step: series stand as far apart as the kind says.
size_t tv_step_bytes(const struct layer_context *context)
{
    return context->op->n_in * sizeof(double) + tv_prox_bytes(context->op->n_in);
}

static size_t tape_stride(const struct layer_call *call)
{
    return call->context->kind->tape_bytes(call->context);
}

static struct block head(const struct block *block, size_t n_time)
{
    struct block part = *block;
    part.n_time = n_time;
    return part;
}

static struct block slope_on(const struct layer_call *call, const void *tape)
{
    size_t stride = tape_stride(call) / sizeof(double);
    return (struct block){call->context->op->n_in, call->in->n_series, stride, (double *) tape};
}

void tv_step_forward(const struct layer_call *call, const struct tv_step *step, struct block *out,
                     void *tape)
{
    size_t n = call->context->op->n_in;
    size_t mark = workspace_mark(call->ws);
    struct block u = head(out, n);
    struct block slope = tape == NULL ? layer_block(call, n, NULL) : slope_on(call, tape);
    linop_adjoint(call->context->op, step->residual, &slope, call->ws);
    for (size_t v = 0; v < u.n_series; v++)
        for (size_t i = 0; i < n; i++)
            block_series(&u, v)[i] =
                block_series(step->y, v)[i] - step->a * block_series(&slope, v)[i];
    char *prox_tape = tape == NULL ? NULL : (char *) tape + n * sizeof(double);
    tv_prox_forward(call, &u, step->a, &u, prox_tape, tape_stride(call));
    workspace_release(call->ws, mark);
}

double tv_step_backward(const struct layer_call *call, const struct tv_step *step, const void *tape,
                        const struct block *out_adjoint, struct block *y_adjoint,
                        const struct layer_gradient *gradient)
{
    const linop *op = call->context->op;
    size_t mark = workspace_mark(call->ws);
    struct block slope = slope_on(call, tape);
    struct block through = layer_block(call, op->n_in, NULL);
    struct block image = layer_block(call, op->n_out, NULL);
    struct block u_adjoint = head(out_adjoint, op->n_in);
    double a_gradient =
        tv_prox_backward(call, step->a, (const char *) tape + op->n_in * sizeof(double),
                         tape_stride(call), &u_adjoint, &through, gradient->lambda);
    a_gradient -= block_dot(&through, &slope);

    // d(y - a A'(A y - x)) = (I - a A'A) dy + a A' dx
    linop_apply(op, &through, &image, call->ws);
    block_scale(&image, -step->a);
    linop_adjoint(op, &image, y_adjoint, call->ws);
    block_add(y_adjoint, 1.0, &through);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
    return a_gradient;
}

static struct tv_step plain_step(const struct layer_call *call)
{
    return (struct tv_step){1.0 / call->context->norm2, call->in, call->residual};
}

size_t tv_n_state(const struct layer_context *context)
{
    return context->op->n_in;
}

void tv_descend(const struct layer_call *call, struct block *out, void *tape)
{
    struct tv_step step = plain_step(call);
    tv_step_forward(call, &step, out, tape);
}

void tv_descend_backward(const struct layer_call *call, const void *tape,
                         const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    struct tv_step step = plain_step(call);
    tv_step_backward(call, &step, tape, out_adjoint, gradient->in, gradient);
}
