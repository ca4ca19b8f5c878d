/* test_capture_pcapng.c - pcapng files written block by block: sections, interfaces, clocks, and damage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "capture_files.h"

#include "capture/pcapng_clock.h"

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, OBSOLETE = 2, SIMPLE = 3, ENHANCED = 6 };
enum { MICROSECONDS = 6, NANOSECONDS = 9, BINARY = 0x80 };
enum { DLT_OF_RAW = 12, FILE_BYTES_MAX = 4096 };

/* A file under way. */
typedef struct blocks {
    uint8_t bytes[FILE_BYTES_MAX];
    size_t len_bytes;
    size_t start; /* of the block under way */
    bool big_endian;
} blocks;

static void put(blocks *file, uint64_t value, int size_bytes)
{
    assert_in_range(file->len_bytes, 0, FILE_BYTES_MAX - 8);
    for (int i = 0; i < size_bytes; i++)
        file->bytes[file->len_bytes++] = (uint8_t)(value >> 8 * (file->big_endian ? size_bytes - 1 - i : i));
}

static void begin(blocks *file, uint32_t type)
{
    file->start = file->len_bytes;
    put(file, type, 4);
    put(file, 0, 4);
}

static void end(blocks *file)
{
    while (file->len_bytes % 4 != 0)
        put(file, 0, 1);
    uint32_t length = (uint32_t)(file->len_bytes + 4 - file->start);
    put(file, length, 4);
    size_t after = file->len_bytes;
    file->len_bytes = file->start + 4;
    put(file, length, 4);
    file->len_bytes = after;
}

static void section(blocks *file, bool big_endian)
{
    file->big_endian = big_endian;
    begin(file, SECTION);
    put(file, 0x1a2b3c4d, 4);
    put(file, 1, 2);
    put(file, 0, 2);
    put(file, UINT64_MAX, 8);
    end(file);
}

/* Time stamps in 10^-resolution s, or 2^-resolution s with BINARY, from offset_s on. */
static void interface_with(blocks *file, uint16_t link_type, uint32_t snap_bytes, uint8_t resolution,
                           int64_t offset_s)
{
    begin(file, INTERFACE);
    put(file, link_type, 2);
    put(file, 0, 2);
    put(file, snap_bytes, 4);
    put(file, 2, 2); /* if_name */
    put(file, 3, 2);
    put(file, 0x6c6f3000, 4);
    put(file, 9, 2);
    put(file, 1, 2);
    put(file, resolution, 1);
    put(file, 0, 3);
    put(file, 14, 2);
    put(file, 8, 2);
    put(file, (uint64_t)offset_s, 8);
    put(file, 0, 4);
    end(file);
}

static void interface_of(blocks *file, uint16_t link_type)
{
    interface_with(file, link_type, 65535, MICROSECONDS, 0);
}

static void put_bytes(blocks *file, const void *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++)
        put(file, ((const uint8_t *)bytes)[i], 1);
}

/* The IP packet that expect_next expects; on Ethernet with a header before it. */
static void put_ip(blocks *file, uint16_t port)
{
    uint8_t ip[PACKET_BYTES] = {0x45, 0, 0, PACKET_BYTES, [9] = 6, [12] = 10, [16] = 10, [32] = 0x50};
    ip[22] = (uint8_t)(port >> 8);
    ip[23] = (uint8_t)port;
    put_bytes(file, ip, sizeof ip);
}

static void packet_head(blocks *file, uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t wire)
{
    begin(file, ENHANCED);
    put(file, interface, 4);
    put(file, ticks >> 32, 4);
    put(file, (uint32_t)ticks, 4);
    put(file, captured, 4);
    put(file, wire, 4);
}

static void packet(blocks *file, uint32_t interface, uint64_t ticks, uint16_t port)
{
    packet_head(file, interface, ticks, PACKET_BYTES, PACKET_BYTES + 1000);
    put_ip(file, port);
    end(file);
}

static void ethernet_packet(blocks *file, uint32_t interface, uint64_t ticks, uint16_t port)
{
    static const uint8_t link[14] = {2, [6] = 2, [12] = 8};
    packet_head(file, interface, ticks, sizeof link + PACKET_BYTES, sizeof link + PACKET_BYTES);
    put_bytes(file, link, sizeof link);
    put_ip(file, port);
    end(file);
}

