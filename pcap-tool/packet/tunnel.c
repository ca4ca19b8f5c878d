/* tunnel.c - tunnel headers: what they carry, and who their tenant is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "tunnel.h"

#include "bytes.h"
#include "ethertype.h"

/* Registered with IANA, and what Linux took for VXLAN before there was a number; no others are tunnels, as
 * for Wireshark by default. */
enum { PORT_GTP_U = 2152, PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_VXLAN_LINUX = 8472 };

enum { UDP_BYTES = 8, VXLAN_BYTES = 8, GENEVE_BYTES = 8, GTP_BYTES = 8, GTP_OPTIONS_BYTES = 4 };

/* ---- GRE (RFC 2784, RFC 2890; version 1: RFC 2637) and ERSPAN ------------------------------------ */

enum {
    GRE_BYTES = 4,
    GRE_FIELD_BYTES = 4,
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGEMENT = 0x0080, /* of version 1 */
    GRE_VERSION = 0x0007,
};

enum { GRE_ERSPAN = 0x88be, GRE_ERSPAN_3 = 0x22eb, ERSPAN_BYTES = 8, ERSPAN_3_BYTES = 12 };

static uint32_t count_fields(uint16_t flags)
{
    return (flags & GRE_CHECKSUM ? 1 : 0) + (flags & GRE_KEY ? 1U : 0) + (flags & GRE_SEQUENCE ? 1U : 0);
}

/* Type I has no header, type II one of 8 bytes, and a GRE sequence number by which they are told apart; type
 * III 12 bytes, and 8 more when its last bit says so (draft-foschiano-erspan). */
static packet_verdict parse_erspan(uint16_t type, bool has_sequence, packet_bytes packet, packet_path *path,
                                   link_payload *out)
{
    uint32_t header_bytes = type == GRE_ERSPAN_3 ? ERSPAN_3_BYTES : has_sequence ? ERSPAN_BYTES : 0;
    if (!bytes_hold(&packet, header_bytes))
        return bytes_missing(&packet, header_bytes);
    uint32_t session = header_bytes > 0 ? bytes_be16(packet.bytes + 2) & 0x03ff : 0;
    if (type == GRE_ERSPAN_3 && packet.bytes[11] & 1)
        header_bytes += 8;
    if (packet.wire_bytes < header_bytes || !path_add(path, PATH_ERSPAN, session))
        return PACKET_MALFORMED;
    return ethertype_parse(ETHERTYPE_BRIDGED, bytes_after(packet, header_bytes), path, out);
}

/* A key beside bridged Ethernet is NVGRE's (RFC 7637 section 3.2): its last byte is no part of the tenant. */
static bool add_gre(packet_path *path, uint16_t flags, uint16_t type, const uint8_t *key)
{
    if (!(flags & GRE_KEY))
        return path_add(path, PATH_GRE, 0);
    bool is_nvgre = type == ETHERTYPE_BRIDGED && !(flags & (GRE_CHECKSUM | GRE_SEQUENCE));
    return path_add(path, PATH_GRE_KEY, is_nvgre ? bytes_be32(key) >> 8 : bytes_be32(key));
}

static packet_verdict parse_pptp(uint16_t flags, packet_bytes packet, packet_path *path, link_payload *out)
{
    uint32_t header_bytes =
        GRE_BYTES + GRE_FIELD_BYTES * (count_fields(flags | GRE_KEY) + (flags & GRE_ACKNOWLEDGEMENT ? 1 : 0));
    if (!bytes_hold(&packet, header_bytes))
        return bytes_missing(&packet, header_bytes);
    if (!path_add(path, PATH_PPTP, bytes_be16(packet.bytes + 6)))
        return PACKET_MALFORMED;
    packet = bytes_after(packet, header_bytes);
    if (bytes_hold(&packet, 2) && bytes_be16(packet.bytes) == 0xff03) /* HDLC's fields, as on a serial line */
        packet = bytes_after(packet, 2);
    return packet.wire_bytes == 0 ? PACKET_OTHER : ethertype_parse(ETHERTYPE_PPP, packet, path, out);
}

