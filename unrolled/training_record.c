// SPDX-License-Identifier: BSD-3-Clause
#include "unrolled/training_record.h"

#include <math.h>
#include <string.h>

enum { STAGE_NUMBERS = 6, STAGE_NUMBERS_LEAST = 4 };

// Words of a file, by the values of their enums.
static const char *const start_words[] = {
    [START_CONST] = "const", [START_ZERO] = "zero", [START_PINV] = "pinv"};
static const char *const safeguard_words[] = {
    [TRAINED_SAFEGUARD_OFF] = "off", [TRAINED_SAFEGUARD_ON] = "on"};

// The texts of a record by their keys.
static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    {"hrf", offsetof(struct training_record, hrf)},
    {"lambda_ratio", offsetof(struct training_record, lambda_text)},
    {"leadfield", offsetof(struct training_record, leadfield)},
    {"preprocessing", offsetof(struct training_record, preprocessing)},
    {"taut_version", offsetof(struct training_record, version)},
    {"training", offsetof(struct training_record, training)},
    {"training_sha256", offsetof(struct training_record, sha256)},
};

static char **text_of(struct training_record *record, size_t i)
{
    return (char **) (void *) ((char *) record + texts[i].offset);
}

struct training_record training_record_none(void)
{
    return (struct training_record){
        .interval_s = NAN, .lambda_least = NAN, .lambda_most = NAN, .start = -1, .seconds = NAN};
}

void training_record_clear(struct training_record *record)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(*text_of(record, i));
    g_free(record->stages);
    *record = training_record_none();
}

// NaN where the text is no number.
static double number_of(const char *text)
{
    char *end = NULL;
    double value = text == NULL ? NAN : g_ascii_strtod(text, &end);
    return text == NULL || end == text || *end != '\0' ? NAN : value;
}

static void understand_lambda(struct training_record *record)
{
    g_auto(GStrv) ends =
        g_strsplit(record->lambda_text == NULL ? "" : record->lambda_text, ":", -1);
    guint n = g_strv_length(ends);
    double least = n == 1 || n == 2 ? number_of(ends[0]) : NAN;
    double most = n == 1 || n == 2 ? number_of(ends[n - 1]) : NAN;
    bool understood = least > 0.0 && least <= most && most < 1.0;
    record->lambda_least = understood ? least : NAN;
    record->lambda_most = understood ? most : NAN;
}

void training_record_set_lambda(struct training_record *record, const char *text)
{
    g_free(record->lambda_text);
    record->lambda_text = g_strdup(text);
    understand_lambda(record);
}

void training_record_set_stages(struct training_record *record, const struct train_stage *stages,
                                size_t n_stages)
{
    g_free(record->stages);
    record->stages = g_memdup2(stages, n_stages * sizeof *stages);
    record->n_stages = n_stages;
}

bool training_record_has_one_lambda(const struct training_record *record)
{
    return record->lambda_least >= record->lambda_most;
}

bool training_record_is_safeguarded(const struct training_record *record)
{
    return record->safeguard != TRAINED_SAFEGUARD_OFF;
}

enum solver_start training_record_start(const struct training_record *record)
{
    return record->start < 0 ? START_CONST : (enum solver_start) record->start;
}

// Rows of a depth and the losses untrained, at the start, at the end and, where there are
// validation samples, theirs at the start and the end.
static char *losses_text(const struct training_record *record)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < record->n_stages; i++) {
        const struct train_stage *stage = &record->stages[i];
        const double numbers[STAGE_NUMBERS] = {(double) stage->depth,   stage->loss_untrained,
                                               stage->loss_start,       stage->loss_end,
                                               stage->validation_start, stage->validation_end};
        for (size_t k = 0; k < STAGE_NUMBERS && !isnan(numbers[k]); k++) {
            char number[G_ASCII_DTOSTR_BUF_SIZE];
            g_ascii_dtostr(number, sizeof number, numbers[k]);
            g_string_append_printf(text, "%s%s", k > 0 ? " " : i > 0 ? "; " : "", number);
        }
    }
    return g_string_free(text, FALSE);
}

