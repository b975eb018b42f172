// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <glib.h>
#include <stdbool.h>

/** Why a job or a command was not done; main.c has the exit status of each. */
enum app_error {
    APP_ERROR_HELP,     // no error: the message is the help that was asked for
    APP_ERROR_USAGE,    // one line
    APP_ERROR_CONFIG,   // one line a problem
    APP_ERROR_INPUT,    //
    APP_ERROR_OUTPUT,   //
    APP_ERROR_STOPPED,  // by a signal
    APP_ERROR_UNSOLVED, // inputs and settings are good, but nothing could be solved
};
#define APP_ERROR (app_error_quark())
GQuark app_error_quark(void);

/** Sets APP_ERROR_USAGE with that message; false. */
bool app_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
