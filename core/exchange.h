/* exchange.h - the messages of one connection: requests paired with responses, outstanding count, idle gaps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Idle means nothing outstanding: every request has its final response, both complete. A gap runs from the
 * last byte of the final response to the first byte of the next request, the first FIN or RST of either side,
 * or the end.
 */
#ifndef KA_EXCHANGE_H
#define KA_EXCHANGE_H

#include "header.h"
#include "keptalive.h"
#include "transport.h"

enum { KA_METHOD_BYTES = 16 };

/* Unanswered requests kept of one connection: more than any pipeline in the field, and a bound (110 kB) where
 * the answers were not captured. Beyond it the oldest are forgotten, and KA_GATE_LOST_STATE fails. */
enum { KA_PENDING_MAX = 1024 };

/* A request whose response is not complete. */
typedef struct ka_request {
    struct ka_request *next; /* the list is circular: exchanges.newest points at its newest */
    uint64_t first;          /* sequence numbers, end exclusive */
    uint64_t end;
    uint64_t ack; /* what the client had acknowledged when it sent the first byte */
    ka_moment first_at;
    ka_moment end_at;
    uint64_t number; /* 1-based on its connection */
    int64_t
        idle_before_ns;  /* capture seconds since the last response; KA_NONE: pipelined, first, or unknown */
    bool close;          /* asked for Connection: close */
    bool persists;       /* by RFC 9112 section 9.3: HTTP/1.0 without keep-alive does not */
    bool asked_to_keep;  /* said keep-alive, in Connection or to a proxy */
    bool wished_to_keep; /* only has Keep-Alive, without that option */
    uint8_t version;
    uint16_t host; /* hash; 0: none */
    uint32_t leg;  /* serial of its ka_leg; 0: none */
    uint32_t asks; /* hash of target and request id, where a repetition would be unsafe */
    char method[KA_METHOD_BYTES];
} ka_request;

/* A complete final response. */
typedef struct ka_response {
    uint64_t first; /* sequence numbers, end exclusive */
    uint64_t end;
    int64_t first_ns;
    uint64_t first_frame;
    ka_moment end_at;  /* frame 0: there was none */
    uint32_t number;   /* of the request it answered */
    int32_t timeout_s; /* -1: not advertised */
    int32_t max;       /* likewise */
    uint16_t status;
    bool close : 1;       /* said Connection: close */
    bool persists : 1;    /* by RFC 9112 section 9.3, its request's word included */
    bool effective : 1;   /* its Keep-Alive came with the option in Connection */
    bool asked_close : 1; /* the request had said Connection: close */
    bool until_close : 1;
    bool http10 : 1;   /* it or its request was HTTP/1.0 */
    bool unechoed : 1; /* an HTTP/1.0 request had asked to keep the connection; it says nothing of that */
    bool unbidden : 1; /* it says keep-alive to an HTTP/1.0 request that had not asked */
} ka_response;

/* `max` over consecutive responses of a connection. */
typedef struct ka_max_track {
    int32_t first;          /* of the first response; -1: it had none */
    int32_t latest;         /* -1: never seen */
    uint8_t style;          /* ka_max_style */
    bool mixed : 1;         /* neither counts down nor stays: nothing is judged */
    bool several_hosts : 1; /* it was told for different ones, which may count for themselves */
    bool fell : 1;          /* some value was lower than the one before */
    uint16_t host;          /* hash of the Host asked for, of the latest */
} ka_max_track;

typedef struct ka_exchanges {
    ka_request *newest; /* of the pending ones; NULL: nothing outstanding */
    ka_response last;   /* the latest that answered a request */
    int64_t idle_longest_ns;
    int64_t idle_total_ns;
    uint32_t idle_count;
    uint32_t requests;
    uint32_t numbered; /* requests, and those of which only the response was captured */
    uint32_t responses;
    uint32_t completed; /* responses that answered a request, or one not captured */
    int32_t unasked_timeout_s;
    int64_t unasked_end_ns; /* see `unasked` */
    ka_max_track max;
    uint16_t pending_count;
    uint8_t first_version : 5; /* of the first request, else response: 10 to 19; 0: none */
    bool undelimited : 1;      /* the response under way: HTTP/1.0, until close, yet it says keep-alive */
    bool continued : 1;        /* the request under way got its 100 in time */
    bool skipped : 1;          /* so did it a second final answer: its body will never come */
    bool early : 1;            /* the request under way was answered before it was complete */
    bool unasked : 1;          /* the latest response was one nobody had asked for: advertised is its word */
    bool unasked_close : 1;
    bool stray : 1;  /* an empty line since the last response: some servers restart their timer */
    bool tunnel : 1; /* 101 or CONNECT: no HTTP any more */
    bool event_stream : 1;
    bool forgot : 1;  /* requests, beyond KA_PENDING_MAX */
    bool went_on : 1; /* the client, behind a response that was `unechoed` or `unbidden` */
} ka_exchanges;

void ka_exchanges_init(ka_exchanges *exchanges);
void ka_exchanges_fini(ka_exchanges *exchanges, const ka_allocator *allocator);
/* Another protocol goes on, with promises of its own: of what was, only counts and gaps stay. */
void ka_exchanges_again(ka_exchanges *exchanges, const ka_allocator *allocator);

/* The oldest unanswered request; NULL: none. */
ka_request *ka_exchanges_oldest(const ka_exchanges *exchanges);

/* Adds a request. *out is NULL when it was known already or answered before its end. */
ka_status ka_exchanges_request(ka_exchanges *exchanges, const ka_allocator *allocator,
                               const ka_transport *transport, unsigned client, const ka_message *message,
                               const ka_header *header, ka_request **out);

typedef enum ka_answer {
    KA_ANSWER_INTERIM,  /* 1xx: the request goes on waiting */
    KA_ANSWER_PAIRED,   /* *request is the answered one, now the caller's to free */
    KA_ANSWER_UNPAIRED, /* its request was not captured, or not yet complete: *request is NULL */
    KA_ANSWER_UNASKED,  /* nothing was outstanding at the server */
    KA_ANSWER_OLD,      /* told before */
} ka_answer;

ka_answer ka_exchanges_response(ka_exchanges *exchanges, const ka_allocator *allocator,
                                const ka_transport *transport, unsigned client, const ka_message *message,
                                const ka_header *header, ka_request **request);

/* Adds one idle gap to the statistics. */
void ka_exchanges_idle(ka_exchanges *exchanges, int64_t idle_ns);

#endif
