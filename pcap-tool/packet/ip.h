/* ip.h - one IPv4 or IPv6 header with what stands between it and the transport header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_IP_H
#define PACKET_IP_H

#include "packet.h"

enum { IP_ICMP = 1, IP_TCP = 6, IP_ICMPV6 = 58 };

typedef struct ip_packet {
    const uint8_t *source; /* 4 or 16 bytes, within the packet */
    const uint8_t *target;
    packet_bytes payload; /* by the IP header's length: without Ethernet padding */
    uint16_t id;          /* 0 for IPv6 */
    uint8_t version;
    uint8_t protocol; /* of the payload; of a fragment, what its header names */
    uint8_t ttl;
    bool fragment; /* not a whole datagram: payload is not to be parsed */
} ip_packet;

/* version 0: by the header itself. PACKET_TCP: *out is set, whatever its protocol; else the packet's verdict.
 */
packet_verdict ip_parse(uint8_t version, packet_bytes packet, ip_packet *out);

/* The address of one end; `ip` points at 4 or 16 bytes. */
void ip_address(uint8_t version, const uint8_t *ip, uint16_t port, ka_address *out);

#endif
