// SPDX-License-Identifier: BSD-3-Clause
#include "app/log.h"

#include "io/text.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REDRAW_MS = 200, DECILES = 10 };

struct log {
    struct host_say say;
    bool quiet;
    bool verbose;
    bool terminal;  // stderr is one
    FILE *file;     // owned, may be NULL
    char *path;     // owned, of the file
    int file_errno; // of the last line that the file did not take; 0: it took all
    bool holding;
    GPtrArray *held; // owned, of owned lines
    // progress, touched by all threads
    const char *stage; // static; NULL outside of stages
    char value[48];    // shown with the progress, or ""
    gint64 stage_begin_us;
    atomic_llong next_redraw_ms;
    atomic_int deciles_told;
    atomic_bool drawn;
};

static void say_line(struct host_say *self, enum host_line kind, const char *text)
{
    static void (*const lines[])(struct log * log, const char *format, ...) = {
        [HOST_DETAIL] = log_detail,
        [HOST_INFO] = log_info,
        [HOST_WARNING] = log_warning,
        [HOST_ERROR] = log_error,
    };
    lines[kind]((struct log *) self, "%s", text);
}

static void say_hold(struct host_say *self, bool held)
{
    if (held)
        log_hold((struct log *) self);
    else
        log_accept((struct log *) self);
}

static void say_stage(struct host_say *self, const char *name)
{
    if (name != NULL)
        log_progress_begin((struct log *) self, name);
    else
        log_progress_end((struct log *) self);
}

static void say_progress(struct host_say *self, double fraction)
{
    log_progress((struct log *) self, fraction);
}

static void say_value(struct host_say *self, const char *name, double value)
{
    log_progress_value((struct log *) self, name, value);
}

struct host_say *log_say(struct log *log)
{
    return &log->say;
}

struct log *log_new(bool quiet, bool verbose, const char *file, GError **error)
{
    FILE *stream = NULL;
    if (file != NULL && (stream = fopen(file, "ae")) == NULL) {
        g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot write: %s", file,
                    g_strerror(errno));
        return NULL;
    }
    struct log *log = g_new0(struct log, 1);
    log->say = (struct host_say){say_line, say_hold, say_stage, say_progress, say_value};
    log->quiet = quiet;
    log->verbose = verbose;
    log->terminal = isatty(STDERR_FILENO) == 1;
    log->file = stream;
    log->path = g_strdup(file);
    log->holding = true;
    log->held = g_ptr_array_new_with_free_func(g_free);
    return log;
}

static void erase_progress(struct log *log)
{
    if (atomic_exchange(&log->drawn, false))
        fputs("\r\033[K", stderr);
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    erase_progress(log);
    if (log->file != NULL)
        fclose(log->file);
    g_free(log->path);
    g_ptr_array_unref(log->held);
    g_free(log);
}

static void show(struct log *log, const char *line)
{
    erase_progress(log);
    fprintf(stderr, "taut: %s\n", line);
}

static void write_to_file(struct log *log, const char *kind, const char *line)
{
    if (log->file == NULL)
        return;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    if (fprintf(log->file, "%s %-7s %s\n", time, kind, line) < 0 || fflush(log->file) != 0)
        log->file_errno = errno;
}

bool log_check_file(const struct log *log, GError **error)
{
    if (log->file_errno == 0)
        return true;
    g_set_error(error, APP_ERROR, APP_ERROR_OUTPUT, "%s: cannot write: %s", log->path,
                g_strerror(log->file_errno));
    return false;
}

G_GNUC_PRINTF(4, 0)
static void say(struct log *log, const char *kind, bool shown, const char *format, va_list args)
{
    g_autofree char *raw = g_strdup_vprintf(format, args);
    g_autofree char *text = text_escape(raw);
    write_to_file(log, kind, text);
    if (!shown)
        return;
    g_autofree char *line =
        strcmp(kind, "warning") == 0 ? g_strconcat("warning: ", text, NULL) : g_strdup(text);
    if (log->holding)
        g_ptr_array_add(log->held, g_steal_pointer(&line));
    else
        show(log, line);
}

