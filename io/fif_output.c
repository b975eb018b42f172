// SPDX-License-Identifier: BSD-3-Clause
#include "io/fif_output.h"

#include "io/bytes.h"

#include <math.h>
#include <string.h>

enum {
    ID_BYTES = 20,
    FIF_VERSION = 0x00010003,
    FLUSH_BYTES = 1 << 20,
    NAME_BYTES = 16,
    PROJ_KIND_FIELD = 1,
    PROJ_KIND_EEG_REFERENCE = 10,
    COIL_TYPE_EEG = 1,
    COIL_TYPE_PLANAR = 3012,
    COIL_TYPE_MAGNETOMETER = 3024,
};

static void flush(struct fif_output *output)
{
    if (output->error == NULL)
        publish_write(output->publish, output->bytes->data, output->bytes->len, &output->error);
    output->n_bytes += output->bytes->len;
    g_byte_array_set_size(output->bytes, 0);
}

static void put(struct fif_output *output, const void *bytes, size_t n)
{
    g_byte_array_append(output->bytes, bytes, (guint) n);
    if (output->bytes->len >= FLUSH_BYTES)
        flush(output);
}

static void put_int(struct fif_output *output, int32_t value)
{
    uint8_t bytes[4];
    bytes_store_be32(bytes, (uint32_t) value);
    put(output, bytes, sizeof bytes);
}

static void put_float(struct fif_output *output, double value)
{
    put_int(output, (int32_t) bytes_of_float((float) value));
}

static void put_header(struct fif_output *output, int32_t kind, int32_t type, size_t n,
                       int32_t next)
{
    if (n > INT32_MAX) {
        if (output->error == NULL)
            io_error_set(&output->error, IO_ERROR_OUTPUT, output->path,
                         "cannot write: tag %d of more than 2^31 bytes", kind);
        return;
    }
    put_int(output, kind);
    put_int(output, type);
    put_int(output, (int32_t) n);
    put_int(output, next);
}

void fif_output_tag(struct fif_output *output, int32_t kind, int32_t type, const void *bytes,
                    size_t n)
{
    put_header(output, kind, type, n, 0);
    if (output->error == NULL)
        put(output, bytes, n);
}

void fif_output_int(struct fif_output *output, int32_t kind, int32_t value)
{
    put_header(output, kind, FIF_TYPE_INT32, 4, 0);
    put_int(output, value);
}

void fif_output_float(struct fif_output *output, int32_t kind, double value)
{
    put_header(output, kind, FIF_TYPE_FLOAT, 4, 0);
    put_float(output, value);
}

void fif_output_start(struct fif_output *output, int32_t block)
{
    fif_output_int(output, FIF_BLOCK_START, block);
}

void fif_output_end(struct fif_output *output, int32_t block)
{
    fif_output_int(output, FIF_BLOCK_END, block);
}

struct fif_output *fif_output_new(const char *path, bool overwrite, GError **error)
{
    struct publish *publish = publish_new(path, overwrite, error);
    if (publish == NULL)
        return NULL;
    struct fif_output *output = g_new0(struct fif_output, 1);
    output->path = g_strdup(path);
    output->publish = publish;
    output->bytes = g_byte_array_new();
    uint8_t id[ID_BYTES] = {0};
    bytes_store_be32(id, FIF_VERSION);
    bytes_store_be32(id + 16, INT32_MAX); // microseconds: what MNE takes for no date
    fif_output_tag(output, FIF_FILE_ID, FIF_TYPE_ID, id, sizeof id);
    fif_output_int(output, FIF_DIR_POINTER, -1);
    fif_output_int(output, FIF_FREE_LIST, -1);
    return output;
}

void fif_output_free(struct fif_output *output)
{
    if (output == NULL)
        return;
    g_free(output->path);
    publish_free(output->publish);
    g_byte_array_unref(output->bytes);
    g_clear_error(&output->error);
    g_free(output);
}

