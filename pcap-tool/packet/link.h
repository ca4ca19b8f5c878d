/* link.h - the link header of a packet: which IP follows, and where.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_LINK_H
#define PACKET_LINK_H

#include "path.h"

/* What a link or tunnel header says follows it. */
typedef struct link_payload {
    packet_bytes packet;
    uint8_t ip_version; /* 4 or 6; 0: by the first byte of the IP header */
} link_payload;

/* PACKET_TCP: it is IP and *out is set, layers are added to `path`; else the packet's verdict. */
packet_verdict link_parse(int link_type, packet_bytes packet, packet_path *path, link_payload *out);

#endif
