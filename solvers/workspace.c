// SPDX-License-Identifier: BSD-3-Clause
#include "solvers/workspace.h"

#include <stdint.h>
#include <stdlib.h>

// Positions run through the chunks one after the other, so that a mark is one number. When the
// stack is empty again, several chunks become one: from then on every request fits.
enum { ALIGNMENT = 64, MAX_CHUNKS = 48, FIRST_CHUNK_BYTES = 1 << 16 };

struct chunk {
    char *memory;
    size_t size;
    size_t begin;
};

struct workspace {
    struct chunk chunks[MAX_CHUNKS];
    size_t n_chunks;
    size_t current;
    size_t top;
};

static char *aligned_memory(size_t size)
{
    void *memory = NULL;
    if (posix_memalign(&memory, ALIGNMENT, size) != 0)
        g_error("out of memory: %zu bytes of scratch", size);
    return memory;
}

static void push_chunk(struct workspace *ws, size_t size)
{
    g_assert(ws->n_chunks < MAX_CHUNKS);
    size_t begin = 0;
    if (ws->n_chunks > 0) {
        const struct chunk *last = &ws->chunks[ws->n_chunks - 1];
        begin = last->begin + last->size;
    }
    ws->chunks[ws->n_chunks++] = (struct chunk){aligned_memory(size), size, begin};
}

struct workspace *workspace_new(void)
{
    struct workspace *ws = g_new0(struct workspace, 1);
    push_chunk(ws, FIRST_CHUNK_BYTES);
    return ws;
}

void workspace_free(struct workspace *ws)
{
    if (ws == NULL)
        return;
    for (size_t i = 0; i < ws->n_chunks; i++)
        free(ws->chunks[i].memory);
    g_free(ws);
}

size_t workspace_mark(const struct workspace *ws)
{
    return ws->top;
}

static void merge_chunks(struct workspace *ws)
{
    size_t size = workspace_capacity(ws);
    for (size_t i = 0; i < ws->n_chunks; i++)
        free(ws->chunks[i].memory);
    ws->n_chunks = 0;
    push_chunk(ws, size);
}

void workspace_release(struct workspace *ws, size_t mark)
{
    g_assert(mark <= ws->top);
    ws->top = mark;
    while (ws->chunks[ws->current].begin > mark)
        ws->current--;
    if (mark == 0 && ws->n_chunks > 1)
        merge_chunks(ws);
}

void *workspace_alloc(struct workspace *ws, size_t n_bytes)
{
    g_assert(n_bytes <= SIZE_MAX / 4);
    size_t need = (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    for (;; ws->current++) {
        if (ws->current == ws->n_chunks) {
            push_chunk(ws, MAX(need, workspace_capacity(ws)));
            ws->top = ws->chunks[ws->current].begin;
        }
        const struct chunk *chunk = &ws->chunks[ws->current];
        ws->top = MAX(ws->top, chunk->begin);
        if (ws->top + need <= chunk->begin + chunk->size)
            break;
    }
    const struct chunk *chunk = &ws->chunks[ws->current];
    char *array = chunk->memory + (ws->top - chunk->begin);
    ws->top += need;
    return array;
}

size_t workspace_capacity(const struct workspace *ws)
{
    size_t size = 0;
    for (size_t i = 0; i < ws->n_chunks; i++)
        size += ws->chunks[i].size;
    return size;
}
