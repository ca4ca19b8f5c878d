/* content_parts.h - what content.c and content_h2.c share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_CONTENT_PARTS_H
#define STREAM_CONTENT_PARTS_H

#include "stream/flow.h"

/* One direction, while its bytes are looked at. */
typedef struct content_place {
    stream_context *context;
    stream_flow *flow;
    stream_half *half;
    unsigned direction;
} content_place;

static inline void content_fail_gate(const content_place *place, ka_gate gate)
{
    place->context->facts->gate_failed(place->flow->connection, gate);
}

static inline void content_tell_protocol(const content_place *place, ka_protocol protocol)
{
    if (place->flow->protocol == protocol)
        return;
    place->flow->protocol = protocol;
    place->context->facts->protocol_seen(place->flow->connection, protocol);
}

/* content.c */
void content_drop_parsers(stream_context *context, stream_half *half);
void content_ignore(stream_context *context, stream_half *half);
/* These bytes are not what they were taken for. */
void content_give_up(const content_place *place, stream_run *run);

/* Hands on bytes that were held back. */
void content_replay(const content_place *place, stream_run run);

/* content_preamble.c */

/* Whether the direction's first bytes may be a PROXY preamble, as far as they go. */
bool content_preamble_may_begin(const stream_run *run);
/* Returns false when the run cannot be followed further. */
bool content_preamble_follow(const content_place *place, stream_run *run);
/* Bytes are missing: false when the end of the preamble cannot be known any more. */
bool content_preamble_skip(const content_place *place, uint32_t len_bytes, const ka_moment *at);
void content_preamble_drop(stream_context *context, stream_half *half);

/* content_h2.c */

/* After HTTP_PREFACE: the client speaks HTTP/2, so both do. */
void content_h2_preface(const content_place *place);
/* Whether a message is the 101 that goes over to HTTP/2 (RFC 7540 section 3.2). */
bool content_h2_is_wanted(const ka_message *message);
void content_h2_upgrade(const content_place *place);
/* The direction goes on in HTTP/2 behind bytes that are missing. */
void content_h2_way_back(const content_place *place);
/* Returns false when the run cannot be followed further. */
bool content_h2_follow(const content_place *place, stream_run *run);
/* Bytes of the direction are missing, or cut off when `at` tells their segment. */
void content_h2_miss(const content_place *place, uint32_t len_bytes, const ka_moment *at);

#endif
