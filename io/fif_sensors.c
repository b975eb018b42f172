// SPDX-License-Identifier: BSD-3-Clause
#include "io/fif_sensors.h"

#include "io/bytes.h"
#include "io/text.h"

#include <math.h>
#include <string.h>

static const double slowest_hz = 1e-3;
static const double fastest_hz = 1e7;

enum { PROJ_KIND_EEG_REFERENCE = 10, UNIT_TESLA_PER_METRE = 201, COIL_TYPE_MASK = 0xffff };

size_t fif_raw_block(const struct fif *fif)
{
    static const int32_t kinds[] = {FIF_BLOCK_RAW_DATA, FIF_BLOCK_CONTINUOUS_DATA,
                                    FIF_BLOCK_IAS_RAW_DATA};
    size_t block = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds) && block == 0; i++)
        block = fif_find_block(fif, 0, kinds[i]);
    return block;
}

enum fif_contents fif_contents(const struct fif *fif)
{
    // The first that a file has: those further down are parts of those above, too.
    static const struct {
        int32_t block;
        enum fif_contents contents;
    } rows[] = {
        {FIF_BLOCK_INVERSE, FIF_CONTENTS_INVERSE},
        {FIF_BLOCK_FORWARD, FIF_CONTENTS_FORWARD},
        {FIF_BLOCK_ICA, FIF_CONTENTS_ICA},
        {FIF_BLOCK_EVOKED, FIF_CONTENTS_EVOKED},
        {FIF_BLOCK_EPOCHS, FIF_CONTENTS_EPOCHS},
        {FIF_BLOCK_RAW_DATA, FIF_CONTENTS_RAW},
        {FIF_BLOCK_CONTINUOUS_DATA, FIF_CONTENTS_RAW},
        {FIF_BLOCK_IAS_RAW_DATA, FIF_CONTENTS_RAW},
        {FIF_BLOCK_COV, FIF_CONTENTS_COVARIANCE},
        {FIF_BLOCK_EVENTS, FIF_CONTENTS_EVENTS},
        {FIF_BLOCK_BEM, FIF_CONTENTS_BEM},
        {FIF_BLOCK_SOURCE_SPACE, FIF_CONTENTS_SOURCE_SPACES},
        {FIF_BLOCK_MORPH_MAP, FIF_CONTENTS_MORPH_MAPS},
        {FIF_BLOCK_PROJ, FIF_CONTENTS_PROJECTIONS},
        {FIF_BLOCK_ANNOTATIONS, FIF_CONTENTS_ANNOTATIONS},
        {FIF_BLOCK_POINTS, FIF_CONTENTS_POINTS},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (fif_find_block(fif, 0, rows[i].block) != 0)
            return rows[i].contents;
    for (size_t i = 0; i < fif->n_tags; i++)
        if (fif->tag[i].kind == FIF_COORD_TRANS)
            return FIF_CONTENTS_TRANSFORM;
    return FIF_CONTENTS_OTHER;
}

const char *fif_contents_name(enum fif_contents contents)
{
    static const char *const names[] = {
        [FIF_CONTENTS_OTHER] = "something else",
        [FIF_CONTENTS_RAW] = "raw data",
        [FIF_CONTENTS_EVOKED] = "averages",
        [FIF_CONTENTS_EPOCHS] = "epochs",
        [FIF_CONTENTS_FORWARD] = "a forward solution",
        [FIF_CONTENTS_COVARIANCE] = "a noise covariance",
        [FIF_CONTENTS_INVERSE] = "an inverse operator",
        [FIF_CONTENTS_ICA] = "an ICA decomposition",
        [FIF_CONTENTS_EVENTS] = "a list of events",
        [FIF_CONTENTS_BEM] = "surfaces of a boundary-element model",
        [FIF_CONTENTS_SOURCE_SPACES] = "source spaces",
        [FIF_CONTENTS_MORPH_MAPS] = "morph maps",
        [FIF_CONTENTS_PROJECTIONS] = "projections",
        [FIF_CONTENTS_ANNOTATIONS] = "annotations",
        [FIF_CONTENTS_POINTS] = "digitised points",
        [FIF_CONTENTS_TRANSFORM] = "a transform between coordinate frames",
    };
    return names[contents];
}

enum channel_kind fif_channel_kind(const struct fif_channel *channel)
{
    static const struct {
        int32_t kind;
        enum channel_kind means;
    } rows[] = {
        {2, CHANNEL_EEG},    {3, CHANNEL_STIM},      {102, CHANNEL_BIO},  {202, CHANNEL_EOG},
        {302, CHANNEL_EMG},  {402, CHANNEL_ECG},     {502, CHANNEL_MISC}, {602, CHANNEL_RESP},
        {802, CHANNEL_SEEG}, {803, CHANNEL_DBS},     {900, CHANNEL_SYST}, {902, CHANNEL_ECOG},
        {910, CHANNEL_SYST}, {301, CHANNEL_REF_MEG},
    };
    if (channel->kind == 1)
        return channel->unit == UNIT_TESLA_PER_METRE ? CHANNEL_GRAD : CHANNEL_MAG;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].kind == channel->kind)
            return rows[i].means;
    return CHANNEL_MISC;
}

