// SPDX-License-Identifier: BSD-3-Clause
#include "app/command.h"
#include "app/pipelines/inputs/response.h"
#include "app/pipelines/train/training.h"
#include "app/settings/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// An option that is one of some words, the first of them by default.
static bool check_word(const char *option, const char *const *words, char **text, GError **error)
{
    if (*text == NULL)
        *text = g_strdup(words[0]);
    if (g_strv_contains(words, *text))
        return true;
    g_autofree char *all = g_strjoinv("|", (char **) words);
    return app_refuse(error, "--%s: \"%s\" is none of %s", option, *text, all);
}

static bool check_words(struct training_options *options, GError **error)
{
    static const char *const convs[] = {"causal", "full", NULL};
    static const char *const losses[] = {"unsupervised", "semi-supervised", "supervised", NULL};
    static const char *const optimisers[] = {"lbfgs", "adam", "descent", NULL};
    static const char *const schedules[] = {"recursive", "oneshot", "greedy", NULL};
    static const char *const starts[] = {"const", "pinv", "zero", NULL};
    static const char *const switches[] = {"on", "off", NULL};
    return check_word("conv", convs, &options->conv, error) &&
           check_word("loss", losses, &options->loss, error) &&
           check_word("optimiser", optimisers, &options->optimiser, error) &&
           check_word("schedule", schedules, &options->schedule, error) &&
           check_word("start", starts, &options->start, error) &&
           check_word("safeguard", switches, &options->safeguard, error);
}

static bool read_ratio(const char *text, double *value)
{
    char *end;
    *value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && *value > 0.0 && *value < 1.0;
}

// R, or LEAST:MOST.
static bool check_ratio(struct training *training, GError **error)
{
    const char *text = training->options.lambda_ratio;
    if (text == NULL)
        return app_refuse(error, "train: expected --lambda-ratio R");
    g_auto(GStrv) ends = g_strsplit(text, ":", -1);
    guint n = g_strv_length(ends);
    if ((n == 1 || n == 2) && read_ratio(ends[0], &training->ratio[0]) &&
        read_ratio(ends[n - 1], &training->ratio[1]) && training->ratio[0] <= training->ratio[1])
        return true;
    return app_refuse(error,
                      "--lambda-ratio: expected a number between 0 and 1, or two of them as "
                      "LEAST:MOST, found \"%s\"",
                      text);
}

static bool check_interval(struct training *training, GError **error)
{
    const struct training_options *options = &training->options;
    if (options->tr != NULL) {
        char *end;
        training->tr_s = g_ascii_strtod(options->tr, &end);
        if (end == options->tr || *end != '\0' || !(training->tr_s > 0.0) || training->tr_s > 20.0)
            return app_refuse(error, "--tr: expected seconds in 0..20, found \"%s\"", options->tr);
    } else if (options->response != NULL && !response_is_file(options->response)) {
        return app_refuse(error, "train: expected --tr S, to sample the model of --hrf");
    }
    return true;
}

static bool check_preprocessed(const struct training_options *options, GError **error)
{
    g_autofree char *problem =
        options->preprocessed == NULL ? NULL : settings_check_preprocessing(options->preprocessed);
    return problem == NULL || app_refuse(error, "--preprocessed: %s", problem);
}

static bool check_leadfield(const struct training_options *options, GError **error)
{
    const struct sources_options *leadfield = &options->leadfield;
    if ((leadfield->forward == NULL) != (leadfield->noise_cov == NULL))
        return app_refuse(error, "train: --forward FWD.fif and --noise-cov COV.fif go together");
    if (leadfield->forward == NULL)
        return true;
    if (g_str_equal(leadfield->noise_cov, "baseline"))
        return app_refuse(error, "--noise-cov: expected a file for a training, found \"baseline\"");
    if (options->matrix != NULL || options->response != NULL)
        return app_refuse(error, "train: expected one operator, found --forward and another");
    if (!(leadfield->depth >= 0.0 && leadfield->depth <= 5.0))
        return app_refuse(error, "--depth: expected a number in 0..5, found %g", leadfield->depth);
    if (options->n_samples < 1 || options->n_samples > 1000000)
        return app_refuse(error, "--samples: expected 1..1000000, found %d", options->n_samples);
    return true;
}

