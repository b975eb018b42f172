// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/app_error.h"

#include <stdarg.h>

G_DEFINE_QUARK(app_error, app_error)

bool app_refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, APP_ERROR, APP_ERROR_USAGE, message);
    return false;
}
