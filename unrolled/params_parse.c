// SPDX-License-Identifier: BSD-3-Clause
// Reading safetensors from bytes that anybody may have written. Every number is checked against
// the size of the file before it is used; the JSON is bounded in size and depth before json-glib,
// which recurses, sees it.
#include "unrolled/params_file.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

enum { MAX_HEADER_BYTES = 1 << 20, MAX_JSON_DEPTH = 8, MAX_LAYERS = 1000 };

G_GNUC_PRINTF(2, 3) static bool broken(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error != NULL)
        *error = g_error_new_valist(UNROLLED_ERROR, UNROLLED_ERROR_FILE, format, arguments);
    va_end(arguments);
    return false;
}

// Endless where there are comments or other quotes, which json-glib takes and JSON does not have:
// they could hide brackets from this count.
static size_t json_depth(const char *text, size_t n)
{
    size_t depth = 0;
    size_t deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text[i] == '\'' || text[i] == '/' || text[i] == '#'))
            return G_MAXSIZE;
        else if (!quoted && (text[i] == '{' || text[i] == '['))
            depth++;
        else if (!quoted && (text[i] == '}' || text[i] == ']') && depth > 0)
            depth--;
        deepest = MAX(deepest, depth);
    }
    return deepest;
}

static void count_member(JsonParser *parser, JsonObject *object, const char *name, gpointer data)
{
    (void) parser;
    (void) object;
    (void) name;
    (*(size_t *) data)++;
}

static size_t n_members(JsonObject *object)
{
    size_t count = json_object_get_size(object);
    g_autoptr(GList) values = json_object_get_values(object);
    for (GList *value = values; value != NULL; value = value->next)
        if (JSON_NODE_HOLDS_OBJECT(value->data))
            count += n_members(json_node_get_object(value->data));
    return count;
}

// The header as an object. json-glib keeps the last of two members of a name in silence: as many
// members must be told as remain.
static JsonObject *parse_header(JsonParser *parser, const char *text, size_t n, GError **error)
{
    g_autoptr(GError) reason = NULL;
    size_t n_told = 0;
    if (json_depth(text, n) > MAX_JSON_DEPTH || !g_utf8_validate(text, (gssize) n, NULL)) {
        broken(error, "header: expected JSON in UTF-8 of at most %d levels", MAX_JSON_DEPTH);
        return NULL;
    }
    g_signal_connect(parser, "object-member", G_CALLBACK(count_member), &n_told);
    if (!json_parser_load_from_data(parser, text, (gssize) n, &reason)) {
        broken(error, "header: expected JSON, found otherwise");
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root)) {
        broken(error, "header: expected an object");
        return NULL;
    }
    if (n_told != n_members(json_node_get_object(root))) {
        broken(error, "header: expected different names, found one twice");
        return NULL;
    }
    return json_node_get_object(root);
}

// `__metadata__` as a table of strings.
static bool take_metadata(GHashTable *metadata, JsonObject *header, GError **error)
{
    JsonNode *node = json_object_get_member(header, "__metadata__");
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node))
        return broken(error, "__metadata__: expected an object, found none");
    JsonObject *object = json_node_get_object(node);
    g_autoptr(GList) names = json_object_get_members(object);
    for (GList *name = names; name != NULL; name = name->next) {
        JsonNode *value = json_object_get_member(object, name->data);
        if (!JSON_NODE_HOLDS_VALUE(value) || json_node_get_value_type(value) != G_TYPE_STRING)
            return broken(error, "__metadata__: expected strings only");
        g_hash_table_insert(metadata, g_strdup(name->data), json_node_dup_string(value));
    }
    return true;
}

// A list of at most two non-negative integers.
static bool take_integers(JsonObject *object, const char *name, size_t n_least, guint64 values[2],
                          size_t *n)
{
    JsonNode *node = json_object_get_member(object, name);
    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return false;
    JsonArray *array = json_node_get_array(node);
    *n = json_array_get_length(array);
    if (*n < n_least || *n > 2)
        return false;
    for (guint i = 0; i < *n; i++) {
        JsonNode *value = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_VALUE(value) || json_node_get_value_type(value) != G_TYPE_INT64 ||
            json_node_get_int(value) < 0)
            return false;
        values[i] = (guint64) json_node_get_int(value);
    }
    return true;
}

