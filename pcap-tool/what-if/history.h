/* history.h - connections and their idle gaps as captured, kept until the end for replaying.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Exact, as long as there is memory: a replay needs the gaps of a connection in their order. Connections that
 * settle when it is used up are left out and counted; those kept are whole.
 */
#ifndef WHAT_IF_HISTORY_H
#define WHAT_IF_HISTORY_H

#include "keptalive.h"

/* A gap before request `number` of its connection. */
typedef struct what_if_gap {
    uint32_t stream;
    uint32_t number;
    int64_t idle_ns;
    int64_t end_ns;
    int64_t other_ns; /* how long the client's connection used last of its other idle ones was idle then;
                         KA_NONE: it had none; see others.h */
} what_if_gap;

typedef enum what_if_end {
    WHAT_IF_END_OPEN,      /* not by the end of the capture */
    WHAT_IF_END_BY_CLIENT, /* idle */
    WHAT_IF_END_BY_SERVER, /* idle */
    WHAT_IF_END_ANNOUNCED, /* by Connection: close of the server, perhaps at a limit of requests */
    WHAT_IF_END_OTHER,     /* for a reason that no timeout changes: busy, a restart, the client said close */
} what_if_end;

typedef enum what_if_loss {
    WHAT_IF_LOSS_NONE,
    WHAT_IF_LOSS_RACE,   /* it crossed the server's idle close, or the server dropped it for its timer */
    WHAT_IF_LOSS_STALE,  /* it was sent after the server's FIN had come: the client did not look */
    WHAT_IF_LOSS_MIDDLE, /* a device on the path had forgotten the connection */
} what_if_loss;

typedef struct what_if_connection {
    ka_address client;
    ka_address server;
    uint32_t stream;
    uint32_t requests;
    int64_t opened_ns;
    int64_t ended_ns; /* closed, or the end of the capture */
    int64_t idle_ns;  /* how long it was idle when it ended; KA_NONE: not idle, or never used */
    int64_t lost_ns;  /* when its last request, behind its last gap, was sent and lost; KA_NONE */
    int64_t rtt_client_ns;
    int64_t rtt_server_ns;
    int64_t timeout_s; /* advertised; KA_NONE */
    what_if_gap *gaps; /* in order, of the history; set by what_if_history_finish */
    uint32_t gap_count;
    uint8_t end;  /* what_if_end */
    uint8_t loss; /* what_if_loss */
    bool opened_seen;
} what_if_connection;

typedef struct what_if_history {
    const ka_allocator *allocator;
    what_if_connection *connections;
    what_if_gap *gaps;
    size_t connection_count;
    size_t connection_room;
    size_t gap_count;
    size_t gap_room;
    bool full;
    uint64_t left_out;  /* connections, since it was full */
    bool newest_stored; /* of the latest connection told, whose findings follow */
} what_if_history;

void what_if_history_init(what_if_history *history, const ka_allocator *allocator);
void what_if_history_fini(what_if_history *history);

/* As the audit tells them. */
void what_if_history_gap(what_if_history *history, const ka_gap_record *gap);
void what_if_history_connection(what_if_history *history, const ka_record *record);
void what_if_history_finding(what_if_history *history, const ka_finding *finding);

/* Nothing more comes: joins gaps to connections, ends those still open at that time, and sorts by server,
 * client address, and time of opening. */
void what_if_history_finish(what_if_history *history, int64_t end_ns);

/* Below, at or above 0: the order of servers; with `client` of clients, whatever their ports. */
int what_if_compare_addresses(const ka_address *a, const ka_address *b, bool client);

#endif
