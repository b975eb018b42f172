// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/problem.h"

#include <stdbool.h>

/** A parameter of a layer, row-major; a scalar is 1 x 1. */
struct tensor_shape {
    const char *name;
    size_t n_rows;
    size_t n_columns;
};

enum { LAYER_MAX_TENSORS = 8 };

struct layer_kind;

/** What the layers of one network share; immutable once made. */
struct layer_context {
    const struct layer_kind *kind; //
    const struct problem *problem; // borrowed
    const linop *op;               // A, of the problem
    const linop *design;           // what acts on the state: A, or A L in the synthesis form of TV
    linop *synthesis;              // owned; A L, or NULL
    double norm2;                  // design->norm2, L in the papers
    size_t n_inner;                // layers of an inner network, where the kind has one
    void *constants;               // the kind's own: fixed weights, norms; see layer_kind.prepare
};

/** One layer applied to the series of a block. */
struct layer_call {
    const struct layer_context *context;
    size_t index;                 // of the layer in the network
    const double *parameters;     // of this layer, tensor after tensor
    const struct block *x;        // n_out samples a series
    const double *lambda;         // one a series
    const struct block *in;       // n_state numbers a series
    const struct block *residual; // A u - x of the input's iterate u
    struct workspace *ws;
};

/**
 * A block of n_time numbers for each series of a call: around `memory`, or around scratch where
 * memory is NULL.
 */
static inline struct block layer_block(const struct layer_call *call, size_t n_time, double *memory)
{
    size_t size = n_time * call->in->n_series;
    if (memory == NULL)
        memory = WORKSPACE_ALLOC(call->ws, double, size);
    return (struct block){n_time, call->in->n_series, n_time, memory};
}

/** Where a backward pass leaves what it finds. NULL: not wanted. */
struct layer_gradient {
    struct block *in;   // set
    double *parameters; // added to, sums over the series
    struct block *x;    // added to
    double *lambda;     // added to
};

/**
 * A kind of layer: the map from one state to the next, its parameters and its exact derivative.
 *
 * A state holds n_state numbers a series, the iterate (u, z or v) first. Initial parameters make
 * the network equal to the iterative algorithm that it unrolls. Slots run on any thread, take
 * scratch from call->ws alone and cannot fail. Slots marked (optional) may be NULL.
 */
struct layer_kind {
    const char *network;       // "slista"
    const char *variant;       // "conv", or "" where there is one only
    int form;                  // which of the kinds that share their slots: the file's own enum
    enum problem_kind problem; //
    bool learns_threshold;     // where a kind has a variant without
    bool synthesis;            // TV in the synthesis form: the state is z, u = L z, z_1 is free
    bool one_threshold;        // of soft thresholds: one for all entries
    size_t default_inner;      // layers of the inner network; 0: has none

    /** (optional) Why the kind does not apply to the problem, or NULL. */
    const char *(*refuse)(const struct problem *problem);

    /** (optional) Makes context->constants from the rest; release frees them. */
    void (*prepare)(struct layer_context *context);
    void (*release)(struct layer_context *context);

    size_t (*n_state)(const struct layer_context *context);

    /** Fills the shapes of the tensors of layer `index`; returns how many. */
    size_t (*tensors)(const struct layer_context *context, size_t index,
                      struct tensor_shape shapes[LAYER_MAX_TENSORS]);

    /** The parameters of layer `index` of the iterative algorithm. */
    void (*init)(const struct layer_context *context, size_t index, double *parameters);

    /** (optional) Parameters of a layer `index` that changes nothing. */
    void (*identity)(const struct layer_context *context, size_t index, double *parameters);

    /**
     * (optional) The kind of one step size a layer that this kind can equal: its parameters are
     * affine in a step size, those of `identity` at 0 and of `init` at 1 / L.
     */
    const struct layer_kind *step_kind;

    /** (optional) Moves parameters to the nearest allowed ones: steps and thresholds >= 0. */
    void (*project)(const struct layer_context *context, size_t index, double *parameters);

    /** (optional) The state of a starting point u; without it the state is u. */
    void (*start)(const struct layer_context *context, const struct block *x, const struct block *u,
                  struct block *state, struct workspace *ws);

    /**
     * (optional) The point u of a state, and the adjoint of that map, which adds to x_gradient
     * where that is not NULL; without it u comes first in the state.
     */
    void (*output)(const struct layer_context *context, const struct block *state,
                   const struct block *x, struct block *u, struct workspace *ws);
    void (*output_adjoint)(const struct layer_context *context, const struct block *u_adjoint,
                           struct block *state_adjoint, struct block *x_gradient,
                           struct workspace *ws);

    /** Bytes a series that forward keeps for backward; series after series on the tape. */
    size_t (*tape_bytes)(const struct layer_context *context);

    /** The next state. tape: tape_bytes a series, or NULL when no backward pass will follow. */
    void (*forward)(const struct layer_call *call, struct block *out, void *tape);

    /** From dLoss/d(out) to dLoss/d(in, parameters, x, lambda), by the tape of the forward pass. */
    void (*backward)(const struct layer_call *call, const void *tape,
                     const struct block *out_adjoint, const struct layer_gradient *gradient);

    /**
     * (optional) The step of the plain algorithm with 1 / L from the layer's input, which never
     * raises the objective: what the safeguard falls back on. Same contract as forward and
     * backward. Without it the kind has no safeguard.
     */
    void (*descend)(const struct layer_call *call, struct block *out, void *tape);
    void (*descend_backward)(const struct layer_call *call, const void *tape,
                             const struct block *out_adjoint,
                             const struct layer_gradient *gradient);
};

extern const struct layer_kind layer_alista;
extern const struct layer_kind layer_condat_vu;
extern const struct layer_kind layer_condat_vu_step;
extern const struct layer_kind layer_dual_coupled;
extern const struct layer_kind layer_dual_lista;
extern const struct layer_kind layer_dual_step;
extern const struct layer_kind layer_first_step;
extern const struct layer_kind layer_hessian;
extern const struct layer_kind layer_lista;
extern const struct layer_kind layer_lista_coupled;
extern const struct layer_kind layer_lpgd_conv;
extern const struct layer_kind layer_lpgd_conv_threshold;
extern const struct layer_kind layer_lpgd_dense;
extern const struct layer_kind layer_lpgd_dense_threshold;
extern const struct layer_kind layer_lpgd_lista_fixed;
extern const struct layer_kind layer_lpgd_lista_per_layer;
extern const struct layer_kind layer_lpgd_lista_shared;
extern const struct layer_kind layer_lpgd_momentum;
extern const struct layer_kind layer_lpgd_step;
extern const struct layer_kind layer_slista;
extern const struct layer_kind layer_subgradient_step;
extern const struct layer_kind layer_synthesis_coupled;
extern const struct layer_kind layer_synthesis_dense;
extern const struct layer_kind layer_synthesis_step;
