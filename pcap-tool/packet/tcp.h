/* tcp.h - the TCP header: of a segment, and of one that an ICMP error quotes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_TCP_H
#define PACKET_TCP_H

#include "ip.h"

/* `ip` carries TCP and is no fragment. */
packet_verdict tcp_parse(const ip_packet *ip, packet_tcp *out);

/* `ip` carries ICMP or ICMPv6 and is no fragment: PACKET_ICMP_TCP or PACKET_OTHER. */
packet_verdict tcp_parse_quoted(const ip_packet *ip, packet_tcp *out);

#endif
