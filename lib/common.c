// SPDX-License-Identifier: BSD-3-Clause
#include "lib/internal.h"

#include "deconv/hrf.h"
#include "deconv/lambda_rule.h"
#include "solvers/methods.h"
#include "unrolled/network.h"

#include <math.h>
#include <string.h>

_Static_assert((int) TAUT_SKIPPED == (int) SERIES_SKIPPED &&
                   (int) TAUT_SOLVED == (int) SERIES_SOLVED,
               "statuses are those of the solvers");

// A request below this many bytes is not asked of the system first.
enum { SMALL_BYTES = 1 << 20, LEAST_STRUCT = 8, MOST_STRUCT = 4096 };

const char *taut_version(void)
{
    return TAUT_VERSION;
}

uint32_t taut_api_version(void)
{
    return (uint32_t) TAUT_API_MAJOR << 16 | (uint32_t) TAUT_API_MINOR;
}

static const char *hrf_name(size_t i)
{
    size_t n;
    const struct hrf_model *const *models = hrf_models(&n);
    return i < n ? models[i]->name : NULL;
}

// "name:variant" of a kind, kept for good the first time.
static const char *network_name(size_t i)
{
    size_t n;
    const struct layer_kind *const *kinds = network_kinds(&n);
    if (i >= n)
        return NULL;
    if (kinds[i]->variant[0] == '\0')
        return kinds[i]->network;
    g_autofree char *name = g_strconcat(kinds[i]->network, ":", kinds[i]->variant, NULL);
    return g_intern_string(name);
}

const char *taut_names(const char *of, size_t i)
{
    if (of == NULL)
        return NULL;
    if (strcmp(of, "tv-methods") == 0)
        return methods_name(PROBLEM_TV, i);
    if (strcmp(of, "lasso-methods") == 0)
        return methods_name(PROBLEM_LASSO, i);
    if (strcmp(of, "hrf") == 0)
        return hrf_name(i);
    if (strcmp(of, "networks") == 0)
        return network_name(i);
    // "map" is about images.
    if (strcmp(of, "rules") == 0)
        return i < LAMBDA_N_KINDS - 1 ? lambda_kind_names[i + (i >= LAMBDA_MAP)] : NULL;
    return NULL;
}

void taut_free(void *memory)
{
    g_free(memory);
}

int lib_fail(taut_error *error, enum taut_code code, const char *format, ...)
{
    if (error == NULL)
        return (int) code;
    error->code = (int32_t) code;
    va_list arguments;
    va_start(arguments, format);
    g_vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    // A cut in the middle of a character would be no UTF-8.
    const char *end;
    if (!g_utf8_validate(error->message, -1, &end))
        error->message[end - error->message] = '\0';
    return (int) code;
}

int lib_fail_by(taut_error *error, const GError *why)
{
    enum taut_code code = TAUT_BAD_VALUE;
    if (g_error_matches(why, DECONV_ERROR, DECONV_ERROR_NAME) ||
        g_error_matches(why, UNROLLED_ERROR, UNROLLED_ERROR_NAME))
        code = TAUT_BAD_NAME;
    else if (why->domain == SOLVERS_ERROR ||
             g_error_matches(why, UNROLLED_ERROR, UNROLLED_ERROR_REFUSED))
        code = TAUT_NOT_APPLICABLE;
    return lib_fail(error, code, "%s", why->message);
}

int lib_require(const void *argument, const char *name, taut_error *error)
{
    if (argument == NULL)
        return lib_fail(error, TAUT_BAD_VALUE, "%s: expected one, found NULL", name);
    return TAUT_OK;
}

int lib_take_struct(void *to, size_t size, const void *given, const char *name, taut_error *error)
{
    if (given == NULL)
        return TAUT_OK;
    uint32_t known;
    memcpy(&known, given, sizeof known);
    if (known < LEAST_STRUCT || known > MOST_STRUCT)
        return lib_fail(error, TAUT_BAD_VALUE,
                        "%s: expected a struct from its init function, found one of size %u", name,
                        known);
    memcpy(to, given, MIN(size, known));
    return TAUT_OK;
}

void taut_host_init(taut_host *host)
{
    *host = (taut_host){.size = sizeof *host};
}

