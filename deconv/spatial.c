// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/spatial.h"

#include "solvers/segment_active_set.h"

#include <math.h>
#include <string.h>

/*
 * An edge e = (a, b) holds copies Z_a, Z_b of its ends and scaled multipliers Y_a = -Y_b = Y. With
 * relaxation r, the step of an edge is
 *
 *     A = r u_a + (1 - r) Z_a + Y,  B = r u_b + (1 - r) Z_b - Y,  D = A - B,
 *     Y = part of D that the penalty takes,  Z_a = A - Y,  Z_b = B + Y.
 *
 * The sums Z_a + Z_b = A + B do not see the penalty: they are sums of one series s a node, with
 * s <- r u + (1 - r) s. The differences Z_a - Z_b = D - 2 Y and Y follow from D: one series an edge
 * is all that is kept, and
 *
 *     D <- r (u_a - u_b) + (1 - r) (D - 2 Y) + 2 Y.
 *
 * A node is pulled towards the mean over its edges of Z - Y_e, which is (s_a + s_b) / 2 +- (D / 2 -
 * 2 Y) there.
 */
static const double RELAXATION = 1.6;

enum { ITEM_NODES = 32, ITEM_EDGES = 64 };

// Sums over an item, added up in their order.
struct sums {
    double fit;      // 1/2 ||x - A u||^2
    double tv;       // ||nabla u||_1
    double spatial;  // penalty_s / lambda_s
    double inner;    // <x, r>
    double residual; // ||r||^2, and for the Laplacian ||p||^2 / lambda_s
    double trivial;  // objective of the best constants
    double largest;  // |v|
};

struct state {
    const struct spatial_problem *problem;
    const struct spatial_options *options;
    struct segment_active_set *set; // owned
    size_t n_time;
    double *level; // owned; S = A 1
    double level_norm2;
    float *u;          // borrowed
    float *s;          // owned; n_time a node
    float *difference; // owned; D, n_time an edge
    double *share;     // owned; of D that Y is, one an edge
    double bound;      // of |Y_t| (SPATIAL_TV), or infinite
    struct sums *sums; // owned; one an item
};

struct spatial_options spatial_options_default(void)
{
    return (struct spatial_options){.tol = 1e-3, .max_iter = 300, .gap_every = 5, .rho = 1.0};
}

static size_t n_items(size_t n, size_t item)
{
    return (n + item - 1) / item;
}

static size_t n_sums(const struct spatial_graph *graph)
{
    return n_items(graph->n_nodes, ITEM_NODES) + n_items(graph->n_edges, ITEM_EDGES);
}

size_t spatial_bytes(const struct spatial_problem *problem)
{
    const struct spatial_graph *graph = problem->graph;
    return (graph->n_nodes + graph->n_edges) * problem->op->n_in * sizeof(float) +
           graph->n_edges * sizeof(double) + n_sums(graph) * sizeof(struct sums);
}

// Y_t of an edge.
static inline double multiplier(const struct state *state, size_t e, double difference)
{
    double y = state->share[e] * difference;
    return y > state->bound ? state->bound : y < -state->bound ? -state->bound : y;
}

// What the penalty takes of the difference of an edge: the prox of lambda_s ||.|| on the pair moves
// both ends by at most lambda_s / rho, and no farther than where they meet.
static double share_of(const struct state *state, const float *difference)
{
    double at_most = state->problem->lambda_s / state->options->rho;
    if (state->problem->kind == SPATIAL_TV)
        return 0.5;
    if (state->problem->kind == SPATIAL_LAPLACIAN)
        return at_most / (1.0 + 2.0 * at_most);
    double norm2 = 0.0;
    for (size_t t = 0; t < state->n_time; t++)
        norm2 += (double) difference[t] * difference[t];
    return norm2 > 0.0 ? fmin(at_most / sqrt(norm2), 0.5) : 0.5;
}

/* Nodes */

static void knots_of(const double *u, size_t n, struct segment_knots *knots)
{
    knots->n = 0;
    for (size_t t = 1; t < n; t++)
        if (u[t] != u[t - 1])
            knots->at[knots->n++] = u[t] > u[t - 1] ? (int32_t) t : -(int32_t) t;
}

