// SPDX-License-Identifier: BSD-3-Clause
#include "io/fif.h"

#include "io/bytes.h"
#include "io/text.h"

#include <inttypes.h>
#include <string.h>

enum {
    ID_BYTES = 20,
    FAR_WINDOW = 4096,        // read to see the header of a far tag
    NEAR_WINDOW = 256 * 1024, // read to see those of many small ones
};

bool fif_recognise(const uint8_t *head, size_t n_head)
{
    return n_head >= 12 && bytes_load_be32(head) == FIF_FILE_ID &&
           bytes_load_be32(head + 4) == FIF_TYPE_ID;
}

void fif_free(struct fif *fif)
{
    if (fif == NULL)
        return;
    g_free(fif->path);
    gz_free(fif->stream);
    g_free(fif->owned_bytes);
    g_free(fif->tag);
    g_free(fif->block);
    g_ptr_array_unref(fif->warnings);
    g_free(fif);
}

GPtrArray *fif_copy_warnings(const struct fif *fif)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < fif->warnings->len; i++)
        g_ptr_array_add(copy, g_strdup(fif->warnings->pdata[i]));
    return copy;
}

void fif_warn(struct fif *fif, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    io_warnings_add(fif->warnings, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

bool fif_refuse(const struct fif *fif, const struct fif_tag *tag, GError **error,
                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    io_error_set(error, IO_ERROR_INPUT, fif->path, "tag %d at %" PRIu64 ": %s", tag->kind,
                 tag->offset - FIF_HEADER_BYTES, message);
    return false;
}

bool fif_read(const struct fif *fif, uint64_t offset, void *bytes, size_t n, GError **error)
{
    if (offset > fif->size || n > fif->size - offset) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "ends before byte %" PRIu64, offset + n);
        return false;
    }
    if (fif->bytes != NULL) {
        memcpy(bytes, fif->bytes + offset, n);
        return true;
    }
    size_t n_read = 0;
    gz_rewind(fif->stream);
    gz_skip(fif->stream, offset); // plain: moves, cannot fail
    enum gz_status status = gz_read(fif->stream, bytes, n, &n_read);
    if (status != GZ_OK)
        io_error_set(error, IO_ERROR_INPUT, fif->path, "byte %" PRIu64 ": %s", offset + n_read,
                     gz_describe(fif->stream, status));
    return status == GZ_OK;
}

// The walk.

struct walk {
    struct fif *fif;
    const struct io_context *io;
    size_t tag_capacity;
    size_t block_capacity;
    size_t open;        // the innermost open block
    uint64_t at;        // the next tag
    uint64_t at_before; // the tag before it
    uint8_t *window;    // owned; what of the file is at hand
    uint64_t window_at; //
    size_t n_window;    //
    uint32_t largest;   // of the data buffers so far
    int64_t directory;  // where it is said to be
    GArray *listed;     // owned; of uint64_t: the tags by the directory, or NULL: by their links
    guint n_taken;      // of them
};

/** Makes room for one more in an array. */
static bool grow(struct walk *walk, void **array, size_t n, size_t *capacity, size_t size,
                 GError **error)
{
    if (n < *capacity)
        return true;
    size_t more = MAX(2 * *capacity, 64);
    bool allowed = more <= walk->io->mem_limit / size;
    void *moved = allowed ? g_try_realloc_n(*array, more, size) : NULL;
    if (moved == NULL) {
        io_error_set(error, IO_ERROR_MEMORY, walk->fif->path,
                     "more than %zu tags: too many for the memory there is", n);
        return false;
    }
    *array = moved;
    *capacity = more;
    return true;
}

static bool add_block(struct walk *walk, int32_t kind, GError **error)
{
    struct fif *fif = walk->fif;
    void *array = fif->block;
    bool fits = grow(walk, &array, fif->n_blocks, &walk->block_capacity, sizeof *fif->block, error);
    fif->block = array;
    if (!fits)
        return false;
    size_t depth = fif->n_blocks == 0 ? 0 : fif->block[walk->open].n_depth + 1;
    fif->block[fif->n_blocks] = (struct fif_block){.kind = kind,
                                                   .parent = (uint32_t) walk->open,
                                                   .n_depth = (uint32_t) depth,
                                                   .first = fif->n_tags};
    walk->open = fif->n_blocks++;
    return true;
}