static const char *unit_name(int32_t unit)
{
    static const struct {
        int32_t unit;
        const char *name;
    } rows[] = {
        {1, "m"},   {3, "s"},     {4, "A"},     {5, "K"},     {7, "rad"},   {101, "Hz"},
        {102, "N"}, {103, "Pa"},  {106, "C"},   {107, "V"},   {109, "ohm"}, {110, "S"},
        {112, "T"}, {114, "Cel"}, {201, "T/m"}, {202, "A m"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].unit == unit)
            return rows[i].name;
    return "";
}

bool fif_bads(const struct fif *fif, size_t block, const struct fif_channels *channels,
              char ***bads, const struct io_context *io, GError **error)
{
    size_t bad_block = fif_find_block(fif, block, FIF_BLOCK_BAD_CHANNELS);
    g_auto(GStrv) names = NULL;
    if (bad_block != 0 && !fif_get_names(fif, bad_block, FIF_CH_NAMES, &names, io, error))
        return false;
    if (names == NULL)
        names = g_new0(char *, 1);
    fif_lengthen_names(channels, names);
    *bads = g_steal_pointer(&names);
    return true;
}

// Projectors.

/** Vectors as n_vectors x n_channels; some files have them the other way round. */
static bool set_vectors(const struct fif *fif, const struct fif_tag *tag,
                        struct projector *projector, const struct io_context *io, GError **error)
{
    g_auto(owned_fif_numbers) numbers = {0};
    size_t n_channels = g_strv_length(projector->channels);
    size_t n_vectors = projector->n_vectors;
    if (!fif_numbers(fif, tag, &numbers, io, error))
        return false;
    bool straight = numbers.n_rows == n_vectors && numbers.n_columns == n_channels;
    bool across = numbers.n_rows == n_channels && numbers.n_columns == n_vectors;
    if (!straight && !across)
        return fif_refuse(fif, tag, error, "expected %zu vectors of %zu channels, found %zu x %zu",
                          n_vectors, n_channels, numbers.n_rows, numbers.n_columns);
    for (size_t i = 0; i < numbers.n; i++)
        if (!isfinite(numbers.values[i]))
            return fif_refuse(fif, tag, error, "expected finite vectors");
    if (straight) {
        projector->vectors = g_steal_pointer(&numbers.values);
        return true;
    }
    projector->vectors = g_new(double, numbers.n);
    for (size_t i = 0; i < n_vectors; i++)
        for (size_t j = 0; j < n_channels; j++)
            projector->vectors[i * n_channels + j] = numbers.values[j * n_vectors + i];
    return true;
}