// rho times the sum over the edges of node v of (s_a + s_b) / 2 +- (D / 2 - 2 Y).
static void pull_of(const struct state *state, size_t v, double *z)
{
    const struct spatial_graph *graph = state->problem->graph;
    size_t n = state->n_time;
    double weight = state->options->rho;
    memset(z, 0, n * sizeof *z);
    for (size_t i = graph->first[v]; i < graph->first[v + 1]; i++) {
        size_t e = graph->incident[i];
        const float *a = state->s + graph->ends[2 * e] * n;
        const float *b = state->s + graph->ends[2 * e + 1] * n;
        const float *difference = state->difference + e * n;
        double sign = graph->ends[2 * e] == v ? weight : -weight;
        for (size_t t = 0; t < n; t++)
            z[t] += 0.5 * weight * ((double) a[t] + b[t]) +
                    sign * (0.5 * difference[t] - 2.0 * multiplier(state, e, difference[t]));
    }
}

static void solve_node(const struct state *state, size_t v, bool alone, struct workspace *ws)
{
    const struct spatial_problem *problem = state->problem;
    size_t n = state->n_time, mark = workspace_mark(ws);
    double *x = WORKSPACE_ALLOC(ws, double, n), *u = WORKSPACE_ALLOC(ws, double, n);
    float *out = state->u + v * n;
    for (size_t t = 0; t < n; t++)
        x[t] = problem->x[v * n + t];
    if (alone) {
        segment_active_set_solve(state->set, x, problem->lambda_t, false, u, ws);
    } else {
        double *z = WORKSPACE_ALLOC(ws, double, n);
        struct segment_knots knots = {.at = WORKSPACE_ALLOC(ws, int32_t, n)};
        pull_of(state, v, z);
        for (size_t t = 0; t < n; t++)
            u[t] = out[t];
        knots_of(u, n, &knots);
        struct segment_pull pull = {z, state->options->rho *
                                           (double) spatial_graph_degree(problem->graph, v)};
        segment_active_set_pulled(state->set, x, problem->lambda_t, &pull, &knots, u, ws);
    }
    for (size_t t = 0; t < n; t++)
        out[t] = (float) u[t];
    workspace_release(ws, mark);
}

static void begin_nodes(void *data, size_t index, struct workspace *ws)
{
    const struct state *state = data;
    size_t n = state->n_time;
    size_t end = MIN((index + 1) * ITEM_NODES, state->problem->graph->n_nodes);
    for (size_t v = index * ITEM_NODES; v < end; v++) {
        solve_node(state, v, true, ws);
        memcpy(state->s + v * n, state->u + v * n, n * sizeof(float));
    }
}

static void step_nodes(void *data, size_t index, struct workspace *ws)
{
    const struct state *state = data;
    const struct spatial_graph *graph = state->problem->graph;
    size_t end = MIN((index + 1) * ITEM_NODES, graph->n_nodes);
    for (size_t v = index * ITEM_NODES; v < end; v++)
        if (spatial_graph_degree(graph, v) > 0)
            solve_node(state, v, false, ws);
}

/* Edges */

static void begin_edges(void *data, size_t index, G_GNUC_UNUSED struct workspace *ws)
{
    const struct state *state = data;
    const struct spatial_graph *graph = state->problem->graph;
    size_t n = state->n_time, end = MIN((index + 1) * ITEM_EDGES, graph->n_edges);
    for (size_t e = index * ITEM_EDGES; e < end; e++) {
        const float *a = state->u + graph->ends[2 * e] * n;
        const float *b = state->u + graph->ends[2 * e + 1] * n;
        for (size_t t = 0; t < n; t++)
            state->difference[e * n + t] = a[t] - b[t];
        state->share[e] = 0.0;
    }
}

