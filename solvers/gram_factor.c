// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/gram_factor.h"

#include <math.h>
#include <string.h>

// Below this part of its squared norm, what a column adds to the span of S is rounding.
#define DEPENDENT 1e-11

enum { FIRST_CAPACITY = 64 };

struct gram_factor gram_factor_begin(const struct gram *gram, struct workspace *ws)
{
    size_t most = triangle_padded(gram->rank + 1);
    size_t capacity = MIN(most, (size_t) FIRST_CAPACITY);
    return (struct gram_factor){.gram = gram,
                                .ws = ws,
                                .capacity = capacity,
                                .index = WORKSPACE_ALLOC(ws, size_t, most),
                                .rows = WORKSPACE_ALLOC(ws, double, triangle_row(capacity)),
                                .y = WORKSPACE_ALLOC(ws, double, most),
                                .cross = WORKSPACE_ALLOC(ws, double, most),
                                .overlap = WORKSPACE_ALLOC(ws, double, most)};
}

static void make_room(struct gram_factor *factor)
{
    if (factor->n < factor->capacity)
        return;
    size_t capacity = MIN(2 * factor->capacity, triangle_padded(factor->gram->rank + 1));
    double *rows = WORKSPACE_ALLOC(factor->ws, double, triangle_row(capacity));
    memcpy(rows, factor->rows, triangle_row(factor->capacity) * sizeof(double));
    factor->rows = rows;
    factor->capacity = capacity;
}

static void clear_padding(double *v, size_t n)
{
    for (size_t i = n; i < triangle_padded(n); i++)
        v[i] = 0.0;
}

bool gram_factor_add(struct gram_factor *factor, size_t j, double rhs)
{
    const struct gram *gram = factor->gram;
    const double *column = gram->values + j * gram->ld;
    size_t n = factor->n;
    for (size_t i = 0; i < n; i++)
        factor->cross[i] = column[factor->index[i]];
    clear_padding(factor->cross, n);
    gram->kernels->multiply(factor->rows, n, factor->cross, factor->overlap);

    double norm2 = column[j];
    for (size_t i = 0; i < n; i++) {
        norm2 -= factor->overlap[i] * factor->overlap[i];
        rhs -= factor->overlap[i] * factor->y[i];
    }
    if (n == gram->rank || !(norm2 > DEPENDENT * column[j]))
        return false;

    // The new row is (-overlap' N, 1) / sqrt(norm2).
    make_room(factor);
    double *row = factor->rows + triangle_row(n);
    double scale = 1.0 / sqrt(norm2);
    gram->kernels->multiply_transposed(factor->rows, n, factor->overlap, row);
    for (size_t i = 0; i < n; i++)
        row[i] *= -scale;
    row[n] = scale;
    clear_padding(row, n + 1);
    factor->index[n] = j;
    factor->y[n] = scale * rhs;
    factor->n = n + 1;
    return true;
}

void gram_factor_drop(struct gram_factor *factor, size_t q)
{
    size_t n = factor->n;
    double *carry = factor->cross;
    memset(carry, 0, triangle_padded(n) * sizeof(double));
    memcpy(carry, factor->rows + triangle_row(q), triangle_padded(q + 1) * sizeof(double));
    double carry_y = factor->y[q];

    // Each rotation moves entry q of a row into the carried row, which is dropped at the end; what
    // is left of row i, less column q, is row i - 1.
    for (size_t i = q + 1; i < n; i++) {
        double *row = factor->rows + triangle_row(i);
        double length = sqrt(carry[q] * carry[q] + row[q] * row[q]);
        double c = row[q] / length;
        double s = carry[q] / length;
        factor->gram->kernels->rotate(c, s, carry, row, triangle_padded(i + 1));
        double y = factor->y[i];
        factor->y[i - 1] = c * carry_y - s * y;
        carry_y = s * carry_y + c * y;

        double *above = factor->rows + triangle_row(i - 1);
        memcpy(above, row, q * sizeof(double));
        memcpy(above + q, row + q + 1, (i - q) * sizeof(double));
        clear_padding(above, i);
        factor->index[i - 1] = factor->index[i];
    }
    factor->n = n - 1;
}

void gram_factor_solve(const struct gram_factor *factor, double *solution)
{
    factor->gram->kernels->multiply_transposed(factor->rows, factor->n, factor->y, solution);
}

void gram_factor_null_direction(const struct gram_factor *factor, double *direction)
{
    factor->gram->kernels->multiply_transposed(factor->rows, factor->n, factor->overlap, direction);
    for (size_t i = 0; i < factor->n; i++)
        direction[i] = -direction[i];
}

void gram_factor_apply_inverse(const struct gram_factor *factor, double *v)
{
    clear_padding(v, factor->n);
    factor->gram->kernels->multiply(factor->rows, factor->n, v, factor->overlap);
    factor->gram->kernels->multiply_transposed(factor->rows, factor->n, factor->overlap, v);
}