int lib_take_host(taut_host *to, const taut_host *given, taut_error *error)
{
    taut_host_init(to);
    int code = lib_take_struct(to, sizeof *to, given, "host", error);
    if (to->n_threads == 0)
        to->n_threads = (uint32_t) parallel_cpu_count();
    if (code == TAUT_OK && to->n_threads > 4096)
        return lib_fail(error, TAUT_BAD_VALUE, "host: expected at most 4096 threads, found %u",
                        to->n_threads);
    return code;
}

int lib_reserve(const taut_host *host, double bytes, taut_error *error)
{
    if (host->mem_limit > 0 && bytes > (double) host->mem_limit)
        return lib_fail(error, TAUT_NO_MEMORY,
                        "memory: about %.0f MiB are needed, mem_limit is %.0f MiB",
                        ceil(bytes / 1048576.0), (double) host->mem_limit / 1048576.0);
    if (bytes < SMALL_BYTES)
        return TAUT_OK;
    // Not malloc: compilers may take a block that is freed at once for one that can always be had.
    void *memory = bytes < (double) PTRDIFF_MAX ? g_try_malloc((size_t) bytes) : NULL;
    g_free(memory);
    if (memory == NULL)
        return lib_fail(error, TAUT_NO_MEMORY, "memory: about %.0f MiB are needed, there are less",
                        ceil(bytes / 1048576.0));
    return TAUT_OK;
}

taut_array taut_array_of(double *data, size_t n_series, size_t n_samples)
{
    return (taut_array){.data = data,
                        .n_series = n_series,
                        .n_samples = n_samples,
                        .series_stride = (ptrdiff_t) n_samples,
                        .sample_stride = 1,
                        .type = TAUT_FLOAT64};
}

// Whether n numbers that far apart can be in memory.
static bool has_extent(size_t n, ptrdiff_t stride)
{
    double most = (double) PTRDIFF_MAX / 32.0;
    return n < 2 || (stride != 0 && (double) (n - 1) * fabs((double) stride) < most);
}

int lib_check_array(const taut_array *array, const char *name, size_t n_series, size_t n_samples,
                    taut_error *error)
{
    int code = lib_require(array, name, error);
    if (code != TAUT_OK)
        return code;
    if (array->n_series != n_series || array->n_samples != n_samples)
        return lib_fail(error, TAUT_BAD_VALUE,
                        "%s: expected %zu series of %zu samples, found %zu of %zu", name, n_series,
                        n_samples, array->n_series, array->n_samples);
    if (array->type != TAUT_FLOAT64 && array->type != TAUT_FLOAT32)
        return lib_fail(error, TAUT_BAD_VALUE, "%s: expected float64 or float32, found type %d",
                        name, array->type);
    if (!has_extent(n_series, array->series_stride) || !has_extent(n_samples, array->sample_stride))
        return lib_fail(error, TAUT_BAD_VALUE,
                        "%s: expected strides of numbers apart, found %td and %td", name,
                        array->series_stride, array->sample_stride);
    if (array->data == NULL && n_series > 0)
        return lib_fail(error, TAUT_BAD_VALUE, "%s: expected numbers, found NULL", name);
    return TAUT_OK;
}

int lib_check_numbers(const double *numbers, size_t n, const char *name, double least, bool above,
                      taut_error *error)
{
    int code = n > 0 ? lib_require(numbers, name, error) : TAUT_OK;
    for (size_t i = 0; code == TAUT_OK && i < n; i++)
        if (!isfinite(numbers[i]) || numbers[i] < least || (above && numbers[i] == least))
            code =
                lib_fail(error, TAUT_BAD_VALUE, "%s: entry %zu: expected a number %s %g, found %g",
                         name, i, above ? "above" : "of at least", least, numbers[i]);
    return code;
}

static bool is_block(const taut_array *array)
{
    return array->type == TAUT_FLOAT64 && array->sample_stride == 1 &&
           (array->series_stride >= (ptrdiff_t) array->n_samples || array->n_series == 1);
}

static struct block in_place(const taut_array *array, size_t first, size_t count)
{
    size_t stride = array->n_series == 1 ? array->n_samples : (size_t) array->series_stride;
    return (struct block){array->n_samples, count, stride, (double *) array->data + first * stride};
}

