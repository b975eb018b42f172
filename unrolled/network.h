// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "unrolled/layer.h"

#include "solvers/solver.h"

#include <glib.h>
#include <stdatomic.h>

enum unrolled_error {
    UNROLLED_ERROR_NAME,    // no such network, variant or tensor
    UNROLLED_ERROR_REFUSED, // valid, but not for this problem
    UNROLLED_ERROR_FILE,    // not a network's file, or a broken one
};
#define UNROLLED_ERROR (unrolled_error_quark())
GQuark unrolled_error_quark(void);

/** A stack of layers of one kind, each with parameters of its own. */
struct network {
    const struct layer_kind *kind; // static
    struct layer_context context;
    size_t depth;
    size_t *offsets;    // owned; depth + 1: where the parameters of each layer begin, and the end
    double *parameters; // owned; layer after layer
    double **stages;    // owned; stages[t - 1]: the t layers of the network trained to that depth,
                        // or NULL where it is the first t layers above
};

/** The table of layer kinds, in alphabetical order of network and variant. */
const struct layer_kind *const *network_kinds(size_t *n);

/** The problem that networks of a name are for. Error: UNROLLED_ERROR_NAME with the names. */
bool network_problem(const char *name, enum problem_kind *kind, GError **error);

struct network_size {
    size_t depth;
    size_t n_inner; // layers of the inner network, for the kinds that have one; 0: their default
};

/**
 * A network of untrained layers: it equals the iterative algorithm. variant NULL: the first of
 * that name. Error: UNROLLED_ERROR_NAME with what there is, or _REFUSED with the reason.
 */
struct network *network_new(const char *name, const char *variant, const struct problem *problem,
                            struct network_size size, GError **error);
void network_free(struct network *network);
typedef struct network owned_network; // for g_autoptr(owned_network)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(owned_network, network_free)

/** The same of a kind at hand; error: _REFUSED alone. */
struct network *network_new_of_kind(const struct layer_kind *kind, const struct problem *problem,
                                    struct network_size size, GError **error);

/** The parameters of layer `index` < depth. */
double *network_layer(const struct network *network, size_t index);

/** The parameters, layer after layer, that a pass of this depth uses. */
const double *network_stage(const struct network *network, size_t depth);

/** Makes layer `index` take a step of size a; the kind has a step_kind. */
void network_set_step(const struct network *network, size_t index, double a);

/** Keeps a copy of the first `depth` layers as the network of that depth. */
void network_keep_stage(struct network *network, size_t depth);

/** Forgets the networks of all smaller depths. */
void network_clear_stages(struct network *network);

/** Changes the depth; added layers are untrained. */
void network_resize(struct network *network, size_t depth);

/** The samples that one pass is about. */
struct network_input {
    const struct block *x;     // n_out samples a series
    const double *lambda;      // one a series, absolute
    const struct block *start; // n_in samples a series, where the network begins
    const struct block *state; // pass->first > 0: what enters that layer, by network_advance
};

/**
 * How far and how carefully a network is run. With the safeguard, a series whose objective a
 * layer would raise takes one step of the plain algorithm with 1 / L instead: the network is then
 * a descent method for every x. It costs nothing where the layer uses the residual anyway.
 */
struct network_pass {
    size_t first;                           // layer to begin with
    size_t depth;                           // the layer to end before, at most the network's depth
    bool safeguard;                         //
    const struct solver_observer *observer; // told u after each layer, 0 = start; or NULL
    size_t first_series;                    // for the observer
    size_t *n_rejected;                     // added to, one a layer; or NULL
};

/** u = the network's output, n_in samples a series. */
void network_forward(const struct network *network, const struct network_input *input,
                     const struct network_pass *pass, struct block *u, struct workspace *ws);

/** The state that leaves the pass, n_state numbers a series. */
void network_advance(const struct network *network, const struct network_input *input,
                     const struct network_pass *pass, struct block *state, struct workspace *ws);

/** What a network is asked to make small: its objective, its distance to targets, or <adjoint, u>.
 */
struct network_loss {
    const struct block *targets; // n_in samples a series: 1/2 ||u - target||^2; NULL: the objective
    const struct block *adjoint; // n_in numbers a series, or NULL; then targets is NULL
};

/**
 * The sum over the series of the loss after pass->depth layers, and its derivative: in the
 * parameters of those layers (added to; NULL: not wanted) and, through layers and
 * loss, in x, lambda (added to) and the first state (set), unless input_gradient is NULL. The start
 * is held fixed.
 */
double network_loss_gradient(const struct network *network, const struct network_input *input,
                             const struct network_pass *pass, const struct network_loss *loss,
                             double *gradient, const struct layer_gradient *input_gradient,
                             struct workspace *ws);

/** How a network is used as a method. */
struct network_use {
    size_t depth;                  // layers
    bool safeguard;                //
    const struct solver *fallback; // borrowed; NULL: what the network gives is the result
    double certify;                // relative gap above which the fallback solves the series
    atomic_size_t *n_finished;     // borrowed; counts the series that it solved; or NULL
    atomic_size_t *n_rejected;     // borrowed; a layer: counts the series that it was rejected for
};

/**
 * The network as a method, from options->start: what deconvolution and arrays ask of any solver.
 * As they do, it returns u with its best level, and the trivial solution from lambda_max on.
 * Series that it leaves above use->certify go to the fallback, which begins where the network
 * ended if it was made with START_GIVEN. network is borrowed; options->tol decides the status.
 */
struct solver *network_solver_new(const struct network *network, const struct network_use *use,
                                  const struct solver_options *options);
