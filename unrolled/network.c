// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/network.h"

#include "solvers/synthesis.h"

#include <string.h>

G_DEFINE_QUARK(unrolled_error, unrolled_error)

// clang-format off: one kind a line
static const struct layer_kind *const kinds[] = {
    &layer_alista,
    &layer_condat_vu,
    &layer_condat_vu_step,
    &layer_dual_coupled,
    &layer_dual_lista,
    &layer_dual_step,
    &layer_first_step,
    &layer_hessian,
    &layer_lista,
    &layer_lista_coupled,
    &layer_lpgd_lista_fixed,
    &layer_lpgd_lista_per_layer,
    &layer_lpgd_lista_shared,
    &layer_lpgd_conv,
    &layer_lpgd_conv_threshold,
    &layer_lpgd_dense,
    &layer_lpgd_dense_threshold,
    &layer_lpgd_step,
    &layer_lpgd_momentum,
    &layer_slista,
    &layer_subgradient_step,
    &layer_synthesis_dense,
    &layer_synthesis_coupled,
    &layer_synthesis_step,
};
// clang-format on

const struct layer_kind *const *network_kinds(size_t *n)
{
    *n = G_N_ELEMENTS(kinds);
    return kinds;
}

static const struct layer_kind *find_kind(const char *name, const char *variant, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        bool named = strcmp(kinds[i]->network, name) == 0;
        if (named && (variant == NULL || strcmp(kinds[i]->variant, variant) == 0))
            return kinds[i];
        g_string_append_printf(known, "%s%s%s%s", known->len > 0 ? ", " : "", kinds[i]->network,
                               *kinds[i]->variant == '\0' ? "" : " ", kinds[i]->variant);
    }
    g_set_error(error, UNROLLED_ERROR, UNROLLED_ERROR_NAME,
                "network: expected one of %s, found \"%s%s%s\"", known->str, name,
                variant == NULL ? "" : " ", variant == NULL ? "" : variant);
    return NULL;
}

bool network_problem(const char *name, enum problem_kind *kind, GError **error)
{
    const struct layer_kind *first = find_kind(name, NULL, error);
    if (first != NULL)
        *kind = first->problem;
    return first != NULL;
}

static size_t count_parameters(const struct layer_context *context, size_t index)
{
    struct tensor_shape shapes[LAYER_MAX_TENSORS];
    size_t n_tensors = context->kind->tensors(context, index, shapes);
    size_t count = 0;
    for (size_t i = 0; i < n_tensors; i++)
        count += shapes[i].n_rows * shapes[i].n_columns;
    return count;
}

struct network *network_new(const char *name, const char *variant, const struct problem *problem,
                            struct network_size size, GError **error)
{
    const struct layer_kind *kind = find_kind(name, variant, error);
    return kind == NULL ? NULL : network_new_of_kind(kind, problem, size, error);
}

struct network *network_new_of_kind(const struct layer_kind *kind, const struct problem *problem,
                                    struct network_size size, GError **error)
{
    const char *reason = NULL;
    if (kind->problem != problem->kind)
        reason = kind->problem == PROBLEM_TV ? "is for TV problems" : "is for the Lasso";
    else if (kind->refuse != NULL)
        reason = kind->refuse(problem);
    if (reason != NULL) {
        g_set_error(error, UNROLLED_ERROR, UNROLLED_ERROR_REFUSED, "%s%s%s: %s", kind->network,
                    *kind->variant == '\0' ? "" : " ", kind->variant, reason);
        return NULL;
    }
    struct network *network = g_new0(struct network, 1);
    network->kind = kind;
    network->context =
        (struct layer_context){.kind = kind,
                               .problem = problem,
                               .op = problem->op,
                               .design = problem->op,
                               .n_inner = size.n_inner == 0 ? kind->default_inner : size.n_inner};
    if (kind->synthesis)
        network->context.design = network->context.synthesis = linop_new_synthesis(problem->op);
    network->context.norm2 = network->context.design->norm2;
    if (kind->prepare != NULL)
        kind->prepare(&network->context);
    network_resize(network, size.depth);
    return network;
}

void network_free(struct network *network)
{
    if (network == NULL)
        return;
    if (network->kind->release != NULL)
        network->kind->release(&network->context);
    linop_free(network->context.synthesis);
    network_clear_stages(network);
    g_free(network->stages);
    g_free(network->offsets);
    g_free(network->parameters);
    g_free(network);
}

double *network_layer(const struct network *network, size_t index)
{
    return network->parameters + network->offsets[index];
}

const double *network_stage(const struct network *network, size_t depth)
{
    const double *stage = depth > 0 ? network->stages[depth - 1] : NULL;
    return stage == NULL ? network->parameters : stage;
}