static bool add_tag(struct walk *walk, const struct fif_tag *tag, GError **error)
{
    struct fif *fif = walk->fif;
    void *array = fif->tag;
    bool fits = grow(walk, &array, fif->n_tags, &walk->tag_capacity, sizeof *fif->tag, error);
    fif->tag = array;
    if (!fits)
        return false;
    fif->tag[fif->n_tags] = *tag;
    fif->tag[fif->n_tags++].block = (uint32_t) walk->open;
    return true;
}

/** The n bytes at walk->at, which the file has. */
static const uint8_t *look(struct walk *walk, size_t n, GError **error)
{
    struct fif *fif = walk->fif;
    if (fif->bytes != NULL)
        return fif->bytes + walk->at;
    if (walk->at < walk->window_at || walk->at + n > walk->window_at + walk->n_window) {
        size_t reach = walk->at - walk->at_before < FAR_WINDOW * 4 ? NEAR_WINDOW : FAR_WINDOW;
        walk->window_at = walk->at;
        walk->n_window = (size_t) MIN(reach, fif->size - walk->at);
        if (!fif_read(fif, walk->at, walk->window, walk->n_window, error))
            return NULL;
    }
    return walk->window + (walk->at - walk->window_at);
}

static void close_block(struct walk *walk)
{
    struct fif_block *block = &walk->fif->block[walk->open];
    block->end = walk->fif->n_tags;
    block->last = (uint32_t) (walk->fif->n_blocks - 1);
    walk->open = block->parent;
}

static bool start_block(struct walk *walk, const struct fif_tag *tag, int32_t kind, GError **error)
{
    if (walk->fif->block[walk->open].n_depth >= FIF_MAX_DEPTH)
        return fif_refuse(walk->fif, tag, error, "expected at most %d blocks in one another",
                          FIF_MAX_DEPTH);
    return add_block(walk, kind, error);
}

/** Closes the innermost open block of this kind, and those in it that were left open. */
static void end_block(struct walk *walk, const struct fif_tag *tag, int32_t kind)
{
    const struct fif_block *block = walk->fif->block;
    size_t match = walk->open;
    while (match != 0 && block[match].kind != kind)
        match = block[match].parent;
    if (match != walk->open || match == 0)
        fif_warn(walk->fif, "tag %d at %" PRIu64 ": ends a block that is not the innermost",
                 tag->kind, tag->offset - FIF_HEADER_BYTES);
    if (match == 0)
        return;
    size_t outside = block[match].parent;
    while (walk->open != outside)
        close_block(walk);
}

/** Blocks and what else shapes the file; other tags go into the index. */
static bool take_tag(struct walk *walk, const struct fif_tag *tag, GError **error)
{
    bool is_edge = tag->kind == FIF_BLOCK_START || tag->kind == FIF_BLOCK_END;
    bool at_top = walk->open == 0;
    if (!is_edge && !(at_top && tag->kind == FIF_DIR_POINTER)) {
        if (tag->kind == FIF_DATA_BUFFER)
            walk->largest = MAX(walk->largest, tag->size);
        return tag->kind == FIF_NOP || tag->kind == FIF_DIR || add_tag(walk, tag, error);
    }
    if (tag->size != sizeof(int32_t))
        return fif_refuse(walk->fif, tag, error, "expected 4 bytes, found %u", tag->size);
    uint8_t bytes[4] = {0};
    if (!fif_read(walk->fif, tag->offset, bytes, sizeof bytes, error))
        return false;
    int32_t value = (int32_t) bytes_load_be32(bytes);
    if (tag->kind == FIF_BLOCK_START)
        return start_block(walk, tag, value, error);
    if (tag->kind == FIF_BLOCK_END)
        end_block(walk, tag, value);
    else
        walk->directory = value;
    return true;
}

