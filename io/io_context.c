// SPDX-License-Identifier: BSD-3-Clause
#include "io/io_context.h"

#include "io/text.h"

G_DEFINE_QUARK(io_error, io_error)

struct io_context io_context_default(void)
{
    return (struct io_context){.mem_limit = G_MAXSIZE, .compression = 1, .n_threads = 1};
}

void io_error_set(GError **error, enum io_error code, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *printable = text_escape(path);
    g_set_error(error, IO_ERROR, (int) code, "%s: %s", printable, message);
}

bool io_error_stopped(GError **error, const char *path)
{
    io_error_set(error, IO_ERROR_CANCELLED, path, "stopped");
    return false;
}

void io_warnings_add(GPtrArray *warnings, char *text)
{
    enum { MOST = 100 };
    g_autofree char *warning = text;
    if (warnings->len > MOST || g_ptr_array_find_with_equal_func(warnings, text, g_str_equal, NULL))
        return;
    g_ptr_array_add(warnings, warnings->len < MOST ? g_steal_pointer(&warning)
                                                   : g_strdup("further warnings are left out"));
}

bool io_context_run(const struct io_context *io, size_t n, void (*body)(void *data, size_t i),
                    void *data)
{
    if (io->run != NULL)
        return io->run(io->team, n, body, data);
    for (size_t i = 0; i < n; i++)
        body(data, i);
    return true;
}

bool io_context_go_on(const struct io_context *io, double fraction)
{
    return io->go_on == NULL || io->go_on(io->progress, fraction);
}

void *io_context_alloc(const struct io_context *io, const char *path, size_t n, size_t size,
                       GError **error)
{
    size_t bytes = 0;
    bool fits = !__builtin_mul_overflow(n, size, &bytes) && bytes <= io->mem_limit;
    void *memory = fits ? g_try_malloc(MAX(bytes, 1)) : NULL;
    if (memory == NULL) {
        g_autofree char *need = g_format_size_full(
            (guint64) MIN((double) n * (double) size, 0x1p63), G_FORMAT_SIZE_IEC_UNITS);
        g_autofree char *limit = g_format_size_full(io->mem_limit, G_FORMAT_SIZE_IEC_UNITS);
        if (fits)
            io_error_set(error, IO_ERROR_MEMORY, path, "needs %s of memory that cannot be had",
                         need);
        else
            io_error_set(error, IO_ERROR_MEMORY, path, "needs %s of memory, may ask for %s", need,
                         limit);
    }
    return memory;
}
