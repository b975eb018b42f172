// SPDX-License-Identifier: BSD-3-Clause
#include "tests/nifti_maker.h"

#include "io/gz.h"

// Members are made by zlib, whatever library reads them.

static void append_member(GByteArray *file, const void *bytes, size_t n, int level,
                          gz_header *header)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    if (header != NULL)
        assert_int_equal(deflateSetHeader(&stream, header), Z_OK);
    size_t room = deflateBound(&stream, n) + 1000; // the bound knows of the header's fields
    g_autofree uint8_t *out = g_malloc(room);
    stream.next_in = (Bytef *) bytes;
    stream.avail_in = (uInt) n;
    stream.next_out = out;
    stream.avail_out = (uInt) room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    g_byte_array_append(file, out, (guint) stream.total_out);
    deflateEnd(&stream);
}

/** Bytes that compress, but not to nothing. */
static uint8_t *make_bytes(GRand *rand, size_t n)
{
    uint8_t *bytes = g_malloc(MAX(n, 1));
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = g_rand_int(rand);
        bytes[i] = (uint8_t) (bits & bits >> 8 & 0x1f);
    }
    return bytes;
}

/** All that a stream gives, up to `most` bytes. */
static enum gz_status read_all(struct gz *gz, GByteArray *contents, size_t most, size_t step)
{
    g_byte_array_set_size(contents, 0);
    g_autofree uint8_t *buffer = g_malloc(step);
    enum gz_status status = GZ_OK;
    while (status == GZ_OK && contents->len < most) {
        size_t n = 0;
        status = gz_read(gz, buffer, MIN(step, most - contents->len), &n);
        g_byte_array_append(contents, buffer, (guint) n);
    }
    return status;
}

static enum gz_status read_file(const char *path, GByteArray *contents, size_t step)
{
    g_autoptr(owned_gz) gz = gz_open(path, NULL);
    assert_non_null(gz);
    return read_all(gz, contents, G_MAXINT32, step);
}

static void assert_contents(const GByteArray *contents, const void *bytes, size_t n)
{
    assert_int_equal(contents->len, n);
    if (n > 0)
        assert_memory_equal(contents->data, bytes, n);
}

static void plain_and_gzip_files_hold_the_same(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autoptr(GByteArray) contents = g_byte_array_new();
    for (size_t n = 0; n < 3000000; n = 3 * n + 1) {
        g_autofree uint8_t *bytes = make_bytes(rand, n);
        g_autofree char *plain = write_file(folder, "plain", bytes, n);
        assert_int_equal(read_file(plain, contents, 1000), GZ_END);
        assert_contents(contents, bytes, n);
        for (int level = 0; level <= 9; level += 3) {
            g_autoptr(GByteArray) file = g_byte_array_new();
            append_member(file, bytes, n, level, NULL);
            g_autofree char *path = write_file(folder, "one", file->data, file->len);
            assert_int_equal(read_file(path, contents, n / 3 + 1), GZ_END);
            assert_contents(contents, bytes, n);
        }
    }
    remove_folder(folder);
}

static void any_number_of_members_is_one_stream(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(GByteArray) contents = g_byte_array_new();
    for (size_t i = 0; i < 400; i++) {
        size_t n = i % 3 == 0 ? 0 : (size_t) g_rand_int_range(rand, 0, 70000);
        g_autofree uint8_t *bytes = make_bytes(rand, n);
        append_member(file, bytes, n, 1, NULL);
        g_byte_array_append(all, bytes, (guint) n);
    }
    g_autofree char *path = write_file(folder, "many", file->data, file->len);
    assert_int_equal(read_file(path, contents, 100000), GZ_END);
    assert_contents(contents, all->data, all->len);
    remove_folder(folder);
}

/** A header with every optional field, longer than what is read at a time. */
static gz_header long_header(char *name, size_t n)
{
    static uint8_t extra[60000];
    memset(name, 'n', n - 1);
    name[n - 1] = '\0';
    return (gz_header){.extra = extra,
                       .extra_len = sizeof extra,
                       .name = (Bytef *) name,
                       .comment = (Bytef *) name,
                       .hcrc = 1};
}

