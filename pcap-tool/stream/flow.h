/* flow.h - the flow table: which connection a segment belongs to, and what is known of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Flows live in chunks that never move, so a pointer to one is good until flow_remove. An idle connection
 * costs one flow and its slots: no parser, no buffer.
 */
#ifndef STREAM_FLOW_H
#define STREAM_FLOW_H

#include "stream/context.h"

struct http_parser;
struct tls_walker;
struct h2_walker;
struct preamble_walker;
struct stream_pieces;

/* What the bytes of one direction are taken for. */
typedef enum half_content {
    HALF_LOST,     /* mid-stream or behind a hole: looking for the start of a message */
    HALF_START,    /* the next byte is the direction's first */
    HALF_PREAMBLE, /* perhaps: a proxy says for whom it opened the connection */
    HALF_HTTP,
    HALF_TLS,
    HALF_H2,
    HALF_IGNORED, /* nothing more to learn: another protocol, a tunnel, garbage */
} half_content;

typedef enum half_role { HALF_ROLE_UNKNOWN, HALF_REQUESTS, HALF_RESPONSES } half_role;

/* One direction of a connection. */
typedef struct stream_half {
    struct stream_pieces *pieces; /* out-of-order bytes; NULL: none */
    union {
        struct http_parser *http;         /* HALF_HTTP: of the message under way; NULL: between messages */
        struct tls_walker *tls;           /* HALF_TLS: of the record under way */
        struct h2_walker *h2;             /* HALF_H2: of the frame under way */
        struct preamble_walker *preamble; /* HALF_PREAMBLE */
    };
    uint32_t next_seq;  /* everything before it was delivered or given up */
    uint32_t base_seq;  /* Wireshark's: the initial sequence number, or what stands for it */
    uint32_t fin_seq;   /* where the FIN stands */
    uint32_t acked_seq; /* highest ACK number the other side sent */
    uint8_t content;    /* half_content */
    uint8_t role;       /* half_role */
    bool seen : 1;      /* has sent a segment */
    bool started : 1;   /* next_seq is set */
    bool moved : 1;     /* bytes were delivered */
    bool base_known : 1;
    bool acked_known : 1;
    bool fin_seen : 1;
    bool fin_told : 1;
    bool h2_begun : 1; /* the first HTTP/2 frame went by */
    bool held : 1;     /* behind a CONNECT: what the bytes are depends on its response */
    uint8_t ttl : 7;   /* low bits, of the direction's first segment */
    uint16_t path;     /* its encapsulation and tenant; until it is seen, those of the other direction */
    uint16_t tenant;
} stream_half;

typedef enum flow_state {
    FLOW_FREE,
    FLOW_QUOTED,  /* known from ICMP errors only: a stream number, no connection */
    FLOW_OPEN,    /* the core has the connection */
    FLOW_SETTLED, /* a tombstone: only key, numbers and base_seq count */
} flow_state;

/* What framing needs to know of an outstanding request's method. */
typedef enum flow_method { METHOD_OTHER, METHOD_HEAD, METHOD_CONNECT, METHOD_UNKNOWN } flow_method;

/* Deep enough for any pipeline seen in the field; beyond it, methods count as unknown. */
enum { FLOW_METHODS_MAX = 64 }; /* first_method and method_count have the bits for it */

/* The core reads `ends` as long as it has the connection. */
typedef struct stream_flow {
    ka_address ends[2]; /* [0] sent the first segment */
    stream_half halves[2];
    union {
        ka_connection *connection; /* FLOW_OPEN */
        uint32_t stream;           /* FLOW_QUOTED: the number it will have */
    };
    union {
        uint64_t methods[2]; /* FLOW_OPEN: ring of 2-bit flow_method */
        struct {
            int64_t expires_ns; /* of a tombstone */
            uint32_t older;     /* tombstones in order of age, FLOW_NONE ends; next free flow */
            uint32_t newer;
        };
    };
    uint32_t hash;
    unsigned first_method : 6;
    unsigned method_count : 7;
    unsigned state : 2;          /* flow_state */
    unsigned protocol : 3;       /* ka_protocol as told; but see `tunnelled` */
    unsigned methods_unsure : 1; /* requests may have been missed */
    unsigned began_with_syn : 1;
    unsigned reset_seen : 1;
    unsigned touched : 1;   /* since the evictor last passed */
    unsigned tunnelled : 1; /* by CONNECT: `protocol` is what is inside, NONE while that is not known */
} stream_flow;

enum { FLOW_NONE = 0 };

typedef struct flow_slot {
    uint32_t hash;
    uint32_t index; /* FLOW_NONE: empty */
} flow_slot;

typedef struct flow_table {
    const ka_allocator *allocator;
    flow_slot *slots; /* open addressing, linear probing */
    uint32_t slot_count;
    uint32_t used_count;
    stream_flow **chunks;
    uint32_t chunk_count;
    uint32_t made_count; /* indexes below it exist; 0 is never used */
    uint32_t free_index;
    uint32_t open_count;
    uint32_t tombstone_count;
    uint32_t oldest;
    uint32_t newest;
    uint32_t hand; /* of the evictor */
    uint64_t seeds[2];
} flow_table;

/* `allocator` must outlive the table. */
void flow_table_init(flow_table *table, const ka_allocator *allocator);
void flow_table_fini(flow_table *table);

/* Of a pair of addresses; the same for both directions. */
uint32_t flow_hash(const flow_table *table, const ka_address *a, const ka_address *b);
void flow_prefetch_slot(const flow_table *table, uint32_t hash);
/* A flow between two addresses, or NULL; tenants may have several. */
stream_flow *flow_find(const flow_table *table, uint32_t hash, const ka_address *source,
                       const ka_address *target);
/* Whether it still is one between these addresses. */
bool flow_is_between(const stream_flow *flow, uint32_t hash, const ka_address *source,
                     const ka_address *target);
/* Returns the flow that has this hash, if any, most likely: its addresses are not compared. */
stream_flow *flow_prefetch(const flow_table *table, uint32_t hash);
/* Another one between the same addresses as `flow`, or NULL. */
stream_flow *flow_find_next(const flow_table *table, const stream_flow *flow);
/* A zeroed flow in state FLOW_QUOTED. NULL when memory runs out. */
stream_flow *flow_add(flow_table *table, uint32_t hash, const ka_address *source, const ka_address *target);
/* Forgets a flow that owns nothing any more. */
void flow_remove(flow_table *table, stream_flow *flow);

/* The flow's state changes to and from FLOW_OPEN, FLOW_SETTLED go through these. */
void flow_set_open(flow_table *table, stream_flow *flow);
/* Makes it a tombstone until expires_ns, the newest. */
void flow_set_tombstone(flow_table *table, stream_flow *flow, flow_state state, int64_t expires_ns);
/* Forgets tombstones that have expired, and the oldest beyond count_max. */
void flow_expire(flow_table *table, int64_t now_ns, uint32_t count_max);
/* An open flow that was not touched for long, or NULL when none is open. */
stream_flow *flow_stalest(flow_table *table);

/* Every flow in turn: start with index 1; NULL: the end. */
stream_flow *flow_at(const flow_table *table, uint32_t index);

bool flow_address_equal(const ka_address *a, const ka_address *b);

/* Outstanding requests, oldest first. */
void flow_push_method(stream_flow *flow, flow_method method);
/* METHOD_UNKNOWN when nothing is outstanding. */
flow_method flow_pop_method(stream_flow *flow);
void flow_clear_methods(stream_flow *flow);

#endif
