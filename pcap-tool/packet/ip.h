/* ip.h - one IPv4 or IPv6 header with what stands between it and the transport header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_IP_H
#define PACKET_IP_H

#include "packet.h"

enum {
    IP_ICMP = 1,
    IP_IPV4 = 4,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_IPV6 = 41,
    IP_GRE = 47,
    IP_AUTHENTICATION = 51,
    IP_ICMPV6 = 58,
    IP_MPLS = 137,
};

/* As IPv4 has it in its header. */
enum { IP_MORE_FRAGMENTS = 0x2000, IP_FRAGMENT_OFFSET = 0x1fff };

typedef struct ip_packet {
    const uint8_t *source; /* 4 or 16 bytes, within the packet */
    const uint8_t *target;
    packet_bytes payload; /* by the IP header's length: without Ethernet padding */
    uint32_t fragment_id; /* of a fragment */
    uint16_t id;          /* 0 for IPv6 */
    uint16_t fragment;    /* offset in 8 bytes and more-fragments flag; 0: the whole datagram. Of a fragment
                             the payload is not to be parsed */
    uint8_t version;
    uint8_t protocol; /* of the payload; of a fragment, what its header names */
    uint8_t ttl;
} ip_packet;

/* version 0: by the header itself. PACKET_TCP: *out is set, whatever its protocol; else the packet's verdict.
 */
packet_verdict ip_parse(uint8_t version, packet_bytes packet, ip_packet *out);

/* What stands between a reassembled datagram's IP header and its transport header. */
packet_verdict ip_skip_extensions(ip_packet *ip);

/* Whether ip->protocol is a header that ip_skip_extensions steps over. */
bool ip_is_extension(uint8_t protocol);

/* The address of one end; `ip` points at 4 or 16 bytes. */
void ip_address(uint8_t version, const uint8_t *ip, uint16_t port, ka_address *out);

#endif
