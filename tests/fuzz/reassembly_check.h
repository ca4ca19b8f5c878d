/* reassembly_check.h - reassembly alone: what it hands on is in order, and byte for byte what a segment held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef REASSEMBLY_CHECK_H
#define REASSEMBLY_CHECK_H

#include "packet/packet.h"
#include "stream/flow.h"

enum { REASSEMBLY_CHECK_SEGMENTS_MAX = 1024 };

typedef struct reassembly_check {
    stream_context context;
    stream_flow flow;
    packet_tcp seen[REASSEMBLY_CHECK_SEGMENTS_MAX]; /* by frame, from 1; payloads are the caller's */
    uint64_t count;
    uint32_t next[2]; /* the next byte to come, once there was one */
    bool moved[2];
    bool over[2]; /* the FIN was told */
} reassembly_check;

void reassembly_check_init(reassembly_check *self, const stream_limits *limits);
/* Frames count from 1, and payloads stay where they are. Beyond REASSEMBLY_CHECK_SEGMENTS_MAX: nothing. */
void reassembly_check_segment(reassembly_check *self, const packet_tcp *packet, unsigned direction);
/* The end of the capture: nothing may be kept. */
void reassembly_check_fini(reassembly_check *self);

#endif