static void optional_header_fields_are_passed_over(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GByteArray) contents = g_byte_array_new();
    for (size_t n_name = 1; n_name < 600000; n_name = n_name * 7 + 1) {
        g_autofree char *name = g_malloc(n_name);
        gz_header header = long_header(name, n_name);
        g_autoptr(GByteArray) file = g_byte_array_new();
        append_member(file, "contents", 8, 6, &header);
        uint8_t *out = file->data;
        size_t n = file->len;
        g_autofree char *path = write_file(folder, "one", out, n);
        assert_int_equal(read_file(path, contents, 100), GZ_END);
        assert_contents(contents, "contents", 8);
        out[20]++; // in the extra field, which only the header's own CRC covers
        g_autofree char *bad = write_file(folder, "bad", out, n);
        assert_int_equal(read_file(bad, contents, 100), GZ_HEADER);
    }
    remove_folder(folder);
}

static void unknown_methods_and_flags_are_refused(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GByteArray) contents = g_byte_array_new();
    g_autoptr(GByteArray) file = g_byte_array_new();
    append_member(file, "contents", 8, 6, NULL);
    for (size_t bit = 0; bit < 11; bit++) {
        g_autofree uint8_t *bytes = g_memdup2(file->data, file->len);
        if (bit < 8)
            bytes[2] ^= (uint8_t) (1u << bit);
        else
            bytes[3] ^= (uint8_t) (0x20u << (bit - 8));
        g_autofree char *path = write_file(folder, "bad", bytes, file->len);
        assert_int_equal(read_file(path, contents, 100), GZ_HEADER);
    }
    remove_folder(folder);
}

/** Two members, the first stored, the second compressed. */
static GByteArray *two_members(GByteArray *contents, size_t *boundary)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);
    GByteArray *file = g_byte_array_new();
    g_autofree uint8_t *bytes = make_bytes(rand, 600);
    append_member(file, bytes, 250, 0, NULL);
    *boundary = file->len;
    append_member(file, bytes + 250, 350, 6, NULL);
    g_byte_array_append(contents, bytes, 600);
    return file;
}

static void a_file_cut_anywhere_is_truncated(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    size_t boundary = 0;
    g_autoptr(GByteArray) contents = g_byte_array_new();
    g_autoptr(GByteArray) found = g_byte_array_new();
    g_autoptr(GByteArray) file = two_members(contents, &boundary);
    for (size_t n = 2; n < file->len; n++) {
        g_autofree char *path = write_file(folder, "cut", file->data, n);
        enum gz_status status = read_file(path, found, 97);
        // One byte of a second member is not yet one.
        bool is_whole = n == boundary || n == boundary + 1;
        assert_int_equal(status, is_whole ? GZ_END : GZ_TRUNCATED);
        assert_true(found->len <= contents->len);
        assert_memory_equal(found->data, contents->data, found->len);
        if (n >= boundary)
            assert_true(found->len >= 250);
    }
    remove_folder(folder);
}

static void no_flipped_bit_changes_the_contents_unnoticed(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    size_t boundary = 0;
    size_t n_noticed = 0;
    g_autoptr(GByteArray) contents = g_byte_array_new();
    g_autoptr(GByteArray) found = g_byte_array_new();
    g_autoptr(GByteArray) file = two_members(contents, &boundary);
    for (size_t bit = 16; bit < 8 * file->len; bit++) {
        file->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
        g_autofree char *path = write_file(folder, "bad", file->data, file->len);
        g_autoptr(owned_gz) gz = gz_open(path, NULL);
        enum gz_status status = read_all(gz, found, G_MAXINT32, 1000);
        struct gz_rest rest;
        gz_finish(gz, &rest);
        if (status != GZ_END || rest.has_garbage)
            n_noticed++;
        else
            assert_contents(found, contents->data, contents->len);
        file->data[bit / 8] ^= (uint8_t) (1u << bit % 8);
    }
    // What goes unnoticed is in the times, flags and system names of the two headers.
    assert_true(n_noticed >= 8 * file->len - 16 - 2 * 7 * 8);
    remove_folder(folder);
}