static bool check_options(struct training *training, GError **error)
{
    struct training_options *options = &training->options;
    if (!check_leadfield(options, error))
        return false;
    if ((options->data == NULL && options->leadfield.forward == NULL) || options->output == NULL)
        return app_refuse(error, "train: expected --data X.npy and -o NET.safetensors");
    if (options->response != NULL && options->matrix != NULL)
        return app_refuse(error, "train: expected --hrf or --operator, found both");
    if (!check_words(options, error) || !check_ratio(training, error) ||
        !check_interval(training, error) || !check_preprocessed(options, error))
        return false;
    bool supervised = g_str_equal(options->loss, "supervised");
    if (supervised != (options->targets != NULL))
        return app_refuse(error, "train: --loss supervised and --targets Z.npy go together");
    if (supervised && options->validation != NULL)
        return app_refuse(error, "train: --validation needs a loss without --targets");
    if (options->layers < 1 || options->layers > 1000)
        return app_refuse(error, "--layers: expected 1..1000, found %d", options->layers);
    if (options->max_iter < 1 || options->inner < 0 || options->inner > 1000)
        return app_refuse(error, "train: expected --max-iter from 1 on and --inner in 0..1000");
    if (options->batch < 0 || options->patience < 1)
        return app_refuse(error, "train: expected --batch from 0 on and --patience from 1 on");
    return host_check_output(training->host, options->output, false, error) &&
           (options->checkpoint == NULL ||
            host_check_output(training->host, options->checkpoint, true, error));
}

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

static JsonObject *to_json(const struct training *training)
{
    const struct network *network = training->net;
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "command", "train");
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

static void print_summary(const struct training *training)
{
    const struct network *network = training->net;
    printf("%s: %s%s%s, %zu layers, %zu parameters, %zu series, %.1f s\n", training->options.output,
           network->kind->network, *network->kind->variant == '\0' ? "" : " ",
           network->kind->variant, network->depth, network->offsets[network->depth],
           training->train.x->n_rows, training->seconds);
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

static bool run(struct app *app, struct training *training, GError **error)
{
    if (!check_options(training, error) || !training_plan(training, error))
        return false;
    log_accept(app->log);
    if (!training_execute(training, error))
        return false;
    if (app->json)
        app_print_json(to_json(training));
    else
        print_summary(training);
    return true;
}

// The words that a --config among the given ones stands for.
static bool add_config(struct training *training, const GOptionEntry *own, GPtrArray *words,
                       int argc, char *const *argv, GError **error)
{
    static const char option[] = "--config";
    const char *path = NULL;
    for (int i = 1; i < argc && !g_str_equal(argv[i], "--"); i++) {
        if (g_str_has_prefix(argv[i], "--config="))
            path = argv[i] + sizeof option;
        else if (g_str_equal(argv[i], option) && i + 1 < argc)
            path = argv[i + 1];
    }
    return path == NULL || training_read_config(path, own, words, &training->network, error);
}

// The name of the command, the words of a configuration, the words that were given. Owned, the
// words are borrowed.
static char **join_words(const GPtrArray *words, int *argc, char *const *argv)
{
    size_t n_given = (size_t) *argc;
    char **all = g_new0(char *, n_given + words->len + 1);
    all[0] = argv[0];
    for (guint i = 0; i < words->len; i++)
        all[1 + i] = g_ptr_array_index(words, i);
    for (size_t i = 1; i < n_given; i++)
        all[words->len + i] = argv[i];
    *argc += (int) words->len;
    return all;
}

// What is read and written.
static void add_file_options(struct training_options *o, GArray *options)
{
    const GOptionEntry rows[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output, "The trained network",
         "NET.safetensors"},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &o->config,
         "Options from the group [train] of this file, and NET as its network; those of the "
         "command "
         "line come after",
         "FILE.ini"},
        {"data", 0, 0, G_OPTION_ARG_FILENAME, &o->data, "Array of series (rows) to learn from",
         "X.npy"},
        {"validation", 0, 0, G_OPTION_ARG_FILENAME, &o->validation,
         "Array of series that decides which parameters are kept", "X.npy"},
        {"targets", 0, 0, G_OPTION_ARG_FILENAME, &o->targets,
         "Array of wanted solutions, for --loss supervised", "Z.npy"},
    };
    g_array_append_vals(options, rows, G_N_ELEMENTS(rows));
}

// The operator, and what it and samples are made of.
static void add_operator_options(struct training_options *o, GArray *options)
{
    const GOptionEntry rows[] = {
        {"hrf", 0, 0, G_OPTION_ARG_FILENAME, &o->response,
         "The operator is the convolution with this response, a model or a file", "NAME|FILE"},
        {"tr", 0, 0, G_OPTION_ARG_STRING, &o->tr, "Repetition time", "S"},
        {"conv", 0, 0, G_OPTION_ARG_STRING, &o->conv, "Convolution (default: causal)",
         "causal|full"},
        {"operator", 0, 0, G_OPTION_ARG_FILENAME, &o->matrix,
         "Matrix of the operator, observed x unknown", "A.npy"},
        {"forward", 0, 0, G_OPTION_ARG_FILENAME, &o->leadfield.forward,
         "The operator is this leadfield, whitened and weighted; --data may be a recording",
         "FWD.fif"},
        {"noise-cov", 0, 0, G_OPTION_ARG_FILENAME, &o->leadfield.noise_cov, "Noise covariance",
         "COV.fif"},
        {"condition", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->conditions,
         "Of a recording: samples of this condition; may be repeated (default: all)", "NAME"},
        {"events", 0, 0, G_OPTION_ARG_FILENAME, &o->leadfield.events,
         "Table of events (onset, trial_type)", "TSV"},
        {"epoch", 0, 0, G_OPTION_ARG_STRING, &o->leadfield.epoch,
         "Average the recording around its events, seconds", "T0:T1"},
        {"baseline", 0, 0, G_OPTION_ARG_STRING, &o->leadfield.baseline,
         "Subtract the mean of that time", "T0:T1"},
        {"bads", 0, 0, G_OPTION_ARG_STRING, &o->leadfield.bads, "Channels to leave out", "CH,CH"},
        {"tmin", 0, 0, G_OPTION_ARG_DOUBLE, &o->leadfield.tmin_s, "Beginning of the window", "S"},
        {"tmax", 0, 0, G_OPTION_ARG_DOUBLE, &o->leadfield.tmax_s, "End of the window", "S"},
        {"depth", 0, 0, G_OPTION_ARG_DOUBLE, &o->leadfield.depth,
         "Exponent of depth weighting (0.8)", "P"},
        {"samples", 0, 0, G_OPTION_ARG_INT, &o->n_samples,
         "Samples of white noise to learn from, with --forward and without --data (200)", "N"},
    };
    g_array_append_vals(options, rows, G_N_ELEMENTS(rows));
}

