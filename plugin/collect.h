/* collect.h - the first pass: a frame's fields in, the core's facts out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * collect.c owns the order: the segment first, then messages in byte order. http_facts.c, h2_facts.c and
 * tls_facts.c tell what the segment's bytes mean.
 */
#ifndef PLUGIN_COLLECT_H
#define PLUGIN_COLLECT_H

#include "compat.h"
#include "http_head.h"
#include "keptalive.h"
#include "results.h"
#include "tcp_facts.h"
#include "track.h"

/* One direction of a connection. */
typedef struct collect_side {
    track track;
    ka_message *waiting; /* its head was shown, its last byte has not gone by; with its texts one block */
    size_t waiting_head_bytes;
    uint64_t ahead_bytes; /* of `waiting`, too long for sequence numbers: how much of it is still to come */
    char *begun;          /* bytes from claimed_seq on, of a head that is not whole yet */
    uint32_t begun_bytes;
    uint32_t begun_room;
    uint32_t begun_seq;          /* claimed_seq as it was then */
    struct collect_first *first; /* bytes of the direction, while they may become a preamble; NULL: none */
    ka_moment fin;               /* frame 0: none */
    uint32_t fin_seq;
    uint32_t claimed_seq; /* end of the newest message; all before it is known */
    uint32_t next_seq;    /* one past the newest byte of payload */
    bool has_claimed;
    bool reordered; /* a segment came after later ones */
    bool spoke;
    bool has_syn;     /* claimed_seq began with it */
    bool lost;        /* malformed: where messages begin is not known any more */
    bool known;       /* what begins at begun_seq */
    bool first_known; /* whether it begins with a preamble */
    bool guessed;     /* which protocol it begins with */
} collect_side;

/* Deep enough for any pipeline seen in the field; beyond it what was asked counts as OTHER. */
enum { COLLECT_ASKED_MAX = 64 };

typedef struct collect_connection {
    ka_connection *core;
    uint32_t stream;
    ka_address ends[2];
    collect_side sides[2];
    struct frame_fact *unanswered; /* the shown requests whose response has not been told, oldest first */
    struct frame_fact *unanswered_last;
    uint64_t answer_frame;            /* of the newest complete response's last byte; 0: none */
    uint8_t asked[COLLECT_ASKED_MAX]; /* http_asked of outstanding requests, a ring */
    uint8_t asked_first;
    uint8_t asked_count;
    bool began_with_syn;
    bool cut; /* by the snapshot length: a gate of its own */
    bool http;
    bool tls;
    bool h2;        /* in clear, or inside TLS that Wireshark could decrypt: no HTTP/1 follows */
    bool other;     /* its first bytes are of no protocol we know: only Wireshark can tell more */
    bool over;      /* 101: nothing we know follows */
    bool tunnelled; /* by CONNECT: `http`, `tls` and `h2` say what is inside */
} collect_connection;

typedef struct collect {
    ka_audit *audit;
    results *results;
    collect_connection **connections; /* by tcp.stream */
    uint32_t connection_room;
    wmem_map_t *by_ends;         /* the newest connection between two addresses */
    ka_exchange_record exchange; /* the newest told; stream is meaningless when frame 0 in response_end */
    /* Findings messages showed in the frame under way, for the single pass. */
    const results_finding *noted;
    uint64_t facts; /* told so far: changes when the answers may */
    uint64_t packets;
    uint64_t bytes;
    int precision; /* of the time stamps as last seen */
} collect;

/* The frame under way. */
typedef struct collect_frame {
    collect *all;
    packet_info *pinfo;
    proto_tree *tree;
    tcp_facts tcp;
    collect_connection *connection;
    unsigned direction;
} collect_frame;

/* In file scope. */
collect *collect_new(const ka_thresholds *thresholds, const ka_address *proxy, size_t proxy_count);
/* Before the file scope goes. */
void collect_free(collect *self);

/* A frame in the first pass. Returns its connection, NULL: it has none, or a settled one. */
const collect_connection *collect_take(collect *self, packet_info *pinfo, proto_tree *tree);

/* Where in the frame's direction the byte at `start` of a data source lies: its own segment's, or bytes
 * reassembled from several. False: bytes of another kind, as decrypted ones. */
bool collect_seq(const collect_frame *frame, tvbuff_t *bytes, int start, uint32_t *seq);

#endif
