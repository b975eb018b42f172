// SPDX-License-Identifier: BSD-3-Clause
#include "lib/internal.h"

#include "deconv/lambda_rule.h"
#include "solvers/homotopy.h"
#include "solvers/methods.h"

#include <math.h>
#include <string.h>

void taut_options_init(taut_options *options)
{
    *options = (taut_options){.size = sizeof *options,
                              .safeguard = 1,
                              .method = "exact",
                              .rule = "fixed",
                              .tol = 1e-6,
                              .max_iter = 100000};
}

static bool find_rule(const char *name, enum lambda_kind *kind)
{
    for (size_t i = 0; i < LAMBDA_N_KINDS; i++)
        if (strcmp(lambda_kind_names[i], name) == 0) {
            *kind = (enum lambda_kind) i;
            return i != LAMBDA_MAP;
        }
    return false;
}

int lib_lambda_new(struct lib_lambda *lambda, const taut_problem *problem, const char *rule,
                   const double *given, size_t n_series, taut_error *error)
{
    *lambda = (struct lib_lambda){.given = given};
    enum lambda_kind kind;
    if (rule == NULL || !find_rule(rule, &kind))
        return lib_fail(error, TAUT_BAD_NAME,
                        "rule: expected aic, bic, fixed, lut, mad, ratio or ut, found %s",
                        rule == NULL ? "NULL" : rule);
    if (kind == LAMBDA_FIXED || kind == LAMBDA_RATIO) {
        lambda->is_ratio = kind == LAMBDA_RATIO;
        return lib_check_numbers(given, n_series, "lambda", 0.0, true, error);
    }
    lambda->given = NULL;
    if (problem->problem->kind != PROBLEM_TV)
        return lib_fail(error, TAUT_NOT_APPLICABLE,
                        "rule: %s is for TV: expected fixed or ratio for the Lasso", rule);
    g_autoptr(GError) why = NULL;
    lambda->rule = lambda_rule_new(problem->problem, kind, 0.0, &why);
    return lambda->rule == NULL ? lib_fail_by(error, why) : TAUT_OK;
}

void lib_lambda_clear(struct lib_lambda *lambda)
{
    lambda_rule_free(lambda->rule);
    lambda->rule = NULL;
}

// What the rule says of a tile. A series without variation has no lambda of its own: any will do.
static const double *choose(const struct lib_lambda *lambda, const struct block *x,
                            struct workspace *ws)
{
    struct lambda_choice *choices = WORKSPACE_ALLOC(ws, struct lambda_choice, x->n_series);
    double *chosen = WORKSPACE_ALLOC(ws, double, x->n_series);
    lambda_rule_apply(lambda->rule, x, NULL, choices, ws);
    for (size_t v = 0; v < x->n_series; v++)
        chosen[v] = choices[v].lambda;
    return chosen;
}

void lib_solve_tile(void *data, size_t first, size_t count, struct workspace *ws)
{
    const struct lib_solve *job = data;
    struct block x = lib_read(job->x, first, count, ws);
    struct block u = lib_room(job->u, first, count, ws);
    struct series_result results[BLOCK_SERIES];
    struct solve_input input = {
        .x = &x, .lambda_is_ratio = job->lambda->is_ratio, .first_series = first};
    input.lambda =
        job->lambda->rule != NULL ? choose(job->lambda, &x, ws) : job->lambda->given + first;
    solver_run(job->solver, &input, &u, results, ws);
    lib_write(&u, job->u, first);
    for (size_t v = 0; v < count && job->results != NULL; v++)
        job->results[first + v] = lib_result(&results[v]);
}