void network_set_step(const struct network *network, size_t index, double a)
{
    const struct layer_context *context = &network->context;
    size_t n = network->offsets[index + 1] - network->offsets[index];
    double *parameters = network_layer(network, index);
    g_autofree double *still = g_new(double, n);
    double share = a * context->norm2;
    network->kind->identity(context, index, still);
    network->kind->init(context, index, parameters);
    for (size_t i = 0; i < n; i++)
        parameters[i] = still[i] + share * (parameters[i] - still[i]);
}

void network_keep_stage(struct network *network, size_t depth)
{
    size_t bytes = network->offsets[depth] * sizeof(double);
    g_free(network->stages[depth - 1]);
    network->stages[depth - 1] = g_memdup2(network->parameters, bytes);
}

void network_clear_stages(struct network *network)
{
    for (size_t i = 0; i < network->depth; i++)
        g_clear_pointer(&network->stages[i], g_free);
}

void network_resize(struct network *network, size_t depth)
{
    network_clear_stages(network);
    network->stages = g_renew(double *, network->stages, depth);
    memset(network->stages, 0, depth * sizeof *network->stages);
    network->offsets = g_renew(size_t, network->offsets, depth + 1);
    network->offsets[0] = 0;
    for (size_t i = 0; i < depth; i++)
        network->offsets[i + 1] = network->offsets[i] + count_parameters(&network->context, i);
    network->parameters = g_renew(double, network->parameters, network->offsets[depth]);
    for (size_t i = network->depth; i < depth; i++)
        network->kind->init(&network->context, i, network_layer(network, i));
    network->depth = depth;
}

// The states of a pass: with a tape all of them are kept, for the way back; without one, two.
struct march {
    const struct network *network;
    const struct network_input *input;
    const struct network_pass *pass;
    const double *parameters; // of all layers
    size_t n_series;
    size_t n_kept;       // states held
    struct block states; // n_kept * n_series columns of n_state numbers
    struct block points; // u of each, n_in numbers; the head of the states where those hold u
    struct block residuals;
    double *objectives;   // n_kept x n_series
    bool *rejected;       // depth x n_series, with a tape only
    char *tape;           // depth x n_series x tape_bytes, or NULL
    size_t tape_bytes;    //
    struct workspace *ws; //
};

static struct block take_block(struct workspace *ws, size_t n_time, size_t n_series)
{
    size_t size = n_time * n_series;
    return (struct block){n_time, n_series, n_time, WORKSPACE_ALLOC(ws, double, size)};
}

static struct block slot(const struct march *march, const struct block *all, size_t layer)
{
    return block_slice(all, layer % march->n_kept * march->n_series, march->n_series);
}

static void march_begin(struct march *march, bool with_tape)
{
    const struct network *network = march->network;
    const struct layer_context *context = &network->context;
    size_t n_all;
    march->n_series = march->input->x->n_series;
    march->parameters = network_stage(network, march->pass->depth);
    march->n_kept = with_tape ? march->pass->depth + 1 : 2;
    n_all = march->n_kept * march->n_series;
    march->states = take_block(march->ws, network->kind->n_state(context), n_all);
    march->residuals = take_block(march->ws, context->op->n_out, n_all);
    march->objectives = WORKSPACE_ALLOC(march->ws, double, n_all);
    if (network->kind->output == NULL) {
        march->points = march->states;
        march->points.n_time = context->op->n_in;
    } else {
        march->points = take_block(march->ws, context->op->n_in, n_all);
    }
    if (!with_tape)
        return;
    size_t n_steps = march->pass->depth * march->n_series;
    march->tape_bytes = network->kind->tape_bytes(context);
    march->tape = WORKSPACE_ALLOC(march->ws, char, n_steps * march->tape_bytes);
    march->rejected = WORKSPACE_ALLOC(march->ws, bool, n_steps);
}

static double square_norm(const double *a, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * a[i];
    return sum;
}

// The point, the residual A u - x and the objective of series [first, first + count) of a state.
static void look(struct march *march, size_t layer, size_t first, size_t count)
{
    const struct layer_context *context = &march->network->context;
    struct block state = slot(march, &march->states, layer);
    struct block u = slot(march, &march->points, layer);
    struct block r = slot(march, &march->residuals, layer);
    struct block x = block_slice(march->input->x, first, count);
    state = block_slice(&state, first, count);
    u = block_slice(&u, first, count);
    r = block_slice(&r, first, count);
    if (march->network->kind->output != NULL)
        march->network->kind->output(context, &state, &x, &u, march->ws);
    linop_apply(context->op, &u, &r, march->ws);
    double *objectives = march->objectives + layer % march->n_kept * march->n_series + first;
    for (size_t v = 0; v < count; v++) {
        double *residual = block_series(&r, v);
        for (size_t t = 0; t < r.n_time; t++)
            residual[t] -= block_series(&x, v)[t];
        objectives[v] = 0.5 * square_norm(residual, r.n_time) +
                        march->input->lambda[first + v] *
                            problem_penalty(context->problem, block_series(&u, v));
    }
}

