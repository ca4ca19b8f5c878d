/* link.h - the link header of a packet: which IP follows, and where.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_LINK_H
#define PACKET_LINK_H

#include "packet.h"

/* What the link header says follows it. */
typedef struct link_payload {
    packet_bytes packet;
    uint8_t ip_version; /* 4 or 6; 0: by the first byte of the IP header */
} link_payload;

/* PACKET_TCP: it is IP and *out is set; else the packet's verdict. */
packet_verdict link_parse(int link_type, packet_bytes packet, link_payload *out);

#endif