/** Whether a payload that the file does not have in full is a last data buffer to be left out. */
static bool is_cut_buffer(const struct walk *walk, const struct fif_tag *tag, int32_t size)
{
    return tag->kind == FIF_DATA_BUFFER && walk->largest > 0 && size >= 0 &&
           (uint32_t) size <= walk->largest;
}

static bool check_first(const struct fif *fif, const struct fif_tag *tag, GError **error)
{
    if (tag->kind != FIF_FILE_ID || tag->type != FIF_TYPE_ID || tag->size != ID_BYTES)
        return fif_refuse(fif, tag, error,
                          "expected the identification of a FIF file (100, type 31, 20 bytes), "
                          "found type %d, %u bytes",
                          tag->type, tag->size);
    return true;
}

static gint compare_offsets(gconstpointer a, gconstpointer b)
{
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
    return (x > y) - (x < y);
}

/**
 * Old C programs insert a block by links: one leads to the end of the file, and one from there
 * back. Links back are refused, as they may never end; the directory has the same tags, and they
 * are taken anew from it, in the order of the file. False without an error where there is none.
 */
static bool begin_by_directory(struct walk *walk, GError **error)
{
    enum { ENTRY_BYTES = 16 }; // kind, type, size, offset
    struct fif *fif = walk->fif;
    uint8_t header[FIF_HEADER_BYTES] = {0};
    uint64_t at = (uint64_t) walk->directory;
    if (walk->directory <= 0 || at > fif->size || fif->size - at < FIF_HEADER_BYTES ||
        !fif_read(fif, at, header, sizeof header, NULL))
        return false;
    struct fif_tag tag = {.size = bytes_load_be32(header + 8), .offset = at + FIF_HEADER_BYTES};
    if (bytes_load_be32(header) != FIF_DIR || tag.size > fif->size - tag.offset)
        return false;
    g_autofree uint8_t *entries = fif_payload(fif, &tag, walk->io, error);
    if (entries == NULL)
        return false;
    walk->listed = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (size_t i = 0; i + ENTRY_BYTES <= tag.size; i += ENTRY_BYTES) {
        uint64_t offset = bytes_load_be32(entries + i + 12);
        bool is_end = (int32_t) bytes_load_be32(entries + i) == -1;
        if (!is_end && offset <= fif->size - FIF_HEADER_BYTES)
            g_array_append_val(walk->listed, offset);
    }
    g_array_sort(walk->listed, compare_offsets);
    fif_warn(fif, "a link back (written by an old C program): the directory is followed");
    fif->n_tags = fif->n_blocks = 0;
    walk->open = 0;
    return add_block(walk, 0, error);
}

/** Moves on to the next tag of the directory that stands at `least` or after it. */
static void take_listed(struct walk *walk, uint64_t least, bool *done)
{
    while (walk->n_taken < walk->listed->len &&
           g_array_index(walk->listed, uint64_t, walk->n_taken) < least)
        walk->n_taken++;
    *done = walk->n_taken == walk->listed->len;
    if (!*done)
        walk->at = g_array_index(walk->listed, uint64_t, walk->n_taken++);
}

/** To where the tag after this one stands. */
static bool follow_link(struct walk *walk, const struct fif_tag *tag, int32_t next, bool *done,
                        GError **error)
{
    struct fif *fif = walk->fif;
    uint64_t end = tag->offset + tag->size;
    uint64_t follow = next > 0 ? (uint64_t) next : end;
    if (walk->listed != NULL) {
        take_listed(walk, end, done);
        return true;
    }
    if (next >= -1 && follow >= end && follow <= fif->size) {
        walk->at = follow;
        *done = next == -1;
        return true;
    }
    GError *failure = NULL;
    if (follow < end && tag->kind == FIF_BLOCK_END && begin_by_directory(walk, &failure)) {
        take_listed(walk, 0, done);
        return true;
    }
    if (failure != NULL)
        g_propagate_error(error, failure);
    else
        fif_refuse(fif, tag, error,
                   "expected the next tag from %" PRIu64 " to %" PRIu64 ", found it at %d", end,
                   fif->size, next);
    return false;
}

