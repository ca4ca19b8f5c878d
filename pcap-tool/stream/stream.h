/* stream.h - TCP segments in, facts for the core out: flows, reassembly, HTTP/1 and TLS framing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Judges nothing. Keeps no payload but out-of-order bytes and unfinished message heads, both bounded.
 */
#ifndef STREAM_H
#define STREAM_H

#include "keptalive.h"
#include "packet/packet.h"

typedef struct stream_table stream_table;

/* Connections that Wireshark takes for part of another one, of a tenant with the same addresses, are numbered
 * from here on: behind all that have a number of Wireshark's. */
#define STREAM_TENANT_FIRST UINT32_C(0x80000000)

struct stream_facts;

/* What was given up, for the summary. */
typedef struct stream_counts {
    uint64_t connections;
    uint64_t segments;
    uint64_t late_segments; /* of connections that had settled */
    uint64_t holes;         /* stretches of missing bytes stepped over */
    uint64_t hole_bytes;
    uint64_t heads_too_long; /* message heads beyond the limit: connection no longer parsed */
    uint64_t
        buffer_drops; /* times bytes were not waited for, or no longer parsed, to stay within the limits */
    uint64_t evicted; /* connections dropped to stay within the memory limit */
} stream_counts;

/* Everything that bounds memory and waiting. */
typedef struct stream_limits {
    size_t direction_bytes;      /* out-of-order bytes of one direction, with their bookkeeping */
    size_t direction_pieces;     /* out-of-order stretches of one direction */
    size_t total_bytes;          /* out-of-order bytes and unfinished heads of all connections */
    size_t hpack_bytes;          /* decoders of HTTP/2 header blocks of all connections */
    size_t head_bytes;           /* one message's start line and header fields */
    uint32_t connections;        /* open at the same time */
    uint32_t tombstones;         /* settled connections still known by their addresses */
    int64_t tombstone_ns;        /* how long they are known */
    int64_t hole_wait_ns;        /* how long acknowledged bytes may still turn up */
    uint32_t hole_wait_segments; /* or how many segments of the connection later */
} stream_limits;

extern const stream_limits stream_limits_default;

/* `audit` must outlive the table; the limits are copied. NULL when memory runs out. */
stream_table *stream_table_new(ka_audit *audit, const ka_allocator *allocator, const stream_limits *limits);
/* The same with another listener than the core (facts.h), which must outlive it. */
stream_table *stream_table_new_with(ka_audit *audit, const ka_allocator *allocator,
                                    const stream_limits *limits, const struct stream_facts *facts);
void stream_table_free(stream_table *table);

/* One segment of the capture, in capture order. packet->segment.time_ns, frame and interface are set;
 * direction is set here. */
ka_status stream_segment(stream_table *table, packet_tcp *packet);

/* For who knows segments before their turn (lookahead.h): where a segment's connection is, and how far its
 * memory has been asked for. */
typedef struct stream_place {
    struct stream_flow *flow; /* most likely; flows' memory stays as long as the table */
    uint32_t hash;
    uint8_t step;
} stream_place;

void stream_place_init(const stream_table *table, const packet_tcp *packet, stream_place *place);
/* Brings the connection's memory nearer by one step, the first three times; each needs some time after the
 * one before. Changes nothing but `place`. */
void stream_prefetch(const stream_table *table, stream_place *place);
/* stream_segment, when the place is known. */
ka_status stream_segment_at(stream_table *table, packet_tcp *packet, const stream_place *place);

/* An ICMP error that quotes a TCP header: takes a stream number where Wireshark would, and nothing else.
 * packet->source, target and segment.time_ns are read. */
ka_status stream_quoted(stream_table *table, const packet_tcp *packet);

/* Gives up the connection that was silent for longest, or nearly so: it is judged as it stands, with
 * KA_GATE_LOST_STATE. Not while a segment is told. False: none is open, or memory ran out on the way. */
bool stream_evict(stream_table *table);

/* No packet came until then (live captures only: files end with their last packet). */
ka_status stream_time_passed(stream_table *table, int64_t time_ns);

/* How many connections have not settled. */
uint32_t stream_open_count(const stream_table *table);

/* What a connection, named by the owner told to the core, was wrapped in: each direction's, the first
 * packet's sender first; for packet_path_text. */
void stream_paths(const void *owner, uint16_t paths[2]);

/* The end of the capture: hands the core whatever is complete by then (bytes still waiting behind a hole). */
ka_status stream_finish(stream_table *table);

/* For ka_audit_new: tells the table that a connection has settled (user is a stream_table **, set by then).
 */
void stream_settled(void *user, void *owner);

const stream_counts *stream_table_counts(const stream_table *table);

#endif