bool fif_output_finish(struct fif_output *output, GError **error)
{
    put_header(output, FIF_NOP, FIF_TYPE_VOID, 0, -1);
    flush(output);
    if (output->error != NULL)
        g_propagate_error(error, g_steal_pointer(&output->error));
    else
        return true;
    return false;
}

bool fif_output_commit(struct fif_output *output, GError **error)
{
    return publish_commit(output->publish, error);
}

static GByteArray *to_latin1(const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char_validated(p, -1);
        uint8_t byte = c < 256 ? (uint8_t) c : '?';
        g_byte_array_append(bytes, &byte, 1);
    }
    return bytes;
}

void fif_output_string(struct fif_output *output, int32_t kind, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autoptr(GByteArray) bytes = to_latin1(valid);
    fif_output_tag(output, kind, FIF_TYPE_STRING, bytes->data, bytes->len);
}

void fif_output_names(struct fif_output *output, int32_t kind, char *const *names, size_t n)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < n; i++) {
        g_auto(GStrv) pieces = g_strsplit(names[i], ":", -1);
        g_autofree char *name = g_strjoinv("{COLON}", pieces);
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ":", name);
    }
    fif_output_string(output, kind, list->str);
}

static void put_transform(struct fif_output *output, double rotation[3][3], const double shift[3])
{
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            put_float(output, rotation[i][j]);
    for (size_t i = 0; i < 3; i++)
        put_float(output, shift[i]);
}

void fif_output_transform(struct fif_output *output, int32_t from, int32_t to,
                          const float transform[3][4])
{
    double forth[3][3];
    double back[3][3];
    double shift[3];
    double shift_back[3] = {0.0};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            forth[i][j] = (double) transform[i][j];
            back[j][i] = forth[i][j];
        }
        shift[i] = (double) transform[i][3];
    }
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            shift_back[i] -= back[i][j] * shift[j];
    put_header(output, FIF_COORD_TRANS, FIF_TYPE_TRANSFORM, 104, 0);
    put_int(output, from);
    put_int(output, to);
    put_transform(output, forth, shift);
    put_transform(output, back, shift_back);
}

static void put_number(struct fif_output *output, int32_t type, double value)
{
    uint8_t bytes[8];
    if (type == FIF_TYPE_DOUBLE) {
        bytes_store_be64(bytes, bytes_of_double(value));
        put(output, bytes, sizeof bytes);
    } else if (type == FIF_TYPE_FLOAT) {
        put_float(output, value);
    } else {
        put_int(output, (int32_t) value);
    }
}

void fif_output_numbers(struct fif_output *output, int32_t kind, int32_t type, const double *values,
                        size_t n, size_t n_columns)
{
    size_t size = type == FIF_TYPE_DOUBLE ? sizeof(double) : sizeof(float);
    bool is_matrix = n_columns > 0;
    put_header(output, kind, is_matrix ? (FIF_TYPE_MATRIX | type) : type,
               n * size + (is_matrix ? 12 : 0), 0);
    for (size_t i = 0; i < n && output->error == NULL; i++)
        put_number(output, type, values[i]);
    if (!is_matrix)
        return;
    put_int(output, (int32_t) n_columns);
    put_int(output, (int32_t) (n / n_columns));
    put_int(output, 2);
}

// Channels.

static int32_t kind_code(enum channel_kind kind)
{
    static const int32_t codes[CHANNEL_KINDS] = {
        [CHANNEL_MAG] = 1,    [CHANNEL_GRAD] = 1,   [CHANNEL_REF_MEG] = 301, [CHANNEL_EEG] = 2,
        [CHANNEL_SEEG] = 802, [CHANNEL_ECOG] = 902, [CHANNEL_DBS] = 803,     [CHANNEL_EOG] = 202,
        [CHANNEL_ECG] = 402,  [CHANNEL_EMG] = 302,  [CHANNEL_BIO] = 102,     [CHANNEL_RESP] = 602,
        [CHANNEL_STIM] = 3,   [CHANNEL_SYST] = 900, [CHANNEL_MISC] = 502,
    };
    return codes[kind];
}