static void the_trailer_is_checked_wherever_it_lies(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);
    g_autoptr(GByteArray) contents = g_byte_array_new();
    enum { READ_AT_A_TIME = 256 * 1024 };
    g_autofree uint8_t *bytes = make_bytes(rand, READ_AT_A_TIME);
    for (size_t before = 0; before <= 20; before++) {
        // Stored blocks: the size of the file follows from that of the contents.
        size_t n = READ_AT_A_TIME - 10 - 5 * 5 - before;
        g_autoptr(GByteArray) file = g_byte_array_new();
        append_member(file, bytes, n, 0, NULL);
        for (size_t field = 0; field < 3; field++) {
            g_autofree uint8_t *bad = g_memdup2(file->data, file->len);
            if (field > 0)
                bad[file->len - 4 * field] ^= 1;
            g_autofree char *path = write_file(folder, "bad", bad, file->len);
            static const enum gz_status expected[] = {GZ_END, GZ_LENGTH, GZ_CRC};
            assert_int_equal(read_file(path, contents, 50000), expected[field]);
        }
    }
    remove_folder(folder);
}

static struct gz_rest finish_file(const char *folder, const GByteArray *file, size_t n)
{
    g_autofree char *path = write_file(folder, "rest", file->data, file->len);
    g_autoptr(owned_gz) gz = gz_open(path, NULL);
    struct gz_rest rest;
    assert_int_equal(gz_skip(gz, n), GZ_OK);
    assert_int_equal(gz_finish(gz, &rest), GZ_OK);
    return rest;
}

static void what_follows_the_data_is_told(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree uint8_t *zeros = g_malloc0(5 << 20);
    g_autoptr(GByteArray) file = g_byte_array_new();
    append_member(file, zeros, 1000, 6, NULL);
    struct gz_rest rest = finish_file(folder, file, 1000);
    assert_true(rest.n_excess == 0 && !rest.excess_is_cut && !rest.has_garbage);
    rest = finish_file(folder, file, 400);
    assert_true(rest.n_excess == 600 && !rest.excess_is_cut && !rest.has_garbage);

    g_byte_array_append(file, zeros, 70000); // padding
    rest = finish_file(folder, file, 1000);
    assert_true(rest.n_excess == 0 && !rest.has_garbage);
    g_byte_array_append(file, (const guint8 *) "x", 1);
    rest = finish_file(folder, file, 1000);
    assert_true(rest.n_excess == 0 && rest.has_garbage);

    g_byte_array_set_size(file, 0);
    append_member(file, zeros, 1000, 6, NULL);
    append_member(file, zeros, 5 << 20, 6, NULL);
    rest = finish_file(folder, file, 1000);
    assert_true(rest.n_excess > 1 << 20 && rest.excess_is_cut);
    rest = finish_file(folder, file, 1000 + (4 << 20));
    assert_true(rest.n_excess == 1 << 20 && !rest.excess_is_cut);
    remove_folder(folder);
}

static void damage_is_located(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);
    enum { N = 3000000, NEAR = 2000 };
    g_autofree uint8_t *bytes = make_bytes(rand, N);
    for (size_t n_good = 1; n_good < N; n_good = 3 * n_good + 1000) {
        g_autoptr(GByteArray) file = g_byte_array_new();
        append_member(file, bytes, 1000, 6, NULL);
        g_autoptr(GByteArray) damaged = gzip_damaged(bytes, N, n_good);
        g_byte_array_append(file, damaged->data, damaged->len);
        g_autofree char *path = write_file(folder, "bad", file->data, file->len);
        g_autoptr(GByteArray) contents = g_byte_array_new();
        g_autoptr(owned_gz) gz = gz_open(path, NULL);
        assert_int_equal(read_all(gz, contents, G_MAXINT32, 1 << 20), GZ_DEFLATE);
        uint64_t at = gz_locate_damage(gz);
        assert_true(at <= n_good + 1000 && at + NEAR >= n_good + 1000);
        // What lies well before the damage can be read.
        gz_rewind(gz);
        size_t n = MIN(n_good, 600);
        assert_int_equal(read_all(gz, contents, n, 100), GZ_OK);
        assert_memory_equal(contents->data, bytes, n);
    }
    remove_folder(folder);
}

