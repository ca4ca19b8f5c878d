/* ethertype.c - from an EtherType to IP: VLAN tags, MPLS labels, PPPoE, PPP, LLC, bridged Ethernet.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ethertype.h"

#include "bytes.h"

enum {
    ETHERNET_BYTES = 14,
    ETHERNET_TYPE_AT = 12,
    VLAN_BYTES = 4,
    LABEL_BYTES = 4,
    CONTROL_WORD_BYTES = 4,
    PPPOE_BYTES = 6,
    LLC_BYTES = 3,
    SNAP_BYTES = 8,
    LENGTH_MAX = 1500, /* IEEE 802.3: a number up to this is no EtherType but a length */
    TYPE_MIN = 0x600,
};

/* Where parsing stands: what kind of header comes next, and the bytes from there on. */
typedef struct ether_place {
    uint16_t type;
    packet_bytes packet;
} ether_place;

/* Each step takes one header and tells PACKET_TCP to go on. */

static packet_verdict step_vlan(ether_place *at, packet_path *path)
{
    if (!bytes_hold(&at->packet, VLAN_BYTES))
        return bytes_missing(&at->packet, VLAN_BYTES);
    uint16_t vlan = bytes_be16(at->packet.bytes) & 0x0fff;
    if (!path_add(path, PATH_VLAN, vlan))
        return PACKET_MALFORMED;
    if (vlan == 0)
        path->count--; /* a priority only (IEEE 802.1Q section 9.6) */
    at->type = bytes_be16(at->packet.bytes + 2);
    at->packet = bytes_after(at->packet, VLAN_BYTES);
    return PACKET_TCP;
}

static bool is_network_type(const packet_bytes *packet, uint32_t type_at)
{
    if (!bytes_hold(packet, type_at + 2))
        return false;
    uint16_t type = bytes_be16(packet->bytes + type_at);
    return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6 || type == ETHERTYPE_VLAN ||
           type == ETHERTYPE_SERVICE;
}

/* Nothing says what is behind the last label; IP tells itself (RFC 4928), and a pseudowire has Ethernet with
 * or without a control word, whose first four bits are zero (RFC 4385). */
static packet_verdict guess_labelled(ether_place *at)
{
    if (!bytes_hold(&at->packet, 1))
        return bytes_missing(&at->packet, 1);
    unsigned nibble = at->packet.bytes[0] >> 4;
    at->type = nibble == 4 ? ETHERTYPE_IPV4 : nibble == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_BRIDGED;
    if (at->type != ETHERTYPE_BRIDGED || is_network_type(&at->packet, ETHERNET_TYPE_AT))
        return PACKET_TCP;
    if (nibble != 0 || at->packet.wire_bytes < CONTROL_WORD_BYTES)
        return PACKET_OTHER;
    at->packet = bytes_after(at->packet, CONTROL_WORD_BYTES);
    return PACKET_TCP;
}

/* RFC 3032 section 2.1 */
static packet_verdict step_mpls(ether_place *at, packet_path *path)
{
    for (bool bottom = false; !bottom;) {
        if (!bytes_hold(&at->packet, LABEL_BYTES))
            return bytes_missing(&at->packet, LABEL_BYTES);
        if (!path_add(path, PATH_MPLS, bytes_be32(at->packet.bytes) >> 12))
            return PACKET_MALFORMED;
        bottom = (at->packet.bytes[2] & 1) != 0;
        at->packet = bytes_after(at->packet, LABEL_BYTES);
    }
    return guess_labelled(at);
}

/* RFC 2516 section 4 */
static packet_verdict step_pppoe(ether_place *at, packet_path *path)
{
    if (!bytes_hold(&at->packet, PPPOE_BYTES))
        return bytes_missing(&at->packet, PPPOE_BYTES);
    const uint8_t *header = at->packet.bytes;
    if (header[0] != 0x11 || header[1] != 0)
        return PACKET_OTHER;
    if (!path_add(path, PATH_PPPOE, bytes_be16(header + 2)))
        return PACKET_MALFORMED;
    at->packet = bytes_first(bytes_after(at->packet, PPPOE_BYTES), bytes_be16(header + 4));
    at->type = ETHERTYPE_PPP;
    return PACKET_TCP;
}

