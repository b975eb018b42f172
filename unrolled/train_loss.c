// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/train_loss.h"

#include <math.h>
#include <string.h>

// Samples are cut into chunks by their number alone; every chunk sums its own gradient and the
// chunks are added in order, so that sums do not depend on the threads.
enum { MAX_CHUNKS = 16 };

struct chunks {
    const struct network *network;
    const struct network_pass *pass;
    const struct train_samples *samples;
    const size_t *blocks; // NULL: all, in order
    size_t n_blocks;
    size_t n_chunks;
    size_t n_gradient; // numbers a chunk
    double *gradients; // n_chunks x n_gradient, or NULL
    double losses[MAX_CHUNKS];
    size_t n_series[MAX_CHUNKS];
};

static void sum_block(struct chunks *chunks, size_t chunk, size_t block, struct workspace *ws)
{
    const struct train_samples *samples = chunks->samples;
    size_t first = block * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, samples->x->n_series - first);
    struct block x = block_slice(samples->x, first, count);
    struct block start = block_slice(samples->start, first, count);
    struct block targets;
    struct network_input input = {.x = &x, .lambda = samples->lambda + first, .start = &start};
    struct network_loss loss = {.targets = NULL};
    if (samples->targets != NULL) {
        targets = block_slice(samples->targets, first, count);
        loss.targets = &targets;
    }
    double *gradient =
        chunks->gradients == NULL ? NULL : chunks->gradients + chunk * chunks->n_gradient;
    chunks->n_series[chunk] += count;
    chunks->losses[chunk] +=
        network_loss_gradient(chunks->network, &input, chunks->pass, &loss, gradient, NULL, ws);
}

static void sum_chunk(void *data, size_t chunk, struct workspace *ws)
{
    struct chunks *chunks = data;
    size_t end = (chunk + 1) * chunks->n_blocks / chunks->n_chunks;
    for (size_t i = chunk * chunks->n_blocks / chunks->n_chunks; i < end; i++)
        sum_block(chunks, chunk, chunks->blocks == NULL ? i : chunks->blocks[i], ws);
}

static void add_chunks(const struct chunks *chunks, size_t n_series, double *gradient)
{
    for (size_t i = 0; i < chunks->n_gradient; i++) {
        gradient[i] = 0.0;
        for (size_t c = 0; c < chunks->n_chunks; c++)
            gradient[i] += chunks->gradients[c * chunks->n_gradient + i];
        gradient[i] /= (double) n_series;
    }
}

double train_mean_loss(const struct network *network, const struct network_pass *pass,
                       const struct train_samples *samples, const struct train_part *part,
                       struct parallel *team, double *gradient)
{
    struct chunks chunks = {.network = network, .pass = pass, .samples = samples};
    chunks.n_blocks = (samples->x->n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
    if (part != NULL) {
        chunks.blocks = part->blocks;
        chunks.n_blocks = part->n_blocks;
    }
    chunks.n_chunks = MIN(chunks.n_blocks, (size_t) MAX_CHUNKS);
    chunks.n_gradient = network->offsets[pass->depth];
    g_autofree double *gradients =
        gradient == NULL ? NULL : g_new0(double, chunks.n_chunks *chunks.n_gradient);
    chunks.gradients = gradients;
    if (!parallel_for(team, chunks.n_chunks, sum_chunk, &chunks))
        return NAN;

    double sum = 0.0;
    size_t n_series = 0;
    for (size_t c = 0; c < chunks.n_chunks; c++) {
        sum += chunks.losses[c];
        n_series += chunks.n_series[c];
    }
    if (gradient != NULL)
        add_chunks(&chunks, n_series, gradient);
    return isnan(sum) ? INFINITY : sum / (double) n_series;
}

double train_loss(const struct network *network, size_t depth, bool safeguard,
                  const struct train_samples *samples, struct parallel *team)
{
    struct network_pass pass = {.depth = depth, .safeguard = safeguard};
    return train_mean_loss(network, &pass, samples, NULL, team, NULL);
}
