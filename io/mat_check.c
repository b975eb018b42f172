// SPDX-License-Identifier: BSD-3-Clause
// The layout is that of "MAT-File Format", The MathWorks: elements of a tag, type and size, and a
// body that is filled up to 8 bytes; an array is an element of elements.
#include "io/mat_check.h"

#include "io/bytes.h"

#include <glib.h>

enum { TAG_BYTES = 8, MATRIX = 14, MOST_LEVELS = 32, MOST_DIMENSIONS = 32, LONGEST_NAME = 64 };
enum { CLASS_CELL = 1, CLASS_STRUCT = 2, CLASS_OBJECT = 3, CLASS_SPARSE = 5, CLASS_INT64 = 15 };

/** The body of an element, as far as it was not read. */
struct body {
    struct gz *stream; // borrowed
    uint64_t left;
};

struct tag {
    uint32_t type;
    uint32_t size;
    bool is_small; // the body, of at most 4 bytes, is in the tag
};

static bool take(struct body *body, uint8_t *bytes, size_t n)
{
    size_t n_read = 0;
    if (n > body->left)
        return false;
    body->left -= n;
    gz_read(body->stream, bytes, n, &n_read);
    return n_read == n;
}

static bool skip(struct body *body, uint64_t n)
{
    if (n > body->left)
        return false;
    body->left -= n;
    return n == 0 || gz_skip(body->stream, n) == GZ_OK;
}

static bool take_tag(struct body *body, struct tag *tag)
{
    uint8_t bytes[TAG_BYTES];
    if (!take(body, bytes, sizeof bytes))
        return false;
    uint32_t first = bytes_load_le32(bytes);
    tag->is_small = first >> 16 != 0;
    tag->type = tag->is_small ? first & 0xffff : first;
    tag->size = tag->is_small ? first >> 16 : bytes_load_le32(bytes + 4);
    return true;
}

// The last body may end without being filled up.
static bool skip_rest(struct body *body, const struct tag *tag)
{
    uint64_t filled = ((uint64_t) tag->size + TAG_BYTES - 1) / TAG_BYTES * TAG_BYTES;
    return tag->is_small || (tag->size <= body->left && skip(body, MIN(filled, body->left)));
}

// The class of an array, and how many elements its dimensions make.
static bool take_shape(struct body *body, unsigned *class, uint64_t *n)
{
    struct tag tag;
    uint8_t bytes[4 * MOST_DIMENSIONS + 4];
    if (!take_tag(body, &tag) || tag.size != 8 || !take(body, bytes, 8))
        return false;
    *class = bytes[0];
    *n = 1;
    if (*class > CLASS_INT64) // a function or an object, of another layout
        return true;
    if (!take_tag(body, &tag) || tag.is_small || tag.size % 4 != 0 ||
        tag.size > 4 * MOST_DIMENSIONS || !take(body, bytes, (tag.size + 7) / 8 * 8))
        return false;
    for (size_t d = 0; d < tag.size / 4; d++)
        if (__builtin_mul_overflow(*n, (uint64_t) bytes_load_le32(bytes + 4 * d), n))
            return false;
    return take_tag(body, &tag) && skip_rest(body, &tag); // the name
}

// How many fields a struct has, by the length of a name and those of all.
static bool take_fields(struct body *body, uint64_t *n_fields)
{
    struct tag names;
    uint8_t bytes[TAG_BYTES]; // one small element: the length of a name
    if (!take(body, bytes, sizeof bytes) || !take_tag(body, &names))
        return false;
    uint32_t length = bytes_load_le32(bytes + 4);
    *n_fields = length == 0 ? 0 : names.size / length;
    return length <= LONGEST_NAME && skip_rest(body, &names);
}

// Values, real and imaginary, are no longer than what is left.
static bool check_values(struct body *body)
{
    struct tag tag;
    while (body->left >= TAG_BYTES)
        if (!take_tag(body, &tag) || !skip_rest(body, &tag))
            return false;
    return skip(body, body->left);
}

static bool check_matrix(struct body *outside, uint32_t size, unsigned level);

static bool check_members(struct body *body, uint64_t n, unsigned level)
{
    if (n > body->left / TAG_BYTES || level >= MOST_LEVELS)
        return false;
    for (uint64_t i = 0; i < n; i++) {
        struct tag tag;
        if (!take_tag(body, &tag) || tag.type != MATRIX || !check_matrix(body, tag.size, level + 1))
            return false;
    }
    return skip(body, body->left);
}

static bool check_matrix(struct body *outside, uint32_t size, unsigned level)
{
    unsigned class = 0;
    uint64_t n = 0, n_fields = 1;
    struct body body = {outside->stream, size};
    if (size > outside->left)
        return false;
    outside->left -= size;
    if (size == 0) // an empty array
        return true;
    if (!take_shape(&body, &class, &n))
        return false;
    if (class == CLASS_STRUCT && !take_fields(&body, &n_fields))
        return false;
    if (class == CLASS_STRUCT || class == CLASS_CELL)
        return !__builtin_mul_overflow(n, n_fields, &n) && check_members(&body, n, level);
    bool is_dense = class != CLASS_SPARSE && class != CLASS_OBJECT && class <= CLASS_INT64;
    return is_dense ? n <= body.left && check_values(&body) : skip(&body, body.left);
}

bool mat_check(struct gz *stream)
{
    struct body file = {stream, UINT64_MAX};
    uint8_t bytes[TAG_BYTES];
    size_t n = 0;
    while (gz_read(stream, bytes, sizeof bytes, &n) == GZ_OK && n == sizeof bytes) {
        uint32_t type = bytes_load_le32(bytes), size = bytes_load_le32(bytes + 4);
        bool sound = type == MATRIX ? check_matrix(&file, size, 0) : skip(&file, size);
        if (!sound)
            return false;
    }
    return true;
}