static packet_verdict parse_gre(packet_bytes packet, packet_path *path, link_payload *out)
{
    if (!bytes_hold(&packet, GRE_BYTES))
        return bytes_missing(&packet, GRE_BYTES);
    uint16_t flags = bytes_be16(packet.bytes);
    uint16_t type = bytes_be16(packet.bytes + 2);
    if ((flags & GRE_VERSION) == 1 && type == ETHERTYPE_PPP)
        return parse_pptp(flags, packet, path, out);
    if ((flags & GRE_VERSION) != 0 || flags & GRE_ROUTING)
        return PACKET_OTHER;
    uint32_t header_bytes = GRE_BYTES + GRE_FIELD_BYTES * count_fields(flags);
    if (!bytes_hold(&packet, header_bytes))
        return bytes_missing(&packet, header_bytes);
    packet_bytes rest = bytes_after(packet, header_bytes);
    if (type == GRE_ERSPAN || type == GRE_ERSPAN_3)
        return parse_erspan(type, flags & GRE_SEQUENCE, rest, path, out);
    const uint8_t *key = packet.bytes + GRE_BYTES + (flags & GRE_CHECKSUM ? GRE_FIELD_BYTES : 0);
    if (!add_gre(path, flags, type, key))
        return PACKET_MALFORMED;
    return ethertype_parse(type, rest, path, out);
}

/* ---- In UDP ------------------------------------------------------------------------------------ */

/* RFC 7348 section 5 */
static packet_verdict parse_vxlan(packet_bytes packet, packet_path *path, link_payload *out)
{
    if (!bytes_hold(&packet, VXLAN_BYTES))
        return packet.wire_bytes < VXLAN_BYTES ? PACKET_OTHER : PACKET_CUT;
    if (!(packet.bytes[0] & 0x08)) /* the network identifier is valid */
        return PACKET_OTHER;
    if (!path_add(path, PATH_VXLAN, bytes_be32(packet.bytes + 4) >> 8))
        return PACKET_MALFORMED;
    return ethertype_parse(ETHERTYPE_BRIDGED, bytes_after(packet, VXLAN_BYTES), path, out);
}

/* RFC 8926 section 3.4 */
static packet_verdict parse_geneve(packet_bytes packet, packet_path *path, link_payload *out)
{
    if (!bytes_hold(&packet, GENEVE_BYTES))
        return packet.wire_bytes < GENEVE_BYTES ? PACKET_OTHER : PACKET_CUT;
    uint32_t header_bytes = GENEVE_BYTES + (packet.bytes[0] & 0x3fU) * 4;
    if (packet.bytes[0] >> 6 != 0 || packet.wire_bytes < header_bytes)
        return PACKET_OTHER;
    uint16_t type = bytes_be16(packet.bytes + 2);
    if (!path_add(path, PATH_GENEVE, bytes_be32(packet.bytes + 4) >> 8))
        return PACKET_MALFORMED;
    return ethertype_parse(type, bytes_after(packet, header_bytes), path, out);
}

/* Steps over the extension headers (3GPP TS 29.281 section 5.2.1): the first byte tells a length in 4 bytes,
 * the last the type of the next. */
static packet_verdict skip_gtp_extensions(packet_bytes *packet, uint8_t next)
{
    while (next != 0) {
        if (!bytes_hold(packet, 1))
            return bytes_missing(packet, 1);
        uint32_t len_bytes = packet->bytes[0] * UINT32_C(4);
        if (len_bytes == 0 || len_bytes > packet->wire_bytes)
            return PACKET_MALFORMED;
        if (!bytes_hold(packet, len_bytes))
            return PACKET_CUT;
        next = packet->bytes[len_bytes - 1];
        *packet = bytes_after(*packet, len_bytes);
    }
    return PACKET_TCP;
}

