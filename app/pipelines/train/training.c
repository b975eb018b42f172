// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/train/training.h"

#include "app/pipelines/inputs/network_file.h"
#include "app/pipelines/inputs/operator.h"
#include "app/pipelines/train/training_leadfield.h"
#include "solvers/pseudo_inverse.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static void samples_clear(struct training_samples *samples)
{
    array_free(samples->x);
    array_free(samples->targets);
    g_free(samples->lambda);
    g_free(samples->start);
}

void training_clear(struct training *training)
{
    g_free(training->leadfield);
    samples_clear(&training->train);
    samples_clear(&training->validation);
    network_free(training->net);
    problem_free(training->problem);
    linop_free(training->op);
    g_free(training->stages);
    training_record_clear(&training->record);
}

// Every series is divided by its lambda_max: all then weigh alike in the mean of the losses, and
// what a network does is the same, since solutions scale with their data.
static void normalise(struct training *training, struct training_samples *samples, guint32 seed)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    GRand *rand = g_rand_new_with_seed(seed);
    const struct number_range *ratio = &training->options.lambda_ratio;
    struct block *x = &samples->blocks[0];
    for (size_t v = 0; v < x->n_series; v++) {
        double *series = block_series(x, v);
        double scale = problem_lambda_max(training->problem, series, ws);
        double place = ratio->least < ratio->most ? g_rand_double(rand) : 0.0;
        samples->lambda[v] = ratio->least * pow(ratio->most / ratio->least, place);
        if (!(scale > 0.0))
            continue;
        for (size_t t = 0; t < x->n_time; t++)
            series[t] /= scale;
        for (size_t i = 0; samples->targets != NULL && i < samples->targets->n_columns; i++)
            samples->targets->values[v * samples->targets->n_columns + i] /= scale;
    }
    g_rand_free(rand);
}

// Where the network begins: the best constant (0 for the Lasso), 0, or A^+ x.
static void set_start(const struct training *training, struct training_samples *samples)
{
    g_autoptr(owned_workspace) ws = workspace_new();
    bool constant = g_str_equal(training->options.start.text, "const");
    const struct block *x = &samples->blocks[0];
    struct block *start = &samples->blocks[1];
    if (g_str_equal(training->options.start.text, "pinv")) {
        g_autoptr(linop) inverse = linop_new_pseudo_inverse(training->op);
        linop_apply(inverse, x, start, ws);
        return;
    }
    for (size_t v = 0; v < x->n_series; v++) {
        double level =
            constant ? problem_trivial_level(training->problem, block_series(x, v)) : 0.0;
        for (size_t i = 0; i < start->n_time; i++)
            block_series(start, v)[i] = level;
    }
}

static bool check_finite(const struct array *array, const char *path, GError **error)
{
    for (size_t i = 0; i < array->n_rows * array->n_columns; i++)
        if (!isfinite(array->values[i])) {
            g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                        "%s: row %zu, column %zu: expected a finite number", path,
                        i / array->n_columns + 1, i % array->n_columns + 1);
            return false;
        }
    return true;
}

static bool read_targets(const struct training *training, struct training_samples *samples,
                         GError **error)
{
    const char *path = training->options.targets;
    samples->targets = array_read_series(path, &training->host->io, error);
    if (samples->targets == NULL)
        return false;
    if (samples->targets->n_rows == samples->x->n_rows &&
        samples->targets->n_columns == training->op->n_in)
        return check_finite(samples->targets, path, error);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected %zu x %zu values, found %zu x %zu",
                path, samples->x->n_rows, training->op->n_in, samples->targets->n_rows,
                samples->targets->n_columns);
    return false;
}

struct solving {
    const struct solver *solver;
    const struct training_samples *samples;
    struct series_result *results;
};

static void solve_block(void *data, size_t index, struct workspace *ws)
{
    const struct solving *solving = data;
    const struct block *all = &solving->samples->blocks[0];
    size_t first = index * BLOCK_SERIES;
    size_t count = MIN((size_t) BLOCK_SERIES, all->n_series - first);
    struct block x = block_slice(all, first, count);
    struct block targets = operator_rows(solving->samples->targets);
    struct block u = block_slice(&targets, first, count);
    struct solve_input input = {.x = &x, .lambda = solving->samples->lambda + first};
    solver_run(solving->solver, &input, &u, solving->results + first, ws);
}

// The exact solutions as targets.
static bool solve_targets(const struct training *training, struct training_samples *samples,
                          GError **error)
{
    size_t n = samples->x->n_rows;
    struct solver_options options = solver_options_default();
    g_autoptr(owned_solver) solver = solver_new_exact(training->problem, &options, error);
    if (solver == NULL)
        return false;
    samples->targets = g_new0(struct array, 1);
    samples->targets->n_rows = n;
    samples->targets->n_columns = training->op->n_in;
    samples->targets->values = g_new(double, n * training->op->n_in);
    g_autofree struct series_result *results = g_new0(struct series_result, n);
    struct solving solving = {solver, samples, results};
    size_t n_blocks = (n + BLOCK_SERIES - 1) / BLOCK_SERIES;
    return parallel_for(training->host->team, n_blocks, solve_block, &solving) ||
           !host_stopped(training->host, error);
}

