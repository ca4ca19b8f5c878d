/* test_capture_pcapng.c - pcapng files written block by block: sections, interfaces, clocks, filters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "pcapng_blocks.h"

#include "capture/pcapng_clock.h"

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
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
