// SPDX-License-Identifier: BSD-3-Clause
// LPGD-Taut with a learned step size and momentum a layer:
// y = u + m (u - u_prev), u+ = prox_{lambda a TV}(y - a A'(A y - x)). Untrained it is accelerated
// proximal gradient descent, m the momentum of Beck and Teboulle, 2009.
#include "unrolled/tv_step.h"

#include <math.h>
#include <string.h>

// A state holds u, the u before, and the residual A u - x of that one: with it the residual of y
// costs no application of A.
static size_t n_state(const struct layer_context *context)
{
    return 2 * context->op->n_in + context->op->n_out;
}

enum { STEP, MOMENTUM, N_PARAMETERS };

static size_t tensors(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    shapes[STEP] = (struct tensor_shape){"step", 1, 1};
    shapes[MOMENTUM] = (struct tensor_shape){"momentum", 1, 1};
    return N_PARAMETERS;
}

static void init(const struct layer_context *context, size_t index, double *parameters)
{
    double t = 1.0;
    double momentum = 0.0;
    for (size_t i = 0; i < index; i++) {
        double next = 0.5 * (1.0 + sqrt(1.0 + 4.0 * t * t));
        momentum = (t - 1.0) / next;
        t = next;
    }
    parameters[STEP] = 1.0 / context->norm2;
    parameters[MOMENTUM] = momentum;
}

static void identity(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    parameters[STEP] = parameters[MOMENTUM] = 0.0;
}

static void project(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    parameters[STEP] = fmax(parameters[STEP], 0.0);
}

static struct block part(const struct block *state, size_t offset, size_t n_time)
{
    return (struct block){n_time, state->n_series, state->stride, state->data + offset};
}

static struct block point_of(const struct layer_call *call, const struct block *state)
{
    return part(state, 0, call->context->op->n_in);
}

static struct block before_of(const struct layer_call *call, const struct block *state)
{
    return part(state, call->context->op->n_in, call->context->op->n_in);
}

static struct block residual_of(const struct layer_call *call, const struct block *state)
{
    return part(state, 2 * call->context->op->n_in, call->context->op->n_out);
}

static void start(const struct layer_context *context, const struct block *x, const struct block *u,
                  struct block *state, struct workspace *ws)
{
    const struct layer_call call = {.context = context};
    struct block point = point_of(&call, state);
    struct block before = before_of(&call, state);
    struct block residual = residual_of(&call, state);
    block_copy(u, &point);
    block_copy(u, &before);
    linop_apply(context->op, u, &residual, ws);
    block_add(&residual, -1.0, x);
}

// out = (1 + m) now - m before: y of two points, or A y - x of their residuals.
static struct block extrapolate(const struct layer_call *call, const struct block *now,
                                const struct block *before)
{
    double m = call->parameters[MOMENTUM];
    struct block out = layer_block(call, now->n_time, NULL);
    block_copy(now, &out);
    block_scale(&out, 1.0 + m);
    block_add(&out, -m, before);
    return out;
}

static void remember(const struct layer_call *call, struct block *out)
{
    struct block point = point_of(call, call->in);
    struct block before = before_of(call, out);
    struct block residual = residual_of(call, out);
    block_copy(&point, &before);
    block_copy(call->residual, &residual);
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct block point = point_of(call, call->in);
    struct block before = before_of(call, call->in);
    struct block residual_before = residual_of(call, call->in);
    struct block y = extrapolate(call, &point, &before);
    struct block residual = extrapolate(call, call->residual, &residual_before);
    struct tv_step step = {call->parameters[STEP], &y, &residual};
    tv_step_forward(call, &step, out, tape);
    remember(call, out);
    workspace_release(call->ws, mark);
}

// What the next layer knows of this layer's input is part of the input's derivative. The residual
// in a state is a function of the point before: its derivative is counted there.
static void add_remembered(const struct layer_call *call, const struct block *out_adjoint,
                           struct block *in_adjoint)
{
    struct block remembered = before_of(call, out_adjoint);
    struct block point = point_of(call, in_adjoint);
    block_add(&point, 1.0, &remembered);
}

static void clear(struct block *block)
{
    for (size_t v = 0; v < block->n_series; v++)
        memset(block_series(block, v), 0, block->n_time * sizeof(double));
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    size_t mark = workspace_mark(call->ws);
    double m = call->parameters[MOMENTUM];
    struct block point = point_of(call, call->in);
    struct block before = before_of(call, call->in);
    struct tv_step step = {call->parameters[STEP], NULL, NULL};
    struct block y_adjoint = layer_block(call, point.n_time, NULL);
    double slope = tv_step_backward(call, &step, tape, out_adjoint, &y_adjoint, gradient);
    if (gradient->parameters != NULL) {
        gradient->parameters[STEP] += slope;
        gradient->parameters[MOMENTUM] +=
            block_dot(&y_adjoint, &point) - block_dot(&y_adjoint, &before);
    }
    clear(gradient->in);
    struct block point_adjoint = point_of(call, gradient->in);
    struct block before_adjoint = before_of(call, gradient->in);
    block_add(&point_adjoint, 1.0 + m, &y_adjoint);
    block_add(&before_adjoint, -m, &y_adjoint);
    add_remembered(call, out_adjoint, gradient->in);
    workspace_release(call->ws, mark);
}

static void descend(const struct layer_call *call, struct block *out, void *tape)
{
    struct block point = point_of(call, call->in);
    struct tv_step step = {1.0 / call->context->norm2, &point, call->residual};
    tv_step_forward(call, &step, out, tape);
    remember(call, out);
}

static void descend_backward(const struct layer_call *call, const void *tape,
                             const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    struct tv_step step = {1.0 / call->context->norm2, NULL, NULL};
    clear(gradient->in);
    struct block point_adjoint = point_of(call, gradient->in);
    tv_step_backward(call, &step, tape, out_adjoint, &point_adjoint, gradient);
    add_remembered(call, out_adjoint, gradient->in);
}

const struct layer_kind layer_lpgd_momentum = {
    .network = "lpgd-taut",
    .variant = "step-momentum",
    .problem = PROBLEM_TV,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .project = project,
    .start = start,
    .tape_bytes = tv_step_bytes,
    .forward = forward,
    .backward = backward,
    .descend = descend,
    .descend_backward = descend_backward,
};