static bool read_projector(const struct fif *fif, size_t item, const struct fif_channels *channels,
                           struct projector *projector, const struct io_context *io, GError **error)
{
    int32_t kind = 0;
    int32_t n_vectors = 0;
    int32_t active = 0;
    const struct fif_tag *vectors = fif_find(fif, item, FIF_PROJ_ITEM_VECTORS);
    if (!fif_get_string(fif, item, FIF_NAME, &projector->name, io, error) ||
        !fif_get_string(fif, item, FIF_COMMENT, &projector->name, io, error) ||
        !fif_get_names(fif, item, FIF_PROJ_ITEM_CH_NAMES, &projector->channels, io, error) ||
        !fif_get_int(fif, item, FIF_PROJ_ITEM_KIND, &kind, error) ||
        !fif_get_int(fif, item, FIF_PROJ_ITEM_NVEC, &n_vectors, error) ||
        !fif_get_int(fif, item, FIF_PROJ_ITEM_ACTIVE, &active, error))
        return false;
    if (vectors == NULL || projector->channels == NULL || n_vectors < 1) {
        io_error_set(error, IO_ERROR_INPUT, fif->path,
                     "projector: expected names of channels and 1 or more vectors, found %d and %s",
                     n_vectors, projector->channels == NULL ? "no names" : "no vectors");
        return false;
    }
    fif_lengthen_names(channels, projector->channels);
    if (projector->name == NULL)
        projector->name = g_strdup("");
    projector->reference = kind == PROJ_KIND_EEG_REFERENCE;
    projector->active = active != 0;
    projector->n_vectors = (size_t) n_vectors;
    return set_vectors(fif, vectors, projector, io, error);
}

bool fif_projectors(const struct fif *fif, size_t block, const struct fif_channels *channels,
                    GPtrArray *projectors, const struct io_context *io, GError **error)
{
    for (size_t item = fif_find_block(fif, block, FIF_BLOCK_PROJ_ITEM); item != 0;
         item = fif_next_block(fif, block, FIF_BLOCK_PROJ_ITEM, item)) {
        struct projector *projector = g_new0(struct projector, 1);
        g_ptr_array_add(projectors, projector);
        if (!read_projector(fif, item, channels, projector, io, error))
            return false;
    }
    return true;
}

// The measurement.

bool fif_rate(const struct fif *fif, size_t meas_info, double *rate_hz, GError **error)
{
    *rate_hz = (double) NAN;
    if (!fif_get_real(fif, meas_info, FIF_SFREQ, rate_hz, error))
        return false;
    if (*rate_hz >= slowest_hz && *rate_hz <= fastest_hz)
        return true;
    io_error_set(error, IO_ERROR_INPUT, fif->path, "sampling rate: expected %g to %g Hz, found %g",
                 slowest_hz, fastest_hz, *rate_hz);
    return false;
}

static void set_channel(struct channel *channel, const struct fif_channel *record, bool averages)
{
    channel->name = g_strdup(record->name);
    channel->kind = fif_channel_kind(record);
    const char *unit = unit_name(record->unit);
    channel->unit = g_strdup(channel->kind == CHANNEL_STIM ? "" : unit);
    channel->stored_unit = g_strdup(unit);
    channel->gain = averages ? record->cal : record->range * record->cal;
    // The upper half of the coil's type is the grade of compensation.
    channel->coil_type = record->coil_type & COIL_TYPE_MASK;
    memcpy(channel->loc, record->loc, sizeof channel->loc);
}

int fif_compensation_grade(const struct fif_channels *channels, bool *mixed)
{
    bool seen = false;
    int first = 0;
    *mixed = false;
    for (size_t i = 0; i < channels->n; i++) {
        if (channels->channel[i].kind != 1)
            continue;
        int grade = channels->channel[i].coil_type >> 16;
        *mixed = *mixed || (seen && grade != first);
        if (!seen)
            first = grade;
        seen = true;
    }
    return first;
}

static void set_compensation(struct fif *fif, const struct fif_channels *channels,
                             struct sensors *sensors)
{
    bool mixed = false;
    sensors->compensation_grade = fif_compensation_grade(channels, &mixed);
    if (mixed)
        fif_warn(fif, "channels: MEG channels are compensated to different grades");
}

/** Components of the inner expansion of order n that one separation kept: n (n + 2) less those
 * that are flagged 0. */
static bool count_components(const struct fif *fif, size_t block, size_t *n,
                             const struct io_context *io, GError **error)
{
    enum { HIGHEST_ORDER = 30 };
    int32_t order = 0;
    *n = 0;
    if (!fif_get_int(fif, block, FIF_SSS_ORDER_IN, &order, error))
        return false;
    if (order < 1 || order > HIGHEST_ORDER)
        return true;
    *n = (size_t) order * ((size_t) order + 2);
    const struct fif_tag *tag = fif_find(fif, block, FIF_SSS_COMPONENTS);
    g_auto(owned_fif_numbers) flags = {0};
    if (tag != NULL && !fif_numbers(fif, tag, &flags, io, error))
        return false;
    size_t n_inner = MIN(*n, flags.n);
    for (size_t i = 0; i < n_inner; i++)
        *n -= flags.values[i] == 0.0;
    return true;
}

