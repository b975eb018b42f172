// SPDX-License-Identifier: BSD-3-Clause
#include "lib/networks.h"

#include "lib/derivative.h"
#include "unrolled/params_file.h"

#include <math.h>
#include <string.h>

enum { MOST_LAYERS = 10000 };

static taut_network *wrap(struct network *network, const taut_problem *problem)
{
    taut_network *wrapped = g_new0(taut_network, 1);
    wrapped->network = network;
    wrapped->problem = problem;
    return wrapped;
}

taut_network *taut_network_new(const char *name, size_t n_layers, const taut_problem *problem,
                               taut_error *error)
{
    if (lib_require(name, "name", error) != TAUT_OK ||
        lib_require(problem, "problem", error) != TAUT_OK)
        return NULL;
    if (n_layers < 1 || n_layers > MOST_LAYERS) {
        lib_fail(error, TAUT_BAD_VALUE, "layers: expected 1 to %d, found %zu", (int) MOST_LAYERS,
                 n_layers);
        return NULL;
    }
    g_auto(GStrv) parts = g_strsplit(name, ":", 2);
    g_autoptr(GError) why = NULL;
    struct network *network =
        network_new(parts[0] == NULL ? "" : parts[0], parts[0] == NULL ? NULL : parts[1],
                    problem->problem, (struct network_size){n_layers, 0}, &why);
    if (network == NULL) {
        lib_fail_by(error, why);
        return NULL;
    }
    return wrap(network, problem);
}

taut_network *taut_network_parse(const void *bytes, size_t n_bytes, const taut_problem *problem,
                                 taut_error *error)
{
    if (lib_require(bytes, "bytes", error) != TAUT_OK ||
        lib_require(problem, "problem", error) != TAUT_OK)
        return NULL;
    g_autoptr(GError) why = NULL;
    g_autoptr(owned_params_file) file = params_file_parse(bytes, n_bytes, &why);
    struct network *network =
        file == NULL ? NULL : params_file_network(file, problem->problem, false, &why);
    if (network == NULL) {
        lib_fail_by(error, why);
        return NULL;
    }
    return wrap(network, problem);
}

