/* packet.h - the bytes of one packet: link type and bytes in, one TCP segment out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A decoder remembers two things only: IP fragments until their datagram is whole, and the different paths
 * (VLANs, labels, tunnels) that segments came in. Both are bounded.
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
    PACKET_FRAGMENT,   /* of an IP datagram that may carry TCP: kept until the others come, or given up */
    PACKET_OTHER,      /* not TCP */
    PACKET_AGGREGATE,  /* an 802.11 frame that holds several packets, or a piece of one: not read */
    PACKET_CUT,        /* the capture holds too little of its headers */
    PACKET_MALFORMED,  /* shorter than its headers even on the wire, or headers that contradict each other */
    PACKET_LINK_UNKNOWN,
} packet_verdict;

/* One TCP segment with its addresses and payload, the innermost ones where there are tunnels. `payload`
 * points into the packet's bytes, or to the decoder's until its next call, and may hold fewer than
 * segment.len_bytes (segment.captured_bytes tells). time_ns, frame, direction and interface of `segment` are
 * left to the caller. A length in the IP header that goes beyond the end of the packet is cut to it, as
 * Wireshark does. */
typedef struct packet_tcp {
    ka_address source;
    ka_address target;
    ka_segment segment;
    const uint8_t *payload;
    uint16_t path;   /* what it was wrapped in, for packet_path_text; 0: nothing */
    uint16_t tenant; /* whose addresses they are: the VLANs, VNIs and GRE keys of the path; 0: no such */
} packet_tcp;

/* There are more different paths than a number tells. */
enum { PACKET_PATH_UNKNOWN = UINT16_MAX };

typedef struct packet_decoder packet_decoder;

/* `allocator` must outlive the decoder. NULL when memory runs out. */
packet_decoder *packet_decoder_new(const ka_allocator *allocator);
void packet_decoder_free(packet_decoder *decoder);

/* link_type is a LINKTYPE_/DLT_ value as pcap_datalink gives it; packets come in capture order. *out is set
 * for PACKET_TCP, PACKET_TCP_BROKEN and PACKET_ICMP_TCP, else untouched. A segment whose IP datagram came in
 * fragments is told with the one that made it whole. */
packet_verdict packet_decode(packet_decoder *decoder, int link_type, packet_bytes packet, int64_t time_ns,
                             packet_tcp *out);

/* "vlan 5 / vxlan 77", from the outside in; cut to size, and NUL-terminated. Returns the length. */
size_t packet_path_text(const packet_decoder *decoder, uint16_t path, char *out, size_t size);

/* Fragments of TCP or of tunnels that were not put together: given up, or still waiting. */
uint64_t packet_fragments_lost(const packet_decoder *decoder);

/* Whether packet_decode knows the link type. */
bool packet_link_known(int link_type);

#endif