static void other_block(blocks *file, uint32_t type)
{
    begin(file, type);
    put(file, 32473, 4); /* RFC 5612: the enterprise number for examples */
    put(file, 0x61626364, 4);
    end(file);
}

static uint64_t us(int64_t at_us)
{
    return (uint64_t)(START_NS / 1000 + at_us);
}

static capture *open_filtered(const blocks *file, const char *filter)
{
    const char *path = write_bytes("test.pcapng", file->bytes, file->len_bytes);
    return open_all(&path, 1, filter);
}

static capture *open_blocks(const blocks *file)
{
    return open_filtered(file, NULL);
}

static void expect_clean_end(capture *cap)
{
    expect_end(cap);
    for (size_t i = 0; i < capture_problem_count(cap); i++)
        print_message("%s\n", capture_problem(cap, i));
    assert_int_equal(capture_problem_count(cap), 0);
    capture_close(cap);
}

static void expect_link(capture *cap, uint64_t frame, int link_type, uint16_t interface)
{
    capture_packet got;
    assert_int_equal(capture_next(cap, &got), CAPTURE_PACKET);
    assert_int_equal(got.frame, frame);
    assert_int_equal(got.link_type, link_type);
    assert_int_equal(got.interface, interface);
}

/* ---- What libpcap does not read ---- */

static void test_sections_in_both_byte_orders(void **state)
{
    (void)state;
    blocks file = {.len_bytes = 0};
    for (int i = 0; i < 4; i++) {
        section(&file, i % 2 == 1);
        interface_of(&file, RAW);
        packet(&file, 0, us(10 * i), (uint16_t)(80 + i));
    }
    capture *cap = open_blocks(&file);
    for (int i = 0; i < 4; i++)
        expect_next(cap, (uint64_t)i + 1, 10 * i, (uint16_t)(80 + i));
    expect_clean_end(cap);
}

static void test_interfaces_of_all_kinds(void **state)
{
    (void)state;
    blocks file = {.len_bytes = 0};
    section(&file, false);
    interface_of(&file, RAW);
    interface_with(&file, RAW, 96, NANOSECONDS, 0);
    packet(&file, 1, (uint64_t)START_NS + 10000, 80);
    interface_of(&file, ETHERNET); /* described only now */
    ethernet_packet(&file, 2, us(20), 81);
    packet(&file, 0, us(30), 82);
    section(&file, true);
    interface_of(&file, ETHERNET); /* number 0 again, and another one */
    ethernet_packet(&file, 0, us(40), 83);
    capture *cap = open_blocks(&file);
    expect_link(cap, 1, DLT_OF_RAW, 0);
    expect_link(cap, 2, ETHERNET, 1);
    expect_link(cap, 3, DLT_OF_RAW, 2);
    expect_link(cap, 4, ETHERNET, 3);
    expect_clean_end(cap);
}

static void test_interfaces_are_counted_over_all_files(void **state)
{
    (void)state;
    blocks file = {.len_bytes = 0};
    section(&file, false);
    interface_of(&file, RAW);
    interface_of(&file, RAW);
    packet(&file, 1, us(10), 80);
    packet(&file, 0, us(30), 80);
    static const packet_plan between[] = {{20, 81}, {40, 81}};
    const char *paths[] = {write_bytes("test.pcapng", file.bytes, file.len_bytes),
                           write_plain("between.pcap", between, 2)};
    capture *cap = open_all(paths, 2, NULL);
    static const uint16_t interfaces[] = {0, 1, 2, 1};
    for (uint64_t i = 0; i < 4; i++)
        expect_link(cap, i + 1, DLT_OF_RAW, interfaces[i]);
    expect_clean_end(cap);
}