int taut_network_write(const taut_network *network, void **bytes, size_t *n_bytes,
                       taut_error *error)
{
    if (lib_require(network, "network", error) != TAUT_OK ||
        lib_require(bytes, "bytes", error) != TAUT_OK ||
        lib_require(n_bytes, "n_bytes", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    GBytes *written = params_file_write(network->network, NULL);
    *bytes = g_bytes_unref_to_data(written, n_bytes);
    return TAUT_OK;
}

void taut_network_free(taut_network *network)
{
    if (network == NULL)
        return;
    network_free(network->network);
    g_free(network);
}

size_t taut_network_parameters(const taut_network *network, double *parameters)
{
    if (network == NULL)
        return 0;
    size_t n = network->network->offsets[network->network->depth];
    if (parameters != NULL)
        memcpy(parameters, network->network->parameters, n * sizeof *parameters);
    return n;
}

taut_network *taut_network_with(const taut_network *network, const double *parameters, size_t n,
                                taut_error *error)
{
    if (lib_require(network, "network", error) != TAUT_OK)
        return NULL;
    size_t expected = taut_network_parameters(network, NULL);
    if (n != expected) {
        lib_fail(error, TAUT_BAD_VALUE, "parameters: expected %zu numbers, found %zu", expected, n);
        return NULL;
    }
    if (lib_check_numbers(parameters, n, "parameters", -INFINITY, false, error) != TAUT_OK)
        return NULL;
    const struct network *from = network->network;
    g_autoptr(GError) why = NULL;
    struct network *copy =
        network_new_of_kind(from->kind, network->problem->problem,
                            (struct network_size){from->depth, from->context.n_inner}, &why);
    if (copy == NULL) {
        lib_fail_by(error, why);
        return NULL;
    }
    memcpy(copy->parameters, parameters, n * sizeof *parameters);
    return wrap(copy, network->problem);
}

/* Applying */

// What a call on a network works with.
struct call {
    taut_options options;
    taut_host host;
    size_t depth;
};

static double network_bytes(const taut_network *network, const taut_host *host, size_t n_series,
                            size_t depth, bool with_tape)
{
    const linop *op = network->problem->op;
    const struct network *inner = network->network;
    double a_state = 8.0 * (double) inner->kind->n_state(&inner->context);
    double a_layer = 2.0 * a_state + 16.0 * (double) op->n_out + 32.0;
    if (with_tape)
        a_layer += (double) inner->kind->tape_bytes(&inner->context);
    double layers = with_tape ? (double) depth + 2.0 : 4.0;
    return lib_solve_bytes(network->problem->problem, host, n_series, false) +
           (double) lib_n_threads(host, n_series) * (double) BLOCK_SERIES * layers * a_layer;
}

double lib_network_bytes(const taut_network *network, const taut_host *host, size_t n_series)
{
    return network_bytes(network, host, n_series, network->network->depth, true);
}

static int begin(struct call *call, const taut_network *network, const taut_options *options,
                 const taut_host *host, taut_error *error)
{
    taut_options_init(&call->options);
    int code = lib_require(network, "network", error);
    if (code == TAUT_OK)
        code = lib_take_struct(&call->options, sizeof call->options, options, "options", error);
    if (code == TAUT_OK)
        code = lib_take_host(&call->host, host, error);
    if (code != TAUT_OK)
        return code;
    size_t depth = network->network->depth;
    if (call->options.layers > depth)
        return lib_fail(error, TAUT_BAD_VALUE, "layers: expected at most %zu, found %zu", depth,
                        (size_t) call->options.layers);
    call->depth = call->options.layers == 0 ? depth : (size_t) call->options.layers;
    if (!(call->options.certify >= 0.0 && call->options.tol >= 0.0))
        return lib_fail(error, TAUT_BAD_VALUE,
                        "certify, tol: expected numbers of at least 0, found %g and %g",
                        call->options.certify, call->options.tol);
    return TAUT_OK;
}

static int apply(const taut_network *network, const struct call *call,
                 const struct lib_solve *given, const double *lambda, taut_error *error)
{
    struct lib_lambda rule;
    g_autoptr(owned_solver) exact = NULL;
    g_autoptr(owned_solver) solver = NULL;
    struct solver_options options = solver_options_default();
    options.tol = call->options.tol;
    int code = lib_lambda_new(&rule, network->problem, call->options.rule, lambda,
                              given->x->n_series, error);
    if (code == TAUT_OK && call->options.certify > 0.0) {
        g_autoptr(GError) why = NULL;
        exact = solver_new_exact(network->problem->problem, &options, &why);
        if (exact == NULL)
            code = lib_fail_by(error, why);
    }
    if (code == TAUT_OK) {
        struct network_use use = {.depth = call->depth,
                                  .safeguard = call->options.safeguard != 0,
                                  .fallback = exact,
                                  .certify = call->options.certify};
        solver = network_solver_new(network->network, &use, &options);
        struct lib_solve job = *given;
        job.solver = solver;
        job.lambda = &rule;
        code = lib_for_tiles(&call->host, given->x->n_series, lib_solve_tile, &job, error);
    }
    lib_lambda_clear(&rule);
    return code;
}

int taut_network_apply(const taut_network *network, const taut_options *options,
                       const taut_host *host, const taut_array *x, const double *lambda,
                       const taut_array *u, taut_result *results, taut_error *error)
{
    struct call call;
    int code = begin(&call, network, options, host, error);
    if (code == TAUT_OK)
        code = lib_require(x, "x", error);
    if (code == TAUT_OK)
        code = lib_check_array(x, "x", x->n_series, network->problem->op->n_out, error);
    if (code == TAUT_OK)
        code = lib_check_array(u, "u", x->n_series, network->problem->op->n_in, error);
    if (code == TAUT_OK)
        code = lib_reserve(
            &call.host, network_bytes(network, &call.host, x->n_series, call.depth, false), error);
    struct lib_solve job = {.x = x, .u = u, .results = results};
    return code == TAUT_OK ? apply(network, &call, &job, lambda, error) : code;
}

/* The derivative */

struct apply_vjp {
    const taut_network *network;
    const taut_vjp *asked;
    double *parameters; // summed, or NULL: any number of threads
    size_t depth;
    bool safeguard;
    atomic_size_t n_undefined;
};

static struct block take(struct workspace *ws, size_t n_time, size_t n_series)
{
    size_t size = n_time * n_series;
    return (struct block){n_time, n_series, n_time, WORKSPACE_ALLOC(ws, double, size)};
}

static double sum_of(const double *a, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i];
    return sum;
}

// The best level of u, u_i += <S, x - A u> / <S, S>, and what is constant from lambda_max on: takes
// the adjoint of what comes after them to that of the network's output, and to x.
static void pass_level(const struct problem *problem, const double *g, bool is_trivial,
                       double *adjoint, double *dx, struct workspace *ws)
{
    size_t n_in = problem->op->n_in, mark = workspace_mark(ws);
    memcpy(adjoint, g, n_in * sizeof *g);
    if (problem->kind == PROBLEM_TV && problem->level_norm2 > 0.0) {
        double *correlated = WORKSPACE_ALLOC(ws, double, n_in);
        double scale = sum_of(g, n_in) / problem->level_norm2;
        for (size_t t = 0; t < problem->op->n_out; t++)
            dx[t] += scale * problem->level[t];
        linop_adjoint_series(problem->op, problem->level, correlated, ws);
        for (size_t i = 0; i < n_in; i++)
            adjoint[i] -= scale * correlated[i];
    }
    if (is_trivial)
        memset(adjoint, 0, n_in * sizeof *adjoint);
    workspace_release(ws, mark);
}

// The network begins at the constant c = <S, x> / <S, S>: the adjoint of its first state goes to x.
static void pass_start(const struct network *network, const struct block *state_adjoint,
                       struct block *dx, struct workspace *ws)
{
    const struct problem *problem = network->context.problem;
    if (problem->kind != PROBLEM_TV || !(problem->level_norm2 > 0.0))
        return;
    size_t mark = workspace_mark(ws);
    struct block one = take(ws, problem->op->n_in, 1);
    struct block zero = take(ws, problem->op->n_out, 1);
    struct block state = take(ws, state_adjoint->n_time, 1);
    memset(zero.data, 0, zero.n_time * sizeof(double));
    for (size_t i = 0; i < one.n_time; i++)
        one.data[i] = 1.0;
    if (network->kind->start != NULL)
        network->kind->start(&network->context, &zero, &one, &state, ws);
    else
        block_copy(&one, &state);
    for (size_t v = 0; v < dx->n_series; v++) {
        struct block adjoint = block_slice(state_adjoint, v, 1);
        double scale = block_dot(&state, &adjoint) / problem->level_norm2;
        for (size_t t = 0; t < dx->n_time; t++)
            block_series(dx, v)[t] += scale * problem->level[t];
    }
    workspace_release(ws, mark);
}

// A run of series that are all finite.
static void differentiate(struct apply_vjp *job, const struct block *x, const struct block *g,
                          const double *lambda, struct layer_gradient *gradient,
                          struct workspace *ws)
{
    const struct network *network = job->network->network;
    const struct problem *problem = network->context.problem;
    struct block start = take(ws, problem->op->n_in, x->n_series);
    struct block adjoint = take(ws, problem->op->n_in, x->n_series);
    struct block state = take(ws, network->kind->n_state(&network->context), x->n_series);
    for (size_t v = 0; v < x->n_series; v++) {
        const double *observed = block_series(x, v);
        double level = problem_trivial_level(problem, observed);
        for (size_t i = 0; i < start.n_time; i++)
            block_series(&start, v)[i] = level;
        pass_level(problem, block_series(g, v),
                   lambda[v] >= problem_lambda_max(problem, observed, ws),
                   block_series(&adjoint, v), block_series(gradient->x, v), ws);
    }
    struct network_input input = {.x = x, .lambda = lambda, .start = &start};
    struct network_pass pass = {.depth = job->depth, .safeguard = job->safeguard};
    struct network_loss loss = {.adjoint = &adjoint};
    gradient->in = &state;
    network_loss_gradient(network, &input, &pass, &loss, job->parameters, gradient, ws);
    pass_start(network, &state, gradient->x, ws);
    gradient->in = NULL; // its block ends here
}

static void apply_vjp_tile(void *data, size_t first, size_t count, struct workspace *ws)
{
    struct apply_vjp *job = data;
    const linop *op = job->network->problem->op;
    struct block x = lib_read(job->asked->x, first, count, ws);
    struct block g = lib_read(job->asked->g, first, count, ws);
    struct block dx = take(ws, op->n_out, count);
    double dlambda[BLOCK_SERIES] = {0.0};
    memset(dx.data, 0, op->n_out * count * sizeof(double));
    for (size_t v = 0; v < count; v++) {
        if (series_classify(block_series(&x, v), op->n_out) == SERIES_NONFINITE ||
            series_classify(block_series(&g, v), op->n_in) == SERIES_NONFINITE) {
            atomic_fetch_add(&job->n_undefined, 1);
            continue;
        }
        struct block one_x = block_slice(&x, v, 1), one_g = block_slice(&g, v, 1);
        struct block one_dx = block_slice(&dx, v, 1);
        size_t mark = workspace_mark(ws);
        struct layer_gradient gradient = {.x = &one_dx, .lambda = &dlambda[v]};
        differentiate(job, &one_x, &one_g, job->asked->lambda + first + v, &gradient, ws);
        workspace_release(ws, mark);
    }
    for (size_t v = 0; v < count && job->asked->dlambda != NULL; v++)
        job->asked->dlambda[first + v] = dlambda[v];
    if (job->asked->dx == NULL)
        return;
    struct block out = lib_room(job->asked->dx, first, count, ws);
    block_copy(&dx, &out);
    lib_write(&out, job->asked->dx, first);
}

static int check_asked(const taut_network *network, const taut_vjp *asked, taut_error *error)
{
    int code = lib_check_vjp(asked, network->problem->op, false, error);
    if (code == TAUT_OK && (asked->dresponse != NULL || asked->dmatrix != NULL))
        code = lib_fail(error, TAUT_NOT_APPLICABLE,
                        "dresponse, dmatrix: a network has no derivative in its operator");
    if (code == TAUT_OK && asked->dx != NULL && network->network->kind == &layer_lpgd_momentum)
        code = lib_fail(error, TAUT_NOT_APPLICABLE,
                        "dx: expected a network without momentum, found %s",
                        network->network->kind->network);
    return code;
}

int taut_network_apply_vjp(const taut_network *network, const taut_options *options,
                           const taut_host *host, const taut_vjp *vjp, taut_error *error)
{
    struct call call;
    taut_vjp asked;
    taut_vjp_init(&asked);
    int code = begin(&call, network, options, host, error);
    if (code == TAUT_OK)
        code = lib_require(vjp, "vjp", error);
    if (code == TAUT_OK)
        code = lib_take_struct(&asked, sizeof asked, vjp, "vjp", error);
    if (code == TAUT_OK)
        code = check_asked(network, &asked, error);
    if (code == TAUT_OK)
        code = lib_reserve(&call.host,
                           network_bytes(network, &call.host, asked.x->n_series, call.depth, true),
                           error);
    if (code != TAUT_OK)
        return code;
    struct apply_vjp job = {.network = network,
                            .asked = &asked,
                            .parameters = asked.dparameters,
                            .depth = call.depth,
                            .safeguard = call.options.safeguard != 0};
    if (job.parameters != NULL) { // one sum, in the order of the series
        call.host.n_threads = 1;
        memset(job.parameters, 0, taut_network_parameters(network, NULL) * sizeof(double));
    }
    code = lib_for_tiles(&call.host, asked.x->n_series, apply_vjp_tile, &job, error);
    if (asked.n_undefined != NULL)
        *asked.n_undefined = atomic_load(&job.n_undefined);
    return code;
}
