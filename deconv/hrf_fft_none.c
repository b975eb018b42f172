// SPDX-License-Identifier: BSD-3-Clause
#include "deconv/hrf_fft.h"

#include <glib.h>

// A build without FFTW, whose licence the library would else have: sums are direct.

struct hrf_fft *hrf_fft_new(const double *h G_GNUC_UNUSED, size_t n_h G_GNUC_UNUSED,
                            size_t n_in G_GNUC_UNUSED)
{
    return NULL;
}

void hrf_fft_free(struct hrf_fft *fft)
{
    g_assert(fft == NULL);
}

void hrf_fft_filter(const struct hrf_fft *fft G_GNUC_UNUSED, bool conjugate G_GNUC_UNUSED,
                    const struct block *in G_GNUC_UNUSED, struct block *out G_GNUC_UNUSED,
                    struct workspace *ws G_GNUC_UNUSED)
{
    g_assert_not_reached();
}