/** Takes the tag at walk->at and moves on; *done where it was the last. */
static bool step(struct walk *walk, bool *done, GError **error)
{
    struct fif *fif = walk->fif;
    const uint8_t *header = look(walk, FIF_HEADER_BYTES, error);
    if (header == NULL)
        return false;
    int32_t size = (int32_t) bytes_load_be32(header + 8);
    int32_t next = (int32_t) bytes_load_be32(header + 12);
    struct fif_tag tag = {.kind = (int32_t) bytes_load_be32(header),
                          .type = (int32_t) bytes_load_be32(header + 4),
                          .size = (uint32_t) size,
                          .offset = walk->at + FIF_HEADER_BYTES};
    if (size < 0)
        return fif_refuse(fif, &tag, error, "expected a size of 0 or more, found %d", size);
    if (tag.size > fif->size - tag.offset) {
        if (!is_cut_buffer(walk, &tag, size))
            return fif_refuse(fif, &tag, error,
                              "expected %d bytes, found %" PRIu64 " to the end of the file", size,
                              fif->size - tag.offset);
        fif_warn(fif, "ends inside a data buffer, which is left out");
        *done = true;
        return true;
    }
    if ((walk->at == 0 && !check_first(fif, &tag, error)) || !take_tag(walk, &tag, error))
        return false;
    walk->at_before = walk->at;
    return follow_link(walk, &tag, next, done, error);
}

/** The directory repeats what the links tell; it is looked at to say that it is bad. */
static void check_directory(struct walk *walk)
{
    struct fif *fif = walk->fif;
    uint8_t kind[4] = {0};
    if (walk->directory <= 0)
        return;
    uint64_t at = (uint64_t) walk->directory;
    if (at > fif->size || fif->size - at < FIF_HEADER_BYTES ||
        !fif_read(fif, at, kind, sizeof kind, NULL) || bytes_load_be32(kind) != FIF_DIR)
        fif_warn(fif, "the directory is not where it is said to be (%" PRId64 "); not needed",
                 walk->directory);
}

static bool walk_tags(struct walk *walk, GError **error)
{
    struct fif *fif = walk->fif;
    bool done = false;
    if (!add_block(walk, 0, error))
        return false;
    for (size_t n = 0; !done && fif->size - walk->at >= FIF_HEADER_BYTES; n++) {
        if (n % 4096 == 0 && !io_context_go_on(walk->io, (double) walk->at / (double) fif->size))
            return io_error_stopped(error, fif->path);
        if (!step(walk, &done, error))
            return false;
    }
    if (fif->n_tags == 0) {
        io_error_set(error, IO_ERROR_INPUT, fif->path, "expected tags of a FIF file, found none");
        return false;
    }
    if (!done)
        fif_warn(fif, "has no end tag: read to the end of the file");
    while (walk->open != 0)
        close_block(walk);
    fif->block[0].end = fif->n_tags;
    fif->block[0].last = (uint32_t) (fif->n_blocks - 1);
    check_directory(walk);
    return true;
}

static bool build_index(struct fif *fif, const struct io_context *io, GError **error)
{
    struct walk walk = {.fif = fif, .io = io};
    walk.window = fif->bytes == NULL ? g_malloc(NEAR_WINDOW) : NULL;
    bool ok = walk_tags(&walk, error);
    g_free(walk.window);
    if (walk.listed != NULL)
        g_array_unref(walk.listed);
    return ok;
}

static struct fif *fif_new(const char *path)
{
    struct fif *fif = g_new0(struct fif, 1);
    fif->path = g_strdup(path);
    fif->warnings = g_ptr_array_new_with_free_func(g_free);
    return fif;
}

struct fif *fif_of_bytes(const char *path, const void *bytes, size_t n, const struct io_context *io,
                         GError **error)
{
    g_autoptr(owned_fif) fif = fif_new(path);
    fif->bytes = bytes;
    fif->size = n;
    return build_index(fif, io, error) ? g_steal_pointer(&fif) : NULL;
}

