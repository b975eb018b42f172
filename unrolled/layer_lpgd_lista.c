// SPDX-License-Identifier: BSD-3-Clause
// LPGD-LISTA: u+ = prox(Wu u + Wx x), the prox of TV not exact but an inner network of n layers on
// the jumps z of its solution, begun at z = L^-1 a:
//     z <- ST(Vz z + Vx a, lambda mu th / l), l = ||L||^2, the level z_1 without a threshold.
// Variants: `fixed` keeps the inner weights of ISTA; `shared` learns one set for the n inner
// layers, `per-layer` one for each. Cherkaoui, Sulam and Moreau, 2020. Kept as a comparison: it
// cannot be better than its inner error, and is unstable in depth.
#include "unrolled/dense.h"
#include "unrolled/shrink.h"
#include "unrolled/tv_step.h"
#include "unrolled/weights.h"

#include "solvers/synthesis.h"

#include <math.h>
#include <string.h>

enum form { FIXED, SHARED, PER_LAYER };

// The inner weights of ISTA: Vz = I - L'L / l and Vx = L' / l.
struct inner {
    double norm2;
    double *weights; // Vz, Vx
};

static size_t square(const struct layer_context *context)
{
    return context->op->n_in * context->op->n_in;
}

// Where the tensors of a layer stand: Wu, Wx, mu, then the inner sets Vz, Vx, th.
static size_t x_offset(const struct layer_context *context)
{
    return square(context);
}

static size_t mu_offset(const struct layer_context *context)
{
    return x_offset(context) + context->op->n_in * context->op->n_out;
}

static size_t n_sets(const struct layer_context *context)
{
    if (context->kind->form == FIXED)
        return 0;
    return context->kind->form == SHARED ? 1 : context->n_inner;
}

static size_t set_size(const struct layer_context *context)
{
    return 2 * square(context) + 1;
}

static size_t set_offset(const struct layer_context *context, size_t layer)
{
    size_t set = n_sets(context) == 1 ? 0 : layer;
    return mu_offset(context) + 1 + set * set_size(context);
}

static void prepare(struct layer_context *context)
{
    struct inner *inner = g_new0(struct inner, 1);
    g_autoptr(linop) identity = linop_new_identity(context->op->n_in);
    g_autoptr(linop) sum = linop_new_synthesis(identity);
    inner->norm2 = sum->norm2;
    inner->weights = g_new(double, 2 * square(context));
    weights_gradient_step(sum, inner->norm2, inner->weights);
    weights_adjoint(sum, 1.0 / inner->norm2, inner->weights + square(context));
    context->constants = inner;
}

static void release(struct layer_context *context)
{
    struct inner *inner = context->constants;
    g_free(inner->weights);
    g_free(inner);
}

static const struct inner *inner_of(const struct layer_context *context)
{
    return context->constants;
}

// The inner sets stand in one tensor, a row a set: Vz, Vx and the threshold.
static size_t tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    size_t n = context->op->n_in;
    shapes[0] = (struct tensor_shape){"weight_u", n, n};
    shapes[1] = (struct tensor_shape){"weight_x", n, context->op->n_out};
    shapes[2] = (struct tensor_shape){"threshold", 1, 1};
    shapes[3] = (struct tensor_shape){"inner", n_sets(context), set_size(context)};
    return n_sets(context) == 0 ? 3 : 4;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    weights_gradient_step(context->op, context->norm2, parameters);
    weights_adjoint(context->op, 1.0 / context->norm2, parameters + x_offset(context));
    parameters[mu_offset(context)] = 1.0 / context->norm2;
    for (size_t set = 0; set < n_sets(context); set++) {
        double *to = parameters + mu_offset(context) + 1 + set * set_size(context);
        memcpy(to, inner_of(context)->weights, 2 * square(context) * sizeof(double));
        to[2 * square(context)] = 1.0;
    }
}

static void project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    double *mu = parameters + mu_offset(context);
    *mu = fmax(*mu, 0.0);
    for (size_t set = 1; set <= n_sets(context); set++)
        mu[set * set_size(context)] = fmax(mu[set * set_size(context)], 0.0);
}

