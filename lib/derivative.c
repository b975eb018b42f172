// SPDX-License-Identifier: BSD-3-Clause
#include "lib/derivative.h"

#include "unrolled/implicit.h"

#include <string.h>

void taut_vjp_init(taut_vjp *vjp)
{
    *vjp = (taut_vjp){.size = sizeof *vjp};
}

static int check_optional(const taut_array *array, const char *name, size_t n_series,
                          size_t n_samples, taut_error *error)
{
    return array == NULL ? TAUT_OK : lib_check_array(array, name, n_series, n_samples, error);
}

int lib_check_vjp(const taut_vjp *vjp, const linop *op, bool with_u, taut_error *error)
{
    int code = lib_require(vjp->x, "x", error);
    size_t n = code == TAUT_OK ? vjp->x->n_series : 0;
    if (code == TAUT_OK)
        code = lib_check_array(vjp->x, "x", n, op->n_out, error);
    if (code == TAUT_OK && with_u)
        code = lib_check_array(vjp->u, "u", n, op->n_in, error);
    if (code == TAUT_OK)
        code = lib_check_array(vjp->g, "g", n, op->n_in, error);
    if (code == TAUT_OK)
        code = check_optional(vjp->dx, "dx", n, op->n_out, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(vjp->lambda, n, "lambda", 0.0, true, error);
    return code;
}

struct solve_vjp {
    const struct problem *problem;
    const taut_vjp *asked;
    double *response;   // of each series, or NULL
    double *matrix;     // of the series under way, column-major, or NULL: one thread
    double *matrix_sum; // over the series, column-major
    bool *is_undefined; // one a series
};

static bool is_finite(const struct block *block, size_t v)
{
    return series_classify(block_series(block, v), block->n_time) != SERIES_NONFINITE;
}

static void add_matrix(const struct solve_vjp *job)
{
    size_t n = job->problem->op->n_in * job->problem->op->n_out;
    for (size_t i = 0; i < n && job->matrix != NULL; i++)
        job->matrix_sum[i] += job->matrix[i];
}

static void solve_vjp_tile(void *data, size_t first, size_t count, struct workspace *ws)
{
    const struct solve_vjp *job = data;
    const taut_vjp *asked = job->asked;
    const linop *op = job->problem->op;
    struct block x = lib_read(asked->x, first, count, ws);
    struct block u = lib_read(asked->u, first, count, ws);
    struct block g = lib_read(asked->g, first, count, ws);
    struct block dx = {op->n_out, count, op->n_out, WORKSPACE_ALLOC(ws, double, op->n_out *count)};
    for (size_t v = 0; v < count; v++) {
        double dlambda = 0.0;
        struct implicit_gradient gradient = {
            .x = block_series(&dx, v), .lambda = &dlambda, .matrix = job->matrix};
        if (job->response != NULL)
            gradient.response = job->response + (first + v) * op->filter->n;
        bool found = is_finite(&x, v) && is_finite(&u, v) && is_finite(&g, v) &&
                     implicit_backward(job->problem, block_series(&x, v), asked->lambda[first + v],
                                       block_series(&u, v), block_series(&g, v), &gradient, ws);
        job->is_undefined[first + v] = !found;
        if (found)
            add_matrix(job);
        else
            memset(gradient.x, 0, op->n_out * sizeof(double));
        if (!found && gradient.response != NULL)
            memset(gradient.response, 0, op->filter->n * sizeof(double));
        if (asked->dlambda != NULL)
            asked->dlambda[first + v] = found ? dlambda : 0.0;
    }
    if (asked->dx == NULL)
        return;
    struct block out = lib_room(asked->dx, first, count, ws);
    block_copy(&dx, &out);
    lib_write(&out, asked->dx, first);
}

static void store_sums(const struct solve_vjp *job)
{
    const taut_vjp *asked = job->asked;
    const linop *op = job->problem->op;
    size_t n_series = asked->x->n_series, n_undefined = 0;
    for (size_t v = 0; v < n_series; v++)
        n_undefined += job->is_undefined[v];
    if (asked->n_undefined != NULL)
        *asked->n_undefined = n_undefined;
    for (size_t k = 0; asked->dresponse != NULL && k < op->filter->n; k++) {
        asked->dresponse[k] = 0.0;
        for (size_t v = 0; v < n_series; v++)
            asked->dresponse[k] += job->response[v * op->filter->n + k];
    }
    for (size_t i = 0; asked->dmatrix != NULL && i < op->n_out; i++)
        for (size_t j = 0; j < op->n_in; j++)
            asked->dmatrix[i * op->n_in + j] = job->matrix_sum[j * op->n_out + i];
}

static int check_operator(const taut_vjp *vjp, const linop *op, taut_error *error)
{
    if (vjp->dresponse != NULL && op->filter == NULL)
        return lib_fail(error, TAUT_NOT_APPLICABLE,
                        "dresponse: expected a problem with a response, found a matrix");
    if (vjp->dmatrix != NULL && op->matrix == NULL)
        return lib_fail(error, TAUT_NOT_APPLICABLE,
                        "dmatrix: expected a problem with a matrix, found a response");
    return TAUT_OK;
}

static int run_solve_vjp(const taut_problem *problem, const taut_host *host, const taut_vjp *vjp,
                         taut_error *error)
{
    const linop *op = problem->op;
    size_t n_series = vjp->x->n_series, n_matrix = op->n_in * op->n_out;
    g_autofree bool *is_undefined = g_try_new0(bool, n_series + 1);
    g_autofree double *response =
        vjp->dresponse == NULL ? NULL : g_try_new0(double, n_series * op->filter->n + 1);
    g_autofree double *matrix = vjp->dmatrix == NULL ? NULL : g_try_new0(double, n_matrix);
    g_autofree double *matrix_sum = vjp->dmatrix == NULL ? NULL : g_try_new0(double, n_matrix);
    if (is_undefined == NULL || (vjp->dresponse != NULL && response == NULL) ||
        (vjp->dmatrix != NULL && (matrix == NULL || matrix_sum == NULL)))
        return lib_fail(error, TAUT_NO_MEMORY, "memory: no room for sums over the series");
    taut_host runs_on = *host;
    if (matrix != NULL) // one sum, in the order of the series
        runs_on.n_threads = 1;
    struct solve_vjp job = {problem->problem, vjp, response, matrix, matrix_sum, is_undefined};
    int code = lib_for_tiles(&runs_on, n_series, solve_vjp_tile, &job, error);
    if (code == TAUT_OK)
        store_sums(&job);
    return code;
}

int taut_solve_vjp(const taut_problem *problem, const taut_host *host, const taut_vjp *vjp,
                   taut_error *error)
{
    taut_host runs_on;
    taut_vjp taken;
    taut_vjp_init(&taken);
    if (lib_require(problem, "problem", error) != TAUT_OK ||
        lib_require(vjp, "vjp", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    int code = lib_take_struct(&taken, sizeof taken, vjp, "vjp", error);
    if (code == TAUT_OK)
        code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = lib_check_vjp(&taken, problem->op, true, error);
    if (code == TAUT_OK)
        code = check_operator(&taken, problem->op, error);
    if (code == TAUT_OK)
        code = lib_reserve(
            &runs_on, lib_solve_bytes(problem->problem, &runs_on, taken.x->n_series, false), error);
    return code == TAUT_OK ? run_solve_vjp(problem, &runs_on, &taken, error) : code;
}
