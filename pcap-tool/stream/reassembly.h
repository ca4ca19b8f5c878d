/* reassembly.h - one direction's segments into bytes in order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Bytes in order go straight from the packet to the receiver; only those out of order are copied. The first
 * copy of a byte wins. A hole is stepped over when its bytes will not come any more (see reassembly_advance).
 */
#ifndef STREAM_REASSEMBLY_H
#define STREAM_REASSEMBLY_H

#include "stream/flow.h"

/* Who gets a direction's bytes. */
typedef struct reassembly_receiver {
    /* Takes the run, or a first part of it when the direction is held meanwhile; returns how much. */
    uint32_t (*bytes)(stream_context *context, stream_flow *flow, unsigned direction, stream_run run);
    /* So many bytes are missing here, for good. */
    void (*hole)(stream_context *context, stream_flow *flow, unsigned direction, uint32_t len_bytes);
    /* The FIN, after all bytes before it. */
    void (*fin)(stream_context *context, stream_flow *flow, unsigned direction, ka_moment at);
    /* The direction is held, and what waits does not fit: it must not be held after this. */
    void (*overflow)(stream_context *context, stream_flow *flow, unsigned direction);
} reassembly_receiver;

/* One segment: SYN, payload, FIN, and what its ACK says of the other direction. */
void reassembly_segment(stream_context *context, const reassembly_receiver *receiver, stream_flow *flow,
                        const ka_segment *segment, const uint8_t *payload);

typedef enum reassembly_why {
    REASSEMBLY_SEGMENT, /* a segment of the connection came: acknowledged holes may have waited long enough */
    REASSEMBLY_END,     /* no more segments: acknowledged holes do not wait */
} reassembly_why;

/* Delivers what waits in a direction as far as its holes allow. */
void reassembly_advance(stream_context *context, const reassembly_receiver *receiver, stream_flow *flow,
                        unsigned direction, reassembly_why why, int64_t now_ns);

/* Drops what waits in a direction. */
void reassembly_drop(stream_context *context, stream_half *half);

#endif