static void test_simple_and_obsolete_packets(void **state)
{
    (void)state;
    blocks file = {.len_bytes = 0};
    section(&file, true);
    interface_with(&file, RAW, PACKET_BYTES, MICROSECONDS, 0);
    begin(&file, OBSOLETE);
    put(&file, 0, 2);
    put(&file, 7, 2); /* drops */
    put(&file, us(10) >> 32, 4);
    put(&file, (uint32_t)us(10), 4);
    put(&file, PACKET_BYTES, 4);
    put(&file, PACKET_BYTES + 1000, 4);
    put_ip(&file, 80);
    end(&file);
    begin(&file, SIMPLE);
    put(&file, PACKET_BYTES + 1000, 4); /* cut at the interface's snapshot length */
    put_ip(&file, 81);
    end(&file);
    packet(&file, 0, us(20), 82);
    capture *cap = open_blocks(&file);
    expect_next(cap, 1, 10, 80);
    expect_next(cap, 2, 10, 81);
    expect_next(cap, 3, 20, 82);
    expect_end(cap);
    expect_problem(cap, "packet 2 has no time stamp");
    capture_close(cap);
}

/* As Wireshark 0.99 wrote them. */
static void test_lengths_without_the_padding(void **state)
{
    (void)state;
    blocks file = {.len_bytes = 0};
    section(&file, false);
    interface_of(&file, RAW);
    for (int i = 0; i < 2; i++) {
        size_t start = file.len_bytes;
        packet(&file, 0, us(i), 80);
        file.bytes[start + 4] -= 2;
        file.bytes[file.len_bytes - 4] -= 2;
    }
    capture *cap = open_blocks(&file);
    expect_next(cap, 1, 0, 80);
    expect_next(cap, 2, 1, 80);
    expect_clean_end(cap);
}

/* As tshark 4.0 numbers them: journal entries, sysdig events and custom blocks are frames, others are not. */
static void test_frame_numbers_are_wiresharks(void **state)
{
    (void)state;
    static const uint32_t frames[] = {9, 0xbad, 0x40000bad, 0x204}, no_frames[] = {4, 5, 10, 0x99};
    blocks file = {.len_bytes = 0};
    section(&file, false);
    interface_of(&file, RAW);
    packet(&file, 0, us(10), 80);
    for (int i = 0; i < 4; i++)
        other_block(&file, no_frames[i]);
    packet(&file, 0, us(20), 81);
    for (int i = 0; i < 4; i++)
        other_block(&file, frames[i]);
    packet(&file, 0, us(30), 82);
    static const packet_plan later[] = {{40, 83}};
    const char *paths[] = {write_bytes("test.pcapng", file.bytes, file.len_bytes),
                           write_plain("later.pcap", later, 1)};
    capture *cap = open_all(paths, 2, NULL);
    expect_next(cap, 1, 10, 80);
    expect_next(cap, 2, 20, 81);
    expect_next(cap, 7, 30, 82);
    expect_next(cap, 8, 40, 83);
    expect_located(cap, 7, paths[0], 7);
    expect_located(cap, 8, paths[1], 1);
    assert_int_equal(capture_packets(cap), 4);
    expect_clean_end(cap);
}

/* ---- Clocks ---- */

static void test_clocks_in_one_file(void **state)
{
    (void)state;
    int64_t start_s = START_NS / 1000000000;
    blocks file = {.len_bytes = 0};
    section(&file, false);
    interface_with(&file, RAW, 0, NANOSECONDS, 0);
    interface_with(&file, RAW, 0, MICROSECONDS, start_s);
    interface_with(&file, RAW, 0, BINARY | 20, -5);
    interface_with(&file, RAW, 0, 3, 0);
    packet(&file, 0, (uint64_t)START_NS + 1000, 80);
    packet(&file, 1, 2, 81);
    packet(&file, 2, (uint64_t)(start_s + 5) << 20 | 1 << 19, 82);
    packet(&file, 3, (uint64_t)start_s * 1000 + 501, 83);
    capture *cap = open_blocks(&file);
    expect_next(cap, 1, 1, 80);
    assert_int_equal(capture_tick_ns(cap), 1000);
    expect_next(cap, 2, 2, 81);
    expect_next(cap, 3, 500000, 82);
    expect_next(cap, 4, 501000, 83);
    assert_int_equal(capture_tick_ns(cap), 1000000);
    expect_clean_end(cap);
}

