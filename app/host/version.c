// SPDX-License-Identifier: BSD-3-Clause
#include "app/host/version.h"

#include "solvers/kernels.h"

#include <cblas.h>
#include <complex.h>
#include <fftw3.h>
#include <string.h>

char *version_cpu(void)
{
    return g_strdup_printf("%s, %s", openblas_get_corename(), kernels_best()->name);
}

JsonObject *version_libraries(void)
{
    JsonObject *libraries = json_object_new();
    json_object_set_string_member(libraries, "FFTW", fftw_version);
    g_autofree char *glib =
        g_strdup_printf("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
    json_object_set_string_member(libraries, "GLib", glib);
    // "OpenBLAS 0.3.21 DYNAMIC_ARCH ...": the second word
    g_auto(GStrv) words = g_strsplit(openblas_get_config(), " ", -1);
    json_object_set_string_member(libraries, "OpenBLAS",
                                  g_strv_length(words) > 1 ? words[1] : "unknown");
    return libraries;
}
