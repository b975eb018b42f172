// SPDX-License-Identifier: BSD-3-Clause
#include "lib/internal.h"

#include "deconv/hrf.h"
#include "deconv/hrf_conv.h"
#include "solvers/prox_tv.h"

#include <math.h>
#include <string.h>

int taut_hrf(const char *model, double tr_s, double *h, size_t *n, taut_error *error)
{
    if (lib_require(model, "model", error) != TAUT_OK || lib_require(n, "n", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    if (!(isfinite(tr_s) && tr_s > 0.0))
        return lib_fail(error, TAUT_BAD_VALUE, "tr_s: expected seconds above 0, found %g", tr_s);
    g_autoptr(GError) why = NULL;
    g_autoptr(owned_hrf) hrf = hrf_new(model, tr_s, &why);
    if (hrf == NULL)
        return lib_fail_by(error, why);
    size_t room = h == NULL ? 0 : *n;
    *n = hrf->n;
    if (room > 0)
        memcpy(h, hrf->h, MIN(room, hrf->n) * sizeof *h);
    return TAUT_OK;
}

static taut_problem *problem_of(linop *op, enum problem_kind kind)
{
    taut_problem *problem = g_new0(taut_problem, 1);
    problem->op = op;
    problem->problem = kind == PROBLEM_TV ? problem_new_tv(op) : problem_new_lasso(op);
    return problem;
}

static const taut_host anybody = {.size = sizeof anybody, .n_threads = 1};

taut_problem *taut_problem_tv_filter(const double *h, size_t n_h, size_t n_time, int full,
                                     taut_error *error)
{
    if (lib_require(h, "h", error) != TAUT_OK)
        return NULL;
    if (n_h > G_MAXINT / 4 || n_time > G_MAXINT / 4) {
        lib_fail(error, TAUT_BAD_VALUE, "problem: expected at most %d samples, found %zu and %zu",
                 G_MAXINT / 4, n_h, n_time);
        return NULL;
    }
    if (lib_reserve(&anybody, 64.0 * ((double) n_time + (double) n_h), error) != TAUT_OK)
        return NULL;
    g_autoptr(GError) why = NULL;
    enum hrf_conv_kind kind = full ? HRF_CONV_FULL : HRF_CONV_CAUSAL;
    linop *op = hrf_conv_new(h, n_h, n_time, kind, HRF_CONV_AUTO, &why);
    if (op == NULL) {
        lib_fail_by(error, why);
        return NULL;
    }
    return problem_of(op, PROBLEM_TV);
}

static int check_matrix(int kind, const double *a, size_t n_out, size_t n_in, taut_error *error)
{
    if (kind != TAUT_TV && kind != TAUT_LASSO)
        return lib_fail(error, TAUT_BAD_VALUE, "kind: expected TAUT_TV or TAUT_LASSO, found %d",
                        kind);
    if (lib_require(a, "a", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    if (n_out < 1 || n_in < 1 || n_out > G_MAXINT || n_in > G_MAXINT)
        return lib_fail(error, TAUT_BAD_VALUE,
                        "a: expected 1 to %d rows and columns, found %zu and %zu", G_MAXINT, n_out,
                        n_in);
    int code = lib_reserve(&anybody, 24.0 * (double) n_out * (double) n_in, error);
    for (size_t i = 0; code == TAUT_OK && i < n_out * n_in; i++)
        if (!isfinite(a[i]))
            code = lib_fail(error, TAUT_BAD_VALUE,
                            "a: row %zu, column %zu: expected a finite number, found %g", i / n_in,
                            i % n_in, a[i]);
    return code;
}

taut_problem *taut_problem_matrix(int kind, const double *a, size_t n_out, size_t n_in,
                                  taut_error *error)
{
    if (check_matrix(kind, a, n_out, n_in, error) != TAUT_OK)
        return NULL;
    g_autofree double *columns = g_try_new(double, n_out *n_in);
    if (columns == NULL) {
        lib_fail(error, TAUT_NO_MEMORY, "a: no memory for %zu x %zu numbers", n_out, n_in);
        return NULL;
    }
    for (size_t i = 0; i < n_out; i++)
        for (size_t j = 0; j < n_in; j++)
            columns[j * n_out + i] = a[i * n_in + j];
    return problem_of(linop_new_dense(columns, n_out, n_in),
                      kind == TAUT_TV ? PROBLEM_TV : PROBLEM_LASSO);
}

void taut_problem_shape(const taut_problem *problem, size_t *n_in, size_t *n_out)
{
    if (n_in != NULL)
        *n_in = problem == NULL ? 0 : problem->op->n_in;
    if (n_out != NULL)
        *n_out = problem == NULL ? 0 : problem->op->n_out;
}

void taut_problem_free(taut_problem *problem)
{
    if (problem == NULL)
        return;
    problem_free(problem->problem);
    linop_free(problem->op);
    g_free(problem);
}

double lib_solve_bytes(const struct problem *problem, const taut_host *host, size_t n_series,
                       bool with_gram)
{
    double n_in = (double) problem->op->n_in, n_out = (double) problem->op->n_out;
    double tile = (double) BLOCK_SERIES * 8.0 * 3.0 * (n_in + n_out);
    double bytes = (double) lib_n_threads(host, n_series) * (tile + 64.0 * (n_in + n_out));
    // The columns of the Lasso form, and G with its copy for factors.
    if (with_gram || problem->op->matrix != NULL)
        bytes += 8.0 * n_out * n_in;
    if (with_gram || (problem->op->matrix != NULL && n_in <= 2048.0))
        bytes += 16.0 * n_in * n_in;
    return bytes;
}

// The prox of every series, or its derivative.
struct prox {
    const taut_array *y, *u, *g, *dy;
    const double *mu;
    double *dmu;
};

static void prox_forward(const struct prox *prox, size_t first, size_t count, struct workspace *ws)
{
    struct block y = lib_read(prox->y, first, count, ws);
    struct block u = lib_room(prox->u, first, count, ws);
    for (size_t v = 0; v < count; v++) {
        double *out = block_series(&u, v);
        if (series_classify(block_series(&y, v), y.n_time) == SERIES_NONFINITE)
            for (size_t t = 0; t < y.n_time; t++)
                out[t] = NAN;
        else
            prox_tv(block_series(&y, v), y.n_time, prox->mu[first + v], out, NULL, ws);
    }
    lib_write(&u, prox->u, first);
}

static void prox_tile(void *data, size_t first, size_t count, struct workspace *ws)
{
    prox_forward(data, first, count, ws);
}

// Series v: dy and what is returned, dmu.
static double prox_derivative(const double *y, const double *g, size_t n, double mu, double *dy,
                              struct workspace *ws)
{
    if (series_classify(y, n) == SERIES_NONFINITE || mu == 0.0) {
        bool is_finite = series_classify(y, n) != SERIES_NONFINITE;
        for (size_t t = 0; t < n; t++)
            dy[t] = is_finite ? g[t] : 0.0;
        // At mu = 0 every difference is a jump; the derivative from above.
        double dmu = 0.0;
        for (size_t t = 1; t < n && is_finite; t++)
            dmu += (g[t - 1] - g[t]) * (double) ((y[t] > y[t - 1]) - (y[t] < y[t - 1]));
        return dmu;
    }
    double *u = WORKSPACE_ALLOC(ws, double, n);
    struct tv_segments segments = tv_segments_alloc(n, ws);
    prox_tv(y, n, mu, u, &segments, ws);
    return prox_tv_backward(&segments, g, dy);
}

static void prox_vjp_tile(void *data, size_t first, size_t count, struct workspace *ws)
{
    const struct prox *prox = data;
    struct block y = lib_read(prox->y, first, count, ws);
    struct block g = lib_read(prox->g, first, count, ws);
    struct block dy = {y.n_time, count, y.n_time, WORKSPACE_ALLOC(ws, double, y.n_time *count)};
    if (prox->dy != NULL)
        dy = lib_room(prox->dy, first, count, ws);
    for (size_t v = 0; v < count; v++) {
        size_t mark = workspace_mark(ws);
        double dmu = prox_derivative(block_series(&y, v), block_series(&g, v), y.n_time,
                                     prox->mu[first + v], block_series(&dy, v), ws);
        if (prox->dmu != NULL)
            prox->dmu[first + v] = dmu;
        workspace_release(ws, mark);
    }
    if (prox->dy != NULL)
        lib_write(&dy, prox->dy, first);
}

static int check_prox(const taut_array *y, const double *mu, const taut_array *other,
                      const char *name, taut_error *error)
{
    int code = lib_require(y, "y", error);
    if (code == TAUT_OK)
        code = lib_check_array(y, "y", y->n_series, y->n_samples, error);
    if (code == TAUT_OK && y->n_samples < 1)
        code = lib_fail(error, TAUT_BAD_VALUE, "y: expected 1 sample or more, found none");
    if (code == TAUT_OK)
        code = lib_check_array(other, name, y->n_series, y->n_samples, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(mu, y->n_series, "mu", 0.0, false, error);
    return code;
}

static int run_prox(const taut_host *given, struct prox *prox, lib_tile *tile, taut_error *error)
{
    taut_host host;
    int code = lib_take_host(&host, given, error);
    double threads = (double) lib_n_threads(&host, prox->y->n_series);
    if (code == TAUT_OK)
        code = lib_reserve(&host, threads * 8.0 * 128.0 * (double) prox->y->n_samples, error);
    if (code == TAUT_OK)
        code = lib_for_tiles(&host, prox->y->n_series, tile, prox, error);
    return code;
}

int taut_prox_tv(const taut_host *host, const taut_array *y, const double *mu, const taut_array *u,
                 taut_error *error)
{
    int code = check_prox(y, mu, u, "u", error);
    struct prox prox = {.y = y, .u = u, .mu = mu};
    return code == TAUT_OK ? run_prox(host, &prox, prox_tile, error) : code;
}

int taut_prox_tv_vjp(const taut_host *host, const taut_array *y, const double *mu,
                     const taut_array *g, const taut_array *dy, double *dmu, taut_error *error)
{
    int code = check_prox(y, mu, g, "g", error);
    if (code == TAUT_OK && dy != NULL)
        code = lib_check_array(dy, "dy", y->n_series, y->n_samples, error);
    struct prox prox = {.y = y, .g = g, .dy = dy, .mu = mu};
    prox.dmu = dmu;
    return code == TAUT_OK ? run_prox(host, &prox, prox_vjp_tile, error) : code;
}
