/* wire.h - TCP segments over IP over Ethernet, written to a pcap file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { WIRE_FIN = 0x01, WIRE_SYN = 0x02, WIRE_RST = 0x04, WIRE_PSH = 0x08, WIRE_ACK = 0x10 };

/* Payload of a full segment: an MTU of 1500 less IPv4, TCP and its time stamp option. */
enum { WIRE_SEGMENT_BYTES = 1448 };

/* Both ends of a connection: [0] the client, [1] the server. */
typedef struct wire_connection {
    uint32_t ip[2];
    const uint8_t (*ip6)[16]; /* both ends'; NULL: IPv4 */
    uint16_t port[2];
    uint32_t next_seq[2]; /* of the next byte it sends; the other end acknowledges up to here */
} wire_connection;

/* Writes the file's header. */
bool wire_begin(FILE *out);

/* Writes one segment from ends[from] and moves its next_seq on. Every segment but a first SYN acknowledges
 * all that the other end has sent. */
bool wire_segment(FILE *out, wire_connection *connection, unsigned from, unsigned flags, const char *payload,
                  uint32_t len_bytes, int64_t time_ns);

#endif
