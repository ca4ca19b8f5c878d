/* tcp.c - the TCP header: of a segment, and of one that an ICMP error quotes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tcp.h"

#include "bytes.h"

enum {
    TCP_BYTES = 20,
    TCP_WINDOW_END = 16, /* Wireshark gives a number in tcp.stream to every header that reaches so far */
    ICMP_BYTES = 8,
};

/* RFC 9293 section 3.2 */
enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_MSS_BYTES = 4,
    OPTION_SCALE = 3,
    OPTION_SCALE_BYTES = 3
};

/* The first option of that kind, which has that length; NULL: none. */
static const uint8_t *find_option(const uint8_t *options, uint32_t len_bytes, uint8_t kind,
                                  uint8_t option_bytes)
{
    uint32_t at = 0;
    while (at < len_bytes && options[at] != OPTION_END) {
        if (options[at] == OPTION_NOP) {
            at++;
            continue;
        }
        if (len_bytes - at < 2 || options[at + 1] < 2 || options[at + 1] > len_bytes - at)
            return NULL;
        if (options[at] == kind && options[at + 1] == option_bytes)
            return options + at;
        at += options[at + 1];
    }
    return NULL;
}

static void read_syn_options(packet_bytes options, ka_segment *segment)
{
    const uint8_t *mss = find_option(options.bytes, options.captured_bytes, OPTION_MSS, OPTION_MSS_BYTES);
    const uint8_t *scale =
        find_option(options.bytes, options.captured_bytes, OPTION_SCALE, OPTION_SCALE_BYTES);
    segment->mss = mss != NULL ? bytes_be16(mss + 2) : 0;
    segment->window_scale = scale != NULL && scale[2] < UINT8_MAX ? scale[2] + 1 : 0;
}

/* The header up to its window, which is captured; no payload. */
static void read_header(const ip_packet *ip, packet_tcp *out)
{
    const uint8_t *header = ip->payload.bytes;
    ka_segment *segment = &out->segment;
    ip_address(ip->version, ip->source, bytes_be16(header), &out->source);
    ip_address(ip->version, ip->target, bytes_be16(header + 2), &out->target);
    segment->seq = bytes_be32(header + 4);
    segment->ack = bytes_be32(header + 8);
    segment->len_bytes = 0;
    segment->captured_bytes = 0;
    segment->flags = header[13] & 0x3f;
    segment->window = bytes_be16(header + 14);
    segment->mss = 0;
    segment->window_scale = 0;
    segment->ip_id = ip->id;
    segment->ttl = ip->ttl;
    out->payload = header;
}

packet_verdict tcp_parse(const ip_packet *ip, packet_tcp *out)
{
    const packet_bytes *packet = &ip->payload;
    if (!bytes_hold(packet, TCP_WINDOW_END))
        return bytes_missing(packet, TCP_BYTES);
    read_header(ip, out);
    uint32_t header_bytes = (packet->bytes[12] >> 4) * UINT32_C(4);
    if (!bytes_hold(packet, TCP_BYTES) || header_bytes < TCP_BYTES || header_bytes > packet->wire_bytes)
        return PACKET_TCP_BROKEN;
    /* Options may be cut off: what the fixed header tells is worth having without them. */
    packet_bytes options = bytes_after(bytes_first(*packet, header_bytes), TCP_BYTES);
    packet_bytes payload = bytes_after(*packet, header_bytes);
    if (out->segment.flags & KA_SYN)
        read_syn_options(options, &out->segment);
    out->segment.len_bytes = payload.wire_bytes;
    out->segment.captured_bytes = payload.captured_bytes;
    out->payload = payload.bytes;
    return PACKET_TCP;
}

/* Redirects (5, 137) report no failure and are not counted by Wireshark. */
static bool is_error(const ip_packet *ip, uint8_t type)
{
    if (ip->protocol == IP_ICMPV6)
        return type >= 1 && type <= 4; /* RFC 4443 section 2.1 */
    switch (type) {                    /* RFC 792 */
    case 3:                            /* destination unreachable */
    case 4:                            /* source quench */
    case 11:                           /* time exceeded */
    case 12:                           /* parameter problem */
        return true;
    default:
        return false;
    }
}

packet_verdict tcp_parse_quoted(const ip_packet *ip, packet_tcp *out)
{
    const packet_bytes *packet = &ip->payload;
    ip_packet quoted;
    if (!bytes_hold(packet, ICMP_BYTES) || !is_error(ip, packet->bytes[0]) ||
        ip_parse(ip->protocol == IP_ICMPV6 ? 6 : 4, bytes_after(*packet, ICMP_BYTES), &quoted) != PACKET_TCP)
        return PACKET_OTHER;
    if (quoted.protocol != IP_TCP || quoted.fragment != 0 || !bytes_hold(&quoted.payload, TCP_WINDOW_END))
        return PACKET_OTHER;
    read_header(&quoted, out);
    return PACKET_ICMP_TCP;
}
