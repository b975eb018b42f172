// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <json-glib/json-glib.h>

/** The commit that this program was built from, or "unknown". Static. */
const char *version_build(void);

/** The processor type that BLAS chose its kernels for, and ours: "Zen, avx2". Owned. */
char *version_cpu(void);

/** The libraries that numbers depend on, with their versions: {"FFTW": "3.3.10", ...}. */
JsonObject *version_libraries(void);
