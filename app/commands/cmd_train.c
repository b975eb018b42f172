// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/train/training.h"
#include "app/settings/tables.h"

#include <math.h>
#include <stdio.h>

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

static bool check_options(const struct training *training, GError **error)
{
    const struct training_options *options = &training->options;
    if (!check_operator(options, error))
        return false;
    bool supervised = options->loss.index == LOSS_SUPERVISED;
    if (supervised != (options->targets != NULL))
        return app_refuse(error, "train: --loss supervised and --targets Z.npy go together");
    if (supervised && options->validation != NULL)
        return app_refuse(error, "train: --validation needs a loss without --targets");
    return host_check_output(training->host, options->output, false, error) &&
           (options->checkpoint == NULL ||
            host_check_output(training->host, options->checkpoint, true, error));
}

static JsonArray *losses(const struct training *training, bool end, bool validation)
{
    JsonArray *array = json_array_new();
    for (size_t i = 0; i < training->n_stages; i++) {
        const struct train_stage *stage = &training->stages[i];
        double loss = end ? stage->loss_end : stage->loss_start;
        json_array_add_double_element(array, validation ? stage->validation_end : loss);
    }
    return array;
}

static JsonObject *to_json(const struct training *training)
{
    const struct network *network = training->net;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "train");
    json_object_set_string_member(object, "version", TAUT_VERSION);
    json_object_set_string_member(object, "network", network->kind->network);
    json_object_set_string_member(object, "variant", network->kind->variant);
    json_object_set_int_member(object, "layers", (gint64) network->depth);
    json_object_set_int_member(object, "parameters", (gint64) network->offsets[network->depth]);
    JsonObject *loss = json_object_new();
    json_object_set_array_member(loss, "start", losses(training, false, false));
    json_object_set_array_member(loss, "end", losses(training, true, false));
    json_object_set_object_member(object, "loss", loss);
    json_object_set_array_member(object, "validation_loss",
                                 training->validation.x == NULL ? json_array_new()
                                                                : losses(training, true, true));
    size_t n_gradients = 0;
    for (size_t i = 0; i < training->n_stages; i++)
        n_gradients += training->stages[i].iterations;
    json_object_set_int_member(object, "gradients", (gint64) n_gradients);
    json_object_set_int_member(object, "stages_resumed", (gint64) training->n_resumed);
    json_object_set_double_member(object, "seconds", training->seconds);
    return object;
}

static void print_summary(const struct training *training)
{
    const struct network *network = training->net;
    printf("%s: %s%s%s, %zu layers, %zu parameters, %zu series, %.1f s\n", training->options.output,
           network->kind->network, *network->kind->variant == '\0' ? "" : " ",
           network->kind->variant, network->depth, network->offsets[network->depth],
           training->train.x->n_rows, training->seconds);
    printf("  layers   untrained loss     trained loss%s\n",
           training->validation.x == NULL ? "" : "  validation loss");
    for (size_t i = 0; i < training->n_stages; i++) {
        const struct train_stage *stage = &training->stages[i];
        printf("  %6zu %16.10g %16.10g", stage->depth, stage->loss_untrained, stage->loss_end);
        if (training->validation.x != NULL)
            printf(" %16.10g", stage->validation_end);
        printf("\n");
    }
}

static bool run(struct app *app, struct training *training, GError **error)
{
    if (!check_options(training, error) || !training_plan(training, error))
        return false;
    log_accept(app->log);
    if (!training_execute(training, error))
        return false;
    if (app->json)
        app_print_json(to_json(training));
    else
        print_summary(training);
    return true;
}

bool cmd_train(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(owned_training) training = {.host = &app->host};
    g_autoptr(owned_options) options =
        app_options(app, self, &train_options, &training.options, argc, argv, error);
    return options != NULL && run(app, &training, error);
}
