// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/sparse_step.h"

#include "unrolled/shrink.h"

#include "solvers/synthesis.h"

#include <math.h>

size_t sparse_n_state(const struct layer_context *context)
{
    return context->op->n_in;
}

size_t sparse_tape_bytes(const struct layer_context *context)
{
    return context->op->n_in * sizeof(double);
}

size_t sparse_n_thresholds(const struct layer_context *context)
{
    return context->kind->one_threshold ? 1 : context->op->n_in;
}

void sparse_init_thresholds(const struct layer_context *context, double *th)
{
    for (size_t i = 0; i < sparse_n_thresholds(context); i++)
        th[i] = context->kind->synthesis ? 1.0 : 1.0 / context->norm2;
}

void sparse_project_thresholds(const struct layer_context *context, double *th)
{
    for (size_t i = 0; i < sparse_n_thresholds(context); i++)
        th[i] = fmax(th[i], 0.0);
}

struct shrink sparse_shrink(const struct layer_call *call, const double *th)
{
    bool synthesis = call->context->kind->synthesis;
    return (struct shrink){.lambda = call->lambda,
                           .th = th,
                           .stride = call->context->kind->one_threshold ? 0 : 1,
                           .unit = synthesis ? 1.0 / call->context->norm2 : 1.0,
                           .n_free = synthesis ? 1 : 0};
}

// One threshold for all, the step size itself.
static struct shrink step_shrink(const struct layer_call *call, const double *a)
{
    size_t n_free = call->context->kind->synthesis ? 1 : 0;
    return (struct shrink){.lambda = call->lambda, .th = a, .unit = 1.0, .n_free = n_free};
}

// D' r comes first on the tape of a series, which a kind may need longer for its own step.
static struct block slope_on(const struct layer_call *call, const double *tape)
{
    size_t stride = call->context->kind->tape_bytes(call->context) / sizeof(double);
    return (struct block){call->context->design->n_in, call->in->n_series, stride, (double *) tape};
}

void sparse_step_forward(const struct layer_call *call, double a, struct block *out, double *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct block slope =
        tape == NULL ? layer_block(call, call->context->design->n_in, NULL) : slope_on(call, tape);
    struct shrink shrink = step_shrink(call, &a);
    linop_adjoint(call->context->design, call->residual, &slope, call->ws);
    block_copy(call->in, out);
    block_add(out, -a, &slope);
    shrink_forward(&shrink, out, out);
    workspace_release(call->ws, mark);
}

void sparse_step_backward(const struct layer_call *call, double a, const double *tape,
                          const struct block *out_adjoint, const struct layer_gradient *gradient,
                          double *a_gradient)
{
    const linop *op = call->context->design;
    size_t mark = workspace_mark(call->ws);
    const struct block slope = slope_on(call, tape);
    struct block through = layer_block(call, op->n_in, NULL);
    struct block image = layer_block(call, op->n_out, NULL);
    struct shrink shrink = step_shrink(call, &a);
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

void sparse_descend(const struct layer_call *call, struct block *out, void *tape)
{
    sparse_step_forward(call, 1.0 / call->context->norm2, out, tape);
}

void sparse_descend_backward(const struct layer_call *call, const void *tape,
                             const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    sparse_step_backward(call, 1.0 / call->context->norm2, tape, out_adjoint, gradient, NULL);
}

void sparse_start(const struct layer_context *context, const struct block *x G_GNUC_UNUSED,
                  const struct block *u, struct block *state, struct workspace *ws G_GNUC_UNUSED)
{
    for (size_t v = 0; v < u->n_series; v++)
        synthesis_difference(block_series(u, v), block_series(state, v), context->op->n_in);
}

void sparse_output(const struct layer_context *context, const struct block *state,
                   const struct block *x G_GNUC_UNUSED, struct block *u,
                   struct workspace *ws G_GNUC_UNUSED)
{
    for (size_t v = 0; v < u->n_series; v++)
        synthesis_sum(block_series(state, v), block_series(u, v), context->op->n_in);
}

void sparse_output_adjoint(const struct layer_context *context, const struct block *u_adjoint,
                           struct block *state_adjoint, struct block *x_gradient G_GNUC_UNUSED,
                           struct workspace *ws G_GNUC_UNUSED)
{
    block_copy(u_adjoint, state_adjoint);
    for (size_t v = 0; v < u_adjoint->n_series; v++)
        synthesis_sum_from_end(block_series(state_adjoint, v), context->op->n_in);
}
