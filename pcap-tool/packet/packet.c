/* packet.c - the bytes of one packet: link type and bytes in, one TCP segment out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "packet.h"

#include "ip.h"
#include "link.h"
#include "tcp.h"

packet_verdict packet_decode(int link_type, packet_bytes packet, packet_tcp *out)
{
    if (packet.wire_bytes < packet.captured_bytes) /* a lying file; every step relies on this order */
        packet.wire_bytes = packet.captured_bytes;
    link_payload network;
    packet_verdict verdict = link_parse(link_type, packet, &network);
    if (verdict != PACKET_TCP)
        return verdict;
    ip_packet ip;
    verdict = ip_parse(network.ip_version, network.packet, &ip);
    if (verdict != PACKET_TCP)
        return verdict;
    switch (ip.protocol) {
    case IP_TCP:
        return ip.fragment ? PACKET_FRAGMENT : tcp_parse(&ip, out);
    case IP_ICMP:
    case IP_ICMPV6:
        return ip.fragment ? PACKET_OTHER : tcp_parse_quoted(&ip, out);
    default:
        return PACKET_OTHER;
    }
}