static bool fill_samples(struct training *training, struct training_samples *samples,
                         const char *path, guint32 seed, GError **error)
{
    size_t n = samples->x->n_rows, n_in = training->op->n_in;
    if (!check_finite(samples->x, path, error))
        return false;
    bool supervised = training->options.loss.index == LOSS_SUPERVISED;
    if (supervised && !read_targets(training, samples, error))
        return false;
    samples->lambda = g_new(double, n);
    samples->start = g_try_new(double, n *n_in);
    if (samples->start == NULL) {
        g_set_error(error, IO_ERROR, IO_ERROR_MEMORY, "%s: out of memory", path);
        return false;
    }
    samples->blocks[0] = operator_rows(samples->x);
    samples->blocks[1] = (struct block){n_in, n, n_in, samples->start};
    normalise(training, samples, seed);
    set_start(training, samples);
    if (training->options.loss.index == LOSS_SEMI_SUPERVISED &&
        !solve_targets(training, samples, error))
        return false;
    samples->samples = (struct train_samples){
        .x = &samples->blocks[0], .lambda = samples->lambda, .start = &samples->blocks[1]};
    if (samples->targets != NULL) {
        samples->blocks[2] = operator_rows(samples->targets);
        samples->samples.targets = &samples->blocks[2];
    }
    return true;
}

static bool read_validation(struct training *training, GError **error)
{
    const char *path = training->options.validation;
    if (path == NULL)
        return true;
    if (training->validation.x == NULL)
        training->validation.x = array_read_series(path, &training->host->io, error);
    if (training->validation.x == NULL)
        return false;
    if (training->validation.x->n_columns == training->train.x->n_columns)
        return fill_samples(training, &training->validation, path,
                            (guint32) training->options.seed + 1, error);
    g_set_error(error, APP_ERROR, APP_ERROR_INPUT, "%s: expected %zu columns, found %zu", path,
                training->train.x->n_columns, training->validation.x->n_columns);
    return false;
}

static bool make_problem(struct training *training, GError **error)
{
    const struct training_options *options = &training->options;
    enum problem_kind kind;
    if (!network_problem(options->network, &kind, error))
        return false;
    if (training->op == NULL)
        training->op = operator_new(&options->op, options->data, training->train.x->n_columns,
                                    &training->host->io, error);
    if (training->op == NULL)
        return false;
    training->problem =
        kind == PROBLEM_TV ? problem_new_tv(training->op) : problem_new_lasso(training->op);
    struct network_size size = {options->layers, options->inner};
    training->net = network_new(options->network, options->variant, training->problem, size, error);
    return training->net != NULL;
}

// What has to be the same for a checkpoint to be gone on from.
static char *fingerprint(const struct training *training)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    const struct training_options *options = &training->options;
    const char *texts[] = {options->network,           training->net->kind->variant,
                           options->lambda_ratio.text, options->loss.text,
                           options->schedule.text,     options->optimiser.text,
                           options->safeguard.text,    options->start.text};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_checksum_update(checksum, (const guchar *) texts[i], (gssize) strlen(texts[i]) + 1);
    gint numbers[] = {(gint) options->layers, (gint) options->inner,    (gint) options->max_iter,
                      (gint) options->batch,  (gint) options->patience, (gint) options->seed};
    g_checksum_update(checksum, (const guchar *) numbers, sizeof numbers);
    const struct training_samples *sets[] = {&training->train, &training->validation};
    for (size_t i = 0; i < 2; i++) {
        const struct array *arrays[] = {sets[i]->x, sets[i]->targets};
        for (size_t k = 0; k < 2; k++)
            if (arrays[k] != NULL)
                g_checksum_update(
                    checksum, (const guchar *) arrays[k]->values,
                    (gssize) (arrays[k]->n_rows * arrays[k]->n_columns * sizeof(double)));
    }
    return g_strdup(g_checksum_get_string(checksum));
}

// The data and the options of a training in words.
static char *describe(const struct training *training)
{
    const struct training_options *options = &training->options;
    g_autofree char *data =
        options->data == NULL ? g_strdup("drawn") : g_path_get_basename(options->data);
    g_autofree char *batch = g_str_equal(options->optimiser.text, "adam")
                                 ? g_strdup_printf(" on batches of %zu", options->batch)
                                 : g_strdup("");
    return g_strdup_printf(
        "data %s, %zu series, each divided by its lambda_max; loss %s; schedule %s; optimiser "
        "%s%s; %zu gradients; patience %zu; seed %zu",
        data, training->train.x->n_rows, options->loss.text, options->schedule.text,
        options->optimiser.text, batch, options->max_iter, options->patience, options->seed);
}