static void expect_time(uint8_t resolution, int64_t offset_s, uint64_t ticks, int64_t seconds, int64_t ns)
{
    pcapng_clock clock = PCAPNG_CLOCK_DEFAULT;
    assert_true(pcapng_clock_set(&clock, resolution));
    clock.offset_s = offset_s;
    struct timeval got = pcapng_clock_time(&clock, ticks);
    assert_int_equal(got.tv_sec, seconds);
    assert_int_equal(got.tv_usec, ns);
}

static void test_clock(void **state)
{
    (void)state;
    expect_time(0, 0, 1700000000, 1700000000, 0);
    expect_time(9, 0, 1700000000123456789, 1700000000, 123456789);
    expect_time(12, 0, 1700000999999999999, 1700000, 999999999);
    expect_time(19, 0, UINT64_MAX, 1, 844674407);
    expect_time(BINARY | 1, 0, 3, 1, 500000000);
    expect_time(BINARY | 34, 0, UINT64_C(3) << 33, 1, 500000000);
    expect_time(BINARY | 63, 0, UINT64_MAX, 1, 999999999);
    expect_time(6, -10, 5000001, -5, 1000);
    expect_time(0, 1, INT64_MAX, INT64_MAX, 0); /* saturated */
    expect_time(0, -1, UINT64_MAX, INT64_MAX, 0);
    expect_time(0, INT64_MIN, 0, INT64_MIN, 0);
    pcapng_clock clock = PCAPNG_CLOCK_DEFAULT;
    assert_false(pcapng_clock_set(&clock, 20));
    assert_false(pcapng_clock_set(&clock, BINARY | 64));
    assert_int_equal(pcapng_clock_tick_ns(&clock), 1000);
    assert_true(pcapng_clock_set(&clock, 0));
    assert_int_equal(pcapng_clock_tick_ns(&clock), 1000000000);
    assert_true(pcapng_clock_set(&clock, 12));
    assert_int_equal(pcapng_clock_tick_ns(&clock), 1);
}

static void test_impossible_times_are_bounded(void **state)
{
    (void)state;
    blocks file = {.len_bytes = 0};
    section(&file, false);
    interface_with(&file, RAW, 0, 0, 0); /* whole seconds */
    static const uint64_t seconds[] = {1700000000, UINT64_MAX, INT64_MAX, 9223372037};
    for (int i = 0; i < 4; i++)
        packet(&file, 0, seconds[i], 80);
    capture *cap = open_blocks(&file);
    expect_next(cap, 1, 0, 80);
    for (int i = 0; i < 3; i++) {
        capture_packet got;
        assert_int_equal(capture_next(cap, &got), CAPTURE_PACKET);
        assert_true(got.time_ns >= 0 && got.time_ns <= INT64_MAX / 2);
    }
    expect_end(cap);
    expect_problem(cap, "test.pcapng: packet 2 has an impossible time stamp");
    capture_close(cap);
}

/* ---- Filters ---- */

static void mixed_links(blocks *file)
{
    file->len_bytes = 0;
    section(file, false);
    interface_of(file, RAW);
    interface_of(file, ETHERNET);
    packet(file, 0, us(10), 80);
    ethernet_packet(file, 1, us(20), 443);
    ethernet_packet(file, 1, us(30), 80);
    packet(file, 0, us(40), 443);
    packet(file, 0, us(50), 80);
}

static void test_filter_for_each_link_type(void **state)
{
    (void)state;
    blocks file;
    mixed_links(&file);
    capture *cap = open_filtered(&file, "tcp port 80");
    expect_link(cap, 1, DLT_OF_RAW, 0);
    expect_link(cap, 3, ETHERNET, 1);
    expect_link(cap, 5, DLT_OF_RAW, 0);
    expect_clean_end(cap);
}

