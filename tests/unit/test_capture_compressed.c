/* test_capture_compressed.c - compressed captures: each format, as a file and through a pipe, whole and
 * damaged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "capture_files.h"

#if KEPTALIVE_HAS_ZLIB
#include <zlib.h>
#endif
#if KEPTALIVE_HAS_ZSTD
#include <zstd.h>
#endif
#if KEPTALIVE_HAS_LZ4
#include <lz4frame.h>
#endif
#if KEPTALIVE_HAS_LZMA
#include <lzma.h>
#endif

enum { BYTES_MAX = 8192 };

typedef struct bytes {
    uint8_t at[BYTES_MAX];
    size_t count;
} bytes;

/* One format: its compressor, or, where the tool was built without it, just how its files begin. */
typedef struct format {
    const char *name;
    bool (*compress)(const bytes *in, bytes *out);
    const char *magic;
} format;

#if KEPTALIVE_HAS_ZLIB
static bool compress_gzip(const bytes *in, bytes *out)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)in->at,
                       .avail_in = (uInt)in->count,
                       .next_out = out->at,
                       .avail_out = BYTES_MAX};
    bool done = deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK &&
                deflate(&stream, Z_FINISH) == Z_STREAM_END;
    out->count = stream.total_out;
    return deflateEnd(&stream) == Z_OK && done;
}
#else
#define compress_gzip NULL
#endif

#if KEPTALIVE_HAS_ZSTD
static bool compress_zstd(const bytes *in, bytes *out)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    out->count = ZSTD_compress2(context, out->at, BYTES_MAX, in->at, in->count);
    ZSTD_freeCCtx(context);
    return !ZSTD_isError(out->count);
}
#else
#define compress_zstd NULL
#endif

#if KEPTALIVE_HAS_LZ4
static bool compress_lz4(const bytes *in, bytes *out)
{
    LZ4F_preferences_t wanted = {.frameInfo = {.contentChecksumFlag = LZ4F_contentChecksumEnabled}};
    out->count = LZ4F_compressFrame(out->at, BYTES_MAX, in->at, in->count, &wanted);
    return !LZ4F_isError(out->count);
}
#else
#define compress_lz4 NULL
#endif

#if KEPTALIVE_HAS_LZMA
static bool compress_xz(const bytes *in, bytes *out)
{
    out->count = 0;
    return lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, in->at, in->count, out->at, &out->count,
                                   BYTES_MAX) == LZMA_OK;
}
#else
#define compress_xz NULL
#endif

static const format formats[] = {
    {"gzip", compress_gzip, "\x1f\x8b\x08"},
    {"zstd", compress_zstd, "\x28\xb5\x2f\xfd"},
    {"lz4", compress_lz4, "\x04\x22\x4d\x18"},
    {"xz", compress_xz,
     "\xfd"
     "7zXZ\0"},
};
enum { FORMATS = sizeof formats / sizeof formats[0] };

static void load(const char *path, bytes *out)
{
    FILE *file = fopen(path, "rb");
    out->count = fread(out->at, 1, BYTES_MAX, file);
    fclose(file);
}

/* A capture of `three`. */
static void plain_capture(bytes *out)
{
    load(write_plain("plain.pcap", three, 3), out);
}

static void append(bytes *to, const bytes *what)
{
    assert_in_range(to->count + what->count, 0, BYTES_MAX);
    memcpy(to->at + to->count, what->at, what->count);
    to->count += what->count;
}

static void expect_three(capture *cap)
{
    for (uint64_t i = 0; i < 3; i++)
        expect_next(cap, i + 1, three[i].at_us, three[i].port);
    expect_end(cap);
}

static void expect_three_in(const bytes *packed)
{
    const char *path = write_bytes("packed", packed->at, packed->count);
    capture *cap = open_one(&path);
    expect_three(cap);
    if (capture_problem_count(cap) > 0)
        print_message("%s\n", capture_problem(cap, 0));
    assert_int_equal(capture_problem_count(cap), 0);
    capture_close(cap);
}

