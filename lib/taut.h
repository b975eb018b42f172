// SPDX-License-Identifier: BSD-3-Clause
/*
 * libtaut: sparse deconvolution, certified. C99 and C++; no other header is needed.
 *
 * What is built (problems, networks) is immutable and may be used by any number of threads at a
 * time. What a call needs to know about arrays, options and results is in the caller's memory.
 * Functions return TAUT_OK, or an enum taut_code and its text in *error, which may be NULL; those
 * that build return NULL instead. After a failure outputs may be half filled; what was given is as
 * it was. Nothing is printed, and nothing ends the program on bad arguments. Results are the same
 * bytes for any number of threads.
 *
 * Structs that begin with `size` may grow: they are filled by their init function, then changed.
 * The others will not.
 */
#ifndef TAUT_H
#define TAUT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TAUT_API __attribute__((visibility("default")))
#else
#define TAUT_API
#endif

enum { TAUT_API_MAJOR = 0, TAUT_API_MINOR = 1 };

/** The version of the library in use, "0.1.0". */
TAUT_API const char *taut_version(void);

/** TAUT_API_MAJOR << 16 | TAUT_API_MINOR of the library in use. */
TAUT_API uint32_t taut_api_version(void);

/**
 * The i-th name, i = 0, 1, ..., of what can be asked for by name, or NULL: of "tv-methods",
 * "lasso-methods", "hrf", "networks" ("lpgd-taut:conv" where there are variants), "rules".
 */
TAUT_API const char *taut_names(const char *of, size_t i);

/* Errors */

enum taut_code {
    TAUT_OK,
    TAUT_BAD_NAME,       /* no such method, rule, response, network */
    TAUT_BAD_VALUE,      /* an argument outside what is allowed, or that does not fit the others */
    TAUT_NOT_APPLICABLE, /* valid, but not for this problem */
    TAUT_NO_MEMORY,      /* more than the host's mem_limit, or than there is */
    TAUT_STOPPED         /* by the host */
};

/** What went wrong, UTF-8: "what: expected, found". */
typedef struct taut_error {
    int32_t code;
    char message[508];
} taut_error;

/* The host: threads, memory, stopping, telling */

typedef struct taut_host {
    uint32_t size;
    uint32_t n_threads; /* 0: one for each CPU that the process may run on */
    uint64_t mem_limit; /* bytes that one call may ask for; 0: no limit */
    /**
     * Asked on the calling thread, now and then, with the fraction done; 0: stop. NULL: never.
     */
    int (*go_on)(void *data, double fraction);
    /** Warnings of one line, on the calling thread. NULL: nobody listens. */
    void (*tell)(void *data, const char *text);
    void *data;
    const int32_t *stop; /* not 0: stop; may be set by any thread. NULL: never */
} taut_host;

/** All CPUs, no limit, nobody asked; a NULL host is the same. */
TAUT_API void taut_host_init(taut_host *host);

/* Arrays */

enum taut_type { TAUT_FLOAT64, TAUT_FLOAT32 };

/**
 * n_series series of n_samples numbers: sample t of series v is at
 * data[v * series_stride + t * sample_stride], strides in numbers, negative ones too. The caller's;
 * inputs are not written, and do not overlap outputs. float64 with sample_stride 1 is used in
 * place.
 */
typedef struct taut_array {
    void *data;
    size_t n_series;
    size_t n_samples;
    ptrdiff_t series_stride;
    ptrdiff_t sample_stride;
    int32_t type; /* enum taut_type */
    int32_t reserved;
} taut_array;

/** float64 series one after the other: an n_series x n_samples array in the order of C. */
TAUT_API taut_array taut_array_of(double *data, size_t n_series, size_t n_samples);

/* Responses */

/**
 * A haemodynamic response h_k at k tr_s seconds: "spm", "glover:ratio=0.35", ... *n: on entry the
 * room in h (NULL: 0), on return the samples that it has, of which the first `room` are stored.
 */
TAUT_API int taut_hrf(const char *model, double tr_s, double *h, size_t *n, taut_error *error);

/* Problems */

enum taut_kind {
    TAUT_TV,   /* min_u 1/2 ||x - A u||^2 + lambda sum_i |u_{i+1} - u_i| */
    TAUT_LASSO /* min_u 1/2 ||x - A u||^2 + lambda sum_i |u_i| */
};

typedef struct taut_problem taut_problem;