static void set_record(struct training *training)
{
    static const enum solver_start starts[] = {START_CONST, START_PINV, START_ZERO};
    const struct training_options *options = &training->options;
    struct training_record *record = &training->record;
    *record = training_record_none();
    if (options->op.tr_s > 0.0)
        record->interval_s = options->op.tr_s;
    record->hrf = g_strdup(options->op.response);
    record->leadfield = g_strdup(training->leadfield);
    record->preprocessing = g_strdup(options->preprocessed);
    training_record_set_lambda(record, options->lambda_ratio.text);
    record->safeguard =
        g_str_equal(options->safeguard.text, "on") ? TRAINED_SAFEGUARD_ON : TRAINED_SAFEGUARD_OFF;
    record->start = (int) starts[options->start.index];
    record->version = g_strdup(TAUT_VERSION);
    record->training = describe(training);
    record->sha256 = fingerprint(training);
}

// Goes on from a checkpoint of the same training, where there is one.
static bool resume(struct training *training, GError **error)
{
    const char *path = training->options.checkpoint;
    if (path == NULL || !g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    g_autoptr(owned_params_file) file = network_file_read(path, error);
    if (file == NULL)
        return false;
    if (g_strcmp0(file->record.sha256, training->record.sha256) != 0) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected the checkpoint of this training, found one of other data or "
                    "options",
                    path);
        return false;
    }
    struct network *network = params_file_network(file, training->problem, false, error);
    if (network == NULL) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    network_free(training->net);
    training->net = network;
    training->n_resumed = file->record.n_stages;
    for (size_t i = 0; i < file->record.n_stages; i++)
        training->stages[i] = file->record.stages[i];
    return true;
}

static bool tell(void *data, const struct train_stage *stage, double fraction)
{
    const struct training *training = data;
    host_progress_value(training->host, "loss", stage->loss_end);
    host_progress(training->host, fraction);
    return !atomic_load(training->host->stop);
}

static void save_checkpoint(void *data, const struct network *network, size_t n_stages)
{
    struct training *training = data;
    g_autoptr(GError) error = NULL;
    if (training->options.checkpoint == NULL)
        return;
    training_record_set_stages(&training->record, training->stages, n_stages);
    if (!network_file_write(training->options.checkpoint, network, &training->record, true, &error))
        host_warning(training->host, "%s", error->message);
}

static void set_how(struct training *training)
{
    const struct training_options *options = &training->options;
    struct train_options *how = &training->how;
    *how = train_options_default(training->host->team);
    static const enum train_optimiser optimisers[] = {TRAIN_LBFGS, TRAIN_ADAM, TRAIN_DESCENT};
    how->schedule = (enum train_schedule) options->schedule.index;
    how->optimiser = optimisers[options->optimiser.index];
    how->max_iter = options->max_iter;
    how->batch = options->batch;
    how->patience = options->patience;
    how->seed = (guint32) options->seed;
    how->safeguard = g_str_equal(options->safeguard.text, "on");
    how->progress = tell;
    how->finished = save_checkpoint;
    how->data = training;
}

bool training_plan(struct training *training, GError **error)
{
    const struct training_options *options = &training->options;
    if (options->leadfield.forward == NULL)
        training->train.x = array_read_series(options->data, &training->host->io, error);
    else if (!training_read_leadfield(training, error))
        return false;
    if (training->train.x == NULL || !make_problem(training, error) ||
        !fill_samples(training, &training->train, options->data, (guint32) options->seed, error) ||
        !read_validation(training, error))
        return false;
    set_record(training);
    set_how(training);
    training->stages = g_new0(struct train_stage, training->net->depth);
    return resume(training, error);
}

bool training_execute(struct training *training, GError **error)
{
    gint64 begin_us = g_get_monotonic_time();
    bool validates = training->validation.x != NULL;
    training->how.n_done = training->n_resumed;
    host_progress_begin(training->host, "train");
    training->n_stages = train_network(training->net, &training->train.samples,
                                       validates ? &training->validation.samples : NULL,
                                       &training->how, training->stages);
    host_progress_end(training->host);
    training->seconds = 1e-6 * (double) (g_get_monotonic_time() - begin_us);
    if (host_stopped(training->host, error))
        return false;
    training_record_set_stages(&training->record, training->stages, training->n_stages);
    if (!network_file_write(training->options.output, training->net, &training->record,
                            training->overwrite, error))
        return false;
    if (training->options.checkpoint != NULL)
        g_unlink(training->options.checkpoint);
    return true;
}
