/* pcapng_blocks.h - pcapng files written block by block, for the tests that read them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PCAPNG_BLOCKS_H
#define PCAPNG_BLOCKS_H

#include "capture_files.h"

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

static inline void put(blocks *file, uint64_t value, int size_bytes)
{
    assert_in_range(file->len_bytes, 0, FILE_BYTES_MAX - 8);
    for (int i = 0; i < size_bytes; i++)
        file->bytes[file->len_bytes++] = (uint8_t)(value >> 8 * (file->big_endian ? size_bytes - 1 - i : i));
}

static inline void begin(blocks *file, uint32_t type)
{
    file->start = file->len_bytes;
    put(file, type, 4);
    put(file, 0, 4);
}

static inline void end(blocks *file)
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

static inline void section(blocks *file, bool big_endian)
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
static inline void interface_with(blocks *file, uint16_t link_type, uint32_t snap_bytes, uint8_t resolution,
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

static inline void interface_of(blocks *file, uint16_t link_type)
{
    interface_with(file, link_type, 65535, MICROSECONDS, 0);
}

static inline void put_bytes(blocks *file, const void *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++)
        put(file, ((const uint8_t *)bytes)[i], 1);
}

/* The IP packet that expect_next expects; on Ethernet with a header before it. */
static inline void put_ip(blocks *file, uint16_t port)
{
    uint8_t ip[PACKET_BYTES] = {0x45, 0, 0, PACKET_BYTES, [9] = 6, [12] = 10, [16] = 10, [32] = 0x50};
    ip[22] = (uint8_t)(port >> 8);
    ip[23] = (uint8_t)port;
    put_bytes(file, ip, sizeof ip);
}

static inline void packet_head(blocks *file, uint32_t interface, uint64_t ticks, uint32_t captured,
                               uint32_t wire)
{
    begin(file, ENHANCED);
    put(file, interface, 4);
    put(file, ticks >> 32, 4);
    put(file, (uint32_t)ticks, 4);
    put(file, captured, 4);
    put(file, wire, 4);
}

static inline void packet(blocks *file, uint32_t interface, uint64_t ticks, uint16_t port)
{
    packet_head(file, interface, ticks, PACKET_BYTES, PACKET_BYTES + 1000);
    put_ip(file, port);
    end(file);
}

static inline void ethernet_packet(blocks *file, uint32_t interface, uint64_t ticks, uint16_t port)
{
    static const uint8_t link[14] = {2, [6] = 2, [12] = 8};
    packet_head(file, interface, ticks, sizeof link + PACKET_BYTES, sizeof link + PACKET_BYTES);
    put_bytes(file, link, sizeof link);
    put_ip(file, port);
    end(file);
}

static inline void other_block(blocks *file, uint32_t type)
{
    begin(file, type);
    put(file, 32473, 4); /* RFC 5612: the enterprise number for examples */
    put(file, 0x61626364, 4);
    end(file);
}

static inline uint64_t us(int64_t at_us)
{
    return (uint64_t)(START_NS / 1000 + at_us);
}

static inline capture *open_filtered(const blocks *file, const char *filter)
{
    const char *path = write_bytes("test.pcapng", file->bytes, file->len_bytes);
    return open_all(&path, 1, filter);
}

static inline capture *open_blocks(const blocks *file)
{
    return open_filtered(file, NULL);
}

static inline void mixed_links(blocks *file)
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

#endif