/**
 * TV with A the convolution with h (n_h samples, copied), (A u)_t = sum_k h_k u_{t-k}, of n_time
 * samples of x. full = 0: as many of u, with nothing before the first; else n_time - n_h + 1 of u.
 */
TAUT_API taut_problem *taut_problem_tv_filter(const double *h, size_t n_h, size_t n_time, int full,
                                              taut_error *error);

/** With a matrix: row-major n_out x n_in, copied. kind: enum taut_kind. */
TAUT_API taut_problem *taut_problem_matrix(int kind, const double *a, size_t n_out, size_t n_in,
                                           taut_error *error);

/** Samples of u and of x; each may be NULL. */
TAUT_API void taut_problem_shape(const taut_problem *problem, size_t *n_in, size_t *n_out);

/** Frees it (NULL: nothing), after the networks that were made for it. */
TAUT_API void taut_problem_free(taut_problem *problem);

/* Solving */

/** What became of a series. */
enum taut_status {
    TAUT_OUTSIDE,
    TAUT_SOLVED,     /* relative gap <= tol */
    TAUT_CONSTANT,   /* the input does not vary; solved all the same */
    TAUT_NONFINITE,  /* the input has a NaN or an infinity; u = 0 */
    TAUT_INACCURATE, /* the best point found */
    TAUT_SKIPPED
};

typedef struct taut_result {
    int32_t status; /* enum taut_status */
    int32_t reserved;
    double lambda;       /* used */
    double lambda_max;   /* from there on u is constant (TV) or zero (Lasso) */
    double objective;    /* at u */
    double duality_gap;  /* at least objective - minimum */
    double relative_gap; /* over the objective of the trivial solution */
    uint64_t n_jumps;    /* TV: changes of value; Lasso: entries that are not zero */
    uint64_t iterations; /* in the method's own unit */
} taut_result;

typedef struct taut_options {
    uint32_t size;
    int32_t safeguard;  /* networks: steps that would raise the objective are replaced; default 1 */
    const char *method; /* default "exact" */
    const char *rule;   /* of lambda; default "fixed" */
    double tol;         /* relative gap; default 1e-6 */
    uint64_t max_iter;  /* of iterative methods; default 100000 */
    uint64_t layers;    /* networks: layers to run; default 0: all */
    double certify;     /* networks: relative gap above which a series is solved exactly;
                           default 0: none is */
} taut_options;

TAUT_API void taut_options_init(taut_options *options);

/**
 * Solves every series of x (n_out samples) into u (n_in samples) and certifies it.
 *
 * lambda: one a series, > 0. rule "fixed": the lambda; "ratio": the fraction of its lambda_max; the
 * others, "ut", "lut", "mad", "aic", "bic", choose it, for TV, and lambda is NULL. options NULL:
 * the defaults. results: one a series, NULL: not wanted.
 */
TAUT_API int taut_solve(const taut_problem *problem, const taut_options *options,
                        const taut_host *host, const taut_array *x, const double *lambda,
                        const taut_array *u, taut_result *results, taut_error *error);

/**
 * The solutions of one series (x: n_out samples) at falling fractions `ratio` of its lambda_max,
 * one walk down the exact path: u has a series for each, and so has results (NULL: not wanted).
 */
TAUT_API int taut_path(const taut_problem *problem, const taut_host *host, const taut_array *x,
                       const double *ratio, const taut_array *u, taut_result *results,
                       taut_error *error);

/** The certificate of any u, by code that no method shares. lambda: one a series. */
TAUT_API int taut_certify(const taut_problem *problem, const taut_options *options,
                          const taut_host *host, const taut_array *x, const taut_array *u,
                          const double *lambda, taut_result *results, taut_error *error);

/** u = argmin 1/2 ||u - y||^2 + mu sum_i |u_{i+1} - u_i|; mu: one a series, >= 0. */
TAUT_API int taut_prox_tv(const taut_host *host, const taut_array *y, const double *mu,
                          const taut_array *u, taut_error *error);

/** Its derivative: from g = dLoss/du to dy = dLoss/dy and dmu = dLoss/dmu; either may be NULL. */
TAUT_API int taut_prox_tv_vjp(const taut_host *host, const taut_array *y, const double *mu,
                              const taut_array *g, const taut_array *dy, double *dmu,
                              taut_error *error);

/* Derivatives */

/**
 * What a derivative is asked of and where it goes; outputs that are NULL are not wanted. Sums over
 * the series run in their order.
 */