// Where a tensor's bytes stand.
struct range {
    guint64 begin;
    guint64 end;
};

struct data {
    const guint8 *bytes;
    guint64 n_bytes;
    GArray *ranges; // of struct range
};

static bool take_shape(JsonObject *object, struct tensor *tensor)
{
    guint64 shape[2] = {1, 1};
    size_t n_dims;
    if (!take_integers(object, "shape", 0, shape, &n_dims))
        return false;
    tensor->n_rows = shape[0];
    tensor->n_columns = shape[1];
    return tensor->n_rows > 0 && tensor->n_columns > 0;
}

static double number_at(const guint8 *bytes, guint64 size)
{
    if (size == 4) {
        guint32 bits;
        float value;
        memcpy(&bits, bytes, sizeof bits);
        bits = GUINT32_FROM_LE(bits);
        memcpy(&value, &bits, sizeof value);
        return (double) value;
    }
    guint64 bits;
    double value;
    memcpy(&bits, bytes, sizeof bits);
    bits = GUINT64_FROM_LE(bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool take_values(const struct data *data, struct range range, guint64 size, const char *name,
                        struct tensor *tensor, GError **error)
{
    guint64 n = (range.end - range.begin) / size;
    tensor->values = g_try_malloc_n(n, sizeof(double));
    if (tensor->values == NULL)
        return broken(error, "%s: expected memory for %" G_GUINT64_FORMAT " numbers", name, n);
    for (guint64 i = 0; i < n; i++) {
        tensor->values[i] = number_at(data->bytes + range.begin + i * size, size);
        if (!isfinite(tensor->values[i]))
            return broken(error, "%s: expected finite numbers, found one that is not", name);
    }
    return true;
}

// 0 for anything but "F64" and "F32".
static guint64 bytes_a_number(JsonNode *dtype)
{
    if (dtype == NULL || !JSON_NODE_HOLDS_VALUE(dtype) ||
        json_node_get_value_type(dtype) != G_TYPE_STRING)
        return 0;
    const char *name = json_node_get_string(dtype);
    return strcmp(name, "F64") == 0 ? 8 : strcmp(name, "F32") == 0 ? 4 : 0;
}

static bool take_tensor(struct data *data, const char *name, JsonNode *node, struct tensor *tensor,
                        GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return broken(error, "%s: expected an object", name);
    JsonObject *object = json_node_get_object(node);
    guint64 size = bytes_a_number(json_object_get_member(object, "dtype"));
    if (size == 0)
        return broken(error, "%s: expected dtype F64 or F32", name);
    guint64 offsets[2];
    size_t n_offsets;
    guint64 bytes;
    if (!take_shape(object, tensor) ||
        !take_integers(object, "data_offsets", 2, offsets, &n_offsets))
        return broken(error, "%s: expected a shape of one or two and two offsets", name);
    if (offsets[0] > offsets[1] || offsets[1] > data->n_bytes)
        return broken(error, "%s: expected offsets within %" G_GUINT64_FORMAT " bytes", name,
                      data->n_bytes);
    if (__builtin_mul_overflow(tensor->n_rows, tensor->n_columns, &bytes) ||
        __builtin_mul_overflow(bytes, size, &bytes) || bytes != offsets[1] - offsets[0])
        return broken(error, "%s: expected as many bytes as its shape", name);
    struct range range = {offsets[0], offsets[1]};
    g_array_append_val(data->ranges, range);
    return take_values(data, range, size, name, tensor, error);
}

static int compare_ranges(gconstpointer a, gconstpointer b)
{
    const struct range *first = a;
    const struct range *second = b;
    return (first->begin > second->begin) - (first->begin < second->begin);
}

static bool ranges_tile(const struct data *data)
{
    guint64 end = 0;
    g_array_sort(data->ranges, compare_ranges);
    for (guint i = 0; i < data->ranges->len; i++) {
        struct range range = g_array_index(data->ranges, struct range, i);
        if (range.begin != end)
            return false;
        end = range.end;
    }
    return end == data->n_bytes;
}

static void tensor_free(gpointer memory)
{
    struct tensor *tensor = memory;
    g_free(tensor->values);
    g_free(tensor);
}

static bool take_tensors(struct params_file *file, JsonObject *header, struct data *data,
                         GError **error)
{
    g_autoptr(GList) names = json_object_get_members(header);
    for (GList *name = names; name != NULL; name = name->next) {
        if (strcmp(name->data, "__metadata__") == 0)
            continue;
        g_autofree char *shown = g_strescape(name->data, NULL);
        struct tensor *tensor = g_new0(struct tensor, 1);
        g_hash_table_insert(file->tensors, g_strdup(name->data), tensor);
        JsonNode *node = json_object_get_member(header, name->data);
        if (!take_tensor(data, shown, node, tensor, error))
            return false;
    }
    if (!ranges_tile(data))
        return broken(error, "data: expected tensors side by side to the end, found a gap or an "
                             "overlap");
    g_autofree char *sha256 =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, data->bytes, data->n_bytes);
    if (file->sha256 != NULL && strcmp(file->sha256, sha256) != 0)
        return broken(error, "data: expected SHA-256 %.12s, found %.12s", file->sha256, sha256);
    return true;
}

static bool take_count(GHashTable *metadata, const char *key, guint64 least, guint64 most,
                       size_t *count, GError **error)
{
    const char *text = g_hash_table_lookup(metadata, key);
    guint64 value = 0;
    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, least, most, &value, NULL))
        return broken(error, "__metadata__: %s: expected %" G_GUINT64_FORMAT "..%" G_GUINT64_FORMAT,
                      key, least, most);
    *count = value;
    return true;
}