/* 3GPP TS 29.281 section 5.1: version 1, protocol type GTP, message G-PDU. */
static packet_verdict parse_gtp(packet_bytes packet, packet_path *path, link_payload *out)
{
    if (!bytes_hold(&packet, GTP_BYTES))
        return packet.wire_bytes < GTP_BYTES ? PACKET_OTHER : PACKET_CUT;
    const uint8_t *header = packet.bytes;
    if ((header[0] & 0xf0) != 0x30 || header[1] != 255)
        return PACKET_OTHER;
    if (!path_add(path, PATH_GTP_U, bytes_be32(header + 4)))
        return PACKET_MALFORMED;
    packet = bytes_first(bytes_after(packet, GTP_BYTES), bytes_be16(header + 2));
    if (header[0] & 0x07) { /* any of sequence number, N-PDU number, extension headers: all three are there */
        if (!bytes_hold(&packet, GTP_OPTIONS_BYTES))
            return bytes_missing(&packet, GTP_OPTIONS_BYTES);
        uint8_t next = header[0] & 0x04 ? packet.bytes[3] : 0;
        packet = bytes_after(packet, GTP_OPTIONS_BYTES);
        packet_verdict verdict = skip_gtp_extensions(&packet, next);
        if (verdict != PACKET_TCP)
            return verdict;
    }
    if (!bytes_hold(&packet, 1))
        return packet.wire_bytes == 0 ? PACKET_OTHER : PACKET_CUT;
    if (packet.bytes[0] >> 4 != 4 && packet.bytes[0] >> 4 != 6)
        return PACKET_OTHER; /* PPP, Ethernet, or nothing of IP */
    *out = (link_payload){packet, 0};
    return PACKET_TCP;
}

static bool is_port(uint16_t port)
{
    return port == PORT_VXLAN || port == PORT_VXLAN_LINUX || port == PORT_GENEVE || port == PORT_GTP_U;
}

/* The registered one of a datagram's ports, the receiver's first; 0: none. */
static uint16_t tunnel_port(const uint8_t *header)
{
    uint16_t source = bytes_be16(header);
    uint16_t target = bytes_be16(header + 2);
    return is_port(target) ? target : is_port(source) ? source : 0;
}

bool tunnel_is_udp(const packet_bytes *datagram)
{
    return bytes_hold(datagram, UDP_BYTES) && tunnel_port(datagram->bytes) != 0;
}

static packet_verdict parse_udp(packet_bytes packet, packet_path *path, link_payload *out)
{
    if (!tunnel_is_udp(&packet))
        return PACKET_OTHER;
    uint16_t port = tunnel_port(packet.bytes);
    uint32_t len_bytes = bytes_be16(packet.bytes + 4);
    if (len_bytes >= UDP_BYTES) /* 0: segmentation offload */
        packet = bytes_first(packet, len_bytes);
    packet = bytes_after(packet, UDP_BYTES);
    switch (port) {
    case PORT_GENEVE:
        return parse_geneve(packet, path, out);
    case PORT_GTP_U:
        return parse_gtp(packet, path, out);
    default:
        return parse_vxlan(packet, path, out);
    }
}

/* ------------------------------------------------------------------------------------------------ */

static packet_verdict parse_ip(const ip_packet *ip, uint8_t inner, path_kind kind, packet_path *path,
                               link_payload *out)
{
    if (!path_add(path, kind, 0))
        return PACKET_MALFORMED;
    *out = (link_payload){ip->payload, inner};
    return PACKET_TCP;
}

packet_verdict tunnel_parse(const ip_packet *ip, packet_path *path, link_payload *out)
{
    switch (ip->protocol) {
    case IP_IPV4:
        return parse_ip(ip, 4, ip->version == 4 ? PATH_4IN4 : PATH_4IN6, path, out);
    case IP_IPV6:
        return parse_ip(ip, 6, ip->version == 4 ? PATH_6IN4 : PATH_6IN6, path, out);
    case IP_MPLS: /* RFC 4023 */
        return ethertype_parse(ETHERTYPE_MPLS, ip->payload, path, out);
    case IP_GRE:
        return parse_gre(ip->payload, path, out);
    default:
        return parse_udp(ip->payload, path, out);
    }
}
