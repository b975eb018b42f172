// SPDX-License-Identifier: BSD-3-Clause
// Networks on the dual of TV (Chambolle, 2004): with Psi = (A^+)' nabla', v of n_in - 1 numbers,
//     dual-lista    v+ = clip(Wv v + Wx x, lambda)
//     dual-coupled  v+ = clip(v - W (Psi v - x), lambda)
//     dual-step     v+ = clip(v - a Psi'(Psi v - x), lambda)
// from v = 0, and u = A^+ (x - Psi v) at any time. Only where A has full column rank is that the
// TV solution in the end. The objective at u need not fall: there is no safeguard.
#include "unrolled/clip.h"
#include "unrolled/dense.h"
#include "unrolled/weights.h"

#include "solvers/pseudo_inverse.h"

#include <math.h>
#include <string.h>

enum form { LISTA, COUPLED, STEP };

struct dual {
    linop *pseudo_inverse;
    linop *psi;
};

static const struct dual *dual_of(const struct layer_context *context)
{
    return context->constants;
}

static enum form form_of(const struct layer_context *context)
{
    return (enum form) context->kind->form;
}

static const char *refuse(const struct problem *problem)
{
    if (problem->op->n_in < 2)
        return "needs at least two unknowns";
    return linop_rank(problem->op) < problem->op->n_in
               ? "needs an operator of full column rank: the dual solves another problem otherwise"
               : NULL;
}

static void prepare(struct layer_context *context)
{
    struct dual *dual = g_new0(struct dual, 1);
    dual->pseudo_inverse = linop_new_pseudo_inverse(context->op);
    dual->psi = linop_new_tv_dual(dual->pseudo_inverse);
    context->norm2 = dual->psi->norm2;
    context->constants = dual;
}

static void release(struct layer_context *context)
{
    struct dual *dual = context->constants;
    linop_free(dual->pseudo_inverse);
    linop_free(dual->psi);
    g_free(dual);
}

static size_t n_state(const struct layer_context *context)
{
    return context->op->n_in - 1;
}

static size_t tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    size_t n = n_state(context);
    switch (form_of(context)) {
    case LISTA:
        shapes[0] = (struct tensor_shape){"weight_v", n, n};
        shapes[1] = (struct tensor_shape){"weight_x", n, context->op->n_out};
        return 2;
    case COUPLED:
        shapes[0] = (struct tensor_shape){"weight", n, context->op->n_out};
        return 1;
    default:
        shapes[0] = (struct tensor_shape){"step", 1, 1};
        return 1;
    }
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    const struct dual *dual = dual_of(context);
    size_t n = n_state(context);
    if (form_of(context) == STEP) {
        parameters[0] = 1.0 / context->norm2;
        return;
    }
    if (form_of(context) == LISTA) {
        weights_gradient_step(dual->psi, context->norm2, parameters);
        parameters += n * n;
    }
    weights_adjoint(dual->psi, 1.0 / context->norm2, parameters);
}

static void identity(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    size_t n = n_state(context);
    if (form_of(context) == STEP) {
        parameters[0] = 0.0;
        return;
    }
    if (form_of(context) == LISTA) {
        weights_identity(n, parameters);
        parameters += n * n;
    }
    memset(parameters, 0, n * context->op->n_out * sizeof(double));
}

static void project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    if (form_of(context) == STEP)
        parameters[0] = fmax(parameters[0], 0.0);
}

static void start(const struct layer_context *context, const struct block *x G_GNUC_UNUSED,
                  const struct block *u G_GNUC_UNUSED, struct block *state,
                  struct workspace *ws G_GNUC_UNUSED)
{
    for (size_t v = 0; v < state->n_series; v++)
        memset(block_series(state, v), 0, n_state(context) * sizeof(double));
}

static struct block take(struct workspace *ws, size_t n_time, size_t n_series)
{
    size_t size = n_time * n_series;
    return (struct block){n_time, n_series, n_time, WORKSPACE_ALLOC(ws, double, size)};
}

// u = A^+ (x - Psi v)
static void output(const struct layer_context *context, const struct block *state,
                   const struct block *x, struct block *u, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct block rest = take(ws, context->op->n_out, state->n_series);
    linop_apply(dual_of(context)->psi, state, &rest, ws);
    block_scale(&rest, -1.0);
    block_add(&rest, 1.0, x);
    linop_apply(dual_of(context)->pseudo_inverse, &rest, u, ws);
    workspace_release(ws, mark);
}

static void output_adjoint(const struct layer_context *context, const struct block *u_adjoint,
                           struct block *state_adjoint, struct block *x_gradient,
                           struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct block rest = take(ws, context->op->n_out, u_adjoint->n_series);
    linop_adjoint(dual_of(context)->pseudo_inverse, u_adjoint, &rest, ws);
    if (x_gradient != NULL)
        block_add(x_gradient, 1.0, &rest);
    linop_adjoint(dual_of(context)->psi, &rest, state_adjoint, ws);
    block_scale(state_adjoint, -1.0);
    workspace_release(ws, mark);
}

// The tape: what is clipped, and for the step Psi'(Psi v - x) beside it.
static size_t tape_bytes(const struct layer_context *context)
{
    return 2 * n_state(context) * sizeof(double);
}

