// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/train_search.h"

#include "unrolled/optimise.h"

#include <math.h>
#include <string.h>

enum {
    MAX_NUMBERS = 4, // of a layer that is searched
    MAX_SAMPLES = 128,
    MAX_PLACES = 8, // where a layer is put between the others
    N_ROUNDS = 3,
    N_STEPS = 21,
    N_MOMENTA = 13,
};

struct search {
    struct network *network;
    struct train_samples samples; // some of those given, evenly spaced
    struct block blocks[3];       // of these: x, start, targets
    double lambda[MAX_SAMPLES];
    struct network_pass pass; // from the first layer that changes to the last
    struct block states;      // that enter the first, owned
    double losses[MAX_SAMPLES / BLOCK_SERIES];
    double *number; // the parameter that is being searched; NULL: a step size
    struct parallel *team;
};

static struct block every(const struct block *block, size_t stride)
{
    size_t n = (block->n_series + stride - 1) / stride;
    return (struct block){block->n_time, n, block->stride * stride, block->data};
}

static void search_begin(struct search *search, struct network *network,
                         const struct train_options *options, const struct train_samples *samples)
{
    size_t n_series = samples->x->n_series;
    size_t stride = (n_series + MAX_SAMPLES - 1) / MAX_SAMPLES;
    size_t n_state = network->kind->n_state(&network->context);
    *search = (struct search){.network = network, .team = options->team};
    search->pass.safeguard = options->safeguard;
    search->blocks[0] = every(samples->x, stride);
    search->blocks[1] = every(samples->start, stride);
    search->samples = (struct train_samples){
        .x = &search->blocks[0], .lambda = search->lambda, .start = &search->blocks[1]};
    if (samples->targets != NULL) {
        search->blocks[2] = every(samples->targets, stride);
        search->samples.targets = &search->blocks[2];
    }
    size_t n = search->blocks[0].n_series;
    for (size_t v = 0; v < n; v++)
        search->lambda[v] = samples->lambda[v * stride];
    search->states = (struct block){n_state, n, n_state, g_new(double, n_state *n)};
}

static void search_end(struct search *search)
{
    g_free(search->states.data);
}

static struct network_input input_of(const struct search *search, size_t block,
                                     struct block views[4])
{
    const struct train_samples *samples = &search->samples;
    size_t first = block * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, samples->x->n_series - first);
    views[0] = block_slice(samples->x, first, count);
    views[1] = block_slice(samples->start, first, count);
    views[2] = block_slice(&search->states, first, count);
    if (samples->targets != NULL)
        views[3] = block_slice(samples->targets, first, count);
    return (struct network_input){
        .x = &views[0], .lambda = samples->lambda + first, .start = &views[1], .state = &views[2]};
}

