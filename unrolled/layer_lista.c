// SPDX-License-Identifier: BSD-3-Clause
// LISTA: z+ = ST(Wz z + Wx x, lambda th), everything learned, a threshold for each entry.
// Gregor and LeCun, Learning fast approximations of sparse coding, 2010.
#include "unrolled/dense.h"
#include "unrolled/lasso_step.h"
#include "unrolled/shrink.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static size_t n_state(const struct layer_context *context)
{
    return context->op->n_in;
}

static size_t tensors(const struct layer_context *context,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    size_t n = context->op->n_in;
    shapes[0] = (struct tensor_shape){"weight_z", n, n};
    shapes[1] = (struct tensor_shape){"weight_x", n, context->op->n_out};
    shapes[2] = (struct tensor_shape){"threshold", n, 1};
    return 3;
}

// Where the tensors stand in a layer's parameters.
static size_t x_offset(const struct layer_context *context)
{
    return context->op->n_in * context->op->n_in;
}

static size_t th_offset(const struct layer_context *context)
{
    return x_offset(context) + context->op->n_in * context->op->n_out;
}

static const char *refuse(const struct problem *problem)
{
    return problem->op->matrix == NULL ? "needs a dense operator" : NULL;
}

static void set_identity(const struct layer_context *context, double *wz)
{
    size_t n = context->op->n_in;
    memset(wz, 0, n * n * sizeof(double));
    for (size_t i = 0; i < n; i++)
        wz[i * (n + 1)] = 1.0;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    const linop *op = context->op;
    int n_in = (int) op->n_in;
    int n_out = (int) op->n_out;
    set_identity(context, parameters);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, n_in, n_in, n_out, -1.0 / context->norm2,
                op->matrix, n_out, op->matrix, n_out, 1.0, parameters, n_in);
    // The operator is column-major n_out x n_in: its memory read row-major is A'.
    double *wx = parameters + x_offset(context);
    for (size_t i = 0; i < op->n_in * op->n_out; i++)
        wx[i] = op->matrix[i] / context->norm2;
    for (size_t i = 0; i < op->n_in; i++)
        parameters[th_offset(context) + i] = 1.0 / context->norm2;
}

static void identity(const struct layer_context *context, double *parameters)
{
    size_t n_others = th_offset(context) + context->op->n_in - x_offset(context);
    set_identity(context, parameters);
    memset(parameters + x_offset(context), 0, n_others * sizeof(double));
}

static void project(const struct layer_context *context, double *parameters)
{
    double *th = parameters + th_offset(context);
    for (size_t i = 0; i < context->op->n_in; i++)
        th[i] = fmax(th[i], 0.0);
}

// The tape holds Wz z + Wx x, what is thresholded.
static size_t tape_bytes(const struct layer_context *context)
{
    return context->op->n_in * sizeof(double);
}

static struct dense weight_z(const struct layer_call *call)
{
    return (struct dense){call->parameters, call->context->op->n_in, call->context->op->n_in};
}

static struct dense weight_x(const struct layer_call *call)
{
    return (struct dense){call->parameters + x_offset(call->context), call->context->op->n_in,
                          call->context->op->n_out};
}

static struct shrink shrink_of(const struct layer_call *call)
{
    return (struct shrink){call->lambda, call->parameters + th_offset(call->context), 1};
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct dense wz = weight_z(call);
    struct dense wx = weight_x(call);
    struct shrink shrink = shrink_of(call);
    struct block a = layer_block(call, call->context->op->n_in, tape);
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
    struct shrink shrink = shrink_of(call);
    const struct block a = layer_block(call, call->context->op->n_in, (double *) tape);
    struct block through = layer_block(call, call->context->op->n_in, NULL);
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