void log_detail(struct log *log, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(log, "detail", log->verbose, format, args);
    va_end(args);
}

void log_info(struct log *log, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(log, "info", !log->quiet, format, args);
    va_end(args);
}

void log_warning(struct log *log, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(log, "warning", true, format, args);
    va_end(args);
}

void log_error(struct log *log, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *raw = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *text = text_escape(raw);
    g_ptr_array_set_size(log->held, 0);
    write_to_file(log, "error", text);
    show(log, text);
}

void log_hold(struct log *log)
{
    log->holding = true;
}

void log_accept(struct log *log)
{
    log->holding = false;
    for (guint i = 0; i < log->held->len; i++)
        show(log, g_ptr_array_index(log->held, i));
    g_ptr_array_set_size(log->held, 0);
}

void log_progress_begin(struct log *log, const char *stage)
{
    log_progress_end(log);
    log->stage_begin_us = g_get_monotonic_time();
    atomic_store(&log->next_redraw_ms, log->stage_begin_us / 1000 + REDRAW_MS);
    atomic_store(&log->deciles_told, 0);
    log->stage = stage;
}

static char *time_left(double seconds)
{
    if (!(seconds < 360000.0))
        return g_strdup("unknown time left");
    int s = (int) (seconds + 0.5);
    if (s < 60)
        return g_strdup_printf("%d s left", s);
    if (s < 3600)
        return g_strdup_printf("%d min %02d s left", s / 60, s % 60);
    return g_strdup_printf("%d h %02d min left", s / 3600, s / 60 % 60);
}

static double seconds_of_stage(const struct log *log)
{
    return 1e-6 * (double) (g_get_monotonic_time() - log->stage_begin_us);
}

static char *progress_line(const struct log *log, double fraction)
{
    g_autofree char *left = time_left(seconds_of_stage(log) * (1.0 - fraction) / fraction);
    return g_strdup_printf("%s %3.0f %%, %s%s", log->stage, 100.0 * fraction, log->value, left);
}

// Of all threads that come here, the one that moves the time of the next redraw does it.
static void redraw(struct log *log, double fraction)
{
    long long now_ms = g_get_monotonic_time() / 1000;
    long long next_ms = atomic_load(&log->next_redraw_ms);
    if (now_ms < next_ms ||
        !atomic_compare_exchange_strong(&log->next_redraw_ms, &next_ms, now_ms + REDRAW_MS))
        return;
    g_autofree char *line = progress_line(log, fraction);
    atomic_store(&log->drawn, true);
    fprintf(stderr, "\r\033[Ktaut: %s", line);
    fflush(stderr);
}

static void tell_decile(struct log *log, double fraction)
{
    int reached = (int) (fraction * DECILES + 1e-9);
    int told = atomic_load(&log->deciles_told);
    if (reached <= told || !atomic_compare_exchange_strong(&log->deciles_told, &told, reached))
        return;
    g_autofree char *line = progress_line(log, fraction);
    fprintf(stderr, "taut: %s\n", line);
}

void log_progress(struct log *log, double fraction)
{
    if (log->quiet || log->stage == NULL || !(fraction > 0.0))
        return;
    if (log->terminal)
        redraw(log, MIN(fraction, 1.0));
    else if (!log->holding)
        tell_decile(log, MIN(fraction, 1.0));
}

void log_progress_value(struct log *log, const char *name, double value)
{
    g_snprintf(log->value, sizeof log->value, "%s %.6g, ", name, value);
}

void log_progress_end(struct log *log)
{
    erase_progress(log);
    log->value[0] = '\0';
    if (log->stage != NULL)
        log_detail(log, "%s: %.3f s", log->stage, seconds_of_stage(log));
    log->stage = NULL;
}