static void step_edge(const struct state *state, size_t e)
{
    const struct spatial_graph *graph = state->problem->graph;
    size_t n = state->n_time;
    const float *a = state->u + graph->ends[2 * e] * n;
    const float *b = state->u + graph->ends[2 * e + 1] * n;
    float *difference = state->difference + e * n;
    for (size_t t = 0; t < n; t++) {
        double y = multiplier(state, e, difference[t]);
        difference[t] = (float) (RELAXATION * ((double) a[t] - b[t]) +
                                 (1.0 - RELAXATION) * difference[t] + 2.0 * RELAXATION * y);
    }
    state->share[e] = share_of(state, difference);
}

// Items are those of the edges, then those of the nodes, whose sums follow u.
static void step_edges(void *data, size_t index, G_GNUC_UNUSED struct workspace *ws)
{
    const struct state *state = data;
    const struct spatial_graph *graph = state->problem->graph;
    size_t n_edge_items = n_items(graph->n_edges, ITEM_EDGES);
    if (index < n_edge_items) {
        size_t end = MIN((index + 1) * ITEM_EDGES, graph->n_edges);
        for (size_t e = index * ITEM_EDGES; e < end; e++)
            step_edge(state, e);
        return;
    }
    size_t first = (index - n_edge_items) * ITEM_NODES, n = state->n_time;
    size_t end = MIN(first + ITEM_NODES, graph->n_nodes);
    for (size_t i = first * n; i < end * n; i++)
        state->s[i] = (float) (RELAXATION * state->u[i] + (1.0 - RELAXATION) * state->s[i]);
}

/*
 * The certificate. p_e = rho Y_e is feasible by the step of the edge; q = D' p is what it asks of
 * the nodes. At these prices each node has an exact answer u^_v, the minimiser of 1/2 ||x_v - A
 * u||^2 + <q_v, u> + lambda_t ||nabla u||_1, found from the knots of u_v in little time. With r_v =
 * x_v - A u^_v + c S, c such that <S, r_v> = sum_t q_v, the strings v_a = sum_{t >= a} (A' r_v -
 * q_v)_t vanish at 0, and tau (r, p) is feasible for tau max |v| <= lambda_t, tau <= 1 (1 but for
 * rounding, and for samples that A does not see):
 *
 *     dual = tau <x, r> - tau^2 / 2 (||r||^2 [+ ||p||^2 / lambda_s for the Laplacian]).
 */

static void demand_of(const struct state *state, size_t v, double *q)
{
    const struct spatial_graph *graph = state->problem->graph;
    size_t n = state->n_time;
    memset(q, 0, n * sizeof *q);
    for (size_t i = graph->first[v]; i < graph->first[v + 1]; i++) {
        size_t e = graph->incident[i];
        const float *difference = state->difference + e * n;
        double sign = graph->ends[2 * e] == v ? state->options->rho : -state->options->rho;
        for (size_t t = 0; t < n; t++)
            q[t] += sign * multiplier(state, e, difference[t]);
    }
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum += a[t] * b[t];
    return sum;
}

static double total(const double *a, size_t n)
{
    double sum = 0.0;
    for (size_t t = 0; t < n; t++)
        sum += a[t];
    return sum;
}

static double largest_of_string(const double *correlation, const double *q, size_t n)
{
    double v = 0.0, largest = 0.0;
    for (size_t t = n; t-- > 1;) {
        v += correlation[t] - q[t];
        largest = fmax(largest, fabs(v));
    }
    return largest;
}

static void residual_of(const struct state *state, const double *x, const double *u, double *r,
                        struct workspace *ws)
{
    linop_apply_series(state->problem->op, u, r, ws);
    for (size_t t = 0; t < state->n_time; t++)
        r[t] = x[t] - r[t];
}

// u: the activity whose knots it begins with, then the minimiser at the prices q.
static void answer_prices(const struct state *state, const double *x, const double *q, double *u,
                          struct workspace *ws)
{
    size_t n = state->n_time, mark = workspace_mark(ws);
    double *linear = WORKSPACE_ALLOC(ws, double, n);
    struct segment_knots knots = {.at = WORKSPACE_ALLOC(ws, int32_t, n)};
    for (size_t t = 0; t < n; t++)
        linear[t] = -q[t];
    knots_of(u, n, &knots);
    struct segment_pull pull = {linear, 0.0};
    segment_active_set_pulled(state->set, x, state->problem->lambda_t, &pull, &knots, u, ws);
    workspace_release(ws, mark);
}

