/* test_capture_ring.c - the ring of files of a live capture, read back by the reader of files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "capture_files.h"

#include "capture/ring.h"

#include <fcntl.h>
#include <pcap/pcap.h>
#include <sys/stat.h>

static const ring_interface interfaces[] = {{"lo", DLT_EN10MB}, {"tun0", DLT_RAW}};
enum { INTERFACES = 2, BIG_BYTES = 255 * 1024 };

static ring kept;
static problem_list problems;
static uint64_t frame;
static uint8_t bytes[BIG_BYTES];

static void open_ring(const char *path, unsigned files)
{
    char error[CAPTURE_ERROR_BYTES] = "";
    capture_ring_options options = {path, CAPTURE_RING_BYTES_MIN, files, (uid_t)-1, (gid_t)-1};
    assert_true(problems_init(&problems, 4));
    assert_true(ring_init(&kept, &options, interfaces, INTERFACES, error));
    assert_string_equal(error, "");
    frame = 0;
}

static void close_ring(void)
{
    ring_flush(&kept, &problems);
    ring_fini(&kept);
    problems_fini(&problems);
}

/* One packet, at START_NS + its frame in nanoseconds. */
static void keep(uint32_t len_bytes, uint16_t interface)
{
    frame++;
    bytes[0] = (uint8_t)frame;
    capture_packet packet = {.time_ns = START_NS + (int64_t)frame,
                             .frame = frame,
                             .bytes = unit_at_page_end(bytes, len_bytes),
                             .captured_bytes = len_bytes,
                             .wire_bytes = len_bytes + 7,
                             .interface = interface};
    ring_keep(&kept, &packet, &problems);
}

static void expect_kept(capture *cap, uint64_t number, uint32_t len_bytes, uint16_t interface, int link_type)
{
    capture_packet packet;
    assert_int_equal(capture_next(cap, &packet), CAPTURE_PACKET);
    assert_int_equal(packet.time_ns, START_NS + (int64_t)number);
    assert_int_equal(packet.captured_bytes, len_bytes);
    assert_int_equal(packet.wire_bytes, len_bytes + 7);
    assert_int_equal(packet.interface, interface);
    assert_int_equal(packet.link_type, link_type);
    assert_int_equal(packet.bytes[0], (uint8_t)number);
}

static void every_length_and_interface_comes_back(void **state)
{
    (void)state;
    const char *path = path_of("ring.pcapng");
    open_ring(path, 2);
    for (uint32_t len_bytes = 1; len_bytes <= 9; len_bytes++)
        keep(len_bytes, 0);
    keep(BIG_BYTES, 1);
    close_ring();
    const char *first = path_of("ring-1.pcapng");
    capture *cap = open_one(&first);
    for (uint32_t len_bytes = 1; len_bytes <= 9; len_bytes++)
        expect_kept(cap, len_bytes, len_bytes, 0, DLT_EN10MB);
    expect_kept(cap, 10, BIG_BYTES, 1, DLT_RAW);
    expect_end(cap);
    assert_int_equal(capture_problem_count(cap), 0);
    assert_int_equal(capture_tick_ns(cap), 1);
    capture_close(cap);
}

static void files_not_yet_used_are_captures_of_nothing(void **state)
{
    (void)state;
    open_ring(path_of("new"), 10);
    close_ring();
    const char *paths[] = {path_of("new-01"), path_of("new-10")};
    capture *cap = open_all(paths, 2, NULL);
    expect_end(cap);
    assert_int_equal(capture_problem_count(cap), 0);
    capture_close(cap);
}

static uint64_t frame_in_file(uint64_t wanted, const char *path)
{
    const char *file = NULL;
    uint64_t number = 0;
    if (!ring_find(&kept, wanted, &file, &number))
        return 0;
    assert_string_equal(file, path);
    return number;
}

/* Four packets fill a file. */
static void the_oldest_is_overwritten(void **state)
{
    (void)state;
    struct stat status;
    open_ring(path_of("turn.pcapng"), 2);
    const char *first = path_of("turn-1.pcapng"), *second = path_of("turn-2.pcapng");
    for (int i = 0; i < 8; i++)
        keep(BIG_BYTES, 0);
    assert_int_equal(frame_in_file(0, first), 0);
    assert_int_equal(frame_in_file(1, first), 1);
    assert_int_equal(frame_in_file(4, first), 4);
    assert_int_equal(frame_in_file(5, second), 1);
    assert_int_equal(frame_in_file(9, second), 0);
    keep(BIG_BYTES, 0);
    assert_int_equal(frame_in_file(1, first), 0);
    assert_int_equal(frame_in_file(8, second), 4);
    assert_int_equal(frame_in_file(9, first), 1);
    close_ring();
    assert_int_equal(stat(second, &status), 0);
    assert_in_range(status.st_size, 4 * BIG_BYTES, CAPTURE_RING_BYTES_MIN);
    const char *paths[] = {first, second};
    capture *cap = open_all(paths, 2, NULL);
    for (uint64_t number = 5; number <= 8; number++)
        expect_kept(cap, number, BIG_BYTES, 0, DLT_EN10MB);
    expect_kept(cap, 9, BIG_BYTES, 1, DLT_EN10MB); /* each file has interfaces of its own */
    expect_end(cap);
    capture_close(cap);
}

static void only_for_its_owner(void **state)
{
    (void)state;
    struct stat status;
    open_ring(path_of("mine.pcapng"), 2);
    close_ring();
    assert_int_equal(stat(path_of("mine-2.pcapng"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void names(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"plain", "plain-1"}, {".hidden", ".hidden-1"}, {"a.b.pcap", "a.b-1.pcap"}, {"dot.", "dot-1."}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_ring(path_of(rows[i][0]), 2);
        assert_string_equal(kept.files[0].path, path_of(rows[i][1]));
        close_ring();
    }
}

static void no_place_for_it(void **state)
{
    (void)state;
    char error[CAPTURE_ERROR_BYTES] = "";
    capture_ring_options options = {path_of("none/ring"), CAPTURE_RING_BYTES_MIN, 2, (uid_t)-1, (gid_t)-1};
    assert_false(ring_init(&kept, &options, interfaces, INTERFACES, error));
    assert_non_null(strstr(error, "none/ring-1: No such file or directory"));
    ring_fini(&kept);
}

static void a_full_disk_ends_keeping_and_is_told_once(void **state)
{
    (void)state;
    open_ring(path_of("full.pcapng"), 2);
    int whole = kept.files[0].descriptor;
    kept.files[0].descriptor = open("/dev/full", O_WRONLY);
    for (int i = 0; i < 9; i++)
        keep(BIG_BYTES, 0);
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.lines[0], "full-1.pcapng: cannot be written: No space left"));
    close(whole);
    close_ring();
}

static void none_wanted(void **state)
{
    (void)state;
    kept = (ring){.count = 0};
    assert_true(problems_init(&problems, 4));
    keep(4, 0);
    const char *file;
    uint64_t number;
    assert_false(ring_find(&kept, 1, &file, &number));
    close_ring();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_and_interface_comes_back),
        cmocka_unit_test(files_not_yet_used_are_captures_of_nothing),
        cmocka_unit_test(the_oldest_is_overwritten),
        cmocka_unit_test(only_for_its_owner),
        cmocka_unit_test(names),
        cmocka_unit_test(no_place_for_it),
        cmocka_unit_test(a_full_disk_ends_keeping_and_is_told_once),
        cmocka_unit_test(none_wanted),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