static void expect_refused(const bytes *packed, const char *text)
{
    const char *path = write_bytes("refused", packed->at, packed->count);
    char error[CAPTURE_ERROR_BYTES] = "";
    bool usage = true;
    assert_null(capture_open(&(capture_options){&path, 1, NULL}, error, &usage));
    print_message("%s\n", error);
    assert_false(usage);
    assert_non_null(strstr(error, text));
}

static void test_each_format(void **state)
{
    (void)state;
    bytes plain, packed;
    plain_capture(&plain);
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].compress == NULL)
            continue;
        assert_true(formats[i].compress(&plain, &packed));
        expect_three_in(&packed);
        pipe_to_stdin(write_bytes("packed", packed.at, packed.count));
        const char *path = "-";
        capture *cap = open_one(&path);
        expect_three(cap);
        assert_int_equal(capture_problem_count(cap), 0);
        capture_close(cap);
    }
}

/* As `cat a.gz b.gz`, pigz, pzstd and log rotation make them; zeros behind are padding. */
static void test_several_frames(void **state)
{
    (void)state;
    bytes plain, first, second, packed, joined;
    plain_capture(&plain);
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].compress == NULL)
            continue;
        for (size_t cut = 0; cut <= plain.count; cut += 12) {
            first = second = plain;
            first.count = cut;
            second.count -= cut;
            memmove(second.at, second.at + cut, second.count);
            assert_true(formats[i].compress(&first, &joined));
            assert_true(formats[i].compress(&second, &packed));
            append(&joined, &packed);
            memset(joined.at + joined.count, 0, 64);
            joined.count += cut % 64;
            expect_three_in(&joined);
        }
    }
}

static void test_zstd_behind_a_skippable_frame(void **state)
{
    (void)state;
    bytes plain, packed, joined = {{0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'}, 11};
    plain_capture(&plain);
    if (formats[1].compress == NULL)
        return;
    assert_true(formats[1].compress(&plain, &packed));
    append(&joined, &packed);
    expect_three_in(&joined);
}

static void test_nothing_and_garbage_compressed(void **state)
{
    (void)state;
    bytes nothing = {.count = 0}, garbage = {.count = 100}, packed;
    memset(garbage.at, 'x', garbage.count);
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].compress == NULL)
            continue;
        assert_true(formats[i].compress(&nothing, &packed));
        expect_refused(&packed, "refused: is empty, once its ");
        assert_true(formats[i].compress(&garbage, &packed));
        expect_refused(&packed, "refused: is not a capture that can be read (");
    }
}

static void test_without_the_library(void **state)
{
    (void)state;
    for (int i = 0; i < FORMATS; i++) {
        bytes packed = {.count = 32};
        memcpy(packed.at, formats[i].magic, i == 3 ? 6 : strlen(formats[i].magic));
        if (formats[i].compress == NULL)
            expect_refused(&packed, ", which this keptalive was built without; decompress it first (un");
        else
            expect_refused(&packed, "nothing of it could be read");
    }
}

/* Opens, reads to the end, and gives the number of packets; problems: of one line. */
static uint64_t read_through(const bytes *packed, bool *clean)
{
    const char *path = write_bytes("packed", packed->at, packed->count);
    char error[CAPTURE_ERROR_BYTES] = "";
    bool usage;
    capture *cap = capture_open(&(capture_options){&path, 1, NULL}, error, &usage);
    *clean = false;
    if (cap == NULL) {
        assert_string_not_equal(error, "");
        return 0;
    }
    capture_packet packet;
    while (capture_next(cap, &packet) == CAPTURE_PACKET)
        assert_in_range(capture_packets(cap), 1, BYTES_MAX);
    uint64_t count = capture_packets(cap);
    *clean = capture_problem_count(cap) == 0;
    if (!*clean)
        assert_non_null(strstr(capture_problem(cap, 0), "packed: "));
    capture_close(cap);
    return count;
}

