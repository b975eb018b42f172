// SPDX-License-Identifier: BSD-3-Clause
// LPGD-Taut with convolutions for weights, u+ = prox_{lambda mu TV}(a),
//     a_t = u_t - sum_{s < 2K-1} g_s u_{t+s-K+1} + sum_{s < K} h_s x_{t+s},
// u zero outside; mu is 1 / L, or learned in the variant conv-threshold. 3K - 1 numbers a layer.
// Cherkaoui, Sulam and Moreau, Learning to solve TV regularised problems with unrolled
// algorithms, 2020, the layer of the UK Biobank experiment.
#include "unrolled/tv_prox.h"
#include "unrolled/tv_step.h"

#include "solvers/kernels.h"

#include <math.h>
#include <string.h>

static size_t response(const struct layer_context *context)
{
    return context->op->filter->n;
}

static size_t correlation(const struct layer_context *context)
{
    return 2 * response(context) - 1;
}

static size_t mu_offset(const struct layer_context *context)
{
    return correlation(context) + response(context);
}

static const char *refuse(const struct problem *problem)
{
    const struct filter *filter = problem->op->filter;
    if (filter == NULL)
        return "needs a convolution";
    return filter->full || filter->n == 1 ? NULL
                                          : "needs the full convolution: with the causal one A'A "
                                            "is not a convolution in the last samples";
}

// The constants of a kind are the loops that suit this processor.
static void prepare(struct layer_context *context)
{
    context->constants = (void *) kernels_best();
}

static const struct kernels *loops(const struct layer_call *call)
{
    return call->context->constants;
}

static size_t tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    shapes[0] = (struct tensor_shape){"correlation", 1, correlation(context)};
    shapes[1] = (struct tensor_shape){"response", 1, response(context)};
    shapes[2] = (struct tensor_shape){"threshold", 1, 1};
    return context->kind->learns_threshold ? 3 : 2;
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
    const struct filter *filter = context->op->filter;
    size_t n = filter->n;
    memset(parameters, 0, correlation(context) * sizeof(double));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            parameters[n - 1 + i - j] += filter->h[i] * filter->h[j] / context->norm2;
    for (size_t s = 0; s < n; s++)
        parameters[correlation(context) + s] = filter->h[s] / context->norm2;
    set_threshold(context, 1.0 / context->norm2, parameters);
}

static void identity(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                     double *parameters)
{
    memset(parameters, 0, mu_offset(context) * sizeof(double));
    set_threshold(context, 0.0, parameters);
}

static void project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    parameters[mu_offset(context)] = fmax(parameters[mu_offset(context)], 0.0);
}

// The samples with n_zeros zeros on either side, in scratch.
static double *padded(const struct layer_call *call, const double *samples, size_t n,
                      size_t n_zeros)
{
    double *out = WORKSPACE_ALLOC(call->ws, double, n + 2 * n_zeros);
    memset(out, 0, n_zeros * sizeof(double));
    memcpy(out + n_zeros, samples, n * sizeof(double));
    memset(out + n_zeros + n, 0, n_zeros * sizeof(double));
    return out;
}

static double *reversed(const struct layer_call *call, const double *h, size_t n)
{
    double *out = WORKSPACE_ALLOC(call->ws, double, n);
    for (size_t i = 0; i < n; i++)
        out[i] = h[n - 1 - i];
    return out;
}

static void add(double *to, const double *from, double scale, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += scale * from[i];
}

static void before_prox(const struct layer_call *call, size_t v, double *a)
{
    size_t n = call->context->op->n_in;
    size_t k = response(call->context);
    size_t mark = workspace_mark(call->ws);
    const double *u = block_series(call->in, v);
    const double *wide = padded(call, u, n, k - 1);
    double *less = WORKSPACE_ALLOC(call->ws, double, n);
    loops(call)->fir(call->parameters, 2 * k - 1, wide, less, n);
    loops(call)->fir(call->parameters + 2 * k - 1, k, block_series(call->x, v), a, n);
    for (size_t t = 0; t < n; t++)
        a[t] += u[t] - less[t];
    workspace_release(call->ws, mark);
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    for (size_t v = 0; v < out->n_series; v++)
        before_prox(call, v, block_series(out, v));
    tv_prox_forward(call, out, threshold_of(call), out, tape, tv_step_bytes(call->context));
}

// g_s -= sum_t ab_t u_{t+s-K+1}, h_s += sum_t ab_t x_{t+s}
static void add_parameter_gradient(const struct layer_call *call, size_t v, const double *ab,
                                   double *parameters)
{
    size_t n = call->context->op->n_in;
    size_t k = response(call->context);
    double *sums = WORKSPACE_ALLOC(call->ws, double, 2 * k - 1);
    const double *wide = padded(call, block_series(call->in, v), n, k - 1);
    loops(call)->fir(ab, n, wide, sums, 2 * k - 1);
    add(parameters, sums, -1.0, 2 * k - 1);
    loops(call)->fir(ab, n, block_series(call->x, v), sums, k);
    add(parameters + 2 * k - 1, sums, 1.0, k);
}

// u_t += ab_t - sum_s g_s ab_{t-s+K-1}, x_j += sum_s h_s ab_{j-s}
static void add_input_gradient(const struct layer_call *call, size_t v, const double *ab,
                               const struct layer_gradient *gradient)
{
    size_t n = call->context->op->n_in;
    size_t k = response(call->context);
    const double *wide = padded(call, ab, n, k - 1);
    double *in = block_series(gradient->in, v);
    loops(call)->fir(reversed(call, call->parameters, 2 * k - 1), 2 * k - 1, wide, in, n);
    for (size_t t = 0; t < n; t++)
        in[t] = ab[t] - in[t];
    if (gradient->x == NULL)
        return;
    double *sums = WORKSPACE_ALLOC(call->ws, double, n + k - 1);
    loops(call)->fir(reversed(call, call->parameters + 2 * k - 1, k), k, wide, sums, n + k - 1);
    add(block_series(gradient->x, v), sums, 1.0, n + k - 1);
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    size_t mark = workspace_mark(call->ws);
    struct block through = layer_block(call, call->context->op->n_in, NULL);
    double slope = tv_prox_backward(call, threshold_of(call), tape, tv_step_bytes(call->context),
                                    out_adjoint, &through, gradient->lambda);
    if (gradient->parameters != NULL && call->context->kind->learns_threshold)
        gradient->parameters[mu_offset(call->context)] += slope;
    for (size_t v = 0; v < through.n_series; v++) {
        size_t inner = workspace_mark(call->ws);
        if (gradient->parameters != NULL)
            add_parameter_gradient(call, v, block_series(&through, v), gradient->parameters);
        add_input_gradient(call, v, block_series(&through, v), gradient);
        workspace_release(call->ws, inner);
    }
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_lpgd_conv = {
    .network = "lpgd-taut",
    .variant = "conv",
    .problem = PROBLEM_TV,
    .refuse = refuse,
    .prepare = prepare,
    .n_state = tv_n_state,
    .tensors = tensors,
    .init = init,
    .tape_bytes = tv_step_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};

const struct layer_kind layer_lpgd_conv_threshold = {
    .network = "lpgd-taut",
    .variant = "conv-threshold",
    .problem = PROBLEM_TV,
    .learns_threshold = true,
    .refuse = refuse,
    .prepare = prepare,
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