typedef struct taut_vjp {
    uint32_t size;
    uint32_t reserved;
    const taut_array *x;
    const double *lambda; /* one a series, > 0: of the results */
    const taut_array *u;  /* taut_solve_vjp: the solutions, as an exact method gave them */
    const taut_array *g;  /* dLoss/du */
    const taut_array *dx; /* dLoss/dx */
    double *dlambda;      /* dLoss/dlambda, one a series */
    double *dresponse;    /* dLoss/dh, n_h numbers, summed over the series */
    double *dmatrix;      /* dLoss/dA, row-major n_out x n_in, summed over the series */
    double *dparameters;  /* taut_network_apply_vjp: summed over the series */
    size_t *n_undefined;  /* series whose solution is not unique, or x not finite: they add 0 */
} taut_vjp;

TAUT_API void taut_vjp_init(taut_vjp *vjp);

/** The derivative through the solution, not through the iterations that found it. */
TAUT_API int taut_solve_vjp(const taut_problem *problem, const taut_host *host, const taut_vjp *vjp,
                            taut_error *error);

/* Cleaning */

typedef struct taut_clean_options {
    uint32_t size;
    int32_t confounds_have_cosines; /* add none of ours */
    const char *detrend;            /* "none", "constant", "linear", "cosine", "linear+cosine" */
    const char *standardize;        /* "none", "zscore", "psc" */
    double cosine_s;                /* the longest period kept, s */
    double low_hz, high_hz;         /* of a band-pass; 0: no such edge */
    const double *confounds;        /* n_time x n_confounds, column-major; NULL: none */
    size_t n_confounds;
    const uint8_t *censored; /* n_time: not 0 for frames that do not count; NULL: all count */
} taut_clean_options;

/** Cosines of 128 s, z-score. */
TAUT_API void taut_clean_options_init(taut_clean_options *options);

/**
 * Cleans series of frames every tr_s seconds in place, by the steps of nilearn.signal.clean.
 * Series that are not finite stay as they are.
 */
TAUT_API int taut_clean(const taut_clean_options *options, double tr_s, const taut_host *host,
                        const taut_array *y, taut_error *error);

/* Networks */

typedef struct taut_network taut_network;

/**
 * A network of untrained layers, equal to the iterative algorithm that it unrolls: "slista",
 * "lpgd-taut:conv", ... It borrows the problem.
 */
TAUT_API taut_network *taut_network_new(const char *name, size_t n_layers,
                                        const taut_problem *problem, taut_error *error);

/** A trained network from the bytes of its file (safetensors), made for the same operator. */
TAUT_API taut_network *taut_network_parse(const void *bytes, size_t n_bytes,
                                          const taut_problem *problem, taut_error *error);

/** The bytes of its file; for taut_free. */
TAUT_API int taut_network_write(const taut_network *network, void **bytes, size_t *n_bytes,
                                taut_error *error);

/** A copy with other parameters: n numbers, layer after layer. */
TAUT_API taut_network *taut_network_with(const taut_network *network, const double *parameters,
                                         size_t n, taut_error *error);

/** The parameters, layer after layer; returns how many. parameters may be NULL; else has room. */
TAUT_API size_t taut_network_parameters(const taut_network *network, double *parameters);

/** u = the network's output, certified. lambda and rule as for taut_solve. */
TAUT_API int taut_network_apply(const taut_network *network, const taut_options *options,
                                const taut_host *host, const taut_array *x, const double *lambda,
                                const taut_array *u, taut_result *results, taut_error *error);

/** The derivative through all layers of it, with the safeguard or without; vjp->u is not read. */
TAUT_API int taut_network_apply_vjp(const taut_network *network, const taut_options *options,
                                    const taut_host *host, const taut_vjp *vjp, taut_error *error);

typedef struct taut_train_options {
    uint32_t size;
    int32_t safeguard;     /* default 1 */
    const char *schedule;  /* "recursive" (default), "oneshot", "greedy" */
    const char *optimiser; /* "lbfgs" (default), "adam", "descent" */
    uint64_t max_iter;     /* gradients of all samples, split over the layers */
    uint64_t batch;        /* adam: samples a step; 0: all */
    uint32_t seed;
    uint32_t reserved;
    const taut_array *targets; /* what u shall be; NULL: the objective is the loss */
} taut_train_options;

TAUT_API void taut_train_options_init(taut_train_options *options);

/**
 * A trained copy of a network: never a greater loss on x than untrained. lambda: one a series, the
 * lambda itself. Stopped by the host: TAUT_STOPPED and NULL.
 */