// One inner layer: its weights, and its threshold mu th, which scales lambda / l.
struct stage {
    struct dense vz;
    struct dense vx;
    double threshold;
    struct shrink shrink;
};

static void stage_of(const struct layer_call *call, size_t layer, struct stage *stage)
{
    const struct layer_context *context = call->context;
    size_t n = context->op->n_in;
    bool learned = n_sets(context) > 0;
    const double *weights =
        learned ? call->parameters + set_offset(context, layer) : inner_of(context)->weights;
    double th = learned ? weights[2 * square(context)] : 1.0;
    stage->vz = (struct dense){weights, n, n};
    stage->vx = (struct dense){weights + square(context), n, n};
    stage->threshold = call->parameters[mu_offset(context)] * th;
    stage->shrink = (struct shrink){.lambda = call->lambda,
                                    .th = &stage->threshold,
                                    .unit = 1.0 / inner_of(context)->norm2,
                                    .n_free = 1};
}

// The tape: a, then what each inner layer thresholds.
static size_t n_taped(const struct layer_context *context)
{
    return (context->n_inner + 1) * context->op->n_in;
}

static size_t tape_bytes(const struct layer_context *context)
{
    return MAX(n_taped(context) * sizeof(double), tv_step_bytes(context));
}

static struct block taped(const struct layer_call *call, const void *tape, size_t layer)
{
    size_t n = call->context->op->n_in;
    return (struct block){n, call->in->n_series, tape_bytes(call->context) / sizeof(double),
                          (double *) tape + layer * n};
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    const struct layer_context *context = call->context;
    size_t n = context->op->n_in;
    size_t mark = workspace_mark(call->ws);
    struct dense wu = {call->parameters, n, n};
    struct dense wx = {call->parameters + x_offset(context), n, context->op->n_out};
    struct block a = tape == NULL ? layer_block(call, n, NULL) : taped(call, tape, 0);
    struct block scratch = layer_block(call, n, NULL);
    dense_apply(&wu, 1.0, call->in, 0.0, &a);
    dense_apply(&wx, 1.0, call->x, 1.0, &a);
    for (size_t v = 0; v < a.n_series; v++)
        synthesis_difference(block_series(&a, v), block_series(out, v), n);
    for (size_t layer = 0; layer < context->n_inner; layer++) {
        struct stage stage;
        stage_of(call, layer, &stage);
        struct block before = tape == NULL ? scratch : taped(call, tape, layer + 1);
        dense_apply(&stage.vz, 1.0, out, 0.0, &before);
        dense_apply(&stage.vx, 1.0, &a, 1.0, &before);
        shrink_forward(&stage.shrink, &before, out);
    }
    for (size_t v = 0; v < a.n_series; v++)
        synthesis_sum(block_series(out, v), block_series(out, v), n);
    workspace_release(call->ws, mark);
}

// The state that entered an inner layer, from the tape.
static struct block inner_input(const struct layer_call *call, const void *tape, size_t layer)
{
    struct block z = layer_block(call, call->context->op->n_in, NULL);
    struct block before = taped(call, tape, layer);
    if (layer == 0) {
        for (size_t v = 0; v < z.n_series; v++)
            synthesis_difference(block_series(&before, v), block_series(&z, v), z.n_time);
        return z;
    }
    struct stage stage;
    stage_of(call, layer - 1, &stage);
    shrink_forward(&stage.shrink, &before, &z);
    return z;
}