static void test_filter_that_fits_one_link_type_only(void **state)
{
    (void)state;
    blocks file = {.len_bytes = 0};
    section(&file, false);
    interface_of(&file, ETHERNET);
    interface_of(&file, RAW);
    ethernet_packet(&file, 0, us(10), 80);
    packet(&file, 1, us(20), 80);
    packet(&file, 1, us(30), 80);
    ethernet_packet(&file, 0, us(40), 80);
    capture *cap = open_filtered(&file, "ether[0] == 2");
    expect_link(cap, 1, ETHERNET, 0);
    expect_link(cap, 4, ETHERNET, 0);
    expect_end(cap);
    assert_int_equal(capture_problem_count(cap), 0); /* it compiles for raw IP as well, and is false there */
    capture_close(cap);

    cap = open_filtered(&file, "ether host 02:00:00:00:00:00");
    expect_link(cap, 1, ETHERNET, 0);
    expect_link(cap, 4, ETHERNET, 0);
    expect_end(cap);
    expect_problem(cap, "test.pcapng: packet 2: filter \"ether host 02:00:00:00:00:00\": ");
    capture_close(cap);
}

/* ---- Damage ---- */

static void small_file(blocks *file)
{
    file->len_bytes = 0;
    section(file, false);
    interface_of(file, RAW);
    packet(file, 0, us(10), 80);
}

static void expect_damage(const blocks *file, const char *text)
{
    capture *cap = open_blocks(file);
    expect_next(cap, 1, 10, 80);
    expect_end(cap);
    expect_problem(cap, "test.pcapng: is damaged at packet 2 (byte ");
    expect_problem(cap, text);
    capture_close(cap);
}

static void test_blocks_that_make_no_sense(void **state)
{
    (void)state;
    blocks file;
    small_file(&file);
    packet(&file, 1, us(20), 81);
    expect_damage(&file, "a packet of interface 1, of 1 that are described");
    small_file(&file);
    packet_head(&file, 0, us(20), PACKET_BYTES + 1, PACKET_BYTES + 1);
    put_ip(&file, 80);
    end(&file);
    expect_damage(&file, "a packet of 41 bytes in a block of 60");
    small_file(&file);
    packet_head(&file, 0, us(20), UINT32_MAX, UINT32_MAX);
    end(&file);
    expect_damage(&file, "a packet of 4294967295 bytes in a block of 20");
    small_file(&file);
    packet(&file, 0, us(20), 81);
    file.bytes[file.len_bytes - 4] ^= 4;
    expect_damage(&file, "a block whose lengths at its two ends differ");
    small_file(&file);
    interface_with(&file, RAW, 0, 20, 0);
    expect_damage(&file, "an impossible time stamp resolution (20)");
    small_file(&file);
    section(&file, false);
    file.bytes[file.len_bytes - 16] = 2;
    expect_damage(&file, "a section of version 2");
    small_file(&file);
    section(&file, false);
    file.bytes[file.len_bytes - 20] = 0;
    expect_damage(&file, "without its byte-order magic");
    small_file(&file);
    section(&file, false);
    packet(&file, 0, us(20), 81); /* the interface was the other section's */
    expect_damage(&file, "a packet of interface 0, of 0 that are described");
    small_file(&file);
    put(&file, ENHANCED, 4);
    put(&file, 0x40000000, 4);
    put(&file, 0, 4);
    expect_damage(&file, "a block of 1073741812 bytes");
    small_file(&file);
    put(&file, ENHANCED, 4);
    put(&file, 11, 4);
    expect_damage(&file, "a block of 11 bytes");
    small_file(&file);
    put(&file, 0x99, 4);
    put(&file, UINT32_MAX, 4);
    expect_damage(&file, "a block of 4294967295 bytes");
    static const uint32_t types[] = {SECTION, INTERFACE, OBSOLETE, SIMPLE, ENHANCED};
    for (int i = 0; i < 5; i++) {
        small_file(&file);
        begin(&file, types[i]);
        if (types[i] == SECTION)
            put(&file, 0x1a2b3c4d, 4);
        end(&file);
        expect_damage(&file, i == 0 ? "a section header of 4 bytes" : " of 0 bytes");
    }
}

