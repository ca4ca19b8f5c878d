/* packet.h - the bytes of one packet: link type and bytes in, one TCP segment out. Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PACKET_H
#define PACKET_H

#include "keptalive.h"

typedef struct packet_bytes {
    const uint8_t *bytes;
    uint32_t captured_bytes; /* how many of them there are */
    uint32_t wire_bytes;     /* how many the packet had */
} packet_bytes;

typedef enum packet_verdict {
    PACKET_TCP,        /* *out is set */
    PACKET_TCP_BROKEN, /* a TCP header cut or with an impossible data offset: *out is set from its first 16
                          bytes, without payload; Wireshark counts it in tcp.stream, but it is no segment */
    PACKET_ICMP_TCP,   /* an ICMP error that quotes at least so much of a TCP header: *out likewise, from the
                          quoted one; Wireshark counts it in tcp.stream */
    PACKET_FRAGMENT,   /* of an IP datagram that carries (or may carry) TCP */
    PACKET_OTHER,      /* not TCP */
    PACKET_CUT,        /* the capture holds too little of its headers */
    PACKET_MALFORMED,  /* shorter than its headers even on the wire, or headers that contradict each other */
    PACKET_LINK_UNKNOWN,
} packet_verdict;

/* One TCP segment with its addresses and payload. `payload` points into the packet's bytes and may hold fewer
 * than segment.len_bytes (segment.captured_bytes tells). time_ns, frame, direction and interface of `segment`
 * are left to the caller. A length in the IP header that goes beyond the end of the packet is cut to it, as
 * Wireshark does. */
typedef struct packet_tcp {
    ka_address source;
    ka_address target;
    ka_segment segment;
    const uint8_t *payload;
} packet_tcp;

/* link_type is a LINKTYPE_/DLT_ value as pcap_datalink gives it. *out is set for PACKET_TCP and
 * PACKET_ICMP_TCP, else untouched. */
packet_verdict packet_decode(int link_type, packet_bytes packet, packet_tcp *out);

/* Whether packet_decode knows the link type. */
bool packet_link_known(int link_type);

#endif
