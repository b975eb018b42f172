// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"

#include "app/host/budget.h"
#include "app/settings/tables.h"
#include "deconv/nearest.h"
#include "io/json_text.h"
#include "io/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 4096 };
static const double MEMORY_SHARE = 0.8; // of what there is, by default

static void add_group(GOptionContext *context, const char *name, const char *title,
                      const GOptionEntry *entries)
{
    GOptionGroup *group = g_option_group_new(name, title, "", NULL, NULL);
    g_option_group_add_entries(group, entries);
    g_option_context_add_group(context, group);
}

static GOptionContext *make_context(const struct command *self, const GOptionEntry *own,
                                    const GOptionEntry *shared)
{
    // The first line of GOption's help is "taut COMMAND [OPTION...] ARGUMENTS".
    g_autofree char *program = g_strconcat("taut ", self->name, NULL);
    g_set_prgname(program);
    GOptionContext *context = g_option_context_new(self->arguments);
    g_option_context_set_help_enabled(context, FALSE); // GLib's own ends the program
    g_option_context_set_summary(context, self->summary);
    add_group(context, "own", "Options:", own);
    add_group(context, "shared", "Options of every command:", shared);
    return context;
}

static void add_long_names(GPtrArray *names, const GOptionEntry *entries)
{
    for (size_t i = 0; entries[i].long_name != NULL; i++)
        g_ptr_array_add(names, (gpointer) entries[i].long_name);
}

static void explain_unknown_option(const struct command *self, const char *message,
                                   const GOptionEntry *own, const GOptionEntry *shared,
                                   GError **error)
{
    const char *option = strstr(message, "-");
    const char *name = option == NULL ? "" : option + strspn(option, "-");
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    add_long_names(names, own);
    add_long_names(names, shared);
    size_t nearest = nearest_name(name, (const char *const *) names->pdata, names->len);
    g_autofree char *hint =
        nearest == names->len
            ? g_strdup("")
            : g_strdup_printf(" (did you mean --%s?)", (char *) g_ptr_array_index(names, nearest));
    g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "%s: unknown option %s%s", self->name,
                option == NULL ? "" : option, hint);
}

// GOption takes -j4 for -j -4: such words become --jobs=4. Owned; the words that were made.
static GPtrArray *spell_out_jobs(int argc, char **argv)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "-j", 2) != 0 || !g_ascii_isdigit(argv[i][2]))
            continue;
        argv[i] = g_strconcat("--jobs=", argv[i] + 2, NULL);
        g_ptr_array_add(words, argv[i]);
    }
    return words;
}

// GOption leaves "--" where it is if an argument behind it begins with a dash.
static void drop_separator(int *argc, char **argv)
{
    int at = 1;
    while (at < *argc && strcmp(argv[at], "--") != 0)
        at++;
    if (at == *argc)
        return;
    *argc -= 1;
    memmove(argv + at, argv + at + 1, (size_t) (*argc - at) * sizeof *argv);
    argv[*argc] = NULL;
}

static bool is_given(const struct option_words *words, const char *name)
{
    for (const GOptionEntry *entry = words->entries; entry->long_name != NULL; entry++)
        if (strcmp(entry->long_name, name) == 0)
            return *(const gboolean *) entry->arg_data;
    return false;
}