static struct block taped(const struct layer_call *call, const void *tape, size_t part)
{
    size_t n = n_state(call->context);
    return (struct block){n, call->in->n_series, 2 * n, (double *) tape + part * n};
}

// Psi v - x
static struct block misfit(const struct layer_call *call)
{
    struct block r = layer_block(call, call->context->op->n_out, NULL);
    linop_apply(dual_of(call->context)->psi, call->in, &r, call->ws);
    block_add(&r, -1.0, call->x);
    return r;
}

static struct dense weight(const struct layer_call *call, size_t offset, size_t n_columns)
{
    return (struct dense){call->parameters + offset, n_state(call->context), n_columns};
}

static void before_clip(const struct layer_call *call, struct block *q, struct block *slope)
{
    size_t n = n_state(call->context);
    size_t n_out = call->context->op->n_out;
    enum form form = form_of(call->context);
    if (form == LISTA) {
        struct dense wv = weight(call, 0, n);
        struct dense wx = weight(call, n * n, n_out);
        dense_apply(&wv, 1.0, call->in, 0.0, q);
        dense_apply(&wx, 1.0, call->x, 1.0, q);
        return;
    }
    struct block r = misfit(call);
    block_copy(call->in, q);
    if (form == COUPLED) {
        struct dense w = weight(call, 0, n_out);
        dense_apply(&w, -1.0, &r, 1.0, q);
        return;
    }
    linop_adjoint(dual_of(call->context)->psi, &r, slope, call->ws);
    block_add(q, -call->parameters[0], slope);
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    if (tape == NULL)
        tape = WORKSPACE_ALLOC(call->ws, char, call->in->n_series *tape_bytes(call->context));
    struct block q = taped(call, tape, 0);
    struct block slope = taped(call, tape, 1);
    before_clip(call, &q, &slope);
    clip_forward(call, 1.0, &q, out);
    workspace_release(call->ws, mark);
}

// The gradient of the parameters, and through = M' qb, where q = v - M (Psi v - x).
static void through_weights(const struct layer_call *call, const struct block *qb,
                            const struct block *slope, struct block *through, double *parameters)
{
    size_t n_out = call->context->op->n_out;
    if (form_of(call->context) == COUPLED) {
        struct block r = misfit(call);
        struct dense w = weight(call, 0, n_out);
        dense_gradient(&w, -1.0, &r, qb, parameters);
        dense_adjoint(&w, 1.0, qb, 0.0, through);
        return;
    }
    if (parameters != NULL)
        parameters[0] -= block_dot(qb, slope);
    linop_apply(dual_of(call->context)->psi, qb, through, call->ws);
    block_scale(through, call->parameters[0]);
}

static void lista_backward(const struct layer_call *call, const struct block *qb,
                           const struct layer_gradient *gradient)
{
    size_t n = n_state(call->context);
    struct dense wv = weight(call, 0, n);
    struct dense wx = weight(call, n * n, call->context->op->n_out);
    if (gradient->parameters != NULL) {
        dense_gradient(&wv, 1.0, call->in, qb, gradient->parameters);
        dense_gradient(&wx, 1.0, call->x, qb, gradient->parameters + n * n);
    }
    dense_adjoint(&wv, 1.0, qb, 0.0, gradient->in);
    if (gradient->x != NULL)
        dense_adjoint(&wx, 1.0, qb, 1.0, gradient->x);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    size_t mark = workspace_mark(call->ws);
    struct block q = taped(call, tape, 0);
    struct block slope = taped(call, tape, 1);
    struct block qb = layer_block(call, n_state(call->context), NULL);
    clip_backward(call, 1.0, &q, out_adjoint, &qb, gradient);
    if (form_of(call->context) == LISTA) {
        lista_backward(call, &qb, gradient);
        workspace_release(call->ws, mark);
        return;
    }
    struct block through = layer_block(call, call->context->op->n_out, NULL);
    through_weights(call, &qb, &slope, &through, gradient->parameters);
    linop_adjoint(dual_of(call->context)->psi, &through, gradient->in, call->ws);
    block_scale(gradient->in, -1.0);
    block_add(gradient->in, 1.0, &qb);
    if (gradient->x != NULL)
        block_add(gradient->x, 1.0, &through);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_dual_coupled = {
    .network = "dual-coupled",
    .variant = "",
    .form = COUPLED,
    .problem = PROBLEM_TV,
    .refuse = refuse,
    .prepare = prepare,
    .release = release,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .project = project,
    .start = start,
    .output = output,
    .output_adjoint = output_adjoint,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
};

const struct layer_kind layer_dual_lista = {
    .network = "dual-lista",
    .variant = "",
    .form = LISTA,
    .problem = PROBLEM_TV,
    .refuse = refuse,
    .prepare = prepare,
    .release = release,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .project = project,
    .start = start,
    .output = output,
    .output_adjoint = output_adjoint,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
};

const struct layer_kind layer_dual_step = {
    .network = "dual-step",
    .variant = "",
    .form = STEP,
    .problem = PROBLEM_TV,
    .refuse = refuse,
    .prepare = prepare,
    .release = release,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .project = project,
    .start = start,
    .output = output,
    .output_adjoint = output_adjoint,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
};
