/* test_capture.c - captures written byte by byte: their order, numbers, filters, and how they end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include <netdb.h>

#include "capture_files.h"

#include "capture/origin.h"

#include <sys/resource.h>
#include <sys/stat.h>

static void test_each_byte_order_and_tick(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const char *path =
            write_pcap(&(file_plan){"kind.pcap", i < 2 ? MICRO : NANO, i % 2 == 0, RAW, three, 3});
        capture *cap = open_one(&path);
        for (uint64_t k = 0; k < 3; k++)
            expect_next(cap, k + 1, three[k].at_us, three[k].port);
        expect_end(cap);
        assert_int_equal(capture_packets(cap), 3);
        assert_int_equal(capture_bytes(cap), 3 * (PACKET_BYTES + 1000));
        assert_int_equal(capture_input_count(cap), 1);
        assert_int_equal(capture_problem_count(cap), 0);
        capture_close(cap);
    }
}

static void test_nanoseconds_are_kept(void **state)
{
    (void)state;
    file_plan plan = {"ns.pcap", NANO, false, RAW, NULL, 0};
    const char *path = write_pcap(&plan);
    FILE *file = fopen(path, "ab");
    put_packet(file, &plan, START_NS + 123456789, 80);
    fclose(file);
    capture *cap = open_one(&path);
    capture_packet packet;
    assert_int_equal(capture_next(cap, &packet), CAPTURE_PACKET);
    assert_int_equal(packet.time_ns, START_NS + 123456789);
    assert_int_equal(packet.link_type, 12); /* what libpcap makes of 101 here */
    assert_int_equal(capture_tick_ns(cap), 1);
    capture_close(cap);

    const char *paths[] = {path, write_plain("us.pcap", three, 3)};
    cap = open_all(paths, 2, NULL);
    assert_int_equal(capture_tick_ns(cap), 1000);
    capture_close(cap);
}

static void test_time_running_backward_keeps_the_order(void **state)
{
    (void)state;
    static const packet_plan backward[] = {{50, 1}, {10, 2}, {40, 3}};
    static const packet_plan other[] = {{20, 4}, {60, 5}};
    const char *paths[] = {write_plain("back.pcap", backward, 3), write_plain("other.pcap", other, 2)};
    capture *cap = open_all(paths, 2, NULL);
    expect_next(cap, 1, 20, 4);
    expect_next(cap, 2, 50, 1);
    expect_next(cap, 3, 10, 2);
    expect_next(cap, 4, 40, 3);
    expect_next(cap, 5, 60, 5);
    expect_end(cap);
    capture_close(cap);
}

static void test_merge_by_time_then_by_input(void **state)
{
    (void)state;
    static const packet_plan a[] = {{30, 1}, {40, 2}, {50, 3}};
    static const packet_plan b[] = {{10, 4}, {40, 5}};
    static const packet_plan c[] = {{40, 6}};
    const char *paths[] = {write_plain("a.pcap", a, 3), write_plain("b.pcap", b, 2),
                           write_plain("none.pcap", NULL, 0),
                           write_pcap(&(file_plan){"c.pcap", NANO, true, RAW, c, 1})};
    capture *cap = open_all(paths, 4, NULL);
    static const packet_plan merged[] = {{10, 4}, {30, 1}, {40, 2}, {40, 5}, {40, 6}, {50, 3}};
    for (uint64_t i = 0; i < 6; i++)
        expect_next(cap, i + 1, merged[i].at_us, merged[i].port);
    expect_end(cap);
    assert_int_equal(capture_input_count(cap), 4);
    assert_int_equal(capture_problem_count(cap), 0);
    expect_located(cap, 1, paths[1], 1);
    expect_located(cap, 3, paths[0], 2);
    expect_located(cap, 4, paths[1], 2);
    expect_located(cap, 5, paths[3], 1);
    expect_located(cap, 6, paths[0], 3);
    const char *file;
    uint64_t number;
    assert_false(capture_locate(cap, 0, &file, &number));
    assert_false(capture_locate(cap, 7, &file, &number));
    capture_close(cap);
}

