// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/run/run_options.h"

#include "solvers/solver.h"

#include <math.h>

struct run_options run_options_default(void)
{
    struct solver_options solver = solver_options_default();
    return (struct run_options){.auto_mask = true,
                                .auto_sidecar = true,
                                .clean = clean_options_default(),
                                .certify = NAN,
                                .lambda = 0.1,
                                .rule = LAMBDA_RATIO,
                                .tol = solver.tol,
                                .max_iter = solver.max_iter,
                                .images = RUN_ACTIVITY,
                                .compression = 1};
}

void run_options_clear(struct run_options *options)
{
    char *texts[] = {options->bold,           options->folder,     options->mask,
                     options->sidecar,        options->confounds,  options->confound_columns,
                     options->network,        options->lambda_map, options->hrf,
                     options->response,       options->solver,     options->config,
                     options->settings_sha256};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    preprocessing_clear(&options->words);
    g_strfreev(options->asked);
}