static struct layer_call call_of(struct march *march, size_t layer, size_t first, size_t count,
                                 struct block parts[3])
{
    struct block state = slot(march, &march->states, layer);
    struct block residual = slot(march, &march->residuals, layer);
    parts[0] = block_slice(march->input->x, first, count);
    parts[1] = block_slice(&state, first, count);
    parts[2] = block_slice(&residual, first, count);
    return (struct layer_call){.context = &march->network->context,
                               .index = layer,
                               .parameters = march->parameters + march->network->offsets[layer],
                               .x = &parts[0],
                               .lambda = march->input->lambda + first,
                               .in = &parts[1],
                               .residual = &parts[2],
                               .ws = march->ws};
}

static void *tape_of(const struct march *march, size_t layer, size_t series)
{
    if (march->tape == NULL)
        return NULL;
    return march->tape + (layer * march->n_series + series) * march->tape_bytes;
}

// Rounding alone may raise an objective by this fraction of it; that is not a rise.
static const double ROUNDING = 1e-14;

static bool rises(const struct march *march, size_t layer, size_t v)
{
    double before = march->objectives[layer % march->n_kept * march->n_series + v];
    double after = march->objectives[(layer + 1) % march->n_kept * march->n_series + v];
    return !(after <= before * (1.0 + ROUNDING));
}

// Replaces the output of a layer, for one series, by the plain algorithm's step.
static void fall_back(struct march *march, size_t layer, size_t v)
{
    struct block parts[3];
    struct layer_call call = call_of(march, layer, v, 1, parts);
    struct block next = slot(march, &march->states, layer + 1);
    struct block out = block_slice(&next, v, 1);
    march->network->kind->descend(&call, &out, tape_of(march, layer, v));
    look(march, layer + 1, v, 1);
}

static void step(struct march *march, size_t layer)
{
    const struct layer_kind *kind = march->network->kind;
    struct block parts[3];
    struct layer_call call = call_of(march, layer, 0, march->n_series, parts);
    struct block out = slot(march, &march->states, layer + 1);
    kind->forward(&call, &out, tape_of(march, layer, 0));
    look(march, layer + 1, 0, march->n_series);
    for (size_t v = 0; v < march->n_series; v++) {
        bool reject = march->pass->safeguard && kind->descend != NULL && rises(march, layer, v);
        if (reject)
            fall_back(march, layer, v);
        if (reject && march->pass->n_rejected != NULL)
            march->pass->n_rejected[layer]++;
        if (march->rejected != NULL)
            march->rejected[layer * march->n_series + v] = reject;
    }
}

static void observe(const struct march *march, size_t layer)
{
    const struct solver_observer *observer = march->pass->observer;
    if (observer == NULL)
        return;
    struct block u = slot(march, &march->points, layer);
    for (size_t v = 0; v < march->n_series; v++)
        observer->iterate(observer->data, march->pass->first_series + v, layer,
                          block_series(&u, v));
}

static void march_through(struct march *march)
{
    const struct network *network = march->network;
    size_t begin = march->pass->first;
    g_assert(begin <= march->pass->depth && march->pass->depth <= network->depth);
    struct block first = slot(march, &march->states, begin);
    if (begin > 0) {
        block_copy(march->input->state, &first);
    } else if (network->kind->start != NULL) {
        network->kind->start(&network->context, march->input->x, march->input->start, &first,
                             march->ws);
    } else {
        block_copy(march->input->start, &first);
    }
    look(march, begin, 0, march->n_series);
    observe(march, begin);
    for (size_t layer = begin; layer < march->pass->depth; layer++) {
        step(march, layer);
        observe(march, layer + 1);
    }
}

void network_forward(const struct network *network, const struct network_input *input,
                     const struct network_pass *pass, struct block *u, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct march march = {.network = network, .input = input, .pass = pass, .ws = ws};
    march_begin(&march, false);
    march_through(&march);
    struct block last = slot(&march, &march.points, pass->depth);
    block_copy(&last, u);
    workspace_release(ws, mark);
}

// What the objective of series v takes from x and lambda directly: dP/dx = -(A u - x).
static void seed_input(const struct march *march, size_t v, const struct block *u,
                       const struct block *r, const struct layer_gradient *input)
{
    if (input->x != NULL)
        for (size_t t = 0; t < r->n_time; t++)
            block_series(input->x, v)[t] -= block_series(r, v)[t];
    if (input->lambda != NULL)
        input->lambda[v] += problem_penalty(march->network->context.problem, block_series(u, v));
}

