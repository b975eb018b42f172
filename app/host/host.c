// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/host.h"

#include "io/staging.h"

#include <unistd.h>

bool host_stopped(const struct host *host, GError **error)
{
    if (!atomic_load(host->stop))
        return false;
    g_set_error_literal(error, APP_ERROR, APP_ERROR_STOPPED, "stopped");
    return true;
}

bool host_check_output(const struct host *host, const char *path, bool replaces, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    if (access(folder, W_OK | X_OK) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT,
                    "%s: expected a folder to write into, found none", folder);
        return false;
    }
    staging_sweep(folder);
    if (replaces || host->force || !g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    g_set_error(error, IO_ERROR, IO_ERROR_EXISTS, "%s: exists already (--force overwrites)", path);
    return false;
}

G_GNUC_PRINTF(3, 0)
static void tell(const struct host *host, enum host_line kind, const char *format, va_list args)
{
    if (host->say == NULL)
        return;
    g_autofree char *text = g_strdup_vprintf(format, args);
    host->say->line(host->say, kind, text);
}

void host_detail(const struct host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(host, HOST_DETAIL, format, args);
    va_end(args);
}

void host_info(const struct host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(host, HOST_INFO, format, args);
    va_end(args);
}

void host_warning(const struct host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(host, HOST_WARNING, format, args);
    va_end(args);
}

void host_error(const struct host *host, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(host, HOST_ERROR, format, args);
    va_end(args);
}

void host_hold(const struct host *host)
{
    if (host->say != NULL)
        host->say->hold(host->say, true);
}

void host_accept(const struct host *host)
{
    if (host->say != NULL)
        host->say->hold(host->say, false);
}

void host_progress_begin(const struct host *host, const char *stage)
{
    if (host->say != NULL)
        host->say->stage(host->say, stage);
}

void host_progress(const struct host *host, double fraction)
{
    if (host->say != NULL)
        host->say->progress(host->say, fraction);
}

void host_progress_value(const struct host *host, const char *name, double value)
{
    if (host->say != NULL)
        host->say->value(host->say, name, value);
}

void host_progress_end(const struct host *host)
{
    if (host->say != NULL)
        host->say->stage(host->say, NULL);
}
