// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/mixture.h"

#include "solvers/lasso_form.h"
#include "solvers/median.h"
#include "solvers/random.h"

#include <math.h>
#include <string.h>

enum { N_DRAWS = 300, RANDOM_MIXTURE = 0x3c };

struct mixture {
    const struct problem *tv; // borrowed
    struct lasso_form *jumps; // owned; of tv; NULL: no blocks
    size_t n_jumps;           //
    double *spike_level;      // owned; <S, A e_j> / <S, S>
    double kappa;
    linop *op;               // owned; dense
    struct problem *problem; // owned; on op
};

// Pi A e_j, n_out each, and what Pi takes out of them.
static void fill_spikes(struct mixture *mixture, double *matrix)
{
    const linop *op = mixture->tv->op;
    struct workspace *ws = workspace_new();
    double *u = WORKSPACE_ALLOC(ws, double, op->n_in);
    for (size_t j = 0; j < op->n_in; j++) {
        double *column = matrix + j * op->n_out;
        memset(u, 0, op->n_in * sizeof *u);
        u[j] = 1.0;
        linop_apply_series(op, u, column, ws);
        mixture->spike_level[j] = problem_trivial_level(mixture->tv, column);
        for (size_t t = 0; t < op->n_out; t++)
            column[t] -= mixture->spike_level[j] * mixture->tv->level[t];
    }
    workspace_free(ws);
}

// Medians over white noise of the largest correlation with jumps, and with spikes.
static double find_kappa(const struct mixture *mixture, const linop *spikes)
{
    size_t n = spikes->n_out;
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autofree double *jump = g_new(double, N_DRAWS), *spike = g_new(double, N_DRAWS);
    double *x = WORKSPACE_ALLOC(ws, double, n), *c = WORKSPACE_ALLOC(ws, double, spikes->n_in);
    for (size_t i = 0; i < N_DRAWS; i++) {
        struct random_stream stream = random_stream_of(1, RANDOM_MIXTURE, i);
        random_normal(&stream, x, n);
        jump[i] = problem_lambda_max(mixture->tv, x, ws);
        linop_adjoint_series(spikes, x, c, ws);
        spike[i] = 0.0;
        for (size_t j = 0; j < spikes->n_in; j++)
            spike[i] = fmax(spike[i], fabs(c[j]));
    }
    double of_jumps = median(jump, N_DRAWS), of_spikes = median(spike, N_DRAWS);
    return of_jumps > 0.0 && of_spikes > 0.0 ? MIXTURE_SPIKE_PRICE * of_spikes / of_jumps : 1.0;
}

struct mixture *mixture_new(const struct problem *tv, const struct mixture_parts *parts)
{
    g_assert(tv->kind == PROBLEM_TV && tv->op->n_in > 1);
    g_assert(!parts->blocks || !parts->positive);
    size_t n_out = tv->op->n_out, n_in = tv->op->n_in, n_jumps = parts->blocks ? n_in - 1 : 0;
    struct mixture *mixture = g_new0(struct mixture, 1);
    mixture->tv = tv;
    mixture->n_jumps = n_jumps;
    mixture->jumps = parts->blocks ? lasso_form_new(tv, false) : NULL;
    mixture->spike_level = g_new0(double, n_in);
    g_autofree double *matrix = g_new(double, n_out *(n_jumps + n_in));
    if (parts->blocks)
        memcpy(matrix, mixture->jumps->matrix, n_out * n_jumps * sizeof *matrix);
    double *spikes = matrix + n_out * n_jumps;
    fill_spikes(mixture, spikes);
    g_autoptr(linop) spike_op = linop_new_dense(spikes, n_out, n_in);
    mixture->kappa = parts->blocks ? find_kappa(mixture, spike_op) : 1.0;
    for (size_t i = 0; i < n_out * n_in; i++)
        spikes[i] /= mixture->kappa;
    mixture->op = linop_new_dense(matrix, n_out, n_jumps + n_in);
    mixture->problem =
        parts->positive ? problem_new_positive_lasso(mixture->op) : problem_new_lasso(mixture->op);
    return mixture;
}

void mixture_free(struct mixture *mixture)
{
    if (mixture == NULL)
        return;
    problem_free(mixture->problem);
    linop_free(mixture->op);
    lasso_form_free(mixture->jumps);
    g_free(mixture->spike_level);
    g_free(mixture);
}

const struct problem *mixture_problem(const struct mixture *mixture)
{
    return mixture->problem;
}

double mixture_kappa(const struct mixture *mixture)
{
    return mixture->kappa;
}

void mixture_expand(const struct mixture *mixture, const double *x, const double *z, double *u,
                    double *spikes)
{
    size_t n = mixture->tv->op->n_in;
    double level = 0.0;
    for (size_t i = 0; i < n && mixture->jumps == NULL; i++)
        u[i] = problem_trivial_level(mixture->tv, x);
    if (mixture->jumps != NULL)
        lasso_form_expand(mixture->jumps, x, z, u);
    for (size_t i = 0; i < n; i++) {
        spikes[i] = z[mixture->n_jumps + i] / mixture->kappa;
        level += spikes[i] * mixture->spike_level[i];
    }
    for (size_t i = 0; i < n; i++)
        u[i] += spikes[i] - level;
}