static void a_stream_can_begin_again(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    size_t boundary = 0;
    g_autoptr(GByteArray) contents = g_byte_array_new();
    g_autoptr(GByteArray) found = g_byte_array_new();
    g_autoptr(GByteArray) file = two_members(contents, &boundary);
    g_byte_array_append(file, (const guint8 *) "junk", 4);
    g_autofree char *path = write_file(folder, "twice", file->data, file->len);
    g_autoptr(owned_gz) gz = gz_open(path, NULL);
    for (size_t most = 0; most < 700; most += 90) {
        gz_rewind(gz);
        assert_int_equal(read_all(gz, found, most, 41), most > 600 ? GZ_END : GZ_OK);
        assert_contents(found, contents->data, MIN(most, 600));
        assert_int_equal(gz_position(gz), MIN(most, 600));
    }
    remove_folder(folder);
}

// gz_pump gives what gz_read gives, on any number of threads.

struct collected {
    GByteArray *bytes;
    size_t unit;
    size_t stop_at; // bytes; stops at the first call from there on
};

static bool collect(void *data, uint8_t *bytes, size_t n)
{
    struct collected *collected = data;
    assert_int_equal(n % collected->unit, 0);
    g_byte_array_append(collected->bytes, bytes, (guint) n);
    memset(bytes, 0xaa, n); // may be written over
    return collected->bytes->len < collected->stop_at;
}

static void check_pump(const char *path, size_t n, size_t unit)
{
    g_autoptr(GByteArray) expected = g_byte_array_new();
    g_autoptr(owned_gz) gz = gz_open(path, NULL);
    enum gz_status status = read_all(gz, expected, n, 1000000);
    struct gz_rest rest = {0};
    enum gz_status end = status == GZ_OK ? gz_finish(gz, &rest) : status;
    for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
        struct io_context io = team_context(n_threads);
        struct collected collected = {g_byte_array_new(), unit, G_MAXSIZE};
        struct gz_sink sink = {collect, &collected, unit};
        struct gz_rest pumped_rest = {0};
        gz_rewind(gz);
        enum gz_status pumped = gz_pump(gz, n, &sink, &io);
        assert_int_equal(pumped, status);
        size_t n_whole = expected->len - expected->len % unit;
        if (status == GZ_DEFLATE) { // what went just before is kept or not
            n_whole = MIN(n_whole, collected.bytes->len);
            g_byte_array_set_size(collected.bytes, (guint) n_whole);
        }
        assert_contents(collected.bytes, expected->data, n_whole);
        enum gz_status pumped_end = pumped == GZ_OK ? gz_finish(gz, &pumped_rest) : pumped;
        assert_int_equal(pumped_end, end);
        assert_int_equal(pumped_rest.n_excess, rest.n_excess);
        assert_int_equal(pumped_rest.has_garbage, rest.has_garbage);
        assert_int_equal(pumped_rest.n_members, rest.n_members);
        g_byte_array_unref(collected.bytes);
        parallel_free(io.team);
    }
}

