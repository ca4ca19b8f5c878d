/* wire.c - TCP segments over IP over Ethernet, written to a pcap file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "wire.h"

#include <string.h>

enum {
    ETHERNET_BYTES = 14,
    IP_BYTES = 20,
    IP6_BYTES = 40,
    TCP_BYTES = 20,
    SYN_OPTIONS_BYTES = 20,
    OPTIONS_BYTES = 12,
    HEADERS_MAX_BYTES = ETHERNET_BYTES + IP6_BYTES + TCP_BYTES + SYN_OPTIONS_BYTES,
};

/* As in https://www.ietf.org/archive/id/draft-gharris-opsawg-pcap-01.html, in the writer's byte order. */
typedef struct pcap_header {
    uint32_t magic;
    uint16_t version_major;
    uint16_t version_minor;
    uint32_t reserved[2];
    uint32_t snaplen;
    uint32_t link_type;
} pcap_header;

typedef struct pcap_record {
    uint32_t seconds;
    uint32_t microseconds;
    uint32_t captured_bytes;
    uint32_t wire_bytes;
} pcap_record;

bool wire_begin(FILE *out)
{
    const pcap_header header = {
        .magic = 0xa1b2c3d4, .version_major = 2, .version_minor = 4, .snaplen = 262144, .link_type = 1};
    return fwrite(&header, sizeof header, 1, out) == 1;
}

static uint8_t *put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    return put16(put16(at, value >> 16), value);
}

static uint16_t ip_checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < IP_BYTES; i += 2)
        sum += (uint32_t)(header[i] << 8 | header[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint8_t *put_ethernet(uint8_t *at, unsigned from, unsigned type)
{
    static const uint8_t addresses[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
    memcpy(at, addresses[!from], 6);
    memcpy(at + 6, addresses[from], 6);
    return put16(at + 12, type);
}

static uint8_t *put_ip(uint8_t *at, const wire_connection *connection, unsigned from, uint32_t total_bytes,
                       uint32_t id)
{
    uint8_t *start = at;
    at = put16(at, 0x4500);
    at = put16(at, total_bytes);
    at = put16(at, id);
    at = put16(at, 0x4000); /* do not fragment */
    at = put16(at, 64 << 8 | 6);
    at = put16(at, 0);
    at = put32(at, connection->ip[from]);
    at = put32(at, connection->ip[!from]);
    put16(start + 10, ip_checksum(start));
    return at;
}

static uint8_t *put_ip6(uint8_t *at, const wire_connection *connection, unsigned from, uint32_t payload_bytes)
{
    at = put32(at, 0x60000000);
    at = put16(at, payload_bytes);
    at = put16(at, 6 << 8 | 64);
    memcpy(at, connection->ip6[from], 16);
    memcpy(at + 16, connection->ip6[!from], 16);
    return at + 32;
}

static uint8_t *put_options(uint8_t *at, bool syn, uint32_t time_ms)
{
    static const uint8_t syn_options[] = {2, 4, 0x05, 0xb4, 4, 2, 3, 3, 7, 1}; /* MSS 1460, SACK, scale */
    if (syn) {
        memcpy(at, syn_options, sizeof syn_options);
        at += sizeof syn_options;
    } else {
        at = put16(at, 0x0101);
    }
    at = put16(at, 8 << 8 | 10); /* time stamps */
    at = put32(at, time_ms);
    return put32(at, time_ms);
}

/* The checksum stays 0, as captures show it that were taken before the network card filled it in. */
static uint8_t *put_tcp(uint8_t *at, const wire_connection *connection, unsigned from, unsigned flags,
                        uint32_t time_ms)
{
    bool syn = flags & WIRE_SYN;
    uint32_t options_bytes = syn ? SYN_OPTIONS_BYTES : OPTIONS_BYTES;
    at = put16(at, connection->port[from]);
    at = put16(at, connection->port[!from]);
    at = put32(at, connection->next_seq[from]);
    at = put32(at, flags & WIRE_ACK ? connection->next_seq[!from] : 0);
    at = put16(at, (TCP_BYTES + options_bytes) / 4 << 12 | flags);
    at = put16(at, 502);
    at = put32(at, 0);
    at = put_options(at, syn, time_ms);
    return at;
}

bool wire_segment(FILE *out, wire_connection *connection, unsigned from, unsigned flags, const char *payload,
                  uint32_t len_bytes, int64_t time_ns)
{
    static uint32_t id;
    uint8_t headers[HEADERS_MAX_BYTES + 2] = {0};
    uint32_t tcp_bytes = TCP_BYTES + (flags & WIRE_SYN ? SYN_OPTIONS_BYTES : OPTIONS_BYTES);
    uint8_t *end = put_ethernet(headers, from, connection->ip6 ? 0x86dd : 0x0800);
    end = connection->ip6 ? put_ip6(end, connection, from, tcp_bytes + len_bytes)
                          : put_ip(end, connection, from, IP_BYTES + tcp_bytes + len_bytes, ++id);
    end = put_tcp(end, connection, from, flags, (uint32_t)(time_ns / 1000000));
    size_t header_bytes = (size_t)(end - headers);

    const pcap_record record = {.seconds = (uint32_t)(time_ns / 1000000000),
                                .microseconds = (uint32_t)(time_ns % 1000000000 / 1000),
                                .captured_bytes = (uint32_t)header_bytes + len_bytes,
                                .wire_bytes = (uint32_t)header_bytes + len_bytes};
    connection->next_seq[from] += len_bytes + (flags & (WIRE_SYN | WIRE_FIN) ? 1 : 0);
    return fwrite(&record, sizeof record, 1, out) == 1 && fwrite(headers, header_bytes, 1, out) == 1 &&
           fwrite(payload, 1, len_bytes, out) == len_bytes;
}