/* More files than descriptors: they wait closed for their turn. Given newest first. */
static void test_many_rotated_files(void **state)
{
    (void)state;
    enum { FILES = 1500 };
    static const char *paths[FILES];
    for (int i = 0; i < FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "rotated%d.pcap", i);
        packet_plan packets[] = {{(FILES - i) * 10, 80}, {(FILES - i) * 10 + 5, 81}};
        paths[i] = write_plain(name, packets, 2);
    }
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){16, before.rlim_max}), 0);
    capture *cap = open_all(paths, FILES, NULL);
    for (uint64_t i = 0; i < FILES; i++) {
        expect_next(cap, 2 * i + 1, (int64_t)(i + 1) * 10, 80);
        expect_next(cap, 2 * i + 2, (int64_t)(i + 1) * 10 + 5, 81);
    }
    expect_end(cap);
    assert_int_equal(capture_problem_count(cap), 0);
    expect_located(cap, 2 * FILES, paths[0], 2);
    expect_located(cap, 3, paths[FILES - 2], 1);
    capture_close(cap);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_filter_keeps_the_numbers(void **state)
{
    (void)state;
    static const packet_plan other[] = {{15, 80}, {25, 22}};
    const char *paths[] = {write_plain("f1.pcap", three, 3), write_plain("f2.pcap", other, 2)};
    capture *cap = open_all(paths, 2, "tcp port 80");
    expect_next(cap, 1, 10, 80);
    expect_next(cap, 2, 15, 80);
    expect_next(cap, 5, 30, 80);
    expect_end(cap);
    assert_int_equal(capture_packets(cap), 5);
    expect_located(cap, 5, paths[0], 3);
    expect_located(cap, 4, paths[1], 2);
    capture_close(cap);
}

static void test_filter_is_compiled_for_each_link_type(void **state)
{
    (void)state;
    /* The same bytes as Ethernet are no IP */
    const char *paths[] = {write_plain("raw.pcap", three, 3),
                           write_pcap(&(file_plan){"ether.pcap", MICRO, false, ETHERNET, three, 3})};
    capture *cap = open_all(paths, 2, "tcp port 443");
    expect_next(cap, 3, 20, 443);
    expect_end(cap);
    assert_int_equal(capture_packets(cap), 6);
    capture_close(cap);
}

/* Compiled early, when names can be looked up: the same packets, and the same complaints. */
static void test_filter_prepared_early(void **state)
{
    (void)state;
    if (getservbyname("https", "tcp") == NULL)
        skip(); /* no /etc/services here */
    const char *paths[] = {write_plain("raw.pcap", three, 3),
                           write_pcap(&(file_plan){"ether.pcap", MICRO, false, ETHERNET, three, 3})};
    char early[CAPTURE_ERROR_BYTES] = "", late[CAPTURE_ERROR_BYTES] = "";
    bool usage = false;
    capture_options options = {paths, 2, "tcp port https"};
    capture *cap = capture_open_filtered(&options, capture_filter_new(options.filter), NULL, early, &usage);
    assert_non_null(cap);
    expect_next(cap, 3, 20, 443);
    expect_end(cap);
    capture_close(cap);
    static const char *const wrong[] = {"tcp prot 80", "wlan type mgt", "tcp port no-such-service"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.filter = wrong[i];
        assert_null(capture_open(&options, late, &usage));
        usage = false;
        assert_null(capture_open_filtered(&options, capture_filter_new(options.filter), NULL, early, &usage));
        assert_true(usage);
        assert_string_equal(early, late);
    }
    options.path_count = 0;
    assert_null(capture_open_filtered(&options, capture_filter_new("tcp"), NULL, early, &usage));
    capture_filter_free(NULL);
}

static void test_bad_filter_is_wrong_usage(void **state)
{
    (void)state;
    const char *path = write_plain("good.pcap", three, 3);
    char error[CAPTURE_ERROR_BYTES];
    bool usage = false;
    assert_null(capture_open(&(capture_options){&path, 1, "tcp prot 80"}, error, &usage));
    assert_true(usage);
    assert_non_null(strstr(error, "filter \"tcp prot 80\": "));
    assert_null(capture_open(&(capture_options){&path, 0, NULL}, error, &usage));
    assert_true(usage);
}