// Takes the options out of argv: those of the command are noted at what `own` points to.
static bool parse_words(const struct command *self, const GOptionEntry *own,
                        struct option_words *shared, int *argc, char ***argv, GError **error)
{
    g_autoptr(GOptionContext) context = make_context(self, own, shared->entries);
    g_autoptr(GError) problem = NULL;
    bool parsed = g_option_context_parse(context, argc, argv, &problem);
    if (is_given(shared, "help")) {
        g_autofree char *help = g_option_context_get_help(context, FALSE, NULL);
        g_set_error_literal(error, APP_ERROR, APP_ERROR_HELP, help);
        return false;
    }
    if (!parsed && g_error_matches(problem, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
        explain_unknown_option(self, problem->message, own, shared->entries, error);
    else if (!parsed)
        g_set_error(error, APP_ERROR, APP_ERROR_USAGE, "%s: %s", self->name, problem->message);
    drop_separator(argc, *argv);
    return parsed;
}

struct on_team {
    void (*body)(void *data, size_t i);
    void *data;
};

static void call_body(void *data, size_t index, G_GNUC_UNUSED struct workspace *ws)
{
    const struct on_team *call = data;
    call->body(call->data, index);
}

static bool run_on_team(void *team, size_t n, void (*body)(void *data, size_t i), void *data)
{
    struct on_team call = {body, data};
    return parallel_for(team, n, call_body, &call);
}

static bool go_on(void *progress, double fraction)
{
    const struct host *host = progress;
    host_progress(host, fraction);
    return !atomic_load(host->stop);
}

// What the options of every command ask for.
static bool start(struct app *app, const struct command *self, const struct common_options *common,
                  GError **error)
{
    app->host.jobs =
        common->jobs != OPTION_NO_COUNT ? common->jobs : MIN(budget_threads(), MAX_THREADS);
    app->host.mem_limit = common->mem_limit != 0
                              ? common->mem_limit
                              : (size_t) (MEMORY_SHARE * (double) budget_memory());
    app->quiet = common->quiet;
    app->verbose = common->verbose;
    app->json = common->json;
    app->host.force = common->force;
    app->log = log_new(app->quiet, app->verbose, common->log, error);
    if (app->log == NULL)
        return false;
    log_detail(app->log, "taut %s %s, threads: %zu, memory: at most %zu MiB", TAUT_VERSION,
               self->name, app->host.jobs, app->host.mem_limit >> 20);
    struct host *host = &app->host;
    host->say = log_say(app->log);
    host->team = parallel_new(host->jobs, host->stop);
    host->io = (struct io_context){.mem_limit = host->mem_limit,
                                   .compression = 1,
                                   .run = run_on_team,
                                   .team = host->team,
                                   .n_threads = host->jobs,
                                   .go_on = go_on,
                                   .progress = host};
    return true;
}

static bool parse(struct app *app, const struct command *self, const GOptionEntry *own, int *argc,
                  char ***argv, GError **error)
{
    g_autoptr(owned_options) options = options_new(&common_options);
    g_autoptr(owned_option_words) words = option_words_new(options);
    g_autoptr(GPtrArray) spelt = spell_out_jobs(*argc, *argv);
    struct common_options common;
    (void) spelt; // owns words of argv until they are read
    return parse_words(self, own, words, argc, argv, error) &&
           options_take_words(options, words, error) && options_end(options, NULL, error) &&
           options_fill(options, &common, error) && start(app, self, &common, error);
}

struct options *app_options(struct app *app, const struct command *self,
                            const struct option_table *table, void *values, int argc, char **argv,
                            GError **error)
{
    g_autoptr(owned_options) options = options_new(table);
    g_autoptr(owned_option_words) words = option_words_new(options);
    if (!parse(app, self, words->entries, &argc, &argv, error) ||
        !options_take_words(options, words, error) ||
        !options_take_arguments(options, argc - 1, argv + 1, error) ||
        !options_end(options, NULL, error) ||
        (values != NULL && !options_fill(options, values, error)))
        return NULL;
    return g_steal_pointer(&options);
}

void app_clear(struct app *app)
{
    parallel_free(app->host.team);
    log_free(app->log);
}

void app_tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    size_t n = strlen(text);
    bool ends = n > 0 && text[n - 1] == '\n';
    if (ends)
        text[n - 1] = '\0';
    g_autofree char *printable = text_escape(text);
    fputs(printable, stdout);
    if (ends)
        putchar('\n');
}

void app_print(char *text)
{
    fputs(text, stdout);
    g_free(text);
}

void app_print_json(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    g_autofree char *text = json_text(node, false);
    puts(text);
}
