// SPDX-License-Identifier: BSD-3-Clause
// sched_getaffinity is a GNU extension; g_get_num_processors ignores cgroup and taskset bounds.
#define _GNU_SOURCE
#include "solvers/parallel.h"

#include "solvers/cpu_clock.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>

struct worker {
    struct parallel *team; // borrowed
    struct workspace *ws;  // owned
    double cpu_seconds;
    pthread_t thread;
};

struct parallel {
    size_t n_threads;
    const atomic_bool *stop; // borrowed
    struct worker *workers;  // owned
    // the loop under way
    parallel_body *body;
    void *data;
    size_t n_items;
    atomic_size_t next;
    atomic_size_t n_done;
};

struct parallel *parallel_new(size_t n_threads, const atomic_bool *stop)
{
    g_assert(n_threads >= 1);
    struct parallel *team = g_new0(struct parallel, 1);
    team->n_threads = n_threads;
    team->stop = stop;
    team->workers = g_new0(struct worker, n_threads);
    for (size_t i = 0; i < n_threads; i++)
        team->workers[i] = (struct worker){.team = team, .ws = workspace_new()};
    return team;
}

void parallel_free(struct parallel *team)
{
    if (team == NULL)
        return;
    for (size_t i = 0; i < team->n_threads; i++)
        workspace_free(team->workers[i].ws);
    g_free(team->workers);
    g_free(team);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct parallel *team = worker->team;
    double begin = cpu_clock_s();
    while (team->stop == NULL || !atomic_load_explicit(team->stop, memory_order_relaxed)) {
        size_t index = atomic_fetch_add(&team->next, 1);
        if (index >= team->n_items)
            break;
        team->body(team->data, index, worker->ws);
        atomic_fetch_add(&team->n_done, 1);
    }
    worker->cpu_seconds += cpu_clock_s() - begin;
    return NULL;
}

bool parallel_for(struct parallel *team, size_t n_items, parallel_body *body, void *data)
{
    team->body = body;
    team->data = data;
    team->n_items = n_items;
    atomic_store(&team->next, 0);
    atomic_store(&team->n_done, 0);

    // The caller is worker 0. A thread that cannot be made leaves its share to the others.
    size_t n_helpers = MIN(team->n_threads, n_items);
    size_t n_started = 1;
    while (n_started < n_helpers && pthread_create(&team->workers[n_started].thread, NULL, work,
                                                   &team->workers[n_started]) == 0)
        n_started++;
    work(&team->workers[0]);
    for (size_t i = 1; i < n_started; i++)
        pthread_join(team->workers[i].thread, NULL);
    return atomic_load(&team->n_done) == n_items;
}

size_t parallel_n_threads(const struct parallel *team)
{
    return team->n_threads;
}

double parallel_cpu_seconds(const struct parallel *team)
{
    double seconds = 0.0;
    for (size_t i = 0; i < team->n_threads; i++)
        seconds += team->workers[i].cpu_seconds;
    return seconds;
}

size_t parallel_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return MAX((size_t) CPU_COUNT(&set), 1);
}