static uint16_t type_of_ppp(uint16_t protocol)
{
    switch (protocol) {
    case 0x0021:
        return ETHERTYPE_IPV4;
    case 0x0057:
        return ETHERTYPE_IPV6;
    case 0x0281:
        return ETHERTYPE_MPLS;
    case 0x0283:
        return ETHERTYPE_MPLS_UP;
    default: /* a control protocol; or encrypted, compressed, in pieces */
        return TYPE_MIN;
    }
}

/* The protocol field has two bytes, or one, which is odd (RFC 1661 section 6.5). */
static packet_verdict step_ppp(ether_place *at)
{
    if (!bytes_hold(&at->packet, 1))
        return bytes_missing(&at->packet, 1);
    uint32_t field_bytes = at->packet.bytes[0] & 1 ? 1 : 2;
    if (!bytes_hold(&at->packet, field_bytes))
        return bytes_missing(&at->packet, field_bytes);
    const uint8_t *field = at->packet.bytes;
    at->type = type_of_ppp(field_bytes == 1 ? field[0] : bytes_be16(field));
    at->packet = bytes_after(at->packet, field_bytes);
    return PACKET_TCP;
}

static packet_verdict step_ethernet(ether_place *at)
{
    if (!bytes_hold(&at->packet, ETHERNET_BYTES))
        return bytes_missing(&at->packet, ETHERNET_BYTES);
    at->type = bytes_be16(at->packet.bytes + ETHERNET_TYPE_AT);
    at->packet = bytes_after(at->packet, ETHERNET_BYTES);
    if (at->type <= LENGTH_MAX) {
        at->packet = bytes_first(at->packet, at->type);
        at->type = ETHERTYPE_LLC;
    }
    return PACKET_TCP;
}

/* IEEE 802.2: IP itself, or SNAP with an EtherType (RFC 1042). */
static packet_verdict step_llc(ether_place *at)
{
    if (!bytes_hold(&at->packet, LLC_BYTES))
        return bytes_missing(&at->packet, LLC_BYTES);
    const uint8_t *header = at->packet.bytes;
    uint32_t saps = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
    at->type = saps == 0x060603 ? ETHERTYPE_IPV4 : TYPE_MIN;
    uint32_t header_bytes = saps == 0xaaaa03 ? SNAP_BYTES : LLC_BYTES;
    if (!bytes_hold(&at->packet, header_bytes))
        return bytes_missing(&at->packet, header_bytes);
    uint32_t organisation = saps == 0xaaaa03 ? bytes_be32(header + 2) & 0xffffff : UINT32_MAX;
    if (organisation == 0 || organisation == 0xf8) /* of RFC 1042, and of bridges (IEEE 802.1H) */
        at->type = bytes_be16(header + 6);
    at->packet = bytes_after(at->packet, header_bytes);
    return at->type < TYPE_MIN ? PACKET_OTHER : PACKET_TCP;
}

static packet_verdict step(ether_place *at, packet_path *path)
{
    switch (at->type) {
    case ETHERTYPE_VLAN:
    case ETHERTYPE_SERVICE:
    case ETHERTYPE_OLD_QINQ:
        return step_vlan(at, path);
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_UP:
        return step_mpls(at, path);
    case ETHERTYPE_PPPOE:
        return step_pppoe(at, path);
    case ETHERTYPE_PPP:
        return step_ppp(at);
    case ETHERTYPE_BRIDGED:
        return step_ethernet(at);
    case ETHERTYPE_LLC:
        return step_llc(at);
    default:
        return PACKET_OTHER;
    }
}

packet_verdict ethertype_parse(uint16_t ethertype, packet_bytes packet, packet_path *path, link_payload *out)
{
    ether_place at = {ethertype, packet};
    while (at.type != ETHERTYPE_IPV4 && at.type != ETHERTYPE_IPV6) {
        if (at.type <= LENGTH_MAX && at.type != ETHERTYPE_LLC)
            return PACKET_OTHER;
        packet_verdict verdict = step(&at, path); /* each takes at least a byte */
        if (verdict != PACKET_TCP)
            return verdict;
    }
    *out = (link_payload){at.packet, at.type == ETHERTYPE_IPV4 ? 4 : 6};
    return PACKET_TCP;
}