void network_advance(const struct network *network, const struct network_input *input,
                     const struct network_pass *pass, struct block *state, struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    struct march march = {.network = network, .input = input, .pass = pass, .ws = ws};
    march_begin(&march, false);
    march_through(&march);
    struct block last = slot(&march, &march.states, pass->depth);
    block_copy(&last, state);
    workspace_release(ws, mark);
}

// dLoss/du at the output: A' r + lambda dpenalty, u - target, or what is given. Returns the loss.
static double seed(const struct march *march, const struct network_loss *loss,
                   struct block *u_adjoint, const struct layer_gradient *input)
{
    const struct layer_context *context = &march->network->context;
    size_t depth = march->pass->depth;
    struct block u = slot(march, &march->points, depth);
    struct block r = slot(march, &march->residuals, depth);
    double sum = 0.0;
    if (loss->adjoint != NULL) {
        block_copy(loss->adjoint, u_adjoint);
        return block_dot(loss->adjoint, &u);
    }
    if (loss->targets == NULL)
        linop_adjoint(context->op, &r, u_adjoint, march->ws);
    for (size_t v = 0; v < march->n_series; v++) {
        double *adjoint = block_series(u_adjoint, v);
        const double *point = block_series(&u, v);
        if (loss->targets == NULL) {
            problem_penalty_subgradient(context->problem, point, march->input->lambda[v], adjoint);
            sum += march->objectives[depth % march->n_kept * march->n_series + v];
            if (input != NULL)
                seed_input(march, v, &u, &r, input);
            continue;
        }
        for (size_t i = 0; i < context->op->n_in; i++)
            adjoint[i] = point[i] - block_series(loss->targets, v)[i];
        sum += 0.5 * square_norm(adjoint, context->op->n_in);
    }
    return sum;
}

// One layer of the way back: neighbours that took the same way through it go together.
static void step_back(struct march *march, size_t layer, const struct block *out_adjoint,
                      struct block *in_adjoint, double *parameters,
                      const struct layer_gradient *input)
{
    const struct layer_kind *kind = march->network->kind;
    const bool *rejected = march->rejected + layer * march->n_series;
    for (size_t first = 0, end; first < march->n_series; first = end) {
        for (end = first + 1; end < march->n_series && rejected[end] == rejected[first];)
            end++;
        struct block parts[3];
        struct layer_call call = call_of(march, layer, first, end - first, parts);
        struct block out = block_slice(out_adjoint, first, end - first);
        struct block in = block_slice(in_adjoint, first, end - first);
        struct block x;
        struct layer_gradient gradient = {.in = &in};
        if (!rejected[first])
            gradient.parameters = parameters;
        if (input != NULL && input->x != NULL) {
            x = block_slice(input->x, first, end - first);
            gradient.x = &x;
        }
        if (input != NULL && input->lambda != NULL)
            gradient.lambda = input->lambda + first;
        (rejected[first] ? kind->descend_backward
                         : kind->backward)(&call, tape_of(march, layer, first), &out, &gradient);
    }
}

double network_loss_gradient(const struct network *network, const struct network_input *input,
                             const struct network_pass *pass, const struct network_loss *loss,
                             double *gradient, const struct layer_gradient *input_gradient,
                             struct workspace *ws)
{
    size_t mark = workspace_mark(ws);
    const struct layer_kind *kind = network->kind;
    struct march march = {.network = network, .input = input, .pass = pass, .ws = ws};
    bool with_gradient = gradient != NULL || input_gradient != NULL;
    march_begin(&march, with_gradient);
    march_through(&march);

    size_t n_state = kind->n_state(&network->context);
    struct block u_adjoint = take_block(ws, network->context.op->n_in, march.n_series);
    struct block out = take_block(ws, n_state, march.n_series);
    struct block in = take_block(ws, n_state, march.n_series);
    double value = seed(&march, loss, &u_adjoint, input_gradient);
    if (!with_gradient) {
        workspace_release(ws, mark);
        return value;
    }
    if (kind->output_adjoint != NULL) {
        kind->output_adjoint(&network->context, &u_adjoint, &out,
                             input_gradient == NULL ? NULL : input_gradient->x, ws);
    } else {
        memset(out.data, 0, n_state * march.n_series * sizeof(double));
        block_copy(&u_adjoint, &out);
    }
    for (size_t layer = pass->depth; layer-- > pass->first;) {
        double *parameters = gradient == NULL ? NULL : gradient + network->offsets[layer];
        step_back(&march, layer, &out, &in, parameters, input_gradient);
        struct block swap = out;
        out = in;
        in = swap;
    }
    if (input_gradient != NULL && input_gradient->in != NULL)
        block_copy(&out, input_gradient->in);
    workspace_release(ws, mark);
    return value;
}
