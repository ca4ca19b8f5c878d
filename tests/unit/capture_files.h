/* capture_files.h - captures written byte by byte, for the tests that read them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_FILES_H
#define CAPTURE_FILES_H

#include "unit.h"

#include "capture/capture.h"

#include <stdio.h>

enum { PACKET_BYTES = 40, RAW = 101, ETHERNET = 1 };
enum { MICRO = 1000, NANO = 1 };

static const int64_t START_NS = INT64_C(1700000000) * 1000000000;

/* One IPv4 TCP packet without payload, at START_NS + at_us, to a port. */
typedef struct packet_plan {
    int64_t at_us;
    uint16_t port;
} packet_plan;

typedef struct file_plan {
    const char *name;
    int tick_ns;
    bool big_endian;
    uint32_t link_type;
    const packet_plan *packets;
    size_t count;
} file_plan;

static char folder[] = "/tmp/keptalive-capture-XXXXXX";

/* The path of a file in the test's folder; freed when all tests have run. */
static char *paths_made[4096];
static size_t path_made_count;

static inline const char *path_of(const char *name)
{
    char *path;
    assert_in_range(path_made_count, 0, sizeof paths_made / sizeof paths_made[0] - 1);
    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    paths_made[path_made_count++] = path;
    return path;
}

static inline void put32(FILE *file, uint32_t value, bool big_endian)
{
    for (int i = 0; i < 4; i++)
        fputc((int)(value >> 8 * (big_endian ? 3 - i : i) & 0xff), file);
}

static inline void put_packet_bytes(FILE *file, uint16_t port)
{
    uint8_t bytes[PACKET_BYTES] = {0x45, 0, 0, PACKET_BYTES, [9] = 6, [12] = 10, [16] = 10, [32] = 0x50};
    bytes[22] = (uint8_t)(port >> 8);
    bytes[23] = (uint8_t)port;
    fwrite(bytes, 1, sizeof bytes, file);
}

static inline void put_packet(FILE *file, const file_plan *plan, int64_t time_ns, uint16_t port)
{
    put32(file, (uint32_t)(time_ns / 1000000000), plan->big_endian);
    put32(file, (uint32_t)(time_ns % 1000000000 / plan->tick_ns), plan->big_endian);
    put32(file, PACKET_BYTES, plan->big_endian);
    put32(file, PACKET_BYTES + 1000, plan->big_endian);
    put_packet_bytes(file, port);
}

static inline const char *write_pcap(const file_plan *plan)
{
    const char *path = path_of(plan->name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    put32(file, plan->tick_ns == NANO ? 0xa1b23c4d : 0xa1b2c3d4, plan->big_endian);
    put32(file, plan->big_endian ? 0x00020004 : 0x00040002, plan->big_endian);
    put32(file, 0, plan->big_endian);
    put32(file, 0, plan->big_endian);
    put32(file, 65535, plan->big_endian);
    put32(file, plan->link_type, plan->big_endian);
    for (size_t i = 0; i < plan->count; i++)
        put_packet(file, plan, START_NS + plan->packets[i].at_us * 1000, plan->packets[i].port);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *write_bytes(const char *name, const void *bytes, size_t len_bytes)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len_bytes, file), len_bytes);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *write_text(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

/* A little-endian microsecond capture of raw IP. */
static inline const char *write_plain(const char *name, const packet_plan *packets, size_t count)
{
    return write_pcap(&(file_plan){name, MICRO, false, RAW, packets, count});
}

static inline capture *open_all(const char *const *paths, size_t count, const char *filter)
{
    char error[CAPTURE_ERROR_BYTES] = "";
    bool usage = false;
    capture *cap = capture_open(&(capture_options){paths, count, filter}, error, &usage);
    assert_string_equal(error, "");
    assert_non_null(cap);
    return cap;
}

static inline capture *open_one(const char *const *path)
{
    return open_all(path, 1, NULL);
}

static inline void expect_next(capture *cap, uint64_t frame, int64_t at_us, uint16_t port)
{
    capture_packet packet;
    assert_int_equal(capture_next(cap, &packet), CAPTURE_PACKET);
    assert_int_equal(packet.frame, frame);
    assert_int_equal(packet.time_ns, START_NS + at_us * 1000);
    assert_int_equal(packet.captured_bytes, PACKET_BYTES);
    assert_int_equal(packet.wire_bytes, PACKET_BYTES + 1000);
    assert_int_equal(packet.bytes[22] << 8 | packet.bytes[23], port);
}

static inline void expect_end(capture *cap)
{
    capture_packet packet = {.frame = 77};
    assert_int_equal(capture_next(cap, &packet), CAPTURE_END);
    assert_int_equal(capture_next(cap, &packet), CAPTURE_END);
    assert_int_equal(packet.frame, 77);
}

/* The one problem told has this text in it. */
static inline void expect_problem(const capture *cap, const char *text)
{
    assert_int_equal(capture_problem_count(cap), 1);
    print_message("%s\n", capture_problem(cap, 0));
    assert_non_null(strstr(capture_problem(cap, 0), text));
}

static inline void expect_located(const capture *cap, uint64_t frame, const char *path, uint64_t file_frame)
{
    const char *file;
    uint64_t number;
    assert_true(capture_locate(cap, frame, &file, &number));
    assert_string_equal(file, path);
    assert_int_equal(number, file_frame);
}

static const packet_plan three[] = {{10, 80}, {20, 443}, {30, 80}};

/* A file's bytes as standard input, through a pipe that gets them one by one. */
static inline void pipe_to_stdin(const char *path)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    FILE *file = fopen(path, "rb");
    for (int byte; (byte = getc(file)) != EOF;)
        assert_int_equal(write(ends[1], &(char){(char)byte}, 1), 1);
    fclose(file);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static inline int remove_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < path_made_count; i++)
        free(paths_made[i]);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

#endif
