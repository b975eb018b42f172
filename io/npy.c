// SPDX-License-Identifier: BSD-3-Clause
#include "io/npy.h"

#include <glib.h>
#include <string.h>

#define VALUE(name, stored_type)                                                                   \
    static double value_##name(const uint8_t *stored)                                              \
    {                                                                                              \
        stored_type value;                                                                         \
        memcpy(&value, stored, sizeof value);                                                      \
        return (double) value;                                                                     \
    }

VALUE(b1, uint8_t)
VALUE(i1, int8_t)
VALUE(i2, int16_t)
VALUE(i4, int32_t)
VALUE(i8, int64_t)
VALUE(u1, uint8_t)
VALUE(u2, uint16_t)
VALUE(u4, uint32_t)
VALUE(u8, uint64_t)
VALUE(f4, float)
VALUE(f8, double)

static const struct npy_type types[] = {
    {'b', 1, "bool", value_b1},    {'i', 1, "int8", value_i1},    {'i', 2, "int16", value_i2},
    {'i', 4, "int32", value_i4},   {'i', 8, "int64", value_i8},   {'u', 1, "uint8", value_u1},
    {'u', 2, "uint16", value_u2},  {'u', 4, "uint32", value_u4},  {'u', 8, "uint64", value_u8},
    {'f', 4, "float32", value_f4}, {'f', 8, "float64", value_f8},
};

bool npy_recognise(const uint8_t *head, size_t n)
{
    static const uint8_t magic[NPY_MAGIC_BYTES] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    return n >= NPY_MAGIC_BYTES && memcmp(head, magic, sizeof magic) == 0;
}

/** A position in the text of a header. */
struct cursor {
    const char *at;
    const char *end;
};

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

static bool take_char(struct cursor *c, char expected)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != expected)
        return false;
    c->at++;
    return true;
}

/** A string in either kind of quotes, without escapes. */
static bool take_string(struct cursor *c, char *text, size_t size)
{
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at++;
    const char *close = memchr(c->at, quote, (size_t) (c->end - c->at));
    if (close == NULL || (size_t) (close - c->at) >= size)
        return false;
    memcpy(text, c->at, (size_t) (close - c->at));
    text[close - c->at] = '\0';
    c->at = close + 1;
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    skip_blanks(c);
    size_t n = strlen(word);
    if ((size_t) (c->end - c->at) < n || memcmp(c->at, word, n) != 0)
        return false;
    c->at += n;
    return true;
}

static bool take_size(struct cursor *c, size_t *value)
{
    skip_blanks(c);
    const char *begin = c->at;
    *value = 0;
    for (; c->at < c->end && g_ascii_isdigit(*c->at); c->at++)
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (size_t) (*c->at - '0'), value))
            return false;
    return c->at > begin;
}

static bool take_shape(struct cursor *c, struct npy_header *header)
{
    header->n_dims = 0;
    if (!take_char(c, '('))
        return false;
    while (!take_char(c, ')')) {
        if (header->n_dims == NPY_MOST_DIMS || !take_size(c, &header->shape[header->n_dims]))
            return false;
        header->n_dims++;
        if (!take_char(c, ','))
            return take_char(c, ')');
    }
    return true;
}

static bool take_order(struct cursor *c, bool *fortran_order)
{
    *fortran_order = take_word(c, "True");
    return *fortran_order || take_word(c, "False");
}

/** "<f8", "|u1", ...: byte order, kind, bytes. */
static bool find_type(const char *descr, struct npy_header *header)
{
    char order = descr[0];
    if (order == '\0' || strchr("<>=|", order) == NULL)
        return false;
    header->swapped = order == (G_BYTE_ORDER == G_LITTLE_ENDIAN ? '>' : '<');
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        char name[] = {types[i].kind, (char) ('0' + types[i].n_bytes), '\0'};
        if (strcmp(descr + 1, name) == 0) {
            header->type = &types[i];
            return true;
        }
    }
    return false;
}

/** A dictionary under way. */
struct dictionary {
    struct npy_header *header;
    char descr[32];
    bool has_descr;
    bool has_order;
    bool has_shape;
    const char *reason;
};

static bool take_descr(struct cursor *c, struct dictionary *d)
{
    d->has_descr = take_string(c, d->descr, sizeof d->descr);
    if (!d->has_descr)
        d->reason = "expected a type of real numbers, found a structure";
    return d->has_descr;
}

/** "key: value", each key once. */
static bool take_entry(struct cursor *c, struct dictionary *d)
{
    char key[32];
    if (!take_string(c, key, sizeof key) || !take_char(c, ':'))
        return false;
    if (strcmp(key, "descr") == 0 && !d->has_descr)
        return take_descr(c, d);
    if (strcmp(key, "fortran_order") == 0 && !d->has_order)
        return d->has_order = take_order(c, &d->header->fortran_order);
    if (strcmp(key, "shape") == 0 && !d->has_shape)
        return d->has_shape = take_shape(c, d->header);
    return false;
}

static bool take_dictionary(struct cursor *c, struct dictionary *d)
{
    if (!take_char(c, '{'))
        return false;
    while (!take_char(c, '}')) {
        if (!take_entry(c, d))
            return false;
        if (take_char(c, ','))
            continue;
        if (!take_char(c, '}'))
            return false;
        break;
    }
    skip_blanks(c);
    return d->has_descr && d->has_order && d->has_shape && c->at == c->end;
}

bool npy_parse(struct npy_header *header, const char *text, size_t n, const char **reason)
{
    struct cursor cursor = {text, text + n};
    struct dictionary dictionary = {
        .header = header, .reason = "expected the dictionary of a .npy, found something else"};
    *header = (struct npy_header){0};
    bool parsed = take_dictionary(&cursor, &dictionary);
    *reason = dictionary.reason;
    if (!parsed)
        return false;
    *reason = "expected bool, (u)int8 to (u)int64, float32 or float64, found another type";
    return find_type(dictionary.descr, header);
}
