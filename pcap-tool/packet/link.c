/* link.c - link headers by link type: Ethernet, Linux cooked, BSD loopback, PPP, 802.11, raw IP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "link.h"

#include "bytes.h"
#include "ethertype.h"
#include "wlan.h"

/* As pcap_datalink gives them (https://www.tcpdump.org/linktypes.html); raw IP is 12 or 14 by system. */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_12 = 12,
    LINK_RAW_14 = 14,
    LINK_PPP_SERIAL = 50,
    LINK_PPP_ETHER = 51,
    LINK_RAW = 101,
    LINK_CISCO_HDLC = 104,
    LINK_80211 = 105,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_80211_PRISM = 119,
    LINK_80211_RADIOTAP = 127,
    LINK_80211_AVS = 163,
    LINK_PPP_WITH_DIRECTION = 204,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_NFLOG = 239,
    LINK_LINUX_SLL2 = 276,
};

enum {
    ETHERNET_BYTES = 14,
    SLL_BYTES = 16,
    SLL2_BYTES = 20,
    NULL_BYTES = 4,
    HDLC_BYTES = 4,
    NFLOG_BYTES = 4,
    NFLOG_FIELD_BYTES = 4,
    NFLOG_PAYLOAD = 9,
};

/* A header of fixed size with an EtherType at a fixed place. */
static packet_verdict parse_typed(packet_bytes packet, uint32_t type_offset, uint32_t header_bytes,
                                  packet_path *path, link_payload *out)
{
    if (!bytes_hold(&packet, header_bytes))
        return bytes_missing(&packet, header_bytes);
    uint16_t ethertype = bytes_be16(packet.bytes + type_offset);
    if (ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6) {
        *out = (link_payload){bytes_after(packet, header_bytes), ethertype == ETHERTYPE_IPV4 ? 4 : 6};
        return PACKET_TCP;
    }
    if (header_bytes == ETHERNET_BYTES) /* it may be a length */
        return ethertype_parse(ETHERTYPE_BRIDGED, packet, path, out);
    return ethertype_parse(ethertype, bytes_after(packet, header_bytes), path, out);
}

/* PPP, where HDLC's address and control fields (RFC 1662 section 3.1) may be left out; or Cisco's HDLC, with
 * an EtherType. */
static packet_verdict parse_ppp(packet_bytes packet, packet_path *path, link_payload *out)
{
    if (!bytes_hold(&packet, 2))
        return bytes_missing(&packet, 2);
    uint16_t address = bytes_be16(packet.bytes);
    if (address == 0x0f00 || address == 0x8f00)
        return parse_typed(packet, 2, HDLC_BYTES, path, out);
    return ethertype_parse(ETHERTYPE_PPP, address == 0xff03 ? bytes_after(packet, 2) : packet, path, out);
}

/* Netfilter's log: fields of length and type in the byte order of its machine; one of them is the packet. */
static packet_verdict parse_nflog(packet_bytes packet, link_payload *out)
{
    if (!bytes_hold(&packet, NFLOG_BYTES))
        return bytes_missing(&packet, NFLOG_BYTES);
    packet = bytes_after(packet, NFLOG_BYTES);
    while (bytes_hold(&packet, NFLOG_FIELD_BYTES)) {
        const uint8_t *field = packet.bytes;
        bool little = field[3] == 0; /* types are small numbers */
        uint32_t len_bytes = little ? field[0] | (uint32_t)field[1] << 8 : bytes_be16(field);
        if (len_bytes < NFLOG_FIELD_BYTES)
            return PACKET_MALFORMED;
        if ((little ? field[2] : field[3]) == NFLOG_PAYLOAD) {
            *out = (link_payload){bytes_after(bytes_first(packet, len_bytes), NFLOG_FIELD_BYTES), 0};
            return PACKET_TCP;
        }
        uint32_t padded = (len_bytes + 3) / 4 * 4;
        packet = bytes_after(packet, padded < packet.wire_bytes ? padded : packet.wire_bytes);
    }
    return packet.captured_bytes < packet.wire_bytes ? PACKET_CUT : PACKET_OTHER;
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

packet_verdict link_parse(int link_type, packet_bytes packet, packet_path *path, link_payload *out)
{
    switch (link_type) {
    case LINK_ETHERNET:
        return parse_typed(packet, 12, ETHERNET_BYTES, path, out);
    case LINK_LINUX_SLL:
        return parse_typed(packet, 14, SLL_BYTES, path, out);
    case LINK_LINUX_SLL2:
        return parse_typed(packet, 0, SLL2_BYTES, path, out);
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
    case LINK_PPP:
    case LINK_PPP_SERIAL:
    case LINK_CISCO_HDLC:
        return parse_ppp(packet, path, out);
    case LINK_PPP_WITH_DIRECTION:
        if (!bytes_hold(&packet, 1))
            return bytes_missing(&packet, 1);
        return parse_ppp(bytes_after(packet, 1), path, out);
    case LINK_PPP_ETHER:
        return ethertype_parse(ETHERTYPE_PPPOE, packet, path, out);
    case LINK_80211:
        return wlan_parse(WLAN_PLAIN, packet, path, out);
    case LINK_80211_RADIOTAP:
        return wlan_parse(WLAN_RADIOTAP, packet, path, out);
    case LINK_80211_PRISM:
    case LINK_80211_AVS:
        return wlan_parse(WLAN_PRISM_OR_AVS, packet, path, out);
    case LINK_NFLOG:
        return parse_nflog(packet, out);
    default:
        return PACKET_LINK_UNKNOWN;
    }
}

bool packet_link_known(int link_type)
{
    packet_path path = {.count = 0};
    link_payload payload;
    return link_parse(link_type, (packet_bytes){0}, &path, &payload) != PACKET_LINK_UNKNOWN;
}
