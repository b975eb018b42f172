// SPDX-License-Identifier: BSD-3-Clause
// Learned Condat-Vu on TV: the dual variable v meets u through W, which begins as nabla,
//     u+ = u - tau A'(A u - x) - tau W' v,  v+ = clip(v + sigma W (2 u+ - u), lambda th),
// sigma = 1/2, tau = 1 / (||A||^2 / 2 + sigma ||nabla||^2); every entry of v is clipped. Learned
// are W and th, or in `condat-vu-step` sigma alone. Condat 2013, Vu 2013; unrolled as in
// Cherkaoui, Sulam and Moreau, 2020.
#include "unrolled/clip.h"
#include "unrolled/dense.h"
#include "unrolled/tv_step.h"

#include <math.h>
#include <string.h>

enum form { WEIGHTS, SIGMA_ALONE };

static const double SIGMA = 0.5;
static const double SIGMA_LEAST = 0.5;
static const double SIGMA_MOST = 2.0;

static size_t n_dual(const struct layer_context *context)
{
    return context->op->n_in - 1;
}

static size_t n_weights(const struct layer_context *context)
{
    return n_dual(context) * context->op->n_in;
}

static bool learns_sigma(const struct layer_context *context)
{
    return context->kind->form == SIGMA_ALONE;
}

static const char *refuse(const struct problem *problem)
{
    return problem->op->n_in < 2 ? "needs at least two unknowns" : NULL;
}

// ||nabla||^2 on n samples.
static double nabla_norm2(const struct layer_context *context)
{
    double c = cos(G_PI / (2.0 * (double) context->op->n_in));
    return 4.0 * c * c;
}

static void fill_nabla(const struct layer_context *context, double *w)
{
    size_t n = context->op->n_in;
    memset(w, 0, n_weights(context) * sizeof(double));
    for (size_t i = 0; i + 1 < n; i++) {
        w[i * n + i] = -1.0;
        w[i * n + i + 1] = 1.0;
    }
}

static void prepare(struct layer_context *context)
{
    double *nabla = g_new(double, n_weights(context));
    fill_nabla(context, nabla);
    context->constants = nabla;
}

static void release(struct layer_context *context)
{
    g_free(context->constants);
}

static size_t n_state(const struct layer_context *context)
{
    return context->op->n_in + n_dual(context);
}

static size_t tensors(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    if (learns_sigma(context)) {
        shapes[0] = (struct tensor_shape){"sigma", 1, 1};
        return 1;
    }
    shapes[0] = (struct tensor_shape){"weight", n_dual(context), context->op->n_in};
    shapes[1] = (struct tensor_shape){"threshold", 1, 1};
    return 2;
}

static void init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                 double *parameters)
{
    if (learns_sigma(context)) {
        parameters[0] = SIGMA;
        return;
    }
    fill_nabla(context, parameters);
    parameters[n_weights(context)] = 1.0;
}

static void project(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    if (learns_sigma(context))
        parameters[0] = fmin(fmax(parameters[0], SIGMA_LEAST), SIGMA_MOST);
    else
        parameters[n_weights(context)] = fmax(parameters[n_weights(context)], 0.0);
}

static void start(const struct layer_context *context, const struct block *x G_GNUC_UNUSED,
                  const struct block *u, struct block *state, struct workspace *ws G_GNUC_UNUSED)
{
    for (size_t v = 0; v < u->n_series; v++) {
        double *column = block_series(state, v);
        memcpy(column, block_series(u, v), context->op->n_in * sizeof(double));
        memset(column + context->op->n_in, 0, n_dual(context) * sizeof(double));
    }
}

// One call's weights and step sizes.
struct step {
    struct dense w;
    double th;
    double sigma;
    double tau;
};

static struct step step_of(const struct layer_call *call)
{
    const struct layer_context *context = call->context;
    bool learned = learns_sigma(context);
    struct step step = {.sigma = learned ? call->parameters[0] : SIGMA,
                        .th = learned ? 1.0 : call->parameters[n_weights(context)]};
    step.w = (struct dense){learned ? context->constants : call->parameters, n_dual(context),
                            context->op->n_in};
    step.tau = 1.0 / (0.5 * context->norm2 + step.sigma * nabla_norm2(context));
    return step;
}

static struct block primal(const struct layer_call *call, const struct block *state)
{
    return (struct block){call->context->op->n_in, state->n_series, state->stride, state->data};
}

static struct block dual(const struct layer_call *call, const struct block *state)
{
    return (struct block){n_dual(call->context), state->n_series, state->stride,
                          state->data + call->context->op->n_in};
}

// The tape: g = A'(A u - x) + W' v and e = 2 u+ - u, n_in each, and q = v + sigma W e.
static size_t tape_bytes(const struct layer_context *context)
{
    size_t n = 2 * context->op->n_in + n_dual(context);
    return MAX(n * sizeof(double), tv_step_bytes(context));
}

static struct block taped(const struct layer_call *call, const void *tape, size_t offset, size_t n)
{
    size_t stride = tape_bytes(call->context) / sizeof(double);
    return (struct block){n, call->in->n_series, stride, (double *) tape + offset};
}

struct taped {
    struct block g;
    struct block e;
    struct block q;
};

static struct taped open_tape(const struct layer_call *call, const void *tape)
{
    size_t n = call->context->op->n_in;
    return (struct taped){taped(call, tape, 0, n), taped(call, tape, n, n),
                          taped(call, tape, 2 * n, n_dual(call->context))};
}

