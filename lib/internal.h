// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "lib/taut.h"

#include "solvers/parallel.h"
#include "solvers/solver.h"

struct taut_problem {
    linop *op;               // owned
    struct problem *problem; // owned
};

/** Fills *error (NULL: nobody asks) and returns the code. */
int lib_fail(taut_error *error, enum taut_code code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/** The same from an error of the libraries below. */
int lib_fail_by(taut_error *error, const GError *why);

/** Fails where an argument is NULL. */
int lib_require(const void *argument, const char *name, taut_error *error);

/**
 * Copies a struct of the caller's over the defaults in `to`, as far as the caller knows it. Fails
 * where it was not filled by its init function. given NULL: the defaults stay.
 */
int lib_take_struct(void *to, size_t size, const void *given, const char *name, taut_error *error);

/** The host with its defaults filled in. */
int lib_take_host(taut_host *to, const taut_host *given, taut_error *error);

/** Fails where the host's limit, or what the system has, does not allow so many bytes. */
int lib_reserve(const taut_host *host, double bytes, taut_error *error);

/** What solving n series of a problem takes, roughly from above; with_gram: G = M'M as well. */
double lib_solve_bytes(const struct problem *problem, const taut_host *host, size_t n_series,
                       bool with_gram);

/** Fails unless the array has data, that type of numbers, and that shape. */
int lib_check_array(const taut_array *array, const char *name, size_t n_series, size_t n_samples,
                    taut_error *error);

/** Fails unless every number is finite and at least `least` (above it where `above`). */
int lib_check_numbers(const double *numbers, size_t n, const char *name, double least, bool above,
                      taut_error *error);

/** Series [first, first + count): in place where they may be, else a copy in the workspace. */
struct block lib_read(const taut_array *array, size_t first, size_t count, struct workspace *ws);

/** Where series [first, first + count) are to be written; lib_write then stores them. */
struct block lib_room(const taut_array *array, size_t first, size_t count, struct workspace *ws);
void lib_write(const struct block *block, const taut_array *array, size_t first);

/** Does series [first, first + count); on any thread. */
typedef void lib_tile(void *data, size_t first, size_t count, struct workspace *ws);

/** All series, tile after tile, on the host's threads: TAUT_OK or TAUT_STOPPED. */
int lib_for_tiles(const taut_host *host, size_t n_series, lib_tile *tile, void *data,
                  taut_error *error);

/** Threads that n_series series are worth. */
size_t lib_n_threads(const taut_host *host, size_t n_series);

/** Whether the host asks to stop. */
bool lib_asked_to_stop(const taut_host *host);

taut_result lib_result(const struct series_result *result);

/** How lambda is found: made once a call. */
struct lib_lambda {
    const double *given;      // borrowed; NULL: the rule chooses
    bool is_ratio;            //
    struct lambda_rule *rule; // owned; NULL: given
};
int lib_lambda_new(struct lib_lambda *lambda, const taut_problem *problem, const char *rule,
                   const double *given, size_t n_series, taut_error *error);
void lib_lambda_clear(struct lib_lambda *lambda);

/** A solver run on the series of an array, with its results. */
struct lib_solve {
    const struct solver *solver;
    const struct lib_lambda *lambda;
    const taut_array *x, *u;
    taut_result *results; // NULL: not wanted
};
lib_tile lib_solve_tile;
