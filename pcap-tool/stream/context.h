/* context.h - what every file of this room shares: where facts go, memory, limits, counts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STREAM_CONTEXT_H
#define STREAM_CONTEXT_H

#include "stream/facts.h"
#include "stream/stream.h"

struct http_parser;
struct tls_walker;
struct h2_walker;

typedef struct stream_context {
    const stream_facts *facts;
    ka_audit *audit;
    ka_allocator allocator;
    stream_limits limits;
    stream_counts counts;
    size_t buffered_bytes; /* out-of-order bytes and unfinished heads of all connections */
    size_t hpack_bytes;    /* decoders of HTTP/2 header blocks */
    struct http_parser *idle_parsers;
    struct tls_walker *idle_walkers;
    struct h2_walker *idle_h2_walkers;
    size_t idle_parser_count;
    size_t idle_walker_count;
    size_t idle_h2_walker_count;
    ka_status status; /* the first failure; the call under way returns it */
} stream_context;

static inline void context_failed(stream_context *context, ka_status status)
{
    if (context->status == KA_OK)
        context->status = status;
}

static inline void *context_resize(stream_context *context, void *old, size_t new_bytes)
{
    return context->allocator.resize(context->allocator.user, old, new_bytes);
}

/* Consecutive bytes of one direction that came in one segment. Those beyond captured_bytes were cut off by
 * the snapshot length: only their number is known. */
typedef struct stream_run {
    const uint8_t *bytes;
    uint32_t captured_bytes;
    uint32_t len_bytes;
    uint32_t seq;
    uint32_t ack; /* of the segment */
    ka_moment at;
    bool starts_segment; /* the first byte is the segment's first */
    bool is_fin;         /* no byte but the sequence number of a FIN */
} stream_run;

/* Drops the first bytes of a run. */
static inline void run_advance(stream_run *run, uint32_t len_bytes)
{
    uint32_t captured = len_bytes < run->captured_bytes ? len_bytes : run->captured_bytes;
    run->bytes += captured;
    run->captured_bytes -= captured;
    run->len_bytes -= len_bytes;
    run->seq += len_bytes;
    run->starts_segment = run->starts_segment && len_bytes == 0;
}

/* Drops all but the first bytes of a run. */
static inline void run_cut(stream_run *run, uint32_t len_bytes)
{
    run->len_bytes = len_bytes;
    if (run->captured_bytes > len_bytes)
        run->captured_bytes = len_bytes;
}

/* Distance from b to a in sequence space (RFC 9293 section 3.4): negative when a comes before b. */
static inline int32_t seq_minus(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

#endif
