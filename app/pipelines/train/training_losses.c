// SPDX-License-Identifier: BSD-3-Clause
#include "app/pipelines/train/training.h"

#include <math.h>

enum { N_NUMBERS = 6 };

char *training_losses(const struct train_stage *stages, size_t n_stages)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < n_stages; i++) {
        const struct train_stage *stage = &stages[i];
        const double numbers[N_NUMBERS] = {(double) stage->depth,   stage->loss_untrained,
                                           stage->loss_start,       stage->loss_end,
                                           stage->validation_start, stage->validation_end};
        for (size_t k = 0; k < N_NUMBERS && !isnan(numbers[k]); k++) {
            char number[G_ASCII_DTOSTR_BUF_SIZE];
            g_ascii_dtostr(number, sizeof number, numbers[k]);
            g_string_append_printf(text, "%s%s", k > 0 ? " " : i > 0 ? "; " : "", number);
        }
    }
    return g_string_free(text, FALSE);
}

// A row of four numbers, or of all.
static bool read_row(const char *text, struct train_stage *stage)
{
    double numbers[N_NUMBERS] = {0.0, 0.0, 0.0, 0.0, NAN, NAN};
    size_t n = 0;
    for (char *end; *text != '\0'; text = end) {
        if (n == N_NUMBERS)
            return false;
        numbers[n++] = g_ascii_strtod(text, &end);
        if (end == text)
            return false;
    }
    if ((n != 4 && n != N_NUMBERS) || !(numbers[0] >= 1.0 && numbers[0] <= 1e6))
        return false;
    *stage = (struct train_stage){.depth = (size_t) numbers[0],
                                  .loss_untrained = numbers[1],
                                  .loss_start = numbers[2],
                                  .loss_end = numbers[3],
                                  .validation_start = numbers[4],
                                  .validation_end = numbers[5]};
    return true;
}

size_t training_read_losses(const char *text, struct train_stage *stages, size_t n_most)
{
    g_auto(GStrv) rows = g_strsplit(text == NULL ? "" : text, ";", -1);
    size_t n = g_strv_length(rows);
    for (size_t i = 0; i < n; i++)
        if (n > n_most || !read_row(rows[i], &stages[i]))
            return 0;
    return n;
}