/** Members of random lengths; in some, what looks like the end of a member and the next one. */
static GByteArray *random_members(GRand *rand, size_t n_members, size_t longest, size_t *n)
{
    static const uint8_t lure[] = {1, 2, 3, 4, 200, 0, 0, 0, 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    GByteArray *file = g_byte_array_new();
    *n = 0;
    for (size_t i = 0; i < n_members; i++) {
        size_t length = (size_t) (g_rand_double(rand) * g_rand_double(rand) * (double) longest);
        g_autofree uint8_t *bytes = make_bytes(rand, length);
        bool has_lure = length > 1000 && g_rand_int_range(rand, 0, 4) == 0;
        if (has_lure)
            memcpy(bytes + length / 2, lure, sizeof lure);
        append_member(file, bytes, length, has_lure ? 0 : 1, NULL);
        *n += length;
    }
    return file;
}

static void pumping_gives_the_same_on_any_number_of_threads(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(5);
    static const size_t n_members[] = {1, 2, 7, 30, 300};
    static const size_t longest[] = {9000000, 20000000, 3000000, 500000, 70000};
    for (size_t i = 0; i < G_N_ELEMENTS(n_members); i++) {
        size_t n = 0;
        g_autoptr(GByteArray) file = random_members(rand, n_members[i], longest[i], &n);
        g_autofree char *path = write_file(folder, "many", file->data, file->len);
        check_pump(path, n - n % 8, 8);
        check_pump(path, n, 1);
        check_pump(path, n / 2, 1);
        check_pump(path, n + 1000, 2);
        // Damaged anywhere, cut anywhere.
        for (size_t k = 0; k < 4; k++) {
            size_t at = (size_t) g_rand_int_range(rand, 20, (int) file->len);
            file->data[at] ^= 4;
            g_autofree char *bad = write_file(folder, "bad", file->data, file->len);
            check_pump(bad, n - n % 4, 4);
            file->data[at] ^= 4;
            g_autofree char *cut = write_file(folder, "cut", file->data, at);
            check_pump(cut, n, 1);
        }
        // Zeros after a member end the stream, what follows them is not part of it.
        g_byte_array_set_size(file, file->len + 30);
        memset(file->data + file->len - 30, 0, 30);
        append_member(file, "more", 4, 6, NULL);
        g_autofree char *padded = write_file(folder, "padded", file->data, file->len);
        check_pump(padded, n, 1);
        check_pump(padded, n + 4, 1);
    }
    remove_folder(folder);
}

static void a_lying_length_is_found_on_any_number_of_threads(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autoptr(GRand) rand = g_rand_new_with_seed(6);
    size_t n = 0;
    g_autoptr(GByteArray) file = g_byte_array_new();
    for (size_t i = 0; i < 20; i++) {
        size_t n_more = 0;
        g_autoptr(GByteArray) more = random_members(rand, 1, 2000000, &n_more);
        if (i == 11)
            more->data[more->len - 2] ^= 1; // 65536 more or less
        g_byte_array_append(file, more->data, more->len);
        n += n_more;
    }
    g_autofree char *path = write_file(folder, "lie", file->data, file->len);
    check_pump(path, n, 1);
    remove_folder(folder);
}

static void pumping_stops_when_the_sink_or_the_caller_says_so(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree uint8_t *zeros = g_malloc0(20 << 20);
    g_autofree char *path = write_file(folder, "zeros", zeros, 20 << 20);
    g_autoptr(owned_gz) gz = gz_open(path, NULL);
    for (size_t n_threads = 1; n_threads <= 2; n_threads++) {
        struct io_context io = team_context(n_threads);
        struct collected collected = {g_byte_array_new(), 1, 5 << 20};
        struct gz_sink sink = {collect, &collected, 1};
        gz_rewind(gz);
        assert_int_equal(gz_pump(gz, 20 << 20, &sink, &io), GZ_STOPPED);
        assert_true(collected.bytes->len >= 5 << 20);
        assert_true(collected.bytes->len < 10 << 20);
        g_byte_array_unref(collected.bytes);
        parallel_free(io.team);
    }
    remove_folder(folder);
}

static bool refuse(void *progress, double fraction)
{
    double *last = progress;
    assert_true(fraction >= *last && fraction <= 1.0);
    *last = fraction;
    return fraction < 0.5;
}

static void pumping_tells_how_far_it_is(void **state)
{
    (void) state;
    char *folder = temporary_folder();
    g_autofree uint8_t *zeros = g_malloc0(20 << 20);
    g_autofree char *path = write_file(folder, "zeros", zeros, 20 << 20);
    g_autoptr(owned_gz) gz = gz_open(path, NULL);
    double last = 0.0;
    struct io_context io = io_context_default();
    io.go_on = refuse;
    io.progress = &last;
    struct collected collected = {g_byte_array_new(), 1, G_MAXSIZE};
    struct gz_sink sink = {collect, &collected, 1};
    assert_int_equal(gz_pump(gz, 20 << 20, &sink, &io), GZ_CANCELLED);
    assert_true(last >= 0.5 && last < 0.6);
    g_byte_array_unref(collected.bytes);
    remove_folder(folder);
}

static void check_member(const uint8_t *bytes, size_t n, int level)
{
    size_t bound = gz_member_bound(n);
    g_autofree uint8_t *member = g_malloc(bound);
    g_autofree uint8_t *again = g_malloc(bound);
    size_t size = gz_member(bytes, n, level, member);
    assert_true(size <= bound);
    assert_int_equal(gz_member(bytes, n, level, again), size);
    assert_memory_equal(member, again, size);

    g_autofree uint8_t *contents = g_malloc(n + 1);
    z_stream stream = {.next_in = member, .avail_in = (uInt) size};
    stream.next_out = contents;
    stream.avail_out = (uInt) n + 1;
    assert_int_equal(inflateInit2(&stream, 31), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(stream.total_out, n);
    assert_memory_equal(contents, bytes, n);
    inflateEnd(&stream);
}

static void zlib_reads_the_members_that_are_written(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    for (size_t n = 0; n < 9000000; n = 5 * n + 3) {
        g_autofree uint8_t *bytes = make_bytes(rand, n);
        g_autofree uint8_t *noise = g_malloc(n + 4);
        for (size_t i = 0; i < n; i += 4) {
            uint32_t word = g_rand_int(rand);
            memcpy(noise + i, &word, 4);
        }
        for (int level = 0; level <= 3; level++) {
            check_member(bytes, n, level);
            check_member(noise, n, level); // does not compress
        }
    }
}

static void members_do_not_depend_on_where_memory_lies(void **state)
{
    (void) state;
    enum { N = 400, N_PLACES = 1500, STEP = 1 << 16 };
    static const uint8_t voxels[] = {0x80, 0x3f, 0, 0, 0x40, 0x40};
    uint8_t bytes[N] = {92, 1}; // as the header of a small image and a few voxels
    for (size_t i = 0; i < N; i += 40)
        memcpy(bytes + i + 2, voxels, sizeof voxels);
    g_autofree uint8_t *expected = g_malloc(gz_member_bound(N));
    g_autofree uint8_t *out = g_malloc(gz_member_bound(N));
    g_autoptr(GPtrArray) kept = g_ptr_array_new_with_free_func(g_free);
    for (int level = 1; level <= 3; level++) {
        size_t size = gz_member(bytes, N, level, expected);
        for (size_t i = 0; i < N_PLACES; i++) {
            g_ptr_array_add(kept, g_malloc(STEP)); // what is allocated next lies elsewhere
            assert_int_equal(gz_member(bytes, N, level, out), size);
            assert_memory_equal(out, expected, size);
        }
    }
}

static void levels_compress(void **state)
{
    (void) state;
    g_autoptr(GRand) rand = g_rand_new_with_seed(8);
    enum { N = 1000000 };
    g_autofree uint8_t *bytes = make_bytes(rand, N);
    g_autofree uint8_t *member = g_malloc(gz_member_bound(N));
    assert_true(gz_member(bytes, N, 0, member) > N);
    for (int level = 1; level <= 3; level++)
        assert_true(gz_member(bytes, N, level, member) < N * 7 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_gzip_files_hold_the_same),
        cmocka_unit_test(any_number_of_members_is_one_stream),
        cmocka_unit_test(optional_header_fields_are_passed_over),
        cmocka_unit_test(unknown_methods_and_flags_are_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_truncated),
        cmocka_unit_test(no_flipped_bit_changes_the_contents_unnoticed),
        cmocka_unit_test(the_trailer_is_checked_wherever_it_lies),
        cmocka_unit_test(what_follows_the_data_is_told),
        cmocka_unit_test(damage_is_located),
        cmocka_unit_test(a_stream_can_begin_again),
        cmocka_unit_test(pumping_gives_the_same_on_any_number_of_threads),
        cmocka_unit_test(a_lying_length_is_found_on_any_number_of_threads),
        cmocka_unit_test(pumping_stops_when_the_sink_or_the_caller_says_so),
        cmocka_unit_test(pumping_tells_how_far_it_is),
        cmocka_unit_test(zlib_reads_the_members_that_are_written),
        cmocka_unit_test(members_do_not_depend_on_where_memory_lies),
        cmocka_unit_test(levels_compress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
