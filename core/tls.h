/* tls.h - what the records of one TLS connection tell without keys: bursts, alerts, what was negotiated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A burst of application data by the client stands for a request, one by the server for its response. Not
 * requests or responses are: alerts (type 21; in TLS 1.3 a record of 24 bytes), handshake messages, the first
 * application data of either side in TLS 1.3 (the handshake goes on inside), session tickets behind it, and
 * what the server sent before it had the request.
 */
#ifndef KA_TLS_H
#define KA_TLS_H

#include "keptalive.h"
#include "transport.h"

/* The client's burst that is not answered yet. */
typedef struct ka_burst {
    uint64_t first; /* sequence numbers, end exclusive */
    uint64_t end;
    uint64_t ack; /* what the client had acknowledged when it sent the first byte */
    ka_moment first_at;
    ka_moment end_at;
    int64_t quiet_ns; /* how long the client had sent no application data before; KA_NONE: it never had */
} ka_burst;

/* The newest alert of a direction. */
typedef struct ka_tls_alert {
    ka_moment at; /* frame 0: none */
    uint64_t end; /* one past its last byte */
    bool sure;    /* by its type; else by its length, and it may be two bytes of data */
} ka_tls_alert;

typedef struct ka_tls {
    ka_moment answered;    /* end of the newest server burst; frame 0: none yet */
    uint64_t answered_end; /* sequence number one past that */
    int64_t spoke_ns[2];   /* newest application data of each direction; KA_NONE: none yet */
    ka_burst *waiting;     /* NULL: every burst was answered */
    ka_tls_alert *alerts;  /* two, by direction; NULL: none yet */
    uint32_t burst_count;  /* of the client */
    uint8_t offered;       /* ka_alpn bits of the ClientHello, */
    uint8_t chosen;        /* and of the ServerHello */
    bool said_hello;       /* `offered` is known */
    bool greeted;          /* the client's handshake was captured */
    bool readable;         /* told by its messages: bursts measure nothing any more */
} ka_tls;

/* What the connection carries, by ALPN (RFC 7301) and the server's port. */
typedef enum ka_tls_carries {
    KA_TLS_UNKNOWN,
    KA_TLS_HTTP1,
    KA_TLS_MAYBE_H2, /* offered; TLS 1.3 hides what was chosen */
    KA_TLS_H2,
    KA_TLS_OTHER,
} ka_tls_carries;

ka_tls *ka_tls_new(const ka_allocator *allocator);
void ka_tls_free(ka_tls *tls, const ka_allocator *allocator);
/* The messages inside are told from now on. */
void ka_tls_becomes_readable(ka_tls *tls, const ka_allocator *allocator);

ka_tls_carries ka_tls_what(const ka_tls *tls, uint16_t server_port);

bool ka_tls_is_alert(const ka_bytes *record);
ka_status ka_tls_alert_add(ka_tls *tls, const ka_allocator *allocator, const ka_bytes *record, uint64_t end);

/* Application data. `end` is unwrapped, `ack` what its sender had acknowledged at its first byte. *gap_ns is
 * the idle gap a request ended, from the newest answer; KA_NONE: none. */
ka_status ka_tls_client_data(ka_tls *tls, const ka_allocator *allocator, unsigned client,
                             const ka_bytes *record, uint64_t end, uint64_t ack, int64_t *gap_ns);
void ka_tls_server_data(ka_tls *tls, const ka_allocator *allocator, const ka_bytes *record, uint64_t end,
                        uint64_t ack);

#endif