/** Signal-space separation, of which the least that one of several left counts. */
static bool set_separation(const struct fif *fif, struct sensors *sensors,
                           const struct io_context *io, GError **error)
{
    size_t history = fif_find_block(fif, 0, FIF_BLOCK_PROCESSING_HISTORY);
    if (history == 0)
        return true;
    for (size_t block = fif_find_block(fif, history, FIF_BLOCK_SSS_INFO); block != 0;
         block = fif_next_block(fif, history, FIF_BLOCK_SSS_INFO, block)) {
        size_t n = 0;
        if (!count_components(fif, block, &n, io, error))
            return false;
        if (n > 0)
            sensors->sss_rank = sensors->sss_rank == 0 ? n : MIN(n, sensors->sss_rank);
    }
    return true;
}

/** Whether the reference of EEG was changed by hand. */
static bool set_reference(const struct fif *fif, size_t meas_info, struct sensors *sensors,
                          GError **error)
{
    int32_t custom = REFERENCE_AS_RECORDED;
    if (!fif_get_int(fif, meas_info, FIF_CUSTOM_REFERENCE, &custom, error))
        return false;
    sensors->custom_reference = custom;
    return true;
}

static void mark_bads(struct sensors *sensors, char **bads)
{
    g_autoptr(owned_sensor_names) names = sensor_names_new(sensors);
    for (; *bads != NULL; bads++) {
        size_t c = sensor_names_find(names, *bads);
        if (c < sensors->n_channels)
            sensors->channel[c].bad = true;
    }
}

/** Tells of channels without a gain: all their values are 0. */
static void check_gains(struct fif *fif, const struct sensors *sensors)
{
    size_t n_zero = 0;
    for (size_t i = 0; i < sensors->n_channels; i++)
        n_zero += sensors->channel[i].gain == 0.0;
    if (n_zero > 0)
        fif_warn(fif, "channels: %zu have a gain (range x cal) of 0", n_zero);
}

/** The place of the head stands in the measurement or with what measured it. */
static bool set_device_to_head(const struct fif *fif, size_t meas_info, struct sensors *sensors,
                               GError **error)
{
    size_t blocks[] = {meas_info, fif_find_block(fif, meas_info, FIF_BLOCK_HPI_RESULT)};
    for (size_t i = 0; i < G_N_ELEMENTS(blocks) && !sensors->has_device_to_head; i++)
        if (blocks[i] != 0 &&
            !fif_get_transform(fif, blocks[i], FIF_FRAME_DEVICE, FIF_FRAME_HEAD,
                               sensors->device_to_head, &sensors->has_device_to_head, error))
            return false;
    return true;
}

static bool set_filters(const struct fif *fif, size_t meas_info, struct sensors *sensors,
                        GError **error)
{
    return fif_get_real(fif, meas_info, FIF_HIGHPASS, &sensors->highpass_hz, error) &&
           fif_get_real(fif, meas_info, FIF_LOWPASS, &sensors->lowpass_hz, error) &&
           fif_get_real(fif, meas_info, FIF_LINE_FREQ, &sensors->line_hz, error) &&
           set_device_to_head(fif, meas_info, sensors, error);
}

struct sensors *fif_sensors(struct fif *fif, size_t meas_info, bool averages,
                            const struct io_context *io, GError **error)
{
    g_autoptr(owned_fif_channels) channels = fif_channels(fif, meas_info, io, error);
    if (channels == NULL)
        return NULL;
    g_auto(GStrv) bads = NULL;
    if (!fif_bads(fif, fif->block[meas_info].parent, channels, &bads, io, error))
        return NULL;
    g_autoptr(owned_sensors) sensors = sensors_new(channels->n);
    for (size_t i = 0; i < channels->n; i++)
        set_channel(&sensors->channel[i], &channels->channel[i], averages);
    if (!fif_projectors(fif, meas_info, channels, sensors->projectors, io, error) ||
        !set_filters(fif, meas_info, sensors, error) ||
        !set_reference(fif, meas_info, sensors, error) || !set_separation(fif, sensors, io, error))
        return NULL;
    mark_bads(sensors, bads);
    set_compensation(fif, channels, sensors);
    check_gains(fif, sensors);
    if (sensors_make_names_unique(sensors))
        fif_warn(fif, "channels: names that stand twice have numbers now");
    return g_steal_pointer(&sensors);
}