struct block lib_room(const taut_array *array, size_t first, size_t count, struct workspace *ws)
{
    if (is_block(array))
        return in_place(array, first, count);
    return (struct block){array->n_samples, count, array->n_samples,
                          WORKSPACE_ALLOC(ws, double, array->n_samples *count)};
}

static ptrdiff_t place(const taut_array *array, size_t v, size_t t)
{
    return (ptrdiff_t) v * array->series_stride + (ptrdiff_t) t * array->sample_stride;
}

struct block lib_read(const taut_array *array, size_t first, size_t count, struct workspace *ws)
{
    struct block block = lib_room(array, first, count, ws);
    if (is_block(array))
        return block;
    for (size_t t = 0; t < array->n_samples; t++)
        for (size_t v = 0; v < count; v++) {
            ptrdiff_t from = place(array, first + v, t);
            block_series(&block, v)[t] = array->type == TAUT_FLOAT32
                                             ? (double) ((const float *) array->data)[from]
                                             : ((const double *) array->data)[from];
        }
    return block;
}

void lib_write(const struct block *block, const taut_array *array, size_t first)
{
    if (is_block(array))
        return;
    for (size_t t = 0; t < array->n_samples; t++)
        for (size_t v = 0; v < block->n_series; v++) {
            ptrdiff_t to = place(array, first + v, t);
            double value = block_series(block, v)[t];
            if (array->type == TAUT_FLOAT32)
                ((float *) array->data)[to] = (float) value;
            else
                ((double *) array->data)[to] = value;
        }
}

// The loop over tiles of one call.
struct loop {
    const taut_host *host;
    GThread *caller; // NULL: nobody is asked
    lib_tile *tile;
    void *data;
    size_t n_series;
    atomic_size_t n_done;
    atomic_bool stop;
};

bool lib_asked_to_stop(const taut_host *host)
{
    return host->stop != NULL && __atomic_load_n(host->stop, __ATOMIC_RELAXED) != 0;
}

static void do_tile(void *data, size_t index, struct workspace *ws)
{
    struct loop *loop = data;
    size_t first = index * BLOCK_SERIES;
    size_t mark = workspace_mark(ws);
    loop->tile(loop->data, first, MIN((size_t) BLOCK_SERIES, loop->n_series - first), ws);
    workspace_release(ws, mark);
    size_t n_done = atomic_fetch_add(&loop->n_done, 1) + 1;
    bool stop = lib_asked_to_stop(loop->host);
    if (!stop && loop->caller != NULL && loop->caller == g_thread_self())
        stop = !loop->host->go_on(loop->host->data, (double) n_done * (double) BLOCK_SERIES /
                                                        (double) loop->n_series);
    if (stop)
        atomic_store(&loop->stop, true);
}

size_t lib_n_threads(const taut_host *host, size_t n_series)
{
    size_t n_tiles = (n_series + BLOCK_SERIES - 1) / BLOCK_SERIES;
    return MAX(MIN((size_t) host->n_threads, n_tiles), 1);
}

int lib_for_tiles(const taut_host *host, size_t n_series, lib_tile *tile, void *data,
                  taut_error *error)
{
    struct loop loop = {.host = host,
                        .caller = host->go_on != NULL ? g_thread_self() : NULL,
                        .tile = tile,
                        .data = data,
                        .n_series = n_series};
    atomic_store(&loop.stop, lib_asked_to_stop(host));
    g_autoptr(owned_parallel) team = parallel_new(lib_n_threads(host, n_series), &loop.stop);
    if (!parallel_for(team, (n_series + BLOCK_SERIES - 1) / BLOCK_SERIES, do_tile, &loop))
        return lib_fail(error, TAUT_STOPPED, "stopped by the host");
    return TAUT_OK;
}

taut_result lib_result(const struct series_result *result)
{
    return (taut_result){.status = (int32_t) result->status,
                         .lambda = result->lambda,
                         .lambda_max = result->lambda_max,
                         .objective = result->objective,
                         .duality_gap = result->duality_gap,
                         .relative_gap = result->relative_gap,
                         .n_jumps = result->n_jumps,
                         .iterations = result->iterations};
}
