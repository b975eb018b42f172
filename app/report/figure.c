// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/figure.h"

#include "app/host/app_error.h"

// Not GSubprocess: it starts a thread of its own.
enum figure_outcome figure_draw(const char *folder, const char *script, GError **error)
{
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");
    if (gnuplot == NULL)
        return FIGURE_NO_GNUPLOT;
    g_autofree char *argument = g_strdup(script);
    char *arguments[] = {gnuplot, argument, NULL};
    g_autofree char *words = NULL;
    int status = 0;
    g_autoptr(GError) problem = NULL;
    if (g_spawn_sync(folder, arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &words,
                     &status, &problem) &&
        g_spawn_check_wait_status(status, NULL))
        return FIGURE_DRAWN;
    g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s/%s: gnuplot: %s", folder, script,
                problem != NULL ? problem->message : words);
    return FIGURE_FAILED;
}
