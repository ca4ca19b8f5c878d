/* lookahead.h - the next few segments, so that their connections' memory is on its way when their turn comes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * With many thousands of connections open most of a segment's time is waiting for memory, one access after
 * the other: slot, flow, connection, what hangs on the connection. Here these waits overlap with the work on
 * the segments before. Results do not change: segments are handled in the order in which they come.
 */
#ifndef STREAM_LOOKAHEAD_H
#define STREAM_LOOKAHEAD_H

#include "stream/stream.h"

enum {
    LOOKAHEAD_SEGMENTS = 7, /* two for each step of stream_prefetch, but one for the last */
    /* Small messages and bare ACKs; segments full of a body come in trains of one connection, whose memory
     * is near, and copying them would cost more than waiting. */
    LOOKAHEAD_PAYLOAD_BYTES = 1024,
};

typedef struct lookahead_entry {
    packet_tcp packet;
    stream_place place;
    uint8_t payload[LOOKAHEAD_PAYLOAD_BYTES];
} lookahead_entry;

/* Zeroed but for `streams` it is empty; it owns nothing. */
typedef struct lookahead {
    stream_table *streams;
    uint32_t waiting; /* of the entries before `next` */
    uint32_t next;
    lookahead_entry entries[LOOKAHEAD_SEGMENTS + 1];
} lookahead;

/* Where to put the next segment before lookahead_segment is called. */
packet_tcp *lookahead_room(lookahead *self);
/* As stream_segment, up to LOOKAHEAD_SEGMENTS calls later; the payload is copied. The status may be that of
 * an earlier segment: after a failure nothing may follow. */
ka_status lookahead_segment(lookahead *self);
/* Hands on all that waits: before anything else is told to the table, and at the end. */
ka_status lookahead_drain(lookahead *self);

#endif