static int make_solver(const taut_problem *problem, const taut_options *given,
                       struct solver **solver, taut_error *error)
{
    enum problem_kind kind = problem->problem->kind;
    const struct method *method = given->method == NULL ? NULL : methods_find(kind, given->method);
    if (method == NULL) {
        g_autofree char *names = methods_names(kind);
        return lib_fail(error, TAUT_BAD_NAME, "method: expected %s, found %s", names,
                        given->method == NULL ? "NULL" : given->method);
    }
    if (lib_check_numbers(&given->tol, 1, "tol", 0.0, false, error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    struct solver_options options = solver_options_default();
    options.tol = given->tol;
    options.max_iter = given->max_iter;
    g_autoptr(GError) why = NULL;
    *solver = method->create(problem->problem, &options, &why);
    return *solver == NULL ? lib_fail_by(error, why) : TAUT_OK;
}

static bool needs_gram(const taut_options *options)
{
    static const char *const names[] = {"aic", "bic", "mad"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_strcmp0(options->rule, names[i]) == 0)
            return true;
    return g_strcmp0(options->method, "exact") != 0;
}

static int check_series(const taut_problem *problem, const taut_array *x, const taut_array *u,
                        taut_error *error)
{
    if (lib_require(problem, "problem", error) != TAUT_OK || lib_require(x, "x", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    int code = lib_check_array(x, "x", x->n_series, problem->op->n_out, error);
    return code == TAUT_OK ? lib_check_array(u, "u", x->n_series, problem->op->n_in, error) : code;
}

// Everything was checked: makes what the call needs, and runs it.
static int solve_all(const taut_problem *problem, const taut_options *options,
                     const taut_host *host, const struct lib_solve *given, const double *lambda,
                     taut_error *error)
{
    struct lib_lambda rule;
    g_autoptr(owned_solver) solver = NULL;
    int code = lib_lambda_new(&rule, problem, options->rule, lambda, given->x->n_series, error);
    if (code == TAUT_OK)
        code = make_solver(problem, options, &solver, error);
    struct lib_solve job = *given;
    job.solver = solver;
    job.lambda = &rule;
    if (code == TAUT_OK)
        code = lib_for_tiles(host, given->x->n_series, lib_solve_tile, &job, error);
    lib_lambda_clear(&rule);
    return code;
}

int taut_solve(const taut_problem *problem, const taut_options *options, const taut_host *host,
               const taut_array *x, const double *lambda, const taut_array *u, taut_result *results,
               taut_error *error)
{
    taut_options taken;
    taut_host runs_on;
    taut_options_init(&taken);
    int code = check_series(problem, x, u, error);
    if (code == TAUT_OK)
        code = lib_take_struct(&taken, sizeof taken, options, "options", error);
    if (code == TAUT_OK)
        code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = lib_reserve(
            &runs_on, lib_solve_bytes(problem->problem, &runs_on, x->n_series, needs_gram(&taken)),
            error);
    struct lib_solve job = {.x = x, .u = u, .results = results};
    return code == TAUT_OK ? solve_all(problem, &taken, &runs_on, &job, lambda, error) : code;
}

/* Certificates */

struct certify_job {
    const struct problem *problem;
    const taut_array *x, *u;
    const double *lambda;
    double tol;
    taut_result *results;
};

static void certify_tile(void *data, size_t first, size_t count, struct workspace *ws)
{
    const struct certify_job *job = data;
    struct block x = lib_read(job->x, first, count, ws);
    struct block u = lib_read(job->u, first, count, ws);
    for (size_t v = 0; v < count; v++) {
        const double *observed = block_series(&x, v), *point = block_series(&u, v);
        struct series_result result = {.status = series_classify(observed, x.n_time),
                                       .lambda = job->lambda[first + v]};
        if (series_classify(point, u.n_time) == SERIES_NONFINITE)
            result.status = SERIES_NONFINITE;
        if (result.status != SERIES_NONFINITE) {
            result.lambda_max = problem_lambda_max(job->problem, observed, ws);
            series_certify(job->problem, observed, point, job->tol, &result, ws);
        }
        job->results[first + v] = lib_result(&result);
    }
}

int taut_certify(const taut_problem *problem, const taut_options *options, const taut_host *host,
                 const taut_array *x, const taut_array *u, const double *lambda,
                 taut_result *results, taut_error *error)
{
    taut_options taken;
    taut_host runs_on;
    taut_options_init(&taken);
    int code = check_series(problem, x, u, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(lambda, x->n_series, "lambda", 0.0, false, error);
    if (code == TAUT_OK && x->n_series > 0)
        code = lib_require(results, "results", error);
    if (code == TAUT_OK)
        code = lib_take_struct(&taken, sizeof taken, options, "options", error);
    if (code == TAUT_OK)
        code = lib_check_numbers(&taken.tol, 1, "tol", 0.0, false, error);
    if (code == TAUT_OK)
        code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = lib_reserve(&runs_on,
                           lib_solve_bytes(problem->problem, &runs_on, x->n_series, false), error);
    if (code != TAUT_OK)
        return code;
    struct certify_job job = {problem->problem, x, u, lambda, taken.tol, results};
    return lib_for_tiles(&runs_on, x->n_series, certify_tile, &job, error);
}

/* The path of one series */

static int check_path(const taut_problem *problem, const taut_array *x, const double *ratio,
                      const taut_array *u, taut_error *error)
{
    if (lib_require(problem, "problem", error) != TAUT_OK || lib_require(u, "u", error) != TAUT_OK)
        return TAUT_BAD_VALUE;
    size_t n = u->n_series;
    int code = lib_check_array(x, "x", 1, problem->op->n_out, error);
    if (code == TAUT_OK)
        code = lib_check_array(u, "u", n, problem->op->n_in, error);
    if (code == TAUT_OK)
        code = lib_check_numbers(ratio, n, "ratio", 0.0, true, error);
    for (size_t i = 1; code == TAUT_OK && i < n; i++)
        if (ratio[i] > ratio[i - 1])
            code = lib_fail(error, TAUT_BAD_VALUE,
                            "ratio: entry %zu: expected falling numbers, found %g after %g", i,
                            ratio[i], ratio[i - 1]);
    if (code == TAUT_OK && lasso_form_size(problem->problem) > LASSO_FORM_MOST_GRAM_COLUMNS)
        code = lib_fail(error, TAUT_NOT_APPLICABLE, "path: expected at most %d unknowns, found %zu",
                        (int) LASSO_FORM_MOST_GRAM_COLUMNS, lasso_form_size(problem->problem));
    return code;
}

static int walk_path(const struct problem *problem, const struct block *x, const double *ratio,
                     const taut_array *to, taut_result *results, taut_error *error)
{
    size_t n = to->n_series;
    g_autoptr(owned_workspace) ws = workspace_new();
    g_autoptr(owned_lasso_form) form = lasso_form_new(problem, true);
    struct block u = lib_room(to, 0, n, ws);
    double *lambda = WORKSPACE_ALLOC(ws, double, n);
    double most = problem_lambda_max(problem, x->data, ws);
    for (size_t i = 0; i < n; i++)
        lambda[i] = ratio[i] * most;
    size_t n_done = homotopy_at(form, x->data, lambda, &u, NULL, ws);
    if (n_done < n)
        return lib_fail(error, TAUT_NOT_APPLICABLE,
                        "path: rounding ended it at entry %zu, ratio %g", n_done, ratio[n_done]);
    lib_write(&u, to, 0);
    for (size_t i = 0; i < n && results != NULL; i++) {
        struct series_result result = {
            .status = series_classify(x->data, x->n_time), .lambda = lambda[i], .lambda_max = most};
        series_certify(problem, x->data, block_series(&u, i), 1e-6, &result, ws);
        results[i] = lib_result(&result);
    }
    return TAUT_OK;
}

int taut_path(const taut_problem *problem, const taut_host *host, const taut_array *x,
              const double *ratio, const taut_array *u, taut_result *results, taut_error *error)
{
    taut_host runs_on;
    int code = check_path(problem, x, ratio, u, error);
    if (code == TAUT_OK)
        code = lib_take_host(&runs_on, host, error);
    if (code == TAUT_OK)
        code = lib_reserve(&runs_on, lib_solve_bytes(problem->problem, &runs_on, u->n_series, true),
                           error);
    if (code != TAUT_OK || u->n_series == 0)
        return code;
    g_autoptr(owned_workspace) ws = workspace_new();
    struct block series = lib_read(x, 0, 1, ws);
    if (series_classify(series.data, series.n_time) == SERIES_NONFINITE)
        return lib_fail(error, TAUT_BAD_VALUE, "x: expected finite numbers, found NaN or infinity");
    return walk_path(problem->problem, &series, ratio, u, results, error);
}
