// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/train_search.h"

#include "unrolled/optimise.h"

#include <math.h>
#include <string.h>

enum { MAX_NUMBERS = 4, N_ROUNDS = 3, N_STEPS = 21, N_MOMENTA = 13 };

struct search {
    struct network *network;
    const struct train_samples *samples;
    struct network_pass pass; // the last layer alone
    struct block states;      // that enter it
    double *losses;           // of every block
    double *number;           // the parameter that is being searched
    struct parallel *team;
};

static struct network_input input_of(const struct search *search, size_t block,
                                     struct block views[4])
{
    size_t first = block * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, search->samples->x->n_series - first);
    views[0] = block_slice(search->samples->x, first, count);
    views[1] = block_slice(search->samples->start, first, count);
    views[2] = block_slice(&search->states, first, count);
    if (search->samples->targets != NULL)
        views[3] = block_slice(search->samples->targets, first, count);
    return (struct network_input){.x = &views[0],
                                  .lambda = search->samples->lambda + first,
                                  .start = &views[1],
                                  .state = &views[2]};
}

static void advance_block(void *data, size_t block, struct workspace *ws)
{
    const struct search *search = data;
    struct block views[4];
    struct network_input input = input_of(search, block, views);
    struct network_pass before = {.depth = search->pass.first, .safeguard = search->pass.safeguard};
    network_advance(search->network, &input, &before, &views[2], ws);
}

static void lose_block(void *data, size_t block, struct workspace *ws)
{
    const struct search *search = data;
    struct block views[4];
    struct network_input input = input_of(search, block, views);
    struct network_loss loss = {search->samples->targets == NULL ? NULL : &views[3]};
    search->losses[block] =
        network_loss_gradient(search->network, &input, &search->pass, &loss, NULL, NULL, ws);
}

static size_t n_blocks(const struct search *search)
{
    return (search->samples->x->n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
}

static double loss_at(void *data, double number)
{
    struct search *search = data;
    *search->number = number;
    parallel_for(search->team, n_blocks(search), lose_block, search);
    double sum = 0.0;
    for (size_t b = 0; b < n_blocks(search); b++)
        sum += search->losses[b];
    return isnan(sum) ? INFINITY : sum;
}

// Steps and thresholds: 0, then half to 60 times 1 / L, evenly in logarithm. Momenta: 0 to 1.2.
static size_t fill_grid(const char *name, double unit, double *grid)
{
    if (strcmp(name, "momentum") == 0) {
        for (size_t i = 0; i < N_MOMENTA; i++)
            grid[i] = 0.1 * (double) i;
        return N_MOMENTA;
    }
    grid[0] = 0.0;
    for (size_t i = 1; i < N_STEPS; i++)
        grid[i] = unit * 0.5 * pow(120.0, (double) (i - 1) / (N_STEPS - 2));
    return N_STEPS;
}

bool train_search_applies(const struct network *network, size_t depth)
{
    return network->offsets[depth] - network->offsets[depth - 1] <= MAX_NUMBERS;
}

// One number after the other; the value found is kept only if it is better than what was there.
static void search_numbers(struct search *search, double *numbers, double *least)
{
    const struct layer_context *context = &search->network->context;
    struct tensor_shape shapes[LAYER_MAX_TENSORS];
    size_t n_numbers = context->kind->tensors(context, search->pass.first, shapes);
    for (size_t i = 0; i < n_numbers; i++) {
        double grid[N_STEPS];
        size_t n_grid = fill_grid(shapes[i].name, 1.0 / context->norm2, grid);
        double before = numbers[i];
        double value;
        search->number = &numbers[i];
        double found = optimise_scalar(loss_at, search, grid, n_grid, &value);
        numbers[i] = value < *least ? found : before;
        *least = fmin(value, *least);
    }
}

void train_search(struct network *network, size_t depth, bool safeguard,
                  const struct train_samples *samples, struct parallel *team)
{
    size_t n_state = network->kind->n_state(&network->context);
    size_t n_series = samples->x->n_series;
    g_autofree double *states = g_new(double, n_state *n_series);
    struct search search = {.network = network,
                            .samples = samples,
                            .pass = {.first = depth - 1, .depth = depth, .safeguard = safeguard},
                            .states = {n_state, n_series, n_state, states},
                            .team = team};
    g_autofree double *losses = g_new(double, n_blocks(&search));
    search.losses = losses;
    if (depth > 1)
        parallel_for(team, n_blocks(&search), advance_block, &search);

    double *numbers = network_layer(network, depth - 1);
    network->kind->init(&network->context, depth - 1, numbers);
    search.number = numbers;
    double least = loss_at(&search, numbers[0]);
    for (int round = 0; round < N_ROUNDS; round++)
        search_numbers(&search, numbers, &least);
}
