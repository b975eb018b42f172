// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/sources/sources.h"
#include "app/settings/tables.h"
#include "io/staging.h"

#include <stdio.h>

static void print_network(const struct sources *sources)
{
    const struct sources_network *network = &sources->network;
    printf("\n  %zu layers, %zu steps replaced, %zu samples solved exactly, %.3g ms a block of %zu "
           "samples (at most %.3g)",
           network->layers, network->n_rejected, network->n_solved_exactly,
           1e3 * network->latency_s[0], network->block_samples, 1e3 * network->latency_s[1]);
}

static void print_summary(const struct sources *sources)
{
    const struct sources_result *result = &sources->result;
    const struct sources_window *window = &sources->window;
    app_tell("%s: %s%s%zu channels of rank %zu, %zu samples, %g .. %g s", sources->stem,
             window->condition, *window->condition == '\0' ? "" : ", ", sources->choice->n,
             sources->whitener->rank, window->n_time, window->start_s,
             window->start_s + (double) (window->n_time - 1) * window->interval_s);
    if (window->n_averaged > 0)
        printf(", average of %d", window->n_averaged);
    printf("\n  %zu of %zu positions active at lambda %.4g, %g of the largest\n",
           result->estimate->n_active, sources->leadfield->n_positions, result->alpha,
           sources->lambda);
    printf("  %s %.2g, explained variance %.1f %%",
           result->has_gap ? "relative gap" : "gap of the first round", result->gap[1],
           100.0 * result->explained);
    if (result->factors != NULL)
        printf(" (debiased %.1f %%)", 100.0 * result->explained_debiased);
    if (sources->network_file != NULL)
        print_network(sources);
    printf("\n  read %.2f s, prepared %.2f s, solved in %.3g s\n", sources->read_s,
           sources->prepare_s, result->solve_s);
    app_tell("  %s/%s_desc-taut_report.html\n", sources->options->folder, sources->stem);
}

static void print_json(const struct sources *sources)
{
    JsonObject *object = sources_to_json(sources);
    json_object_set_string_member(object, "command", "sources");
    JsonArray *outputs = json_array_new();
    g_autoptr(GPtrArray) names = sources_output_names(sources);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(sources->options->folder, names->pdata[i], NULL);
        json_array_add_string_element(outputs, path);
    }
    json_object_set_array_member(object, "outputs", outputs);
    app_print_json(object);
}

static bool run(struct app *app, struct sources *sources, GError **error)
{
    staging_sweep(sources->options->folder);
    if (!sources_prepare(sources, app->host.force, error))
        return false;
    log_accept(app->log);
    if (!sources_solve(sources, error) || !sources_write(sources, error))
        return false;
    sources_warn(sources);
    if (app->json)
        print_json(sources);
    else
        print_summary(sources);
    return true;
}

bool cmd_sources(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    struct sources_options given;
    g_autoptr(owned_options) options =
        app_options(app, self, &sources_options, &given, argc, argv, error);
    if (options == NULL)
        return false;
    g_auto(owned_sources)
        sources = {.host = &app->host, .options = &given, .stem = sources_stem(given.recording)};
    return run(app, &sources, error);
}