// What the network is, and the record of its training.
static bool understand(struct params_file *file, GHashTable *metadata, GError **error)
{
    if (g_strcmp0(g_hash_table_lookup(metadata, "format"), "taut 1") != 0)
        return broken(error, "__metadata__: format: expected \"taut 1\"");
    const char *layer = g_hash_table_lookup(metadata, "layer");
    const char *variant = g_hash_table_lookup(metadata, "variant");
    if (layer == NULL || variant == NULL)
        return broken(error, "__metadata__: expected a layer and a variant");
    file->network = g_strescape(layer, NULL);
    file->variant = g_strescape(variant, NULL);
    file->conv = g_strdup(g_hash_table_lookup(metadata, "conv"));
    file->operator_sha256 = g_strdup(g_hash_table_lookup(metadata, "operator_sha256"));
    file->sha256 = g_strdup(g_hash_table_lookup(metadata, "sha256"));
    if (!take_count(metadata, "layers", 1, MAX_LAYERS, &file->size.depth, error) ||
        !take_count(metadata, "inner_layers", 0, MAX_LAYERS, &file->size.n_inner, error) ||
        !take_count(metadata, "n_time", 1, G_MAXINT, &file->n_observed, error) ||
        !take_count(metadata, "n_unknown", 1, G_MAXINT, &file->n_unknown, error))
        return false;
    file->record = training_record_read(metadata, file->size.depth);
    return true;
}

static bool parse(struct params_file *file, const guint8 *bytes, size_t n_bytes, GError **error)
{
    guint64 length;
    if (n_bytes < sizeof length)
        return broken(error, "header: expected at least 8 bytes, found %zu", n_bytes);
    memcpy(&length, bytes, sizeof length);
    length = GUINT64_FROM_LE(length);
    if (length > MAX_HEADER_BYTES || length > n_bytes - sizeof length)
        return broken(error,
                      "header: expected a length of at most %d and within the file, found "
                      "%" G_GUINT64_FORMAT,
                      MAX_HEADER_BYTES, length);
    g_autoptr(JsonParser) parser = json_parser_new();
    const char *text = (const char *) bytes + sizeof length;
    JsonObject *header = parse_header(parser, text, length, error);
    g_autoptr(GHashTable) metadata = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (header == NULL || !take_metadata(metadata, header, error) ||
        !understand(file, metadata, error))
        return false;
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    struct data data = {bytes + sizeof length + length, n_bytes - sizeof length - length, ranges};
    return take_tensors(file, header, &data, error);
}

struct params_file *params_file_parse(const void *bytes, size_t n_bytes, GError **error)
{
    g_autoptr(owned_params_file) file = g_new0(struct params_file, 1);
    file->record = training_record_none();
    file->tensors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, tensor_free);
    if (!parse(file, bytes, n_bytes, error))
        return NULL;
    return g_steal_pointer(&file);
}
