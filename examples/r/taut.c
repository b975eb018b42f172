// SPDX-License-Identifier: BSD-3-Clause
/*
 * Taut for R: a matrix whose columns are series goes in and out without a copy.
 *
 *     PKG_CPPFLAGS="$(pkg-config --cflags taut)" PKG_LIBS="$(pkg-config --libs taut)" R CMD SHLIB
 * taut.c
 */
#define R_NO_REMAP
#include <R.h>
#include <Rinternals.h>
#include <taut.h>

SEXP taut_hrf_r(SEXP model, SEXP tr_s)
{
    taut_error error;
    size_t n = 0;
    const char *name = CHAR(STRING_ELT(model, 0));
    if (taut_hrf(name, Rf_asReal(tr_s), NULL, &n, &error) != TAUT_OK)
        Rf_error("%s", error.message);
    SEXP h = PROTECT(Rf_allocVector(REALSXP, (R_xlen_t) n));
    taut_hrf(name, Rf_asReal(tr_s), REAL(h), &n, &error);
    UNPROTECT(1);
    return h;
}

/* x: n_time x n_series; a list of u, of the same shape, lambda, gap and status. */
SEXP taut_deconvolve_r(SEXP x, SEXP h, SEXP ratio)
{
    size_t n_time = (size_t) Rf_nrows(x), n_series = (size_t) Rf_ncols(x);
    const char *names[] = {"u", "lambda", "gap", "status", ""};
    SEXP out = PROTECT(Rf_mkNamed(VECSXP, names));
    SET_VECTOR_ELT(out, 0, Rf_allocMatrix(REALSXP, (int) n_time, (int) n_series));
    for (int i = 1; i < 3; i++)
        SET_VECTOR_ELT(out, i, Rf_allocVector(REALSXP, (R_xlen_t) n_series));
    SET_VECTOR_ELT(out, 3, Rf_allocVector(INTSXP, (R_xlen_t) n_series));
    taut_result *results = (taut_result *) R_alloc(n_series, sizeof *results);
    double *lambda = (double *) R_alloc(n_series, sizeof *lambda);
    for (size_t v = 0; v < n_series; v++)
        lambda[v] = Rf_asReal(ratio);
    taut_array from = taut_array_of(REAL(x), n_series, n_time);
    taut_array to = taut_array_of(REAL(VECTOR_ELT(out, 0)), n_series, n_time);
    taut_options options;
    taut_options_init(&options);
    options.rule = "ratio";
    taut_error error;
    taut_problem *problem =
        taut_problem_tv_filter(REAL(h), (size_t) Rf_length(h), n_time, 0, &error);
    int code = problem == NULL
                   ? error.code
                   : taut_solve(problem, &options, NULL, &from, lambda, &to, results, &error);
    taut_problem_free(problem);
    if (code != TAUT_OK)
        Rf_error("%s", error.message);
    for (size_t v = 0; v < n_series; v++) {
        REAL(VECTOR_ELT(out, 1))[v] = results[v].lambda;
        REAL(VECTOR_ELT(out, 2))[v] = results[v].relative_gap;
        INTEGER(VECTOR_ELT(out, 3))[v] = results[v].status;
    }
    UNPROTECT(1);
    return out;
}