static void test_no_pcapng_at_all(void **state)
{
    (void)state;
    static const char *const texts[] = {"\n", "\n\r\r", "\n\r\r\n\x1c", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"};
    for (int i = 0; i < 4; i++) {
        const char *path = write_text("text.pcapng", texts[i]);
        char error[CAPTURE_ERROR_BYTES] = "";
        bool usage = true;
        assert_null(capture_open(&(capture_options){&path, 1, NULL}, error, &usage));
        assert_false(usage);
        assert_non_null(strstr(error, i < 3 ? "ends within the file header" : "is not a capture"));
    }
}

/* More interfaces than are kept: a file of a megabyte that would want more and more. */
static void test_endless_interfaces(void **state)
{
    (void)state;
    const char *path = path_of("interfaces.pcapng");
    blocks one = {.len_bytes = 0};
    FILE *file = fopen(path, "wb");
    section(&one, false);
    fwrite(one.bytes, 1, one.len_bytes, file);
    one.len_bytes = 0;
    interface_of(&one, RAW);
    for (int i = 0; i <= 65536; i++)
        fwrite(one.bytes, 1, one.len_bytes, file);
    fclose(file);
    capture *cap = open_one(&path);
    expect_end(cap);
    expect_problem(cap, "more than 65536 interfaces");
    capture_close(cap);
}

static void read_on(capture *cap)
{
    capture_packet got;
    for (int i = 0; capture_next(cap, &got) == CAPTURE_PACKET; i++) {
        assert_in_range(i, 0, FILE_BYTES_MAX);
        for (uint32_t k = 0; k < got.captured_bytes; k++) /* each byte is there to be read */
            (void)((const volatile uint8_t *)got.bytes)[k];
    }
}

/* Cut at every byte: whole packets before the cut are given, and the cut is told unless it is between blocks.
 */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    blocks file;
    mixed_links(&file);
    size_t whole_bytes = file.len_bytes;
    for (size_t len_bytes = 1; len_bytes < whole_bytes; len_bytes++) {
        const char *path = write_bytes("cut.pcapng", file.bytes, len_bytes);
        char error[CAPTURE_ERROR_BYTES] = "";
        bool usage;
        capture *cap = capture_open(&(capture_options){&path, 1, NULL}, error, &usage);
        if (cap == NULL) {
            assert_non_null(strstr(error, "ends within the file header"));
            assert_in_range(len_bytes, 1, 27);
            continue;
        }
        read_on(cap);
        assert_in_range(capture_packets(cap), 0, 4);
        assert_in_range(capture_problem_count(cap), 0, 1);
        if (capture_problem_count(cap) == 1)
            assert_non_null(strstr(capture_problem(cap, 0), "cut.pcapng: ends in the middle of packet"));
        capture_close(cap);
    }
}

/* Each byte changed, in a few ways: whatever it says, reading ends. */
static void test_every_byte_damaged(void **state)
{
    (void)state;
    static const uint8_t changes[] = {0x01, 0x04, 0x80, 0xff};
    blocks file;
    mixed_links(&file);
    const char *path = path_of("damaged.pcapng");
    for (size_t i = 0; i < file.len_bytes * sizeof changes; i++) {
        uint8_t *byte = &file.bytes[i / sizeof changes];
        *byte ^= changes[i % sizeof changes];
        FILE *out = fopen(path, "wb");
        fwrite(file.bytes, 1, file.len_bytes, out);
        fclose(out);
        *byte ^= changes[i % sizeof changes];
        char error[CAPTURE_ERROR_BYTES];
        bool usage;
        capture *cap = capture_open(&(capture_options){&path, 1, NULL}, error, &usage);
        if (cap != NULL)
            read_on(cap);
        capture_close(cap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections_in_both_byte_orders),
        cmocka_unit_test(test_interfaces_of_all_kinds),
        cmocka_unit_test(test_interfaces_are_counted_over_all_files),
        cmocka_unit_test(test_simple_and_obsolete_packets),
        cmocka_unit_test(test_lengths_without_the_padding),
        cmocka_unit_test(test_frame_numbers_are_wiresharks),
        cmocka_unit_test(test_clocks_in_one_file),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_impossible_times_are_bounded),
        cmocka_unit_test(test_filter_for_each_link_type),
        cmocka_unit_test(test_filter_that_fits_one_link_type_only),
        cmocka_unit_test(test_blocks_that_make_no_sense),
        cmocka_unit_test(test_no_pcapng_at_all),
        cmocka_unit_test(test_endless_interfaces),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_byte_damaged),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