static int32_t unit_code(const char *unit)
{
    static const struct {
        const char *name;
        int32_t code;
    } rows[] = {{"V", 107}, {"T", 112}, {"T/m", 201}, {"A", 4}, {"S", 110}, {"Cel", 114}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, unit) == 0)
            return rows[i].code;
    return -1;
}

static int32_t coil_code(const struct channel *channel)
{
    if (channel->coil_type != 0)
        return channel->coil_type;
    switch (channel->kind) {
    case CHANNEL_MAG:
        return COIL_TYPE_MAGNETOMETER;
    case CHANNEL_GRAD:
        return COIL_TYPE_PLANAR;
    case CHANNEL_EEG:
        return COIL_TYPE_EEG;
    default:
        return 0;
    }
}

void fif_output_channel(struct fif_output *output, const struct channel *channel, size_t number,
                        double cal, int compensation_grade)
{
    bool is_meg = channel->kind == CHANNEL_MAG || channel->kind == CHANNEL_GRAD;
    int32_t grade = is_meg ? compensation_grade : 0;
    // The 15 bytes that a name may have end with a character.
    char name[NAME_BYTES] = {0};
    g_autoptr(GByteArray) latin1 = to_latin1(channel->name);
    memcpy(name, latin1->data, MIN(latin1->len, NAME_BYTES - 1));
    put_header(output, FIF_CH_INFO, FIF_TYPE_CH_INFO, 96, 0);
    put_int(output, (int32_t) number);
    put_int(output, (int32_t) number);
    put_int(output, kind_code(channel->kind));
    put_float(output, 1.0);
    put_float(output, cal);
    put_int(output, (int32_t) ((uint32_t) grade << 16 | (uint32_t) coil_code(channel)));
    for (size_t i = 0; i < G_N_ELEMENTS(channel->loc); i++)
        put_float(output, (double) channel->loc[i]);
    put_int(output, unit_code(channel->unit));
    put_int(output, 0);
    put(output, name, sizeof name);
}

void fif_output_projectors(struct fif_output *output, const GPtrArray *projectors)
{
    if (projectors->len == 0)
        return;
    fif_output_start(output, FIF_BLOCK_PROJ);
    for (guint i = 0; i < projectors->len; i++) {
        const struct projector *projector = projectors->pdata[i];
        size_t n_channels = g_strv_length(projector->channels);
        fif_output_start(output, FIF_BLOCK_PROJ_ITEM);
        fif_output_int(output, FIF_NCHAN, (int32_t) n_channels);
        fif_output_names(output, FIF_PROJ_ITEM_CH_NAMES, projector->channels, n_channels);
        fif_output_string(output, FIF_NAME, projector->name);
        fif_output_int(output, FIF_PROJ_ITEM_KIND,
                       projector->reference ? PROJ_KIND_EEG_REFERENCE : PROJ_KIND_FIELD);
        if (!projector->reference)
            fif_output_float(output, FIF_PROJ_ITEM_TIME, 0.0);
        fif_output_int(output, FIF_PROJ_ITEM_NVEC, (int32_t) projector->n_vectors);
        fif_output_int(output, FIF_PROJ_ITEM_ACTIVE, projector->active);
        fif_output_numbers(output, FIF_PROJ_ITEM_VECTORS, FIF_TYPE_FLOAT, projector->vectors,
                           projector->n_vectors * n_channels, n_channels);
        fif_output_end(output, FIF_BLOCK_PROJ_ITEM);
    }
    fif_output_end(output, FIF_BLOCK_PROJ);
}

void fif_output_bads(struct fif_output *output, char *const *names, size_t n)
{
    if (n == 0)
        return;
    fif_output_start(output, FIF_BLOCK_BAD_CHANNELS);
    fif_output_names(output, FIF_CH_NAMES, names, n);
    fif_output_end(output, FIF_BLOCK_BAD_CHANNELS);
}
