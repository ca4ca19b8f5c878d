/* pair.h - two connections of a proxy, one to a client and one to a server, that carried the same requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_PAIR_H
#define KA_PAIR_H

#include "keptalive.h"
#include "leg.h"
#include "route.h"
#include "session.h"

/* A proxy with a pool spreads each client's requests over it. 18 MB; further pairs are counted. */
enum { KA_PAIRS_MAX = 32768 };

/* One side's end of a connection, as far as it is known. */
typedef struct ka_pair_life {
    ka_moment opened;    /* its SYN; frame 0: not captured */
    ka_moment closed;    /* the first FIN or RST; frame 0: not closed */
    uint32_t unanswered; /* serial of the leg that has no answer; 0: there is none */
    int64_t idle_ns;     /* closed by a timer, after so long; KA_NONE: otherwise */
    ka_moment half;      /* the FIN of one side that the other did not answer by one of its own */
    int64_t half_ns;     /* for how long not: to the other's FIN, a reset, or the end of the capture */
    int64_t rtt_ns;
    int64_t longest_ns; /* the longest idle gap that a request or the client ended */
    int64_t unused_ns;  /* from the last answer to the end of the capture, or the server's close; KA_NONE: it
                           could not, or was still in use, or the client closed */
    uint32_t requests;
    uint32_t gates;     /* that failed */
    uint8_t closed_by;  /* ka_side */
    uint8_t closed_how; /* ka_how */
    uint8_t half_by;    /* ka_side, of that FIN */
    uint8_t site;       /* number of its server's; 0: none */
    bool client_reset;  /* the client sent an RST */
    bool judged;
} ka_pair_life;

/* Fields for one connection that came in and went out the same. */
typedef struct ka_forwarded {
    uint32_t count;        /* messages */
    bool proxy_connection; /* else Keep-Alive, in the first of them */
    ka_moment came, went;  /* the first */
} ka_forwarded;

/* By downstream stream, by upstream stream, and by both: a proxy without a pool has as many pairs as
 * requests. */
enum { KA_DOWNSTREAM, KA_UPSTREAM, KA_BY_BOTH, KA_PAIR_CHAINS };

typedef struct ka_pair {
    ka_pair_end downstream, upstream;
    ka_moment asked, forwarded; /* the first request, on each of them */
    uint64_t requests;
    uint64_t by_id;
    uint64_t ambiguous;
    uint64_t again;   /* of the requests, those sent again after another attempt */
    uint32_t route;   /* its number; 0: none */
    uint32_t session; /* likewise, of its connection to the server */
    uint32_t breach;  /* likewise */
    bool wished; /* the newest request asked to keep the connection, and left the proxy as HTTP/1.0 with that
                  */
    bool orphaned;           /* upstream: the last request there was an orphan (orphan.h) */
    uint16_t opened;         /* connections to that server while it lay unused after that */
    ka_moment wish, granted; /* that one upstream, and its answer, which kept the connection */
    int64_t granted_ns;      /* when that was complete */
    int64_t passed_ns;       /* and when it was so downstream */
    ka_forwarded asked_fields, answered_fields;
    int64_t offset_ns[2], drift_ppb; /* taken off the times of that side; 0: nothing */
    ka_pair_life life[2];
    uint32_t next[KA_PAIR_CHAINS]; /* number of the next in each of its chains */
} ka_pair;

typedef struct ka_pairs {
    ka_pair *at; /* in order of appearance */
    uint32_t count;
    uint32_t room;
    uint32_t *chains[KA_PAIR_CHAINS]; /* numbers, index + 1; 0: none */
    uint32_t chain_count;
    uint64_t left_out; /* requests of pairs beyond the limit */
    ka_sessions sessions;
} ka_pairs;

void ka_pairs_fini(ka_pairs *pairs, const ka_allocator *allocator);
ka_status ka_pairs_copy(const ka_pairs *pairs, const ka_allocator *allocator, ka_pairs *out);

/* A request was seen on both. */
ka_status ka_pairs_add(ka_pairs *pairs, ka_routes *routes, const ka_allocator *allocator,
                       const ka_leg *downstream, const ka_leg *upstream);
/* NULL: there is none. Valid until the next is added. */
ka_pair *ka_pairs_find(const ka_pairs *pairs, uint32_t downstream, uint32_t upstream);
/* The first pair that has the stream as that leg; goes on with ka_pairs_next. */
ka_pair *ka_pairs_of(const ka_pairs *pairs, unsigned which, uint32_t stream);
ka_pair *ka_pairs_next(const ka_pairs *pairs, const ka_pair *pair, unsigned which);

ka_link_confidence ka_pair_confidence(const ka_pair *pair);
void ka_pair_record_of(const ka_pair *pair, ka_pair_record *out);

#endif