static void forward(const struct layer_call *call, struct block *out, void *tape)
{
    size_t mark = workspace_mark(call->ws);
    if (tape == NULL)
        tape = WORKSPACE_ALLOC(call->ws, char, call->in->n_series *tape_bytes(call->context));
    struct step step = step_of(call);
    struct taped kept = open_tape(call, tape);
    struct block u = primal(call, call->in);
    struct block v = dual(call, call->in);
    struct block u_next = primal(call, out);
    struct block v_next = dual(call, out);
    linop_adjoint(call->context->op, call->residual, &kept.g, call->ws);
    dense_adjoint(&step.w, 1.0, &v, 1.0, &kept.g);
    block_copy(&u, &u_next);
    block_add(&u_next, -step.tau, &kept.g);
    block_copy(&u_next, &kept.e);
    block_scale(&kept.e, 2.0);
    block_add(&kept.e, -1.0, &u);
    block_copy(&v, &kept.q);
    dense_apply(&step.w, step.sigma, &kept.e, 1.0, &kept.q);
    clip_forward(call, step.th, &kept.q, &v_next);
    workspace_release(call->ws, mark);
}

// dLoss/dsigma, directly and through tau: dtau/dsigma = -||nabla||^2 tau^2.
static double sigma_gradient(const struct layer_call *call, const struct step *step,
                             const struct taped *kept, const struct block *qb,
                             const struct block *ut)
{
    size_t mark = workspace_mark(call->ws);
    struct block we = layer_block(call, n_dual(call->context), NULL);
    dense_apply(&step->w, 1.0, &kept->e, 0.0, &we);
    double slope = block_dot(qb, &we) +
                   step->tau * step->tau * nabla_norm2(call->context) * block_dot(ut, &kept->g);
    workspace_release(call->ws, mark);
    return slope;
}

static void backward(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    const linop *op = call->context->op;
    size_t mark = workspace_mark(call->ws);
    struct step step = step_of(call);
    struct taped kept = open_tape(call, tape);
    struct block v = dual(call, call->in);
    struct block ub = primal(call, out_adjoint);
    struct block vb = dual(call, out_adjoint);
    struct block u_in = primal(call, gradient->in);
    struct block v_in = dual(call, gradient->in);
    struct block qb = layer_block(call, n_dual(call->context), NULL);
    struct block ut = layer_block(call, op->n_in, NULL);
    struct block image = layer_block(call, op->n_out, NULL);
    double slope = clip_backward(call, step.th, &kept.q, &vb, &qb, gradient);
    block_copy(&ub, &ut);
    dense_adjoint(&step.w, 2.0 * step.sigma, &qb, 1.0, &ut);
    if (gradient->parameters != NULL && learns_sigma(call->context)) {
        gradient->parameters[0] += sigma_gradient(call, &step, &kept, &qb, &ut);
    } else if (gradient->parameters != NULL) {
        dense_gradient(&step.w, step.sigma, &kept.e, &qb, gradient->parameters);
        dense_gradient(&step.w, -step.tau, &ut, &v, gradient->parameters);
        gradient->parameters[n_weights(call->context)] += slope;
    }
    linop_apply(op, &ut, &image, call->ws);
    block_scale(&image, -step.tau);
    linop_adjoint(op, &image, &u_in, call->ws);
    block_add(&u_in, 1.0, &ut);
    dense_adjoint(&step.w, -step.sigma, &qb, 1.0, &u_in);
    block_copy(&qb, &v_in);
    dense_apply(&step.w, -step.tau, &ut, 1.0, &v_in);
    if (gradient->x != NULL)
        block_add(gradient->x, -1.0, &image);
    workspace_release(call->ws, mark);
}

// A plain step of u; v waits.
static void descend(const struct layer_call *call, struct block *out, void *tape)
{
    struct block u = primal(call, call->in);
    struct block v = dual(call, call->in);
    struct block v_next = dual(call, out);
    struct tv_step step = {1.0 / call->context->norm2, &u, call->residual};
    tv_step_forward(call, &step, out, tape);
    block_copy(&v, &v_next);
}

static void descend_backward(const struct layer_call *call, const void *tape,
                             const struct block *out_adjoint, const struct layer_gradient *gradient)
{
    struct tv_step step = {1.0 / call->context->norm2, NULL, NULL};
    struct block u_in = primal(call, gradient->in);
    struct block v_in = dual(call, gradient->in);
    struct block vb = dual(call, out_adjoint);
    tv_step_backward(call, &step, tape, out_adjoint, &u_in, gradient);
    block_copy(&vb, &v_in);
}

const struct layer_kind layer_condat_vu = {
    .network = "condat-vu",
    .variant = "",
    .form = WEIGHTS,
    .problem = PROBLEM_TV,
    .refuse = refuse,
    .prepare = prepare,
    .release = release,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .project = project,
    .start = start,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = descend,
    .descend_backward = descend_backward,
};

const struct layer_kind layer_condat_vu_step = {
    .network = "condat-vu-step",
    .variant = "",
    .form = SIGMA_ALONE,
    .problem = PROBLEM_TV,
    .refuse = refuse,
    .prepare = prepare,
    .release = release,
    .n_state = n_state,
    .tensors = tensors,
    .init = init,
    .project = project,
    .start = start,
    .tape_bytes = tape_bytes,
    .forward = forward,
    .backward = backward,
    .descend = descend,
    .descend_backward = descend_backward,
};
