/* packets.h - packets written by hand as hexadecimal digits, for the tests of packet_decode.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKETS_H
#define PACKETS_H

#include "unit.h"

#include <stdio.h>

#include "memory.h"
#include "packet/packet.h"

enum { ETHERNET = 1, SLL = 113, SLL2 = 276, RAW = 101 };

/* IPv4 from 192.0.2.1 to 198.51.100.2, TTL 64, ID 0x1234, 45 bytes: 20 IP, 20 TCP, 5 payload. */
#define IPV4 "4500002d 12344000 40060000 c0000201 c6336402 "
/* IPv6 from 2001:db8::1 to 2001:db8::2, hop limit 63, payload 25 bytes. */
#define IPV6_TO(length, next)                                                                                \
    "60000000 " length next "3f 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define IPV6 IPV6_TO("0019", "06")
/* 40000 to 80, seq 1000, ack 2000, PSH ACK, window 502. */
#define TCP   "9c400050 000003e8 000007d0 501801f6 00000000 "
#define HELLO "68656c6c6f "
#define MACS  "020000000001 020000000002 "

typedef struct hex_packet {
    uint8_t bytes[4096];
    uint32_t len_bytes;
} hex_packet;

static inline hex_packet from_hex(const char *text)
{
    hex_packet packet = {.len_bytes = 0};
    for (; *text != '\0'; text++) {
        unsigned byte;
        if (*text == ' ')
            continue;
        assert_int_equal(sscanf(text++, "%2x", &byte), 1);
        assert_in_range(packet.len_bytes, 0, sizeof packet.bytes - 1);
        packet.bytes[packet.len_bytes++] = (uint8_t)byte;
    }
    return packet;
}

static int64_t packets_now;

/* One for all tests of a program. */
static inline packet_decoder *packets_decoder(void)
{
    static packet_decoder *decoder;
    if (decoder == NULL)
        decoder = packet_decoder_new(&memory_heap);
    assert_non_null(decoder);
    return decoder;
}

/* The first `captured` bytes of a packet, before an unmapped page. */
static inline packet_verdict decode_cut(int link_type, const hex_packet *packet, uint32_t captured,
                                        uint32_t wire, packet_tcp *out)
{
    const uint8_t *bytes = unit_at_page_end(packet->bytes, captured);
    packet_tcp before;
    memset(&before, 0xa5, sizeof before);
    *out = before;
    packet_verdict verdict =
        packet_decode(packets_decoder(), link_type, (packet_bytes){bytes, captured, wire}, packets_now, out);
    if (verdict > PACKET_ICMP_TCP)
        assert_memory_equal(out, &before, sizeof before);
    else if (out->segment.captured_bytes > 0)
        assert_true(out->payload + out->segment.captured_bytes <= bytes + captured);
    if (verdict == PACKET_TCP)
        assert_in_range(out->segment.captured_bytes, 0, out->segment.len_bytes);
    return verdict;
}

static inline packet_verdict decode(int link_type, const char *hex, packet_tcp *out)
{
    hex_packet packet = from_hex(hex);
    return decode_cut(link_type, &packet, packet.len_bytes, packet.len_bytes, out);
}

static inline packet_verdict verdict_of(int link_type, const char *hex)
{
    packet_tcp out;
    return decode(link_type, hex, &out);
}

static inline void assert_hello(const packet_tcp *tcp, uint8_t version)
{
    static const uint8_t source4[16] = {192, 0, 2, 1};
    static const uint8_t target4[16] = {198, 51, 100, 2};
    static const uint8_t source6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    static const uint8_t target6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 2};
    assert_int_equal(tcp->source.version, version);
    assert_int_equal(tcp->target.version, version);
    assert_memory_equal(tcp->source.ip, version == 4 ? source4 : source6, 16);
    assert_memory_equal(tcp->target.ip, version == 4 ? target4 : target6, 16);
    assert_int_equal(tcp->source.port, 40000);
    assert_int_equal(tcp->target.port, 80);
    assert_int_equal(tcp->segment.seq, 1000);
    assert_int_equal(tcp->segment.ack, 2000);
    assert_int_equal(tcp->segment.flags, KA_PSH | KA_ACK);
    assert_int_equal(tcp->segment.window, 502);
    assert_int_equal(tcp->segment.mss, 0);
    assert_int_equal(tcp->segment.ttl, version == 4 ? 64 : 63);
    assert_int_equal(tcp->segment.ip_id, version == 4 ? 0x1234 : 0);
    assert_int_equal(tcp->segment.len_bytes, 5);
    if (tcp->segment.captured_bytes == 5)
        assert_memory_equal(tcp->payload, "hello", 5);
}

#endif
