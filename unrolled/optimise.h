// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "solvers/workspace.h"

#include <stdbool.h>
#include <stddef.h>

/** A function to be made small, of n parameters. */
struct objective {
    size_t n;

    /** The value at p and, unless gradient is NULL, its gradient. NaN counts as infinite. */
    double (*value)(void *data, const double *p, double *gradient);

    /** (optional) Moves p to the nearest allowed point. */
    void (*project)(void *data, double *p);

    /**
     * (optional) For optimise_adam: the value and gradient of one of n_parts parts of what value()
     * is the mean of, in a pass through all of them. NaN: stop.
     */
    double (*part)(void *data, size_t pass, size_t part, const double *p, double *gradient);
    size_t n_parts;

    /** Told every accepted step, or every pass of optimise_adam; false: stop. */
    bool (*accepted)(void *data, const double *p, double value);

    void *data;
};

/**
 * Limited-memory BFGS (Nocedal, 1980; 10 pairs) with a weak Wolfe line search: p moves to a point
 * of no greater value, by at most max_evaluations gradients. Stops where no step along the
 * gradient lowers the value any more. Returns the evaluations used.
 */
size_t optimise_lbfgs(const struct objective *objective, double *p, size_t max_evaluations);

/**
 * Gradient descent as in Ablin et al. (2019): the step begins at 1, grows `growth`-fold when the
 * value falls and is halved when it does not, back to half way, until it is below 1e-20.
 */
size_t optimise_descent(const struct objective *objective, double growth, double *p,
                        size_t max_evaluations);

/**
 * Adam (Kingma & Ba, 2015) on the parts, for max_passes through all of them. Its rate is a fraction
 * of the root mean square of p. After passes without a lesser value it begins afresh from the best
 * point, with a third of the rate; it ends at that point when the rate is a thousandth.
 */
size_t optimise_adam(const struct objective *objective, double rate, double *p, size_t max_passes);

/**
 * The least value of a function of one variable on a grid of n_grid increasing points, refined by
 * golden section between the neighbours of the best. Returns the place; *value: there.
 */
double optimise_scalar(double (*f)(void *data, double a), void *data, const double *grid,
                       size_t n_grid, double *value);