static void expect_refused(const char *path, const char *text)
{
    char error[CAPTURE_ERROR_BYTES] = "";
    bool usage = true;
    assert_null(capture_open(&(capture_options){&path, 1, NULL}, error, &usage));
    print_message("%s\n", error);
    assert_false(usage);
    assert_non_null(strstr(error, text));
    /* The same beside a good one: a problem, and the good one is read. */
    const char *paths[] = {path, write_plain("good.pcap", three, 3)};
    capture *cap = open_all(paths, 2, NULL);
    assert_int_equal(capture_input_count(cap), 1);
    expect_problem(cap, text);
    expect_next(cap, 1, 10, 80);
    expect_located(cap, 1, paths[1], 1);
    capture_close(cap);
}

static void test_inputs_that_cannot_be_read(void **state)
{
    (void)state;
    expect_refused(path_of("missing.pcap"), "missing.pcap: cannot be opened: No such file or directory");
    expect_refused(write_text("empty.pcap", ""), "empty.pcap: is empty");
    expect_refused(write_text("garbage.pcap", "GET / HTTP/1.1\r\nHost: a\r\n\r\n, and more of it"),
                   "garbage.pcap: is not a capture that can be read (");
    expect_refused(write_text("header.pcap", "\xd4\xc3\xb2\xa1\x02"),
                   "header.pcap: ends within the file header");
    expect_refused(folder, "is a directory");
    expect_refused(write_text("two\nlines.pcap", ""), "two?lines.pcap: is empty");
    const char *closed = write_text("closed.pcap", "x");
    assert_int_equal(chmod(closed, 0), 0);
    if (geteuid() != 0)
        expect_refused(closed, "closed.pcap: cannot be opened: Permission denied");
}

static void test_all_inputs_refused(void **state)
{
    (void)state;
    const char *paths[] = {path_of("missing.pcap"), path_of("missing2.pcap")};
    char error[CAPTURE_ERROR_BYTES] = "";
    bool usage = true;
    assert_null(capture_open(&(capture_options){paths, 2, NULL}, error, &usage));
    assert_non_null(strstr(error, "missing.pcap: cannot be opened"));
    assert_false(usage);
}

/* Cut at every length: each whole packet is given, and the cut is told unless it lies between packets. */
static void test_truncated_file(void **state)
{
    (void)state;
    enum { HEADER_BYTES = 24, RECORD_BYTES = 16 + PACKET_BYTES };
    for (int len = HEADER_BYTES; len <= HEADER_BYTES + 3 * RECORD_BYTES; len++) {
        const char *path = write_plain("cut.pcap", three, 3);
        assert_int_equal(truncate(path, len), 0);
        capture *cap = open_one(&path);
        uint64_t whole = (uint64_t)(len - HEADER_BYTES) / RECORD_BYTES;
        for (uint64_t i = 0; i < whole; i++)
            expect_next(cap, i + 1, three[i].at_us, three[i].port);
        expect_end(cap);
        bool is_cut = (len - HEADER_BYTES) % RECORD_BYTES != 0;
        assert_int_equal(capture_problem_count(cap), is_cut);
        char text[64];
        snprintf(text, sizeof text, "cut.pcap: ends in the middle of packet %d; ", (int)whole + 1);
        assert_true(!is_cut || strstr(capture_problem(cap, 0), text) != NULL);
        capture_close(cap);
    }
}

/* The packet after the first claims 3 GiB: an end with a problem, while the other file goes on. */
static void test_damaged_file_beside_a_good_one(void **state)
{
    (void)state;
    const char *paths[] = {write_plain("damaged.pcap", three, 1), write_plain("good.pcap", three, 3)};
    FILE *file = fopen(paths[0], "ab");
    for (int i = 0; i < 64; i++)
        put32(file, 0xc0000000, false);
    fclose(file);
    capture *cap = open_all(paths, 2, NULL);
    expect_next(cap, 1, 10, 80);
    expect_next(cap, 2, 10, 80);
    expect_next(cap, 3, 20, 443);
    expect_next(cap, 4, 30, 80);
    expect_end(cap);
    expect_problem(cap, "damaged.pcap: is damaged at packet 2 (");
    capture_close(cap);
}

