// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/train/training.h"

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

JsonObject *training_to_json(const struct training *training)
{
    const struct network *network = training->net;
    JsonObject *object = json_object_new();
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
