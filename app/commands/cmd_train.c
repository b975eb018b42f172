// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/train/training.h"
#include "app/settings/tables.h"

#include <stdio.h>

static void print_summary(const struct training *training)
{
    const struct network *network = training->net;
    app_tell("%s: %s%s%s, %zu layers, %zu parameters, %zu series, %.1f s\n",
             training->options.output, network->kind->network,
             *network->kind->variant == '\0' ? "" : " ", network->kind->variant, network->depth,
             network->offsets[network->depth], training->train.x->n_rows, training->seconds);
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

static void print_json(const struct training *training)
{
    JsonObject *object = training_to_json(training);
    json_object_set_string_member(object, "command", "train");
    app_print_json(object);
}

static bool run(struct app *app, struct training *training, GError **error)
{
    if (!training_check(training, error) || !training_plan(training, error))
        return false;
    log_accept(app->log);
    if (!training_execute(training, error))
        return false;
    if (app->json)
        print_json(training);
    else
        print_summary(training);
    return true;
}

bool cmd_train(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(owned_training) training = {.host = &app->host};
    g_autoptr(owned_options) options =
        app_options(app, self, &training_options, &training.options, argc, argv, error);
    training.overwrite = app->host.force; // known once the options are read
    return options != NULL && run(app, &training, error);
}
