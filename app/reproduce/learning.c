// SPDX-License-Identifier: BSD-3-Clause
#include "app/reproduce/learning.h"

#include "app/pipelines/inputs/network_file.h"
#include "io/array.h"

#include <math.h>
#include <string.h>

/** A training under way, and where it keeps what it has: in full size it takes hours. */
struct keeping {
    struct reproduction *r;
    const struct lesson *lesson;
    char *path; // owned; NULL: nothing is kept
    struct training_record record;
    double earlier_s; // of the runs before
    gint64 begin_us;
    size_t n_done; // stages
};

static void keeping_clear(struct keeping *keeping)
{
    g_free(keeping->path);
    training_record_clear(&keeping->record);
}
typedef struct keeping owned_keeping;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(owned_keeping, keeping_clear)

static void update(GChecksum *checksum, const double *numbers, size_t n)
{
    g_checksum_update(checksum, (const guchar *) numbers, (gssize) (n * sizeof *numbers));
}

// What has to be the same for a network to be gone on with.
static char *fingerprint(const struct samples *samples, const struct lesson *lesson, size_t depth)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *words =
        g_strdup_printf("%s %s %s %zu %d %d %zu %zu", TAUT_VERSION, lesson->network,
                        lesson->variant == NULL ? "" : lesson->variant, lesson->n_inner,
                        lesson->published, lesson->oneshot, lesson->max_iter, depth);
    g_checksum_update(checksum, (const guchar *) words, -1);
    update(checksum, samples->x.data, samples->x.n_time * samples->x.n_series);
    update(checksum, samples->start.data, samples->start.n_time * samples->start.n_series);
    update(checksum, samples->lambda, samples->x.n_series);
    return g_strdup(g_checksum_get_string(checksum));
}

static struct keeping keeping_of(struct reproduction *r, const struct samples *samples,
                                 const struct lesson *lesson, size_t depth)
{
    struct keeping keeping = {.r = r,
                              .lesson = lesson,
                              .begin_us = g_get_monotonic_time(),
                              .record = training_record_none()};
    if (r->quick || r->folder == NULL)
        return keeping;
    g_autofree char *label = g_strdup(lesson->label);
    g_autofree char *name = g_strdup_printf(
        "network-%s.safetensors", g_strcanon(label, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS, '-'));
    keeping.path = g_build_filename(r->folder, name, NULL);
    keeping.record.sha256 = fingerprint(samples, lesson, depth);
    return keeping;
}

// The network of an earlier run of the same training, with the stages that it finished; else
// NULL.
static struct network *earlier_network(struct keeping *keeping, const struct samples *samples)
{
    if (keeping->path == NULL || !g_file_test(keeping->path, G_FILE_TEST_EXISTS))
        return NULL;
    g_autoptr(owned_params_file) file = network_file_read(keeping->path, NULL);
    if (file == NULL || g_strcmp0(file->record.sha256, keeping->record.sha256) != 0)
        return NULL;
    keeping->n_done = file->record.n_done;
    keeping->earlier_s = isnan(file->record.seconds) ? 0.0 : file->record.seconds;
    return params_file_network(file, samples->problem, false, NULL);
}

static double seconds_so_far(const struct keeping *keeping)
{
    return keeping->earlier_s + 1e-6 * (double) (g_get_monotonic_time() - keeping->begin_us);
}

static void keep(void *data, const struct network *network, size_t n_stages)
{
    struct keeping *keeping = data;
    if (keeping->path == NULL)
        return;
    keeping->record.n_done = n_stages;
    keeping->record.seconds = seconds_so_far(keeping);
    g_autoptr(GError) problem = NULL;
    g_mkdir_with_parents(keeping->r->folder, 0777); // a failure shows in the next line
    if (!network_file_write(keeping->path, network, &keeping->record, true, &problem))
        host_warning(keeping->r->host, "%s", problem->message);
}

static bool tell(void *data, G_GNUC_UNUSED const struct train_stage *stage, double fraction)
{
    const struct keeping *keeping = data;
    const double *share = keeping->lesson->share;
    if (share[1] > share[0])
        host_progress(keeping->r->host, share[0] + (share[1] - share[0]) * fraction);
    return !atomic_load(keeping->r->host->stop);
}

struct network *learning_train(struct reproduction *r, const struct samples *samples,
                               const struct lesson *lesson, size_t depth, double *seconds,
                               GError **error)
{
    struct network_size size = {.depth = depth, .n_inner = lesson->n_inner};
    g_auto(owned_keeping) keeping = keeping_of(r, samples, lesson, depth);
    g_autoptr(owned_network) network = earlier_network(&keeping, samples);
    if (network == NULL)
        network = network_new(lesson->network, lesson->variant, samples->problem, size, error);
    if (network == NULL)
        return NULL;
    struct train_options how = train_options_default(r->host->team);
    how.schedule = lesson->oneshot ? TRAIN_ONESHOT : TRAIN_RECURSIVE;
    how.optimiser = lesson->published ? TRAIN_DESCENT : TRAIN_LBFGS;
    how.safeguard = !lesson->published;
    how.max_iter = lesson->max_iter;
    how.n_done = keeping.n_done;
    how.finished = keep;
    how.progress = tell;
    how.data = &keeping;
    g_autofree struct train_stage *stages = g_new0(struct train_stage, depth);
    size_t n_stages = train_network(network, &samples->train, NULL, &how, stages);
    if (seconds != NULL)
        *seconds = seconds_so_far(&keeping);
    if (host_stopped(r->host, error))
        return NULL;
    if (n_stages > keeping.n_done)
        keep(&keeping, network, n_stages);
    return g_steal_pointer(&network);
}

bool learning_curve(struct reproduction *r, const struct samples *train, const struct samples *test,
                    const struct lesson *lesson, struct curve *curve, GError **error)
{
    size_t depth = curve->steps[curve->n_steps - 1];
    g_autoptr(owned_network) network = learning_train(r, train, lesson, depth, NULL, error);
    if (network == NULL)
        return false;
    curve->method = lesson->label;
    samples_network_curve(r, test, network, !lesson->published, curve);
    return !host_stopped(r->host, error);
}

bool learning_read(struct reproduction *r, const char *path, size_t n_time, struct block *x,
                   GError **error)
{
    g_autoptr(owned_array) array = array_read_series(path, &r->host->io, error);
    if (array == NULL)
        return false;
    if (array->n_columns != n_time) {
        g_set_error(error, APP_ERROR, APP_ERROR_INPUT,
                    "%s: expected rows of %zu numbers, found %zu", path, n_time, array->n_columns);
        return false;
    }
    *x = (struct block){n_time, array->n_rows, n_time, g_steal_pointer(&array->values)};
    return true;
}
