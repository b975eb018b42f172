// SPDX-License-Identifier: BSD-3-Clause
// Whether options go together, and what the training depends on.
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/outputs/input_file.h"
#include "app/pipelines/train/training.h"

#include <math.h>

static bool check_operator(const struct training_options *options, GError **error)
{
    const struct sources_options *leadfield = &options->leadfield;
    const struct operator_options *op = &options->op;
    if ((leadfield->forward == NULL) != (leadfield->noise_cov == NULL))
        return app_refuse(error, "train: --forward FWD.fif and --noise-cov COV.fif go together");
    if (leadfield->forward != NULL && g_str_equal(leadfield->noise_cov, "baseline"))
        return app_refuse(error, "--noise-cov: expected a file for a training, found \"baseline\"");
    if (leadfield->forward != NULL && (op->matrix != NULL || op->response != NULL))
        return app_refuse(error, "train: expected one operator, found --forward and another");
    if (leadfield->forward == NULL && options->data == NULL)
        return app_refuse(error, "train: expected --data X.npy");
    if (op->response != NULL && op->matrix != NULL)
        return app_refuse(error, "train: expected --hrf or --operator, found both");
    if (op->response != NULL && isnan(op->tr_s) && !response_is_file(op->response))
        return app_refuse(error, "train: expected --tr S, to sample the model of --hrf");
    return true;
}

bool training_check(const struct training *training, GError **error)
{
    const struct training_options *options = &training->options;
    if (!check_operator(options, error))
        return false;
    bool supervised = options->loss.index == LOSS_SUPERVISED;
    if (supervised != (options->targets != NULL))
        return app_refuse(error, "train: --loss supervised and --targets Z.npy go together");
    if (supervised && options->validation != NULL)
        return app_refuse(error, "train: --validation needs a loss without --targets");
    return host_check_output(training->host, options->output, training->overwrite, error) &&
           (options->checkpoint == NULL ||
            host_check_output(training->host, options->checkpoint, true, error));
}

GPtrArray *training_inputs(const struct training_options *options)
{
    g_autofree char *response =
        options->op.response == NULL ? NULL : response_path(options->op.response);
    const struct {
        const char *role;
        const char *path;
    } named[] = {{"data", options->data},
                 {"validation", options->validation},
                 {"targets", options->targets},
                 {"operator", options->op.matrix},
                 {"response", response},
                 {"forward", options->leadfield.forward},
                 {"noise_cov", options->leadfield.noise_cov},
                 {"events", options->leadfield.events}};
    GPtrArray *inputs = input_files_new();
    for (size_t i = 0; i < G_N_ELEMENTS(named); i++)
        if (named[i].path != NULL)
            input_files_add(inputs, named[i].role, named[i].path);
    return inputs;
}