/* Cut at every byte: always told, and what came before the cut is used. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    bytes plain, packed;
    plain_capture(&plain);
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].compress == NULL)
            continue;
        assert_true(formats[i].compress(&plain, &packed));
        size_t whole = packed.count;
        uint64_t most = 0;
        for (packed.count = 0; packed.count < whole; packed.count++) {
            bool clean;
            uint64_t count = read_through(&packed, &clean);
            assert_false(clean);
            assert_in_range(count, most, 3);
            most = count;
        }
        assert_int_equal(most, 3); /* the checksum at the end was all that lacked */
    }
}

/* Each byte changed: the formats' checksums tell it, but for a few bytes that mean nothing (a time of day in
 * gzip's header), and reading ends. */
static void test_every_byte_damaged(void **state)
{
    (void)state;
    bytes plain, packed;
    plain_capture(&plain);
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].compress == NULL)
            continue;
        assert_true(formats[i].compress(&plain, &packed));
        for (size_t k = 0; k < packed.count; k++) {
            for (int bit = 0; bit < 8; bit++) {
                bool clean;
                packed.at[k] ^= (uint8_t)(1 << bit);
                uint64_t count = read_through(&packed, &clean);
                assert_true(!clean || count == 3);
                packed.at[k] ^= (uint8_t)(1 << bit);
            }
        }
    }
}

static void test_cut_and_damage_name_the_byte(void **state)
{
    (void)state;
    bytes plain, packed;
    plain_capture(&plain);
    if (formats[0].compress == NULL)
        return;
    assert_true(formats[0].compress(&plain, &packed));
    size_t whole = packed.count;
    packed.count -= 4;
    const char *path = write_bytes("cut.gz", packed.at, packed.count);
    capture *cap = open_one(&path);
    expect_three(cap);
    char text[64];
    snprintf(text, sizeof text, "cut.gz: ends at byte %zu, in the middle of its gzip data", packed.count);
    expect_problem(cap, text);
    capture_close(cap);

    packed.count = whole;
    memset(packed.at + packed.count, 'x', 20);
    packed.count += 20;
    path = write_bytes("behind.gz", packed.at, packed.count);
    cap = open_one(&path);
    expect_three(cap);
    expect_problem(cap, "behind.gz: its gzip data is damaged at byte ");
    capture_close(cap);
}

/* Several files wait compressed and closed for their turn, beside a plain one; the damaged one ends alone. */
static void test_merged_with_others(void **state)
{
    (void)state;
    static const packet_plan between[] = {{15, 1}, {25, 2}, {35, 3}};
    const char *paths[FORMATS + 1];
    size_t count = 0;
    bytes plain, packed;
    plain_capture(&plain);
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].compress == NULL)
            continue;
        assert_true(formats[i].compress(&plain, &packed));
        paths[count++] = write_bytes(formats[i].name, packed.at, packed.count);
    }
    paths[count++] = write_plain("between.pcap", between, 3);
    capture *cap = open_all(paths, count, "tcp port 80 or tcp port 2");
    capture_packet packet;
    for (size_t i = 1; i < count; i++) {
        assert_int_equal(capture_next(cap, &packet), CAPTURE_PACKET);
        assert_int_equal(packet.time_ns, START_NS + 10000);
    }
    expect_next(cap, 2 * count, 25, 2);
    for (size_t i = 1; i < count; i++) {
        assert_int_equal(capture_next(cap, &packet), CAPTURE_PACKET);
        assert_int_equal(packet.time_ns, START_NS + 30000);
    }
    expect_end(cap);
    assert_int_equal(capture_packets(cap), 3 * count);
    assert_int_equal(capture_problem_count(cap), 0);
    capture_close(cap);
}