static size_t n_blocks(const struct search *search)
{
    return (search->samples.x->n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
}

static void advance_block(void *data, size_t block, struct workspace *ws)
{
    const struct search *search = data;
    struct block views[4];
    struct network_input input = input_of(search, block, views);
    network_advance(search->network, &input, &search->pass, &views[2], ws);
}

// Takes the states through layers [first, depth) of the network.
static void advance(struct search *search, size_t first, size_t depth)
{
    search->pass.first = first;
    search->pass.depth = depth;
    if (depth > first)
        parallel_for(search->team, n_blocks(search), advance_block, search);
}

static void lose_block(void *data, size_t block, struct workspace *ws)
{
    struct search *search = data;
    struct block views[4];
    struct network_input input = input_of(search, block, views);
    struct network_loss loss = {.targets = search->samples.targets == NULL ? NULL : &views[3]};
    search->losses[block] =
        network_loss_gradient(search->network, &input, &search->pass, &loss, NULL, NULL, ws);
}

// Of the whole network, by the layers from pass.first on.
static double loss(struct search *search)
{
    parallel_for(search->team, n_blocks(search), lose_block, search);
    double sum = 0.0;
    for (size_t b = 0; b < n_blocks(search); b++)
        sum += search->losses[b];
    return isnan(sum) ? INFINITY : sum;
}

static double loss_at(void *data, double number)
{
    struct search *search = data;
    if (search->number == NULL)
        network_set_step(search->network, search->pass.first, number);
    else
        *search->number = number;
    return loss(search);
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

static size_t count_numbers(const struct network *network, size_t layer)
{
    return network->offsets[layer + 1] - network->offsets[layer];
}

bool train_search_applies(const struct network *network, size_t depth)
{
    return count_numbers(network, depth - 1) <= MAX_NUMBERS || network->kind->step_kind != NULL;
}

// One number after the other; the value found is kept only if it is better than what was there.
static size_t search_numbers(struct search *search, double *numbers, double *least)
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
    return n_numbers;
}

static void search_step(struct search *search)
{
    double grid[N_STEPS];
    double value;
    size_t n_grid = fill_grid("step", 1.0 / search->network->context.norm2, grid);
    double found = optimise_scalar(loss_at, search, grid, n_grid, &value);
    network_set_step(search->network, search->pass.first, found);
}

void train_search(struct network *network, size_t depth, const struct train_options *options,
                  const struct train_samples *samples)
{
    struct search search;
    search_begin(&search, network, options, samples);
    advance(&search, 0, depth - 1);
    search.pass.first = depth - 1;
    search.pass.depth = depth;

    double *numbers = network_layer(network, depth - 1);
    if (count_numbers(network, depth - 1) > MAX_NUMBERS) {
        search_step(&search);
    } else {
        network->kind->init(&network->context, depth - 1, numbers);
        double least = loss(&search);
        for (int round = 0; round < N_ROUNDS; round++)
            if (search_numbers(&search, numbers, &least) == 1)
                break;
    }
    search_end(&search);
}

// Where layers can be moved: they have equally few numbers, a step first.
static bool can_insert(const struct network *network, size_t depth)
{
    const struct layer_context *context = &network->context;
    struct tensor_shape shapes[LAYER_MAX_TENSORS];
    size_t n_numbers = count_numbers(network, 0);
    for (size_t layer = 1; layer < depth; layer++)
        if (count_numbers(network, layer) != n_numbers)
            return false;
    context->kind->tensors(context, 0, shapes);
    return depth > 1 && n_numbers <= MAX_NUMBERS && strcmp(shapes[0].name, "step") == 0;
}

// The layers `others` with one more at a place: as its neighbour, but for the step.
struct insertion {
    const double *others;
    size_t n_others;
    size_t place;
    double step;
    double loss;
};

static void insert(const struct network *network, const struct insertion *insertion)
{
    size_t n = count_numbers(network, 0);
    size_t place = insertion->place;
    double *layer = network_layer(network, place);
    const double *others = insertion->others;
    memcpy(network->parameters, others, place * n * sizeof(double));
    memcpy(layer, others + MIN(place, insertion->n_others - 1) * n, n * sizeof(double));
    memcpy(layer + n, others + place * n, (insertion->n_others - place) * n * sizeof(double));
    *layer = insertion->step;
}

// Tries the steps at one place.
static void try_place(struct search *search, struct insertion trial, struct insertion *best)
{
    // In units of 1 / L: short and long steps, as they take turns in good networks.
    static const double steps[] = {0.6, 1.0, 1.6, 2.5, 4.0, 8.0, 20.0, 50.0};
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        trial.step = steps[i] / search->network->context.norm2;
        insert(search->network, &trial);
        trial.loss = loss(search);
        if (trial.loss < best->loss)
            *best = trial;
    }
}

bool train_insert(struct network *network, size_t depth, const struct train_options *options,
                  const struct train_samples *samples)
{
    if (!can_insert(network, depth))
        return false;
    struct search search;
    search_begin(&search, network, options, samples);
    g_autofree double *others =
        g_memdup2(network->parameters, network->offsets[depth - 1] * sizeof(double));
    struct insertion trial = {.others = others, .n_others = depth - 1};
    struct insertion best = {.others = others, .n_others = depth - 1, .loss = INFINITY};
    size_t stride = (depth + MAX_PLACES - 1) / MAX_PLACES;
    for (trial.place = 0; trial.place < depth; trial.place += stride) {
        if (trial.place > 0) // through the layers that stand before this place
            advance(&search, trial.place - stride, trial.place);
        search.pass.first = trial.place;
        search.pass.depth = depth;
        try_place(&search, trial, &best);
        memcpy(network->parameters, others,
               trial.n_others * count_numbers(network, 0) * sizeof(double));
    }
    insert(network, &best);
    search_end(&search);
    return true;
}
