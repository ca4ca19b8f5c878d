/* link.c - link headers: Ethernet with VLAN tags, Linux cooked, BSD loopback, raw IP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "link.h"

#include "bytes.h"

/* As pcap_datalink gives them (https://www.tcpdump.org/linktypes.html); raw IP is 12 or 14 by system. */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_12 = 12,
    LINK_RAW_14 = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

enum {
    ETHERNET_BYTES = 14,
    SLL_BYTES = 16,
    SLL2_BYTES = 20,
    NULL_BYTES = 4,
    VLAN_BYTES = 4,
};

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,     /* IEEE 802.1Q, customer tag */
    ETHERTYPE_SERVICE = 0x88a8,  /* IEEE 802.1ad, service tag */
    ETHERTYPE_OLD_QINQ = 0x9100, /* stacked tags before 802.1ad */
};

/* Two tags are usual, three or four are seen in provider networks; more is a crafted packet. */
enum { VLAN_TAGS_MAX = 8 };

static bool is_vlan(uint16_t ethertype)
{
    return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_SERVICE || ethertype == ETHERTYPE_OLD_QINQ;
}

/* `packet` starts behind the link header that named the EtherType. */
static packet_verdict parse_ethertype(uint16_t ethertype, packet_bytes packet, link_payload *out)
{
    for (unsigned tags = 0; is_vlan(ethertype); tags++) {
        if (!bytes_hold(&packet, VLAN_BYTES))
            return bytes_missing(&packet, VLAN_BYTES);
        if (tags == VLAN_TAGS_MAX)
            return PACKET_MALFORMED;
        ethertype = bytes_be16(packet.bytes + 2);
        packet = bytes_after(packet, VLAN_BYTES);
    }
    if (ethertype != ETHERTYPE_IPV4 && ethertype != ETHERTYPE_IPV6)
        return PACKET_OTHER; /* an IEEE 802.3 length (up to 1500) among them */
    *out = (link_payload){packet, ethertype == ETHERTYPE_IPV4 ? 4 : 6};
    return PACKET_TCP;
}

/* A header of fixed size with an EtherType at a fixed place. */
static packet_verdict parse_typed(packet_bytes packet, uint32_t type_offset, uint32_t header_bytes,
                                  link_payload *out)
{
    if (!bytes_hold(&packet, header_bytes))
        return bytes_missing(&packet, header_bytes);
    uint16_t ethertype = bytes_be16(packet.bytes + type_offset);
    return parse_ethertype(ethertype, bytes_after(packet, header_bytes), out);
}

/* The address family of the capturing machine, in its byte order for LINK_NULL and in network order for
 * LINK_LOOP; AF_INET6 differs from system to system. */
static packet_verdict parse_loopback(packet_bytes packet, link_payload *out)
{
    if (!bytes_hold(&packet, NULL_BYTES))
        return bytes_missing(&packet, NULL_BYTES);
    uint32_t family = bytes_be32(packet.bytes);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    packet_bytes rest = bytes_after(packet, NULL_BYTES);
    switch (family) {
    case 2: /* everywhere */
        *out = (link_payload){rest, 4};
        return PACKET_TCP;
    case 10: /* Linux */
    case 23: /* Windows */
    case 24: /* NetBSD, OpenBSD */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        *out = (link_payload){rest, 6};
        return PACKET_TCP;
    default:
        return PACKET_OTHER;
    }
}

packet_verdict link_parse(int link_type, packet_bytes packet, link_payload *out)
{
    switch (link_type) {
    case LINK_ETHERNET:
        return parse_typed(packet, 12, ETHERNET_BYTES, out);
    case LINK_LINUX_SLL:
        return parse_typed(packet, 14, SLL_BYTES, out);
    case LINK_LINUX_SLL2:
        return parse_typed(packet, 0, SLL2_BYTES, out);
    case LINK_NULL:
    case LINK_LOOP:
        return parse_loopback(packet, out);
    case LINK_RAW:
    case LINK_RAW_12:
    case LINK_RAW_14:
        *out = (link_payload){packet, 0};
        return PACKET_TCP;
    case LINK_IPV4:
        *out = (link_payload){packet, 4};
        return PACKET_TCP;
    case LINK_IPV6:
        *out = (link_payload){packet, 6};
        return PACKET_TCP;
    default:
        return PACKET_LINK_UNKNOWN;
    }
}

bool packet_link_known(int link_type)
{
    link_payload payload;
    return link_parse(link_type, (packet_bytes){0}, &payload) != PACKET_LINK_UNKNOWN;
}
