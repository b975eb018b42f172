// SPDX-License-Identifier: BSD-3-Clause
#include "app/figure.h"

#include "app/command.h"

#include <gio/gio.h>

enum figure_outcome figure_draw(const char *folder, const char *script, GError **error)
{
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");
    if (gnuplot == NULL)
        return FIGURE_NO_GNUPLOT;
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(
        G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_set_cwd(launcher, folder);
    g_autoptr(GError) problem = NULL;
    const char *const arguments[] = {gnuplot, script, NULL};
    g_autoptr(GSubprocess) process = g_subprocess_launcher_spawnv(launcher, arguments, &problem);
    g_autofree char *words = NULL;
    if (process != NULL &&
        g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &words, &problem) &&
        g_subprocess_get_successful(process))
        return FIGURE_DRAWN;
    g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s/%s: gnuplot: %s", folder, script,
                problem != NULL ? problem->message : words);
    return FIGURE_FAILED;
}
