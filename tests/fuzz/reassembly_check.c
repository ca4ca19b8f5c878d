/* reassembly_check.c - reassembly alone: what it hands on is in order, and byte for byte what a segment held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "reassembly_check.h"

#include "memory.h"
#include "require.h"
#include "stream/pieces.h"
#include "stream/reassembly.h"

/* The context is the check's first member. */
static reassembly_check *check_of(stream_context *context)
{
    return (reassembly_check *)(void *)context;
}

static void check_next(reassembly_check *self, unsigned direction, uint32_t seq)
{
    REQUIRE(!self->over[direction]);
    REQUIRE(!self->moved[direction] || self->next[direction] == seq);
    REQUIRE(self->flow.halves[direction].next_seq == seq);
    self->moved[direction] = true;
}

/* Where a segment's first byte stands. */
static uint32_t data_seq(const ka_segment *segment)
{
    return segment->seq + (segment->flags & KA_SYN ? 1 : 0);
}

static void check_origin(const reassembly_check *self, unsigned direction, const stream_run *run)
{
    REQUIRE(run->at.frame >= 1 && run->at.frame <= self->count);
    const packet_tcp *from = &self->seen[run->at.frame - 1];
    const ka_segment *segment = &from->segment;
    uint32_t offset = run->seq - data_seq(segment);
    REQUIRE(segment->direction == direction && segment->time_ns == run->at.time_ns);
    REQUIRE(offset <= segment->len_bytes && run->len_bytes <= segment->len_bytes - offset);
    REQUIRE(run->captured_bytes == 0 || offset + run->captured_bytes <= segment->captured_bytes);
    REQUIRE(run->captured_bytes == run->len_bytes ||
            offset + run->captured_bytes == segment->captured_bytes || offset >= segment->captured_bytes);
    REQUIRE(run->captured_bytes == 0 || memcmp(run->bytes, from->payload + offset, run->captured_bytes) == 0);
    REQUIRE(run->starts_segment == (offset == 0));
}

/* Some bytes make their direction held, some of the other one free it, so that every path is walked. */
static uint32_t on_bytes(stream_context *context, stream_flow *flow, unsigned direction, stream_run run)
{
    reassembly_check *self = check_of(context);
    check_next(self, direction, run.seq);
    check_origin(self, direction, &run);
    REQUIRE(run.len_bytes > 0 && !flow->halves[direction].held && !run.is_fin);
    uint32_t taken = run.len_bytes;
    if (run.captured_bytes > 1 && run.bytes[0] == 'C') {
        flow->halves[direction].held = true;
        taken = 1;
    } else if (run.captured_bytes > 0 && run.bytes[0] == 'O') {
        flow->halves[!direction].held = false;
    }
    self->next[direction] = run.seq + taken;
    return taken;
}

static void on_hole(stream_context *context, stream_flow *flow, unsigned direction, uint32_t len_bytes)
{
    reassembly_check *self = check_of(context);
    REQUIRE(len_bytes > 0 && len_bytes <= -(uint32_t)INT32_MIN); /* what is half way round lies ahead */
    REQUIRE(!self->over[direction]);
    REQUIRE(flow->halves[direction].next_seq - len_bytes == self->next[direction] || !self->moved[direction]);
    self->moved[direction] = true;
    self->next[direction] = flow->halves[direction].next_seq;
}

/* A FIN before anything else may have been forged: a SYN begins the direction anew. */
static void on_fin(stream_context *context, stream_flow *flow, unsigned direction, ka_moment at)
{
    reassembly_check *self = check_of(context);
    REQUIRE(at.frame >= 1 && at.frame <= self->count);
    REQUIRE(self->seen[at.frame - 1].segment.flags & KA_FIN);
    REQUIRE(!self->moved[direction] || flow->halves[direction].next_seq == self->next[direction] + 1);
    self->over[direction] = self->moved[direction];
}

static void on_overflow(stream_context *context, stream_flow *flow, unsigned direction)
{
    (void)context;
    REQUIRE(flow->halves[direction].held);
    flow->halves[direction].held = false;
}

static const reassembly_receiver checker = {on_bytes, on_hole, on_fin, on_overflow};

static void check_memory(const reassembly_check *self)
{
    size_t used_bytes = 0;
    for (unsigned d = 0; d < 2; d++) {
        const stream_pieces *pieces = self->flow.halves[d].pieces;
        if (pieces == NULL)
            continue;
        REQUIRE(pieces->first != NULL && pieces->count <= self->context.limits.direction_pieces);
        REQUIRE(pieces->used_bytes <= self->context.limits.direction_bytes);
        used_bytes += pieces->used_bytes;
    }
    REQUIRE(used_bytes == self->context.buffered_bytes);
    REQUIRE(used_bytes <= self->context.limits.total_bytes);
}

static void advance(reassembly_check *self, reassembly_why why, int64_t now_ns)
{
    for (unsigned pass = 0; pass < 4; pass++)
        reassembly_advance(&self->context, &checker, &self->flow, pass % 2, why, now_ns);
    check_memory(self);
}

void reassembly_check_init(reassembly_check *self, const stream_limits *limits)
{
    memset(self, 0, sizeof *self);
    self->context.allocator = memory_heap;
    self->context.limits = *limits;
}

void reassembly_check_segment(reassembly_check *self, const packet_tcp *packet, unsigned direction)
{
    if (self->count == REASSEMBLY_CHECK_SEGMENTS_MAX)
        return;
    packet_tcp *kept = &self->seen[self->count++];
    *kept = *packet;
    kept->segment.direction = (uint8_t)direction;
    REQUIRE(kept->segment.frame == self->count);
    if (self->count == 1)
        self->flow.began_with_syn = (kept->segment.flags & KA_SYN) != 0;
    if (kept->segment.flags & KA_RST)
        self->flow.reset_seen = true;
    reassembly_segment(&self->context, &checker, &self->flow, &kept->segment, kept->payload);
    advance(self, REASSEMBLY_SEGMENT, kept->segment.time_ns);
}

void reassembly_check_fini(reassembly_check *self)
{
    advance(self, REASSEMBLY_END, self->count > 0 ? self->seen[self->count - 1].segment.time_ns : 0);
    REQUIRE(self->context.status == KA_OK);
    for (unsigned d = 0; d < 2; d++)
        reassembly_drop(&self->context, &self->flow.halves[d]);
    REQUIRE(self->context.buffered_bytes == 0);
}
