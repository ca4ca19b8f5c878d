/* ethertype.h - what stands between a link or tunnel header and IP: tags, labels, PPP, Ethernet once more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_ETHERTYPE_H
#define PACKET_ETHERTYPE_H

#include "link.h"

enum {
    ETHERTYPE_LLC = 0, /* none: an IEEE 802.2 header follows */
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_BRIDGED = 0x6558, /* an Ethernet frame */
    ETHERTYPE_VLAN = 0x8100,    /* IEEE 802.1Q, customer tag */
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_PPP = 0x880b, /* from its protocol field on */
    ETHERTYPE_MPLS = 0x8847,
    ETHERTYPE_MPLS_UP = 0x8848,  /* upstream-assigned labels; multicast once */
    ETHERTYPE_PPPOE = 0x8864,    /* its session stage */
    ETHERTYPE_SERVICE = 0x88a8,  /* IEEE 802.1ad, service tag */
    ETHERTYPE_OLD_QINQ = 0x9100, /* stacked tags before 802.1ad */
};

/* `packet` starts behind the header that named the EtherType. PACKET_TCP: it is IP and *out is set; else the
 * packet's verdict. */
packet_verdict ethertype_parse(uint16_t ethertype, packet_bytes packet, packet_path *path, link_payload *out);

#endif
