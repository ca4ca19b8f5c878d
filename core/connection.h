/* connection.h - the ledger of one connection: transport, exchanges, advertised values, and what of it can be
 * trusted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_CONNECTION_H
#define KA_CONNECTION_H

#include "exchange.h"
#include "h2.h"
#include "header.h"
#include "keptalive.h"
#include "tls.h"
#include "transport.h"

struct ka_endpoint;

/* A finding made, until its connection settles. */
typedef struct ka_noted {
    struct ka_noted *next;
    ka_finding finding;
} ka_noted;

struct ka_connection {
    ka_connection *older; /* in the audit's list of open ones */
    ka_connection *newer;
    void *owner;
    ka_transport transport;
    ka_exchanges exchanges;
    ka_tls *tls;
    ka_h2 *h2;
    ka_noted *noted;
    struct ka_endpoint *endpoint;
    struct ka_due *due; /* waits to settle */
    ka_moment first;
    const ka_address *ends; /* two, the front end's */
    uint32_t stream;
    uint32_t failed_gates; /* told by the front end */
    uint32_t ledger;       /* number of its client's, from the first request on; 0: it has none */
    uint8_t protocol;      /* ka_protocol */
    uint8_t site;          /* number of its server's, by the name it began with; 0: none */
    uint8_t client : 1;    /* index into ends */
    bool client_known : 1;
    bool left_out : 1; /* of its server's statistics: there are too many servers */
    bool pauses : 1;   /* some body went on after more than undelimited-wait */
    /* Beside others of the same client and server: */
    bool soon : 1;             /* opened for a request shortly after the client had given up another */
    bool abandoned : 1;        /* left idle until the server closed it, while another was opened */
    bool undecided : 1;        /* left idle likewise, but no other was needed */
    bool together : 1;         /* closed idle by the server at one moment with another one */
    bool together_at_site : 1; /* of the same site */
    bool challenged : 1;       /* the server asked here for the second half of a login */
    bool tunnelled : 1; /* CONNECT went before: what is told now is between the client and who is behind */
};

/* The one with that id, or NULL; as with strchr, it may be changed when the list may. */
ka_noted *ka_noted_find(const ka_noted *list, ka_finding_id id);

/* Who closed, and what that side knew (see `close` in ka_record). */
typedef struct ka_close {
    ka_side by;
    ka_how how;
    ka_moment at;
    int64_t idle_ns;
    ka_verdict verdict;
} ka_close;

/* The name of one field of an HTTP/2 header block. */
typedef struct ka_h2_field {
    uint8_t direction;
    ka_slice name;
    ka_moment at;
} ka_h2_field;

/* A const look at one connection, with all that rules need beside it. */
typedef struct ka_view {
    const ka_connection *connection;
    const ka_exchanges *exchanges;
    const ka_half *client;
    const ka_half *server;
    const ka_thresholds *limits;
    ka_moment now;           /* the newest of the whole capture */
    bool final;              /* judged at its end, not on the way */
    bool capture_ended;      /* final because nothing follows, not because it ended */
    bool mass_closed;        /* its close was one of many */
    uint64_t repeated;       /* how often this server closed unannounced before */
    bool server_known;       /* HTTP or TLS was spoken to it, on whatever connection */
    int64_t server_heard_ns; /* when it answered last, likewise; KA_NONE: never */
    bool by_unit_reused;     /* one of those carried several requests */
    uint64_t by_unit;        /* connections in a row this client closed after T milliseconds */
    int64_t given_up_ns; /* after which a client of this server, told no timeout, gave up waiting; 0: none */
    int64_t tick_ns;
    int64_t rtt_client_ns; /* 0: not measured */
    int64_t rtt_server_ns;
    int64_t rtt_ns;        /* both */
    ka_unclaimed begun;    /* a request of which only the beginning was seen; seq 0: none */
    bool answer_begun;     /* bytes of a response that never was complete */
    uint32_t failed_gates; /* of the whole connection */
    ka_close close;
    /* What just came, on the way: */
    const ka_request *request;
    const ka_header *header;
    const ka_message *message;
    const ka_response *before; /* the response before this request or response */
    const ka_response *response;
    int32_t max_before; /* the newest of earlier responses; -1: none had one */
    const ka_h2_field *h2_field;
    const struct ka_patience *patience;   /* of this client at this server; NULL: not known */
    const struct ka_loss *loss;           /* lost on another connection, and this request repeats it */
    const struct ka_challenge *challenge; /* got on another connection, and this request answers it */
} ka_view;

void ka_connection_init(ka_connection *connection, uint32_t stream, const ka_address ends[2], void *owner);
void ka_connection_fini(ka_connection *connection, const ka_allocator *allocator);

/* Its TLS records, where they are all that can be judged by; NULL: it is not TLS, or can be read. */
const ka_tls *ka_connection_bursts(const ka_connection *connection);
/* What ALPN and port say that they carry; KA_TLS_UNKNOWN also when it is not TLS. */
ka_tls_carries ka_connection_carries(const ka_connection *connection);

/* A view with everything but final, capture_ended, mass_closed, repeated, server_*, close and what just came.
 */
void ka_view_init(const ka_connection *connection, const ka_thresholds *limits, ka_moment now,
                  int64_t tick_ns, ka_view *view);
/* Adds `close` and its verdict. */
void ka_view_close(ka_view *view);

/* Tolerances of diagnoses about this connection. */
int64_t ka_view_early_ns(const ka_view *view, const ka_half *path);
int64_t ka_view_late_ns(const ka_view *view, int64_t timeout_ns);

/* How long a client that expects 100 Continue may wait before it is a stall. */
int64_t ka_view_expect_ns(const ka_view *view);

/* The advertised timeout in force after the latest response, in ns; KA_NONE. */
int64_t ka_view_timeout_ns(const ka_view *view);

/* The end of the latest thing that starts the idle clock; frame 0: there was none. */
ka_moment ka_view_idle_since(const ka_view *view);

/* Some exchange was complete, as far as anybody can tell. */
bool ka_view_was_used(const ka_view *view);

/* How long the connection has been idle by `now`: KA_NONE when it is not idle, or somebody closed. */
int64_t ka_view_idle_ns(const ka_view *view);

/* A reset closed the connection while the capture had shown a request without answer: it may answer that
 * request, and come from a device on the path. When the server meant to close it does not tell. */
bool ka_view_reset_by_request(const ka_view *view);

/* G5: the capture ended while something was awaited whose absence only a longer one could prove: an answer,
 * the other side's FIN, or the close that was announced. */
bool ka_view_cut_short(const ka_view *view);

/* The real client, by a PROXY preamble; version 0: none was told. */
ka_address ka_view_proxied_for(const ka_view *view);

/* The output contract's record; findings are not filled in. */
void ka_view_record(const ka_view *view, ka_record *out);

#endif
