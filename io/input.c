// SPDX-License-Identifier: BSD-3-Clause
#include "io/input.h"

#include "io/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_open_error(GError **error, const char *path, int reason)
{
    g_autofree char *target = reason == ENOENT ? g_file_read_link(path, NULL) : NULL;
    if (target != NULL && strstr(target, ".git/annex/objects") != NULL) {
        g_autofree char *name = text_escape(path);
        io_error_set(error, IO_ERROR_INPUT, path, "annexed file not present (datalad get %s)",
                     name);
    } else if (target != NULL) {
        g_autofree char *name = text_escape(target);
        io_error_set(error, IO_ERROR_INPUT, path, "link to a missing file %s", name);
    } else {
        io_error_set(error, IO_ERROR_INPUT, path, "cannot open: %s", g_strerror(reason));
    }
}

static const char *kind_of_file(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a named pipe";
    if (S_ISCHR(mode) || S_ISBLK(mode))
        return "a device";
    return "a special file";
}

bool input_open(struct input *input, const char *path, GError **error)
{
    *input = (struct input){.fd = -1};
    int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        set_open_error(error, path, errno);
        return false;
    }
    struct stat status;
    if (fstat(fd, &status) != 0) {
        io_error_set(error, IO_ERROR_INPUT, path, "cannot read: %s", g_strerror(errno));
        close(fd);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected a regular file, found %s",
                     kind_of_file(status.st_mode));
        close(fd);
        return false;
    }
    *input = (struct input){.fd = fd, .size = (uint64_t) status.st_size};
    return true;
}

struct input input_of_bytes(const void *bytes, size_t n)
{
    return (struct input){.fd = -1, .size = n, .bytes = bytes};
}

bool input_read(const struct input *input, uint64_t offset, void *bytes, size_t n, size_t *n_read)
{
    char *at = bytes;
    *n_read = 0;
    if (input->bytes != NULL) {
        *n_read = (size_t) MIN(n, input->size - MIN(offset, input->size));
        if (*n_read > 0)
            memcpy(bytes, input->bytes + offset, *n_read);
        return true;
    }
    while (*n_read < n) {
        ssize_t got = pread(input->fd, at + *n_read, n - *n_read, (off_t) (offset + *n_read));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            break;
        *n_read += (size_t) got;
    }
    return true;
}

void input_close(struct input *input)
{
    if (input->fd >= 0)
        close(input->fd);
    input->fd = -1;
}

static char *read_all(const struct input *input, const char *path, size_t most, size_t *n,
                      GError **error)
{
    g_autofree char *text = input->size > most ? NULL : g_try_malloc((size_t) input->size + 1);
    if (text == NULL) {
        io_error_set(error, IO_ERROR_INPUT, path, "expected at most %zu bytes, found %" PRIu64,
                     most, input->size);
        return NULL;
    }
    if (!input_read(input, 0, text, (size_t) input->size, n)) {
        io_error_set(error, IO_ERROR_INPUT, path, "cannot read: %s", g_strerror(errno));
        return NULL;
    }
    text[*n] = '\0';
    return g_steal_pointer(&text);
}

char *input_text(const char *path, size_t most, size_t *n, GError **error)
{
    struct input input;
    if (!input_open(&input, path, error))
        return NULL;
    char *text = read_all(&input, path, most, n, error);
    input_close(&input);
    return text;
}