TAUT_API taut_network *taut_train(const taut_network *network, const taut_train_options *options,
                                  const taut_host *host, const taut_array *x, const double *lambda,
                                  taut_error *error);

TAUT_API void taut_network_free(taut_network *network);

/* Sources of M/EEG */

enum taut_sensor { TAUT_MAG, TAUT_GRAD, TAUT_EEG };

/** The noise of sensors, in T, T/m and V. */
typedef struct taut_noise {
    uint32_t size;
    int32_t is_diagonal;       /* entries of the covariance off its diagonal are not known */
    const double *covariance;  /* n x n, symmetric */
    const int32_t *sensor;     /* n: enum taut_sensor */
    const double *projections; /* row-major n_projections x n: directions taken out of the data */
    size_t n;
    size_t n_projections;
} taut_noise;

/** No projections. */
TAUT_API void taut_noise_init(taut_noise *noise);

/**
 * W, row-major *rank x n, of what projections leave of the covariance C: W C W' = 1, MEG and EEG
 * apart, so that data and gains are whitened as W x, projected too. whitener: room for n x n.
 */
TAUT_API int taut_whitener(const taut_noise *noise, double *whitener, size_t *rank,
                           taut_error *error);

enum taut_orientation {
    TAUT_FIXED, /* one column a position, along the normal */
    TAUT_LOOSE, /* three: two tangents, less likely, and the normal */
    TAUT_FREE   /* three: x, y, z */
};

/** A forward solution of free orientation, and what is thought likely of its sources. */
typedef struct taut_forward {
    uint32_t size;
    int32_t orientation;    /* enum taut_orientation; default TAUT_LOOSE */
    const double *gain;     /* column-major n_sensors x (3 n_positions): of moments along x, y, z */
    const double *normals;  /* row-major n_positions x 3, of length 1; NULL will do for TAUT_FREE */
    const double *whitener; /* row-major rank x n_sensors */
    size_t n_sensors;
    size_t n_positions;
    size_t rank;
    double loose; /* weight of tangents, above 0, at most 1; default 0.2 */
    double depth; /* exponent against the preference for the surface; default 0.8, 0: none */
} taut_forward;

TAUT_API void taut_forward_init(taut_forward *forward);

/**
 * The gain of taut_sources, c W G diag(s) along the axes of each position, of which the squares sum
 * to `rank`. gain: column-major rank x (n_positions n_orient), n_orient = 1 (TAUT_FIXED) or 3.
 * weight: of each column, a row of X times it is an amplitude in A m. axes: of each column its
 * direction, 3 numbers. weight and axes may be NULL.
 */
TAUT_API int taut_gain(const taut_forward *forward, const taut_host *host, double *gain,
                       double *weight, double *axes, taut_error *error);

/** A window of whitened data and a whitened, weighted gain. */
typedef struct taut_sources_input {
    const double *gain; /* column-major: n_sensors x (n_positions n_orient) */
    const double *data; /* row-major: n_sensors x n_time */
    size_t n_sensors;
    size_t n_positions;
    size_t n_orient; /* 1 or 3 */
    size_t n_time;
} taut_sources_input;

typedef struct taut_sources_result {
    uint32_t size;
    int32_t converged;
    double alpha, alpha_max, objective;
    double relative_gap; /* l21: of the window; irl21: of its first round */
    size_t n_active;
    size_t *position; /* n_active, rising */
    double *x;        /* row-major n_active x n_orient x n_time */
    double *bias;     /* n_active; NULL until taut_sources_debias */
} taut_sources_result;

/**
 * model "l21": min 1/2 ||M - G X||^2 + alpha sum_k ||X_k||_F at alpha = ratio alpha_max; "irl21":
 * with sqrt(||X_k||_F). What it leaves in *result is freed by taut_sources_clear.
 */
TAUT_API int taut_sources(const char *model, const taut_sources_input *input, double ratio,
                          double tol, const taut_host *host, taut_sources_result *result,
                          taut_error *error);

/**
 * Scales the amplitudes of each position up, x_k <- bias_k x_k with bias_k >= 1, against the
 * shrinkage of the penalty: towards the least 1/2 ||M - G diag(bias) X||^2.
 */
TAUT_API int taut_sources_debias(const taut_sources_input *input, taut_sources_result *result,
                                 taut_error *error);

TAUT_API void taut_sources_clear(taut_sources_result *result);

/** Frees what a function above gave. */
TAUT_API void taut_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif
