/* ip.c - IPv4 and IPv6 headers, options and extension headers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ip.h"

#include "bytes.h"

#include <string.h>

enum { IPV4_BYTES = 20, IPV6_BYTES = 40, EXTENSION_BYTES = 8 };

enum {
    IP_HOP_BY_HOP = 0,
    IP_ROUTING = 43,
    IP_FRAGMENT = 44,
    IP_DESTINATION = 60,
};

/* RFC 8200 section 4.1 has at most seven before the transport header; more than this is a crafted packet. */
enum { EXTENSIONS_MAX = 16 };

bool ip_is_extension(uint8_t protocol)
{
    return protocol == IP_HOP_BY_HOP || protocol == IP_ROUTING || protocol == IP_FRAGMENT ||
           protocol == IP_AUTHENTICATION || protocol == IP_DESTINATION;
}

static uint32_t extension_bytes(uint8_t protocol, const uint8_t *header)
{
    switch (protocol) {
    case IP_FRAGMENT:
        return EXTENSION_BYTES;
    case IP_AUTHENTICATION: /* RFC 4302 section 2.2: in 4 byte units, minus 2 */
        return (header[1] + UINT32_C(2)) * 4;
    default: /* RFC 8200 section 4.3: in 8 byte units, the first not counted */
        return (header[1] + UINT32_C(1)) * 8;
    }
}

/* RFC 8200 section 4.5. A fragment that is the whole datagram (RFC 6946) is none. */
static void note_fragment(ip_packet *ip, const uint8_t *header)
{
    uint16_t field = bytes_be16(header + 2);
    ip->fragment = (uint16_t)(field >> 3 | (field & 1 ? IP_MORE_FRAGMENTS : 0));
    ip->fragment_id = bytes_be32(header + 4);
}

/* Steps over the extension headers at the start of ip->payload. */
packet_verdict ip_skip_extensions(ip_packet *ip)
{
    for (unsigned count = 0; ip_is_extension(ip->protocol); count++) {
        if (!bytes_hold(&ip->payload, EXTENSION_BYTES))
            return bytes_missing(&ip->payload, EXTENSION_BYTES);
        if (count == EXTENSIONS_MAX)
            return PACKET_MALFORMED;
        const uint8_t *header = ip->payload.bytes;
        uint32_t len_bytes = extension_bytes(ip->protocol, header);
        if (len_bytes > ip->payload.wire_bytes)
            return PACKET_MALFORMED;
        if (ip->protocol == IP_FRAGMENT)
            note_fragment(ip, header);
        ip->protocol = header[0];
        ip->payload = bytes_after(ip->payload, len_bytes);
        if (ip->fragment != 0)
            return PACKET_TCP;
    }
    return PACKET_TCP;
}

static packet_verdict parse_ipv6(packet_bytes packet, ip_packet *out)
{
    if (!bytes_hold(&packet, IPV6_BYTES))
        return bytes_missing(&packet, IPV6_BYTES);
    const uint8_t *header = packet.bytes;
    if (header[0] >> 4 != 6)
        return PACKET_MALFORMED;
    packet_bytes payload = bytes_after(packet, IPV6_BYTES);
    uint32_t payload_bytes = bytes_be16(header + 4);
    if (payload_bytes != 0) /* 0: segmentation offload, as for IPv4 */
        payload = bytes_first(payload, payload_bytes);
    *out = (ip_packet){
        .source = header + 8,
        .target = header + 24,
        .payload = payload,
        .version = 6,
        .protocol = header[6],
        .ttl = header[7],
    };
    return ip_skip_extensions(out);
}

static packet_verdict parse_ipv4(packet_bytes packet, ip_packet *out)
{
    if (!bytes_hold(&packet, IPV4_BYTES))
        return bytes_missing(&packet, IPV4_BYTES);
    const uint8_t *header = packet.bytes;
    uint32_t header_bytes = (header[0] & 0x0fU) * 4;
    uint32_t total_bytes = bytes_be16(header + 2);
    if (total_bytes == 0) /* segmentation offload: a super-segment captured before it was cut up */
        total_bytes = packet.wire_bytes;
    if (header[0] >> 4 == 6) /* some translators keep the EtherType; Wireshark follows them, too */
        return parse_ipv6(packet, out);
    if (header[0] >> 4 != 4 || header_bytes < IPV4_BYTES || total_bytes < header_bytes ||
        packet.wire_bytes < header_bytes)
        return PACKET_MALFORMED;
    /* A length beyond the packet's end is cut to it, as Wireshark does. */
    *out = (ip_packet){
        .source = header + 12,
        .target = header + 16,
        .payload = bytes_after(bytes_first(packet, total_bytes), header_bytes),
        .id = bytes_be16(header + 4),
        .version = 4,
        .protocol = header[9],
        .ttl = header[8],
        .fragment = bytes_be16(header + 6) & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET),
        .fragment_id = bytes_be16(header + 4),
    };
    if (out->protocol == IP_AUTHENTICATION && out->fragment == 0)
        return ip_skip_extensions(out);
    return PACKET_TCP;
}

packet_verdict ip_parse(uint8_t version, packet_bytes packet, ip_packet *out)
{
    if (version == 0) {
        if (!bytes_hold(&packet, 1))
            return bytes_missing(&packet, 1);
        version = packet.bytes[0] >> 4;
    }
    switch (version) {
    case 4:
        return parse_ipv4(packet, out);
    case 6:
        return parse_ipv6(packet, out);
    default:
        return PACKET_MALFORMED;
    }
}

void ip_address(uint8_t version, const uint8_t *ip, uint16_t port, ka_address *out)
{
    *out = (ka_address){.port = port, .version = version};
    if (version == 4)
        memcpy(out->ip, ip, 4);
    else
        memcpy(out->ip, ip, 16);
}