static void test_file_gone_before_its_turn(void **state)
{
    (void)state;
    static const packet_plan later[] = {{90, 1}};
    const char *paths[] = {write_plain("early.pcap", three, 3), write_plain("later.pcap", later, 1)};
    capture *cap = open_all(paths, 2, NULL);
    assert_int_equal(unlink(paths[1]), 0);
    for (uint64_t i = 0; i < 3; i++)
        expect_next(cap, i + 1, three[i].at_us, three[i].port);
    expect_end(cap);
    expect_problem(cap, "later.pcap: cannot be opened");
    capture_close(cap);
}

static void test_standard_input(void **state)
{
    (void)state;
    static const packet_plan other[] = {{15, 22}};
    const char *paths[] = {"-", write_plain("other.pcap", other, 1), "-"};
    pipe_to_stdin(write_plain("piped.pcap", three, 3));
    capture *cap = open_all(paths, 3, NULL);
    expect_problem(cap, "standard input: is given more than once");
    expect_next(cap, 1, 10, 80);
    expect_next(cap, 2, 15, 22);
    expect_next(cap, 3, 20, 443);
    expect_next(cap, 4, 30, 80);
    expect_end(cap);
    expect_located(cap, 4, "-", 3);
    capture_close(cap);

    pipe_to_stdin(write_text("nothing", ""));
    char error[CAPTURE_ERROR_BYTES];
    bool usage;
    assert_null(capture_open(&(capture_options){paths, 1, NULL}, error, &usage));
    assert_non_null(strstr(error, "standard input: is empty"));
}

/* Two inputs that alternate for longer than the runs are kept. */
static void test_origin_forgets_the_oldest(void **state)
{
    (void)state;
    enum { FORGOTTEN = 10 };
    origin_map origin = {.runs = NULL};
    uint64_t last = ORIGIN_RUNS_MAX + FORGOTTEN;
    uint16_t input;
    uint64_t file_frame;
    assert_false(origin_find(&origin, 1, &input, &file_frame));
    for (uint64_t frame = 1; frame <= last; frame++)
        origin_note(&origin, frame, frame % 2, (frame + 1) / 2);
    assert_int_equal(origin.room, ORIGIN_RUNS_MAX);
    assert_false(origin_find(&origin, 1, &input, &file_frame));
    assert_false(origin_find(&origin, FORGOTTEN, &input, &file_frame));
    for (uint64_t frame = FORGOTTEN + 1; frame <= last; frame += 997) {
        assert_true(origin_find(&origin, frame, &input, &file_frame));
        assert_int_equal(input, frame % 2);
        assert_int_equal(file_frame, (frame + 1) / 2);
    }
    assert_true(origin_find(&origin, last, &input, &file_frame));
    assert_false(origin_find(&origin, last + 1, &input, &file_frame));
    origin_fini(&origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_byte_order_and_tick),
        cmocka_unit_test(test_nanoseconds_are_kept),
        cmocka_unit_test(test_time_running_backward_keeps_the_order),
        cmocka_unit_test(test_merge_by_time_then_by_input),
        cmocka_unit_test(test_many_rotated_files),
        cmocka_unit_test(test_filter_keeps_the_numbers),
        cmocka_unit_test(test_filter_is_compiled_for_each_link_type),
        cmocka_unit_test(test_filter_prepared_early),
        cmocka_unit_test(test_bad_filter_is_wrong_usage),
        cmocka_unit_test(test_inputs_that_cannot_be_read),
        cmocka_unit_test(test_all_inputs_refused),
        cmocka_unit_test(test_truncated_file),
        cmocka_unit_test(test_damaged_file_beside_a_good_one),
        cmocka_unit_test(test_file_gone_before_its_turn),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_origin_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
