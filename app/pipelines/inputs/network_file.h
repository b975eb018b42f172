// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "io/io_context.h"
#include "unrolled/params_file.h"

/** Reads and parses a network's file. Error: IO_ERROR_INPUT, `PATH: WHERE: expected, found`. */
struct params_file *network_file_read(const char *path, GError **error);

/** Writes it, whole or not at all. Errors: IO_ERROR_OUTPUT, IO_ERROR_EXISTS. */
bool network_file_write(const char *path, const struct network *network,
                        const struct training_record *record, bool overwrite, GError **error);

/**
 * The operator that a network was trained for, from its file; NULL with APP_ERROR_INPUT where the
 * file has only its checksum.
 */
linop *network_file_operator(const struct params_file *file, const char *path, GError **error);

/** The problem that it is for. Error: APP_ERROR_INPUT, as below naming the file. */
bool network_file_problem(const struct params_file *file, const char *path, enum problem_kind *kind,
                          GError **error);

/** params_file_network, with every reason as APP_ERROR_INPUT. */
struct network *network_file_network(const struct params_file *file, const char *path,
                                     const struct problem *problem, bool any_operator,
                                     GError **error);
