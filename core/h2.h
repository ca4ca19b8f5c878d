/* h2.h - the streams of one HTTP/2 connection: what is outstanding, and who said GOAWAY (RFC 9113).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A stream the client opened stands for a request, and is outstanding until the server ends it, or either
 * side resets it. Frames about the connection itself (SETTINGS, PING, WINDOW_UPDATE, GOAWAY) and PRIORITY
 * neither start an idle gap nor end one.
 */
#ifndef KA_H2_H
#define KA_H2_H

#include "keptalive.h"

/* Open streams known by number. Servers allow 100 to 256 at a time (RFC 9113 section 6.5.2 recommends at
 * least 100); those beyond are only counted. */
enum { KA_H2_STREAMS_MAX = 256 };

typedef struct ka_h2_stream {
    uint64_t first; /* sequence number of the first byte of its HEADERS; 0: not known */
    uint64_t ack;   /* what the client had acknowledged when it sent that */
    ka_moment at;   /* capture of that byte */
    uint32_t id;
    bool answered; /* part of its response came */
} ka_h2_stream;

/* The newest GOAWAY of the server. Exists only once there was one. */
typedef struct ka_h2_goaway {
    ka_moment at;
    uint64_t end;         /* one past its last byte */
    uint32_t last_stream; /* of the newest */
    bool busy;            /* the first one came while a request was outstanding, or as the last one ended */
} ka_h2_goaway;

typedef struct ka_h2 {
    ka_h2_stream *open;  /* ids ascend */
    uint64_t ended_end;  /* one past the frame behind which nothing was outstanding; 0: the client's own */
    ka_moment ended;     /* the end of that frame; frame 0: none yet */
    ka_moment goaway[2]; /* the first of each direction; frame 0: none */
    uint32_t goaway_last_stream[2];
    ka_h2_goaway *by_server; /* NULL: none */
    uint32_t open_count;
    uint32_t open_room;
    uint32_t uncounted_from; /* the first id beyond the limit; 0: none */
    uint32_t uncounted;      /* open ones among those */
    uint32_t newest_id;      /* the client's; ids ascend (RFC 9113 section 5.1.1) */
    uint32_t requests;
    uint32_t responses;
    uint32_t ending_id; /* the server's END_STREAM came, the end of its header block did not; 0: none */
} ka_h2;

/* What a frame did. */
typedef enum ka_h2_news { KA_H2_NOTHING, KA_H2_OPENED, KA_H2_CLOSED } ka_h2_news;

ka_h2 *ka_h2_new(const ka_allocator *allocator);
void ka_h2_free(ka_h2 *h2, const ka_allocator *allocator);

/* The request that asked for the upgrade is stream 1, half-closed (RFC 7540 section 3.2). */
ka_status ka_h2_upgraded(ka_h2 *h2, const ka_allocator *allocator);

bool ka_h2_is_idle(const ka_h2 *h2);
/* Where the oldest outstanding request began; 0 also when that is not known. */
uint64_t ka_h2_oldest(const ka_h2 *h2);

/* Streams up to that one the server has begun to process, or will, as far as its GOAWAY tells. */
bool ka_h2_is_accepted(const ka_h2 *h2, uint32_t id);

/* `first` and `end` are the frame's unwrapped sequence numbers, `ack` what its sender had acknowledged. *news
 * tells whether a request came, or the last outstanding one went. */
ka_status ka_h2_frame_add(ka_h2 *h2, const ka_allocator *allocator, const ka_h2_frame *frame,
                          bool from_client, uint64_t first, uint64_t end, uint64_t ack, ka_h2_news *news);

#endif
