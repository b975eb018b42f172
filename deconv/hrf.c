// SPDX-License-Identifier: BSD-3-Clause
// The table of models. Their formulas are in the files of their families, hrf_spec.c reads
// "name:key=value,...", hrf_shape.c measures.
#include "deconv/hrf.h"

#include "deconv/hrf_models.h"
#include "deconv/nearest.h"

#include <string.h>

static const struct hrf_model *const models[] = {
    &hrf_block,       &hrf_double_gamma,  &hrf_fir,        &hrf_gam,          &hrf_glover,
    &hrf_hemolearn,   &hrf_mion,          &hrf_mionn,      &hrf_nilearn_spm,  &hrf_nipy_afnit,
    &hrf_nipy_ddspmt, &hrf_nipy_dglovert, &hrf_nipy_dspmt, &hrf_nipy_glovert, &hrf_nipy_spmt,
    &hrf_pybold,      &hrf_pyta,          &hrf_scaled,     &hrf_spm,          &hrf_spm_fourier,
    &hrf_spm_gamma,   &hrf_spmg1,         &hrf_spmg2,      &hrf_spmg3,        &hrf_twogam,
    &hrf_wav,
};

const struct hrf_model *const *hrf_models(size_t *n)
{
    *n = G_N_ELEMENTS(models);
    return models;
}

const struct hrf_model *hrf_model_find(const char *name, GError **error)
{
    const char *names[G_N_ELEMENTS(models)];
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++) {
        names[i] = models[i]->name;
        if (strcmp(name, names[i]) == 0)
            return models[i];
    }
    size_t i = nearest_name(name, names, G_N_ELEMENTS(models));
    if (i < G_N_ELEMENTS(models))
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_NAME,
                    "hrf: \"%s\" is no model (did you mean \"%s\"?)", name, names[i]);
    else
        g_set_error(error, DECONV_ERROR, DECONV_ERROR_NAME,
                    "hrf: \"%s\" is no model; `taut hrf` lists them", name);
    return NULL;
}
