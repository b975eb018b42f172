// SPDX-License-Identifier: BSD-3-Clause
#include "sources/channels.h"

#include <string.h>

const char *sensor_kind_name(enum sensor_kind kind)
{
    static const char *const names[SENSOR_KINDS] = {"mag", "grad", "eeg", "other"};
    return names[kind];
}

const char *channel_fate_name(enum channel_fate fate)
{
    static const char *const names[CHANNEL_FATES] = {"used", "another kind", "bad",
                                                     "not in the noise covariance",
                                                     "not in the forward solution"};
    return names[fate];
}

static bool equal_without_spaces(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " ");
        b += strspn(b, " ");
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
    }
}

size_t channel_names_find(const struct channel_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->name[i], name) == 0)
            return i;
    for (size_t i = 0; i < names->n; i++)
        if (equal_without_spaces(names->name[i], name))
            return i;
    return names->n;
}

static enum channel_fate fate_of(const struct channel_choice_input *input, size_t i, size_t *noise,
                                 size_t *forward)
{
    const char *name = input->recording.name[i];
    *noise = channel_names_find(&input->noise, name);
    *forward = channel_names_find(&input->forward, name);
    if (input->kind[i] == SENSOR_OTHER)
        return CHANNEL_OF_ANOTHER_KIND;
    if (channel_names_find(&input->bads, name) < input->bads.n)
        return CHANNEL_BAD;
    if (*noise == input->noise.n)
        return CHANNEL_WITHOUT_NOISE;
    return *forward == input->forward.n ? CHANNEL_WITHOUT_LEADFIELD : CHANNEL_USED;
}

struct channel_choice *channel_choice_new(const struct channel_choice_input *input)
{
    size_t n = input->recording.n;
    struct channel_choice *choice = g_new0(struct channel_choice, 1);
    *choice = (struct channel_choice){.recording = g_new(size_t, n),
                                      .noise = g_new(size_t, n),
                                      .forward = g_new(size_t, n),
                                      .kind = g_new(enum sensor_kind, n),
                                      .fate = g_new(enum channel_fate, n)};
    for (size_t i = 0; i < n; i++) {
        size_t noise, forward;
        choice->fate[i] = fate_of(input, i, &noise, &forward);
        if (choice->fate[i] != CHANNEL_USED)
            continue;
        choice->recording[choice->n] = i;
        choice->noise[choice->n] = noise;
        choice->forward[choice->n] = forward;
        choice->kind[choice->n++] = input->kind[i];
    }
    return choice;
}

void channel_choice_free(struct channel_choice *choice)
{
    if (choice == NULL)
        return;
    g_free(choice->recording);
    g_free(choice->noise);
    g_free(choice->forward);
    g_free(choice->kind);
    g_free(choice->fate);
    g_free(choice);
}