/** More room for what is decompressed, within the limit. */
static bool make_room(struct fif *fif, size_t *capacity, const struct io_context *io,
                      GError **error)
{
    size_t more = *capacity == 0 ? MAX(4 * (size_t) gz_file_size(fif->stream), 4096)
                                 : *capacity + *capacity / 2;
    more = MIN(more, io->mem_limit);
    uint8_t *moved = more > *capacity ? g_try_realloc(fif->owned_bytes, more) : NULL;
    if (moved == NULL) {
        g_autofree char *held = g_format_size_full((guint64) *capacity, G_FORMAT_SIZE_IEC_UNITS);
        io_error_set(error, IO_ERROR_MEMORY, fif->path,
                     "needs more than %s of memory, decompressed", held);
        return false;
    }
    fif->owned_bytes = moved;
    *capacity = more;
    return true;
}

// Bytes between two looks at whether it is a FIF file at all.
enum { MOST_AT_ONCE = 1 << 20 };

/** Decompresses all of a stream into memory, to its trailer, if it begins as a FIF file. */
static bool decompress(struct fif *fif, const struct io_context *io, GError **error)
{
    size_t capacity = 0;
    size_t n = 0;
    enum gz_status status = GZ_OK;
    while (status == GZ_OK) {
        if (n == capacity && !make_room(fif, &capacity, io, error))
            return false;
        size_t n_read = 0;
        status =
            gz_read(fif->stream, fif->owned_bytes + n, MIN(capacity - n, MOST_AT_ONCE), &n_read);
        n += n_read;
        if (n >= FIF_HEADER_BYTES && !fif_recognise(fif->owned_bytes, n)) {
            io_error_set(error, IO_ERROR_INPUT, fif->path,
                         "expected the identification of a FIF file, found other contents");
            return false;
        }
        if (!io_context_go_on(io, (double) n / (double) capacity))
            status = GZ_CANCELLED;
    }
    if (status != GZ_END) {
        io_error_set(error, status == GZ_CANCELLED ? IO_ERROR_CANCELLED : IO_ERROR_INPUT, fif->path,
                     "byte %zu: %s", n, gz_describe(fif->stream, status));
        return false;
    }
    fif->bytes = fif->owned_bytes;
    fif->size = n;
    return true;
}

struct fif *fif_open(const char *path, struct gz *stream, const struct io_context *io,
                     GError **error)
{
    g_autoptr(owned_fif) fif = fif_new(path);
    fif->stream = stream;
    fif->size = gz_file_size(stream);
    struct io_context left = *io;
    if (gz_is_compressed(stream)) {
        struct gz_rest rest;
        if (!decompress(fif, io, error))
            return NULL;
        gz_finish(stream, &rest); // at the end already: tells what it met
        fif->n_members = rest.n_members;
        left.mem_limit -= MIN(left.mem_limit, fif->size); // the index has the rest
        if (rest.has_garbage)
            fif_warn(fif, "gzip: bytes after the last member");
    }
    return build_index(fif, &left, error) ? g_steal_pointer(&fif) : NULL;
}

// What the index answers.

size_t fif_next_block(const struct fif *fif, size_t inside, int32_t kind, size_t after)
{
    for (size_t i = MAX(inside, after) + 1; i <= fif->block[inside].last; i++)
        if (fif->block[i].kind == kind)
            return i;
    return 0;
}

size_t fif_find_block(const struct fif *fif, size_t inside, int32_t kind)
{
    return fif_next_block(fif, inside, kind, inside);
}

const struct fif_tag *fif_next(const struct fif *fif, size_t block, int32_t kind,
                               const struct fif_tag *after)
{
    const struct fif_tag *tag = after == NULL ? fif->tag + fif->block[block].first : after + 1;
    for (; tag < fif->tag + fif->block[block].end; tag++)
        if (tag->block == block && tag->kind == kind)
            return tag;
    return NULL;
}

const struct fif_tag *fif_find(const struct fif *fif, size_t block, int32_t kind)
{
    return fif_next(fif, block, kind, NULL);
}
