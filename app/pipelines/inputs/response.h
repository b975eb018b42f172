// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "deconv/hrf.h"
#include "io/io_context.h"

/**
 * Whether "spm:delay=6", "my_hrf.txt" or "./h:norm=sum" names a file: what stands before the first
 * colon is no model, and has a slash or a point.
 */
bool response_is_file(const char *text);

/** The path of a response in a file, without what follows it; NULL for a model. Owned. */
char *response_path(const char *text);

/**
 * The response that a text asks for: a model with its parameters, or a file, PATH[:norm=WORD], of
 * one column sampled every tr_s seconds, or of two, times in seconds and values.
 * Errors: DECONV_ERROR for models; IO_ERROR_INPUT, naming the file, for files.
 */
struct hrf *response_load(const char *text, double tr_s, const struct io_context *io,
                          GError **error);