// Annotations.

/** Seconds since 1970 of a date (seconds and microseconds, or a double), if it is there. */
static bool get_date(const struct fif *fif, size_t block, double *date_s,
                     const struct io_context *io, GError **error)
{
    const struct fif_tag *tag = fif_find(fif, block, FIF_MEAS_DATE);
    g_auto(owned_fif_numbers) numbers = {0};
    if (tag == NULL)
        return true;
    if (!fif_numbers(fif, tag, &numbers, io, error))
        return false;
    if (numbers.n > 0)
        *date_s = numbers.values[0] + (numbers.n > 1 ? numbers.values[1] * 1e-6 : 0.0);
    return true;
}

static bool get_times(const struct fif *fif, size_t block, int32_t kind, struct fif_numbers *times,
                      const struct io_context *io, GError **error)
{
    const struct fif_tag *tag = fif_find(fif, block, kind);
    return tag == NULL || fif_numbers(fif, tag, times, io, error);
}

static int compare_onsets(const void *a, const void *b, void *values)
{
    const double *onset = values;
    double difference = onset[*(const size_t *) a] - onset[*(const size_t *) b];
    return (difference > 0.0) - (difference < 0.0);
}

static void add_events(struct fif *fif, const struct fif_numbers *onsets,
                       const struct fif_numbers *ends, char **texts, double shift_s,
                       struct sensors *sensors)
{
    size_t n_texts = texts == NULL ? 0 : g_strv_length(texts);
    size_t n = MIN(MIN(onsets->n, ends->n), n_texts);
    size_t n_nonfinite = 0;
    if (n < onsets->n || n < ends->n)
        fif_warn(fif, "annotations: %zu onsets, %zu ends, %zu descriptions", onsets->n, ends->n,
                 n_texts);
    // In the order of time, so that none has to be put between others.
    g_autofree size_t *order = g_new(size_t, n);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    if (n > 0)
        g_qsort_with_data(order, (int) n, sizeof *order, compare_onsets, onsets->values);
    for (size_t k = 0; k < n; k++) {
        size_t i = order[k];
        double onset_s = onsets->values[i] + shift_s;
        double duration_s = ends->values[i] - onsets->values[i];
        if (isfinite(onset_s) && isfinite(duration_s))
            sensors_add_event(sensors, onset_s, MAX(duration_s, 0.0), texts[i], 0);
        else
            n_nonfinite++;
    }
    if (n_nonfinite > 0)
        fif_warn(fif, "annotations: %zu have no finite time and are left out", n_nonfinite);
}

bool fif_annotations(struct fif *fif, size_t meas_info, double first_s, struct sensors *sensors,
                     const struct io_context *io, GError **error)
{
    size_t block = fif_find_block(fif, 0, FIF_BLOCK_ANNOTATIONS);
    if (block == 0)
        return true;
    g_auto(owned_fif_numbers) onsets = {0};
    g_auto(owned_fif_numbers) ends = {0};
    g_auto(GStrv) texts = NULL;
    double begin_s = (double) NAN;
    double origin_s = (double) NAN;
    if (!get_times(fif, block, FIF_ANNOTATION_ONSET, &onsets, io, error) ||
        !get_times(fif, block, FIF_ANNOTATION_END, &ends, io, error) ||
        !fif_get_names(fif, block, FIF_COMMENT, &texts, io, error) ||
        !get_date(fif, meas_info, &begin_s, io, error) ||
        !get_date(fif, block, &origin_s, io, error))
        return false;
    // Times are counted from the origin, which is the begin of the acquisition unless it is said.
    double shift_s = -first_s;
    if (isfinite(origin_s - begin_s))
        shift_s += origin_s - begin_s;
    add_events(fif, &onsets, &ends, texts, shift_s, sensors);
    return true;
}
