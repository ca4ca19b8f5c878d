/* test_capture_pcapng_damage.c - pcapng files that make no sense, are cut or changed at every byte.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit.h"

#include "pcapng_blocks.h"

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
        cmocka_unit_test(test_blocks_that_make_no_sense), cmocka_unit_test(test_no_pcapng_at_all),
        cmocka_unit_test(test_endless_interfaces),        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_byte_damaged),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
