// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/params_file.h"

#include <math.h>
#include <string.h>

// A matrix of more entries than this is known by its checksum only.
enum { MAX_OPERATOR_ENTRIES = 1000000 };

void params_file_free(struct params_file *file)
{
    if (file == NULL)
        return;
    g_free(file->network);
    g_free(file->variant);
    g_free(file->conv);
    g_free(file->operator_sha256);
    g_free(file->sha256);
    training_record_clear(&file->record);
    g_hash_table_unref(file->tensors);
    g_free(file);
}

const struct tensor *params_file_tensor(const struct params_file *file, const char *name)
{
    return g_hash_table_lookup(file->tensors, name);
}

static const char *conv_name(const linop *op)
{
    if (op->filter == NULL || op->filter->n == 1)
        return "";
    return op->filter->full ? "full" : "causal";
}

static void add_numbers(GChecksum *checksum, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        guint64 bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = GUINT64_TO_LE(bits);
        g_checksum_update(checksum, (const guchar *) &bits, sizeof bits);
    }
}

char *params_operator_sha256(const linop *op)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *sizes = g_strdup_printf("%zu %zu %s\n", op->n_out, op->n_in, conv_name(op));
    g_checksum_update(checksum, (const guchar *) sizes, (gssize) strlen(sizes));
    if (op->filter != NULL)
        add_numbers(checksum, op->filter->h, op->filter->n);
    else if (op->matrix != NULL)
        add_numbers(checksum, op->matrix, op->n_out * op->n_in);
    return g_strdup(g_checksum_get_string(checksum));
}

// The file under construction: the text of the header and the bytes of the data.
struct builder {
    GString *header;
    GByteArray *data;
};

static void append_values(struct builder *builder, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        guint64 bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = GUINT64_TO_LE(bits);
        g_byte_array_append(builder->data, (const guint8 *) &bits, sizeof bits);
    }
}

static void append_tensor(struct builder *builder, const char *name, const double *values,
                          const struct tensor_shape *shape)
{
    size_t n = shape->n_rows * shape->n_columns;
    guint begin = builder->data->len;
    append_values(builder, values, n);
    g_string_append_printf(builder->header, ",\"%s\":{\"dtype\":\"F64\",\"shape\":[", name);
    if (shape->n_columns == 1)
        g_string_append_printf(builder->header, "%zu", shape->n_rows);
    else
        g_string_append_printf(builder->header, "%zu,%zu", shape->n_rows, shape->n_columns);
    g_string_append_printf(builder->header, "],\"data_offsets\":[%u,%u]}", begin,
                           builder->data->len);
}

static void append_layers(struct builder *builder, const struct network *network, size_t depth,
                          const double *parameters, const char *prefix)
{
    for (size_t layer = 0; layer < depth; layer++) {
        struct tensor_shape shapes[LAYER_MAX_TENSORS];
        size_t n_tensors = network->kind->tensors(&network->context, layer, shapes);
        const double *values = parameters + network->offsets[layer];
        for (size_t i = 0; i < n_tensors; i++) {
            g_autofree char *name =
                g_strdup_printf("%slayer.%02zu.%s", prefix, layer, shapes[i].name);
            append_tensor(builder, name, values, &shapes[i]);
            values += shapes[i].n_rows * shapes[i].n_columns;
        }
    }
}

static void append_operator(struct builder *builder, const linop *op)
{
    if (op->filter != NULL) {
        struct tensor_shape shape = {"", op->filter->n, 1};
        append_tensor(builder, "operator.h", op->filter->h, &shape);
    } else if (op->matrix != NULL && op->n_out * op->n_in <= MAX_OPERATOR_ENTRIES) {
        struct tensor_shape shape = {"", op->n_out, op->n_in};
        g_autofree double *rows = g_new(double, op->n_out * op->n_in);
        for (size_t i = 0; i < op->n_out; i++)
            for (size_t j = 0; j < op->n_in; j++)
                rows[i * op->n_in + j] = op->matrix[j * op->n_out + i];
        append_tensor(builder, "operator.a", rows, &shape);
    }
}