static void certify_node(const struct state *state, size_t v, struct sums *sums,
                         struct workspace *ws)
{
    size_t n = state->n_time, mark = workspace_mark(ws);
    double *x = WORKSPACE_ALLOC(ws, double, n), *u = WORKSPACE_ALLOC(ws, double, n);
    double *r = WORKSPACE_ALLOC(ws, double, n), *q = WORKSPACE_ALLOC(ws, double, n);
    for (size_t t = 0; t < n; t++) {
        x[t] = state->problem->x[v * n + t];
        u[t] = state->u[v * n + t];
        if (t > 0)
            sums->tv += fabs(u[t] - u[t - 1]);
    }
    residual_of(state, x, u, r, ws);
    sums->fit += 0.5 * dot(r, r, n);
    demand_of(state, v, q);
    answer_prices(state, x, q, u, ws);
    residual_of(state, x, u, r, ws);
    double scale = state->level_norm2 > 0.0 ? 1.0 / state->level_norm2 : 0.0;
    double shift = scale * (total(q, n) - dot(state->level, r, n));
    double best = scale * dot(state->level, x, n);
    for (size_t t = 0; t < n; t++) {
        double rest = x[t] - best * state->level[t];
        sums->trivial += 0.5 * rest * rest;
        r[t] += shift * state->level[t];
    }
    linop_adjoint_series(state->problem->op, r, u, ws);
    sums->largest = fmax(sums->largest, largest_of_string(u, q, n));
    sums->inner += dot(x, r, n);
    sums->residual += dot(r, r, n);
    workspace_release(ws, mark);
}

static void certify_edge(const struct state *state, size_t e, struct sums *sums)
{
    const struct spatial_problem *problem = state->problem;
    size_t n = state->n_time;
    const float *a = state->u + problem->graph->ends[2 * e] * n;
    const float *b = state->u + problem->graph->ends[2 * e + 1] * n;
    double one = 0.0, two = 0.0, dual = 0.0;
    for (size_t t = 0; t < n; t++) {
        double d = (double) a[t] - b[t];
        double p = state->options->rho * multiplier(state, e, state->difference[e * n + t]);
        one += fabs(d);
        two += d * d;
        dual += p * p;
    }
    sums->spatial += problem->kind == SPATIAL_TV      ? one
                     : problem->kind == SPATIAL_GROUP ? sqrt(two)
                                                      : 0.5 * two;
    if (problem->kind == SPATIAL_LAPLACIAN && problem->lambda_s > 0.0)
        sums->residual += dual / problem->lambda_s;
}

static void certify_item(void *data, size_t index, struct workspace *ws)
{
    struct state *state = data;
    const struct spatial_graph *graph = state->problem->graph;
    struct sums *sums = &state->sums[index];
    *sums = (struct sums){0};
    size_t n_node_items = n_items(graph->n_nodes, ITEM_NODES);
    if (index < n_node_items) {
        size_t end = MIN((index + 1) * ITEM_NODES, graph->n_nodes);
        for (size_t v = index * ITEM_NODES; v < end; v++)
            certify_node(state, v, sums, ws);
        return;
    }
    size_t first = (index - n_node_items) * ITEM_EDGES;
    for (size_t e = first; e < MIN(first + ITEM_EDGES, graph->n_edges); e++)
        certify_edge(state, e, sums);
}