static bool read_stage(const char *text, struct train_stage *stage)
{
    double numbers[STAGE_NUMBERS] = {0.0, 0.0, 0.0, 0.0, NAN, NAN};
    size_t n = 0;
    for (char *end; *text != '\0'; text = end) {
        if (n == STAGE_NUMBERS)
            return false;
        numbers[n++] = g_ascii_strtod(text, &end);
        if (end == text)
            return false;
    }
    if ((n != STAGE_NUMBERS_LEAST && n != STAGE_NUMBERS) ||
        !(numbers[0] >= 1.0 && numbers[0] <= 1e6))
        return false;
    *stage = (struct train_stage){.depth = (size_t) numbers[0],
                                  .loss_untrained = numbers[1],
                                  .loss_start = numbers[2],
                                  .loss_end = numbers[3],
                                  .validation_start = numbers[4],
                                  .validation_end = numbers[5]};
    return true;
}

static void read_losses(struct training_record *record, const char *text, size_t n_most)
{
    g_auto(GStrv) rows = g_strsplit(text == NULL ? "" : text, ";", -1);
    size_t n = g_strv_length(rows);
    g_autofree struct train_stage *stages = g_new0(struct train_stage, n + 1);
    for (size_t i = 0; i < n; i++)
        if (n > n_most || !read_stage(rows[i], &stages[i]))
            return;
    training_record_set_stages(record, stages, n);
}

static void put(GHashTable *metadata, const char *key, char *value)
{
    g_hash_table_insert(metadata, g_strdup(key), value);
}

static void put_number(GHashTable *metadata, const char *key, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    if (!isnan(value))
        put(metadata, key, g_strdup(g_ascii_dtostr(text, sizeof text, value)));
}

void training_record_write(const struct training_record *record, GHashTable *metadata)
{
    struct training_record all = *record;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (*text_of(&all, i) != NULL)
            put(metadata, texts[i].key, g_strdup(*text_of(&all, i)));
    if (record->lambda_text != NULL)
        put(metadata, "lambda_rule", g_strdup("ratio"));
    if (record->safeguard != TRAINED_SAFEGUARD_UNSTATED)
        put(metadata, "safeguard", g_strdup(safeguard_words[record->safeguard]));
    if (record->start >= 0)
        put(metadata, "start", g_strdup(start_words[record->start]));
    if (record->n_stages > 0)
        put(metadata, "losses", losses_text(record));
    if (record->n_done > 0)
        put(metadata, "stages", g_strdup_printf("%zu", record->n_done));
    put_number(metadata, "interval_s", record->interval_s);
    put_number(metadata, "seconds", record->seconds);
}

// The place of a word among some, -1 where it is none of them.
static int place_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; word != NULL && i < n; i++)
        if (words[i] != NULL && strcmp(words[i], word) == 0)
            return (int) i;
    return -1;
}

struct training_record training_record_read(GHashTable *metadata, size_t depth)
{
    struct training_record record = training_record_none();
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *text_of(&record, i) = g_strdup(g_hash_table_lookup(metadata, texts[i].key));
    understand_lambda(&record);
    int safeguard = place_of(g_hash_table_lookup(metadata, "safeguard"), safeguard_words,
                             G_N_ELEMENTS(safeguard_words));
    if (safeguard >= 0)
        record.safeguard = (enum trained_safeguard) safeguard;
    record.start =
        place_of(g_hash_table_lookup(metadata, "start"), start_words, G_N_ELEMENTS(start_words));
    read_losses(&record, g_hash_table_lookup(metadata, "losses"), depth);
    const char *n_done = g_hash_table_lookup(metadata, "stages");
    guint64 count = 0;
    if (n_done != NULL && g_ascii_string_to_unsigned(n_done, 10, 1, depth, &count, NULL))
        record.n_done = count;
    record.interval_s = number_of(g_hash_table_lookup(metadata, "interval_s"));
    record.seconds = number_of(g_hash_table_lookup(metadata, "seconds"));
    return record;
}
