// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/step_size.h"

#include <math.h>

size_t step_size_tensors(const struct layer_context *context G_GNUC_UNUSED,
                         size_t index G_GNUC_UNUSED, struct tensor_shape shapes[LAYER_MAX_TENSORS])
{
    shapes[0] = (struct tensor_shape){"step", 1, 1};
    return 1;
}

void step_size_init(const struct layer_context *context, size_t index G_GNUC_UNUSED,
                    double *parameters)
{
    parameters[0] = 1.0 / context->norm2;
}

void step_size_identity(const struct layer_context *context G_GNUC_UNUSED,
                        size_t index G_GNUC_UNUSED, double *parameters)
{
    parameters[0] = 0.0;
}

void step_size_project(const struct layer_context *context G_GNUC_UNUSED,
                       size_t index G_GNUC_UNUSED, double *parameters)
{
    parameters[0] = fmax(parameters[0], 0.0);
}