static bool certify(struct state *state, struct parallel *team, struct spatial_progress *progress)
{
    const struct spatial_problem *problem = state->problem;
    size_t count = n_sums(problem->graph);
    if (!parallel_for(team, count, certify_item, state))
        return false;
    struct sums all = {0};
    for (size_t i = 0; i < count; i++) {
        const struct sums *item = &state->sums[i];
        all.fit += item->fit;
        all.tv += item->tv;
        all.spatial += item->spatial;
        all.inner += item->inner;
        all.residual += item->residual;
        all.trivial += item->trivial;
        all.largest = fmax(all.largest, item->largest);
    }
    double feasible = all.largest > problem->lambda_t ? problem->lambda_t / all.largest : 1.0;
    double tau = all.residual > 0.0 ? all.inner / all.residual : 0.0;
    tau = fmax(fmin(tau, feasible), -feasible);
    double dual = tau * all.inner - 0.5 * tau * tau * all.residual;
    progress->objective = all.fit + problem->lambda_t * all.tv + problem->lambda_s * all.spatial;
    progress->duality_gap = progress->objective - dual;
    progress->relative_gap =
        all.trivial > 0.0 ? progress->duality_gap / all.trivial : progress->duality_gap;
    return true;
}

/* All of it */

static bool state_init(struct state *state, const struct spatial_problem *problem,
                       const struct spatial_options *options)
{
    const struct spatial_graph *graph = problem->graph;
    size_t n = problem->op->n_in;
    *state = (struct state){.problem = problem,
                            .options = options,
                            .n_time = n,
                            .bound = problem->kind == SPATIAL_TV ? problem->lambda_s / options->rho
                                                                 : INFINITY};
    state->s = g_try_new(float, MAX(graph->n_nodes * n, 1));
    state->difference = g_try_new(float, MAX(graph->n_edges * n, 1));
    state->share = g_try_new(double, MAX(graph->n_edges, 1));
    state->sums = g_try_new(struct sums, MAX(n_sums(graph), 1));
    if (state->s == NULL || state->difference == NULL || state->share == NULL ||
        state->sums == NULL)
        return false;
    state->set = segment_active_set_new(problem->op->filter, n, kernels_best());
    state->level = g_new(double, n);
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *ones = g_new(double, n);
    for (size_t t = 0; t < n; t++)
        ones[t] = 1.0;
    linop_apply_series(problem->op, ones, state->level, ws);
    state->level_norm2 = dot(state->level, state->level, n);
    return true;
}

static void state_clear(struct state *state)
{
    segment_active_set_free(state->set);
    g_free(state->level);
    g_free(state->s);
    g_free(state->difference);
    g_free(state->share);
    g_free(state->sums);
}

static bool iterate(struct state *state, struct parallel *team)
{
    const struct spatial_graph *graph = state->problem->graph;
    return parallel_for(team, n_items(graph->n_nodes, ITEM_NODES), step_nodes, state) &&
           parallel_for(team, n_sums(graph), step_edges, state);
}

static bool descend(struct state *state, struct parallel *team, spatial_visit *visit, void *data,
                    struct spatial_progress *last)
{
    const struct spatial_graph *graph = state->problem->graph;
    const struct spatial_options *options = state->options;
    if (!parallel_for(team, n_items(graph->n_nodes, ITEM_NODES), begin_nodes, state) ||
        !parallel_for(team, n_items(graph->n_edges, ITEM_EDGES), begin_edges, state))
        return false;
    if (state->problem->lambda_s == 0.0)
        return certify(state, team, last); // solved already, each alone
    for (size_t i = 1;; i++) {
        if (!iterate(state, team))
            return false;
        bool is_last = i >= options->max_iter;
        if (i % options->gap_every != 0 && !is_last)
            continue;
        if (!certify(state, team, last))
            return false;
        last->iteration = i;
        if (visit != NULL && !visit(data, last))
            return false;
        if (last->relative_gap <= options->tol || is_last)
            return true;
    }
}

bool spatial_solve(const struct spatial_problem *problem, const struct spatial_options *options,
                   struct parallel *team, spatial_visit *visit, void *data, float *u,
                   struct spatial_progress *last)
{
    g_assert(problem->op->filter != NULL && !problem->op->filter->full && options->gap_every > 0);
    *last = (struct spatial_progress){0};
    struct state state;
    bool done = state_init(&state, problem, options);
    state.u = u;
    done = done && descend(&state, team, visit, data, last);
    state_clear(&state);
    return done;
}