// One inner layer back: z_adjoint goes from its output to its input, a_adjoint is added to.
static void inner_backward(const struct layer_call *call, const void *tape, size_t layer,
                           struct block *z_adjoint, struct block *a_adjoint,
                           const struct layer_gradient *gradient)
{
    const struct layer_context *context = call->context;
    size_t mark = workspace_mark(call->ws);
    struct stage stage;
    stage_of(call, layer, &stage);
    struct block before = taped(call, tape, layer + 1);
    struct block through = layer_block(call, before.n_time, NULL);
    double slope = 0.0;
    shrink_backward(&stage.shrink, &before, z_adjoint, &through, &slope, gradient->lambda);
    if (gradient->parameters != NULL && n_sets(context) > 0) {
        double *set = gradient->parameters + set_offset(context, layer);
        struct block z = inner_input(call, tape, layer);
        struct block a = taped(call, tape, 0);
        dense_gradient(&stage.vz, 1.0, &z, &through, set);
        dense_gradient(&stage.vx, 1.0, &a, &through, set + square(context));
        set[2 * square(context)] += slope * call->parameters[mu_offset(context)];
        slope *= call->parameters[set_offset(context, layer) + 2 * square(context)];
    }
    if (gradient->parameters != NULL)
        gradient->parameters[mu_offset(context)] += slope;
    dense_adjoint(&stage.vz, 1.0, &through, 0.0, z_adjoint);
    dense_adjoint(&stage.vx, 1.0, &through, 1.0, a_adjoint);
    workspace_release(call->ws, mark);
}

// a += L^-T z: the adjoint of the differences.
static void add_difference_adjoint(const struct block *z, struct block *a)
{
    for (size_t v = 0; v < z->n_series; v++) {
        const double *from = block_series(z, v);
        double *to = block_series(a, v);
        for (size_t i = 0; i < z->n_time; i++)
            to[i] += from[i] - (i + 1 < z->n_time ? from[i + 1] : 0.0);
    }
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    const struct layer_context *context = call->context;
    size_t n = context->op->n_in;
    size_t mark = workspace_mark(call->ws);
    struct dense wu = {call->parameters, n, n};
    struct dense wx = {call->parameters + x_offset(context), n, context->op->n_out};
    struct block z_adjoint = layer_block(call, n, NULL);
    struct block a_adjoint = layer_block(call, n, NULL);
    block_copy(out_adjoint, &z_adjoint);
    memset(a_adjoint.data, 0, n * a_adjoint.n_series * sizeof(double));
    for (size_t v = 0; v < z_adjoint.n_series; v++)
        synthesis_sum_from_end(block_series(&z_adjoint, v), n);
    for (size_t layer = context->n_inner; layer-- > 0;)
        inner_backward(call, tape, layer, &z_adjoint, &a_adjoint, gradient);
    add_difference_adjoint(&z_adjoint, &a_adjoint);
    if (gradient->parameters != NULL) {
        dense_gradient(&wu, 1.0, call->in, &a_adjoint, gradient->parameters);
        dense_gradient(&wx, 1.0, call->x, &a_adjoint, gradient->parameters + x_offset(context));
    }
    dense_adjoint(&wu, 1.0, &a_adjoint, 0.0, gradient->in);
    if (gradient->x != NULL)
        dense_adjoint(&wx, 1.0, &a_adjoint, 1.0, gradient->x);
    workspace_release(call->ws, mark);
}

const struct layer_kind layer_lpgd_lista_fixed = {
    .network = "lpgd-lista",
    .variant = "fixed",
    .form = FIXED,
    .problem = PROBLEM_TV,
    .default_inner = 20,
    .prepare = prepare,
    .release = release,
    .n_state = tv_n_state,
    .tensors = tensors,
    .init = init,
    .project = project,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};

const struct layer_kind layer_lpgd_lista_per_layer = {
    .network = "lpgd-lista",
    .variant = "per-layer",
    .form = PER_LAYER,
    .problem = PROBLEM_TV,
    .default_inner = 20,
    .prepare = prepare,
    .release = release,
    .n_state = tv_n_state,
    .tensors = tensors,
    .init = init,
    .project = project,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};

const struct layer_kind layer_lpgd_lista_shared = {
    .network = "lpgd-lista",
    .variant = "shared",
    .form = SHARED,
    .problem = PROBLEM_TV,
    .default_inner = 20,
    .prepare = prepare,
    .release = release,
    .n_state = tv_n_state,
    .tensors = tensors,
    .init = init,
    .project = project,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = tv_descend,
    .descend_backward = tv_descend_backward,
};
