// SPDX-License-Identifier: BSD-3-Clause
// ALISTA: z+ = ST(z - a W'(D z - x), lambda th), two numbers a layer learned, W analytic.
// Liu, Chen, Wang and Yin, ALISTA: analytic weights are as good as learned weights, 2019.
#include "unrolled/dense.h"
#include "unrolled/shrink.h"
#include "unrolled/sparse_step.h"
#include "unrolled/weights.h"

#include "solvers/lapack.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

// The numbers of a layer, in this order.
enum { STEP, THRESHOLD, N_NUMBERS };

static size_t tensors(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    shapes[STEP] = (struct tensor_shape){"step", 1, 1};
    shapes[THRESHOLD] = (struct tensor_shape){"threshold", 1, 1};
    return N_NUMBERS;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    parameters[STEP] = parameters[THRESHOLD] = 1.0 / context->norm2;
}

static void identity(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    parameters[STEP] = parameters[THRESHOLD] = 0.0;
}

static void project(const struct layer_context *context G_GNUC_UNUSED, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    parameters[STEP] = fmax(parameters[STEP], 0.0);
    parameters[THRESHOLD] = fmax(parameters[THRESHOLD], 0.0);
}

// The upper triangle of a becomes its eigenvectors.
static void eigen(double *a, int n, double *values)
{
    int info = 0;
    int n_integers = 3 + 5 * n;
    int n_numbers = 1 + 6 * n + 2 * n * n;
    g_autofree double *numbers = g_new(double, n_numbers);
    g_autofree int *integers = g_new(int, n_integers);
    dsyevd_("V", "U", &n, a, &n, values, numbers, &n_numbers, integers, &n_integers, &info);
    g_assert(info == 0);
}

// In place, columns of n_out numbers: d -> (D D')^+ d, by the eigenvectors of D D'.
static void apply_pseudo_inverse(double *columns, int n_out, int n_in)
{
    size_t size = (size_t) n_out * (size_t) n_out;
    g_autofree double *vectors = g_new0(double, size);
    g_autofree double *values = g_new(double, n_out);
    g_autofree double *rotated = g_new(double, (size_t) n_out *(size_t) n_in);
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, n_out, n_in, 1.0, columns, n_out, 0.0,
                vectors, n_out);
    eigen(vectors, n_out, values);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, n_out, n_in, n_out, 1.0, vectors, n_out,
                columns, n_out, 0.0, rotated, n_out);
    double smallest = 1e-12 * fmax(values[n_out - 1], 0.0);
    for (int i = 0; i < n_out; i++)
        cblas_dscal(n_in, values[i] > smallest ? 1.0 / values[i] : 0.0, rotated + i, n_out);
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n_out, n_in, n_out, 1.0, vectors, n_out,
                rotated, n_out, 0.0, columns, n_out);
}

// W_i = G^+ D_i / (D_i' G^+ D_i), G = D D': the closed form of the weights of least coherence,
// min sum_{j != i} (W_i' D_j)^2 with W_i' D_i = 1. W' row-major n_in x n_out.
static void prepare(struct layer_context *context)
{
    const linop *design = context->design;
    int n_out = (int) design->n_out;
    double *w = g_new(double, design->n_in * design->n_out);
    g_autofree double *columns = g_new(double, design->n_in * design->n_out);
    weights_adjoint(design, 1.0, columns);
    memcpy(w, columns, design->n_in * design->n_out * sizeof(double));
    apply_pseudo_inverse(w, n_out, (int) design->n_in);
    for (size_t i = 0; i < design->n_in; i++) {
        double *row = w + i * design->n_out;
        double unit = cblas_ddot(n_out, row, 1, columns + i * design->n_out, 1);
        cblas_dscal(n_out, unit > 0.0 ? 1.0 / unit : 0.0, row, 1);
    }
    context->constants = w;
}

static void release(struct layer_context *context)
{
    g_free(context->constants);
}

static struct dense weight_of(const struct layer_call *call)
{
    return (struct dense){call->context->constants, call->context->design->n_in,
                          call->context->design->n_out};
}

static struct shrink shrink_of(const struct layer_call *call)
{
    return (struct shrink){call->lambda, call->parameters + THRESHOLD, 0, 1.0, 0};
}

// The tape holds W'(D z - x).
static void before_shrink(const struct layer_call *call, const struct block *slope, struct block *a)
{
    block_copy(call->in, a);
    block_add(a, -call->parameters[STEP], slope);
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    struct dense w = weight_of(call);
    struct shrink shrink = shrink_of(call);
    struct block slope = layer_block(call, call->context->design->n_in, tape);
    dense_apply(&w, 1.0, call->residual, 0.0, &slope);
    before_shrink(call, &slope, out);
    shrink_forward(&shrink, out, out);
    workspace_release(call->ws, mark);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    const linop *design = call->context->design;
    size_t mark = workspace_mark(call->ws);
    struct dense w = weight_of(call);
    struct shrink shrink = shrink_of(call);
    const struct block slope = layer_block(call, design->n_in, (double *) tape);
    struct block through = layer_block(call, design->n_in, NULL);
    struct block image = layer_block(call, design->n_out, NULL);
    double *parameters = gradient->parameters;
    before_shrink(call, &slope, &through);
    shrink_backward(&shrink, &through, out_adjoint, &through,
                    parameters == NULL ? NULL : parameters + THRESHOLD, gradient->lambda);
    if (parameters != NULL)
        parameters[STEP] -= block_dot(&through, &slope);

    // d(in - a W'(D in - x)) = (I - a W'D) d(in) + a W' dx
    dense_adjoint(&w, -call->parameters[STEP], &through, 0.0, &image);
    linop_adjoint(design, &image, gradient->in, call->ws);
    block_add(gradient->in, 1.0, &through);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_alista = {
    .network = "alista",
    .variant = "",
    .problem = PROBLEM_LASSO,
    .prepare = prepare,
    .release = release,
    .n_state = sparse_n_state,
    .tensors = tensors,
    .init = init,
    .identity = identity,
    .project = project,
    .tape_bytes = sparse_tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = sparse_descend,
    .descend_backward = sparse_descend_backward,
};