// The network, and how it learns.
static void add_training_options(struct training_options *o, GArray *options)
{
    const GOptionEntry rows[] = {
        {"preprocessed", 0, 0, G_OPTION_ARG_STRING, &o->preprocessed,
         "How the series were cleaned, detrend=D,bandpass=LO:HI,standardize=S: `deconv` refuses "
         "the "
         "network for others",
         "LIST"},
        {"lambda-ratio", 0, 0, G_OPTION_ARG_STRING, &o->lambda_ratio,
         "lambda as a fraction of each series' lambda_max; LEAST:MOST: drawn between", "R"},
        {"layers", 0, 0, G_OPTION_ARG_INT, &o->layers, "Layers (default: 10)", "N"},
        {"variant", 0, 0, G_OPTION_ARG_STRING, &o->variant, "Variant of the network", "V"},
        {"inner", 0, 0, G_OPTION_ARG_INT, &o->inner, "Layers of an inner network", "N"},
        {"loss", 0, 0, G_OPTION_ARG_STRING, &o->loss, "Loss (default: unsupervised)",
         "unsupervised|semi-supervised|supervised"},
        {"schedule", 0, 0, G_OPTION_ARG_STRING, &o->schedule, "Schedule (default: recursive)",
         "recursive|oneshot|greedy"},
        {"optimiser", 0, 0, G_OPTION_ARG_STRING, &o->optimiser, "Optimiser (default: lbfgs)",
         "lbfgs|adam|descent"},
        {"batch", 0, 0, G_OPTION_ARG_INT, &o->batch,
         "Series a step of adam, 0 for all (default: 64)", "N"},
        {"patience", 0, 0, G_OPTION_ARG_INT, &o->patience,
         "Stop a stage after so many steps without a better loss, of --validation where it is "
         "given "
         "(default: 50)",
         "N"},
        {"max-iter", 0, 0, G_OPTION_ARG_INT, &o->max_iter,
         "Gradients of all series, in all stages together (default: 1000)", "N"},
        {"start", 0, 0, G_OPTION_ARG_STRING, &o->start, "Where the network begins (default: const)",
         "const|pinv|zero"},
        {"safeguard", 0, 0, G_OPTION_ARG_STRING, &o->safeguard,
         "Train with the descent safeguard (default: on)", "on|off"},
        {"checkpoint", 0, 0, G_OPTION_ARG_FILENAME, &o->checkpoint,
         "Kept after every stage; where it is there, training goes on from it", "FILE"},
        {"seed", 0, 0, G_OPTION_ARG_INT, &o->seed, "Of what is drawn (default: 0)", "N"},
    };
    g_array_append_vals(options, rows, G_N_ELEMENTS(rows));
}

bool cmd_train(struct app *app, const struct command *self, int argc, char **argv, GError **error)
{
    g_auto(owned_training)
        training = {.host = &app->host,
                    .options = {.layers = 10,
                                .max_iter = 1000,
                                .batch = 64,
                                .patience = 50,
                                .leadfield = {.tmin_s = NAN, .tmax_s = NAN, .depth = 0.8},
                                .n_samples = 200}};
    g_autoptr(GArray) options = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    add_file_options(&training.options, options);
    add_operator_options(&training.options, options);
    add_training_options(&training.options, options);
    const GOptionEntry *own = (const GOptionEntry *) (const void *) options->data;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    if (!add_config(&training, own, words, argc, argv, error))
        return false;
    g_autofree char **all = join_words(words, &argc, argv);
    char **rest = all;
    if (!app_parse(app, self, own, &argc, &rest, error) ||
        !app_expect_arguments(self, argc, rest, training.network == NULL ? 1 : 0, 1, error))
        return false;
    if (argc == 2) {
        g_free(training.network);
        training.network = g_strdup(rest[1]);
    }
    return run(app, &training, error);
}
