// SPDX-License-Identifier: BSD-3-Clause
#include "app/report/figure.h"

#include "app/host/app_error.h"
#include "io/publish.h"

#include <string.h>
#include <unistd.h>

static bool fail(const char *folder, const char *name, const char *words, GError **error)
{
    g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s/%s: gnuplot: %s", folder, name, words);
    return false;
}

// Not GSubprocess: it starts a thread of its own.
static bool run_gnuplot(char *gnuplot, const char *folder, const char *script, const char *hidden,
                        GError **error)
{
    g_autofree char *argument = g_strdup(script);
    g_autofree char *set_hidden = g_strdup_printf("hidden = '%s'", hidden);
    char defaults[] = "-d", execute[] = "-e";
    char *arguments[] = {gnuplot, defaults, execute, set_hidden, argument, NULL};
    g_autofree char *words = NULL;
    int status = 0;
    g_autoptr(GError) problem = NULL;
    return (g_spawn_sync(folder, arguments, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                         &words, &status, &problem) &&
            g_spawn_check_wait_status(status, NULL)) ||
           fail(folder, script, problem != NULL ? problem->message : words, error);
}

static bool ends_with(const char *bytes, size_t n, const char *end)
{
    size_t n_end = strlen(end);
    return n >= n_end && memcmp(bytes + n - n_end, end, n_end) == 0;
}

// gnuplot does not say that a disk is full: an image, SVG or PNG, is whole if it has its end.
static bool is_whole(const char *bytes, size_t n)
{
    enum { PNG_CHECKSUM = 4 };
    size_t n_text = n;
    while (n_text > 0 && g_ascii_isspace(bytes[n_text - 1]))
        n_text--;
    return ends_with(bytes, n_text, "</svg>") ||
           (n > PNG_CHECKSUM && ends_with(bytes, n - PNG_CHECKSUM, "IEND"));
}

static bool publish_image(const char *folder, const char *hidden, const char *name, bool overwrite,
                          GError **error)
{
    g_autofree char *drawn = g_strconcat(folder, "/", hidden, name, NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *bytes = NULL;
    gsize n = 0;
    if (!g_file_get_contents(drawn, &bytes, &n, NULL) || !is_whole(bytes, n))
        return fail(folder, name, "the image is cut (is the disk full?)", error);
    return publish_bytes(path, bytes, n, overwrite, error);
}

enum figure_outcome figure_draw(const char *folder, const char *script, const char *const *images,
                                bool overwrite, GError **error)
{
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");
    if (gnuplot == NULL)
        return FIGURE_NO_GNUPLOT;
    g_autofree char *prefix = publish_temporary_prefix();
    g_autofree char *hidden = g_strdup_printf("%s%08x-", prefix, g_random_int());
    bool drawn = run_gnuplot(gnuplot, folder, script, hidden, error);
    for (size_t i = 0; images[i] != NULL; i++) {
        drawn = drawn && publish_image(folder, hidden, images[i], overwrite, error);
        g_autofree char *path = g_strconcat(folder, "/", hidden, images[i], NULL);
        unlink(path);
    }
    return drawn ? FIGURE_DRAWN : FIGURE_FAILED;
}
