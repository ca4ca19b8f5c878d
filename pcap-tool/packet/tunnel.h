/* tunnel.h - IP packets in IP packets: IP in IP, GRE, ERSPAN, VXLAN, Geneve, GTP-U.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_TUNNEL_H
#define PACKET_TUNNEL_H

#include "ip.h"
#include "link.h"

/* Whether `protocol` may carry other IP packets. */
static inline bool tunnel_is_protocol(uint8_t protocol)
{
    return protocol == IP_UDP || protocol == IP_IPV4 || protocol == IP_IPV6 || protocol == IP_GRE ||
           protocol == IP_MPLS;
}

/* `ip` carries such a protocol and is no fragment. PACKET_TCP: *out is the inner IP packet, layers are added
 * to `path`; PACKET_OTHER: it is no tunnel, or one of something else; else the packet's verdict. */
packet_verdict tunnel_parse(const ip_packet *ip, packet_path *path, link_payload *out);

/* Whether the first bytes of a UDP datagram say that it is a tunnel. */
bool tunnel_is_udp(const packet_bytes *datagram);

#endif