/* A few bytes that ask for gigabytes. */
static void test_windows_are_bounded(void **state)
{
    (void)state;
#if KEPTALIVE_HAS_ZSTD
    /* RFC 8878 section 3.1.1.1.2: window descriptor 0xa0 is 2^30 bytes; then a raw block of one byte. */
    bytes zstd = {{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x09, 0x00, 0x00, 'x'}, 10};
    expect_refused(&zstd, "its zstd data is damaged at byte ");
#endif
#if KEPTALIVE_HAS_LZMA
    enum { BLOCK = 12, DICTIONARY_1_GIB = 36 };
    bytes plain, xz;
    plain_capture(&plain);
    assert_true(compress_xz(&plain, &xz));
    uint8_t *filter = memmem(xz.at + BLOCK, 16, "\x21\x01", 2); /* LZMA2, with one byte of properties */
    assert_non_null(filter);
    filter[2] = DICTIONARY_1_GIB;
    size_t header_bytes = (size_t)xz.at[BLOCK] * 4;
    uint32_t crc = lzma_crc32(xz.at + BLOCK, header_bytes, 0);
    for (size_t i = 0; i < 4; i++)
        xz.at[BLOCK + header_bytes + i] = (uint8_t)(crc >> 8 * i);
    expect_refused(&xz, "takes more than 128 MiB, or than --memory leaves");
#endif
}

/* All of it, or told to be too large; and nothing is counted any more when it is closed. */
static bool reads_within(const char *path, uint64_t limit_bytes)
{
    memory_share share = {.limit_bytes = limit_bytes};
    char error[CAPTURE_ERROR_BYTES] = "";
    bool usage = true;
    capture *cap = capture_open_filtered(&(capture_options){&path, 1, NULL}, NULL, &share, error, &usage);
    if (cap != NULL) {
        expect_three(cap);
        assert_int_equal(capture_problem_count(cap), 0);
        assert_in_range(share.used_bytes, 1, limit_bytes);
        capture_close(cap);
    } else {
        assert_false(usage);
        assert_true(strstr(error, "memory") != NULL);
    }
    assert_int_equal(share.used_bytes, 0);
    return cap != NULL;
}

static void test_memory_is_counted(void **state)
{
    (void)state;
    bytes plain, packed;
    plain_capture(&plain);
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i].compress == NULL)
            continue;
        assert_true(formats[i].compress(&plain, &packed));
        const char *path = write_bytes("packed", packed.at, packed.count);
        bool read = false;
        for (uint64_t limit_bytes = 1; limit_bytes <= 64 << 20; limit_bytes *= 2) {
            bool now = reads_within(path, limit_bytes);
            assert_true(now || !read); /* more memory never reads less */
            read = now;
        }
        assert_true(read);
    }
}

/* Decompressed piece by piece: packets come out that are many times the buffers. */
static void test_many_packets(void **state)
{
    (void)state;
#if KEPTALIVE_HAS_ZLIB
    enum { PACKETS = 50000 };
    const char *path = path_of("many.pcap.gz");
    bytes plain;
    plain_capture(&plain);
    gzFile file = gzopen(path, "wb");
    gzwrite(file, plain.at, 24);
    for (int i = 0; i < PACKETS; i++)
        gzwrite(file, plain.at + 24, 16 + PACKET_BYTES);
    gzclose(file);
    capture *cap = open_one(&path);
    for (uint64_t i = 0; i < PACKETS; i++)
        expect_next(cap, i + 1, 10, 80);
    expect_end(cap);
    assert_int_equal(capture_problem_count(cap), 0);
    capture_close(cap);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_format),
        cmocka_unit_test(test_several_frames),
        cmocka_unit_test(test_zstd_behind_a_skippable_frame),
        cmocka_unit_test(test_nothing_and_garbage_compressed),
        cmocka_unit_test(test_without_the_library),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_byte_damaged),
        cmocka_unit_test(test_cut_and_damage_name_the_byte),
        cmocka_unit_test(test_merged_with_others),
        cmocka_unit_test(test_windows_are_bounded),
        cmocka_unit_test(test_memory_is_counted),
        cmocka_unit_test(test_many_packets),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