static void append_escaped(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(out, "\\%c", *c);
        else if ((guchar) *c < 0x20)
            g_string_append_printf(out, "\\u%04x", (guint) (guchar) *c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

static void set_own_metadata(const struct network *network, const GByteArray *data,
                             GHashTable *metadata)
{
    const linop *op = network->context.op;
    g_hash_table_insert(metadata, g_strdup("format"), g_strdup("taut 1"));
    g_hash_table_insert(metadata, g_strdup("layer"), g_strdup(network->kind->network));
    g_hash_table_insert(metadata, g_strdup("variant"), g_strdup(network->kind->variant));
    g_hash_table_insert(metadata, g_strdup("layers"), g_strdup_printf("%zu", network->depth));
    g_hash_table_insert(metadata, g_strdup("inner_layers"),
                        g_strdup_printf("%zu", network->context.n_inner));
    g_hash_table_insert(metadata, g_strdup("n_time"), g_strdup_printf("%zu", op->n_out));
    g_hash_table_insert(metadata, g_strdup("n_unknown"), g_strdup_printf("%zu", op->n_in));
    g_hash_table_insert(metadata, g_strdup("conv"), g_strdup(conv_name(op)));
    g_hash_table_insert(metadata, g_strdup("operator_sha256"), params_operator_sha256(op));
    g_hash_table_insert(metadata, g_strdup("sha256"),
                        g_compute_checksum_for_data(G_CHECKSUM_SHA256, data->data, data->len));
}

// `{"__metadata__":{...}` with keys in alphabetical order.
static GString *metadata_text(GHashTable *metadata)
{
    GString *text = g_string_new("{\"__metadata__\":{");
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(metadata), (GCompareFunc) strcmp);
    for (GList *key = keys; key != NULL; key = key->next) {
        if (key != keys)
            g_string_append_c(text, ',');
        append_escaped(text, key->data);
        g_string_append_c(text, ':');
        append_escaped(text, g_hash_table_lookup(metadata, key->data));
    }
    g_string_append_c(text, '}');
    return text;
}

GBytes *params_file_write(const struct network *network, const struct training_record *record)
{
    g_autoptr(GString) tensors = g_string_new(NULL);
    g_autoptr(GByteArray) data = g_byte_array_new();
    struct builder builder = {tensors, data};
    append_layers(&builder, network, network->depth, network->parameters, "");
    for (size_t depth = 1; depth <= network->depth; depth++) {
        g_autofree char *prefix = g_strdup_printf("stage.%02zu.", depth);
        if (network->stages[depth - 1] != NULL)
            append_layers(&builder, network, depth, network->stages[depth - 1], prefix);
    }
    append_operator(&builder, network->context.op);

    g_autoptr(GHashTable) metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (record != NULL)
        training_record_write(record, metadata);
    set_own_metadata(network, data, metadata);

    g_autoptr(GString) header = metadata_text(metadata);
    g_string_append_printf(header, "%s}", tensors->str);
    while (header->len % 8 != 0)
        g_string_append_c(header, ' ');
    guint64 length = GUINT64_TO_LE((guint64) header->len);
    GByteArray *file = g_byte_array_new();
    g_byte_array_append(file, (const guint8 *) &length, sizeof length);
    g_byte_array_append(file, (const guint8 *) header->str, (guint) header->len);
    g_byte_array_append(file, data->data, data->len);
    return g_byte_array_free_to_bytes(file);
}

static bool refuse(GError **error, enum unrolled_error code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool refuse(GError **error, enum unrolled_error code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error != NULL)
        *error = g_error_new_valist(UNROLLED_ERROR, (int) code, format, arguments);
    va_end(arguments);
    return false;
}

// Copies one layer's tensors; each that is used is counted.
static bool take_layer(const struct params_file *file, const struct network *network, size_t layer,
                       const char *prefix, double *parameters, size_t *n_used, GError **error)
{
    struct tensor_shape shapes[LAYER_MAX_TENSORS];
    size_t n_tensors = network->kind->tensors(&network->context, layer, shapes);
    for (size_t i = 0; i < n_tensors; i++) {
        g_autofree char *name = g_strdup_printf("%slayer.%02zu.%s", prefix, layer, shapes[i].name);
        const struct tensor *tensor = params_file_tensor(file, name);
        if (tensor == NULL)
            return refuse(error, UNROLLED_ERROR_FILE, "%s: expected a tensor, found none", name);
        if (tensor->n_rows != shapes[i].n_rows || tensor->n_columns != shapes[i].n_columns)
            return refuse(error, UNROLLED_ERROR_FILE, "%s: expected %zu x %zu, found %zu x %zu",
                          name, shapes[i].n_rows, shapes[i].n_columns, tensor->n_rows,
                          tensor->n_columns);
        size_t n = tensor->n_rows * tensor->n_columns;
        memcpy(parameters, tensor->values, n * sizeof(double));
        parameters += n;
        (*n_used)++;
    }
    return true;
}

static bool take_layers(const struct params_file *file, const struct network *network, size_t depth,
                        const char *prefix, size_t *n_used, GError **error)
{
    for (size_t layer = 0; layer < depth; layer++) {
        double *parameters = network->parameters + network->offsets[layer];
        if (!take_layer(file, network, layer, prefix, parameters, n_used, error))
            return false;
    }
    return true;
}

static bool has_stage(const struct params_file *file, const char *prefix)
{
    GHashTableIter iter;
    gpointer key;
    g_hash_table_iter_init(&iter, file->tensors);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (g_str_has_prefix(key, prefix))
            return true;
    return false;
}

static bool fill_network(const struct params_file *file, struct network *network, GError **error)
{
    size_t n_used = 0;
    for (size_t depth = 1; depth <= network->depth; depth++) {
        g_autofree char *prefix = g_strdup_printf("stage.%02zu.", depth);
        if (!has_stage(file, prefix))
            continue;
        if (!take_layers(file, network, depth, prefix, &n_used, error))
            return false;
        network_keep_stage(network, depth);
    }
    if (!take_layers(file, network, network->depth, "", &n_used, error))
        return false;
    n_used += params_file_tensor(file, "operator.h") != NULL;
    n_used += params_file_tensor(file, "operator.a") != NULL;
    size_t n_found = g_hash_table_size(file->tensors);
    if (n_used != n_found)
        return refuse(error, UNROLLED_ERROR_FILE,
                      "tensors: expected the %zu of this network, found %zu", n_used, n_found);
    return true;
}

static bool check_operator(const struct params_file *file, const linop *op, bool any_operator,
                           GError **error)
{
    if (file->n_observed != op->n_out || file->n_unknown != op->n_in)
        return refuse(error, UNROLLED_ERROR_REFUSED,
                      "operator: expected %zu samples and %zu unknowns as in training, found %zu "
                      "and %zu",
                      file->n_observed, file->n_unknown, op->n_out, op->n_in);
    g_autofree char *found = params_operator_sha256(op);
    const char *expected = file->operator_sha256;
    if (!any_operator && g_strcmp0(expected, found) != 0)
        return refuse(error, UNROLLED_ERROR_REFUSED,
                      "operator: expected the one of training (SHA-256 %.12s), found another "
                      "(%.12s)",
                      expected == NULL ? "absent" : expected, found);
    return true;
}

struct network *params_file_network(const struct params_file *file, const struct problem *problem,
                                    bool any_operator, GError **error)
{
    if (!check_operator(file, problem->op, any_operator, error))
        return NULL;
    g_autoptr(owned_network) network =
        network_new(file->network, file->variant, problem, file->size, error);
    if (network == NULL || !fill_network(file, network, error))
        return NULL;
    return g_steal_pointer(&network);
}
