/* leg.h - the newest requests of the whole capture, each as what it may be: one leg of a proxied exchange.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A ring in order of arrival. A leg is named by its serial number, and gone when that number's place has been
 * taken. Legs without an answer hang on chains by their key and by their id, so that the one that another
 * request was forwarded for is found at once.
 */
#ifndef KA_LEG_H
#define KA_LEG_H

#include "connection.h"
#include "keptalive.h"

/* Without a proxy in sight so many requests are remembered: mostly more than are under way at one moment,
 * and they stay in the processor's cache. 38 kB. */
enum { KA_LEGS_FIRST = 128 };
/* So many where more than those wait for their answers. 1.2 MB. */
enum { KA_LEGS_WAITING = 4096 };
/* Seconds of a busy proxy. 10 MB. */
enum { KA_LEGS_MAX = 32768 };

/* What a request looks like, and what it says of itself. Hashes: 0 where there is none. */
typedef struct ka_likeness {
    uint64_t key; /* of method and path */
    /* Of a request id, else of a trace id (W3C Trace Context), with method and the path's last segment:
     * proxies change what is before it. */
    uint64_t id;
    uint32_t host;
    bool by_trace;
    bool has_length; /* Content-Length, or no body */
    uint64_t body_bytes;
} ka_likeness;

/* Header fields that are for one connection only, as sent: hashes of their values, 0 without them. */
typedef struct ka_hop_fields {
    uint32_t keep_alive;
    uint32_t proxy_connection;
} ka_hop_fields;

/* The chains of those without an answer: at a server by id and by key; at any by id, or where there is none
 * by key. */
enum { KA_BY_ID, KA_BY_KEY, KA_BY_EITHER, KA_CHAINS };

/* How a request ended that got no answer. */
typedef struct ka_unhappy {
    ka_finding_id
        lost;       /* what its connection was diagnosed with; KA_FINDING_COUNT: nothing, or not judged yet */
    uint32_t gates; /* that lowered it */
    ka_moment since; /* end of the response before */
} ka_unhappy;

typedef struct ka_leg {
    uint32_t serial; /* 0: free */
    uint32_t stream;
    uint32_t number; /* of the request on its connection */
    uint16_t interface;
    uint8_t version;
    uint8_t closed_by, closed_how; /* ka_side, ka_how: at `closed` */
    bool waits;                    /* on the chains */
    bool origin_form;              /* see ka_message */
    bool keep;                     /* asked to keep the connection (HTTP/1.0) */
    bool kept;                     /* and was told so */
    bool ambiguous;                /* upstream: another request fitted as well */
    bool by_id;                    /* upstream: linked by its id */
    bool late;       /* answered when the client had closed, or gone from the other side of the proxy */
    bool counted;    /* downstream: told to its pairs */
    uint16_t status; /* 0: no answer */
    uint8_t answer_version;
    uint8_t login;   /* the step of NTLM it carried, see login.h */
    bool authorizes; /* it said who asks, in whatever way */
    bool challenges; /* its answer was the second step */
    ka_likeness like;
    uint64_t at[2]; /* its id, and its key, at its server: see ka_likeness_at */
    ka_hop_fields asked, answered;
    ka_address client, server;
    ka_moment request, request_end, response, response_end, closed;
    ka_unhappy unhappy;
    int64_t offset_ns, drift_ppb;                /* of its clock, taken off its times by replay.c; 0: not */
    int64_t rtt_ns;                              /* of its connection, 0: not measured */
    uint32_t older[KA_CHAINS], newer[KA_CHAINS]; /* serials; 0: none */
    uint32_t downstream;                         /* serial of the leg this one was sent for; 0: none known */
    uint32_t attempt, attempts;                  /* downstream: the newest leg sent for it; how many were */
    uint32_t attempt_before; /* upstream: the one sent before, for the same downstream leg; 0: none */
} ka_leg;

typedef struct ka_legs {
    ka_leg *ring; /* NULL: no request yet */
    uint32_t *chains[KA_CHAINS];
    uint32_t room;      /* a power of two: of the ring, and of each table of chains */
    uint32_t serial;    /* the newest */
    uint32_t pinned;    /* those that matter, as last counted */
    uint32_t uncounted; /* added since */
    uint64_t left_out;  /* links lost because the ring was too small */
    uint64_t seed;
} ka_legs;

void ka_legs_fini(ka_legs *legs, const ka_allocator *allocator);
/* A copy to judge at the end: it has no chains. */
ka_status ka_legs_copy(const ka_legs *legs, const ka_allocator *allocator, ka_legs *out);

/* A blank leg with a serial of its own; `matter`: some leg is one of a proxy's, so that the ring is to grow
 * before it forgets what happened within the last seconds; `keep`: before it forgets anything. NULL: memory
 * ran out. */
ka_leg *ka_legs_add(ka_legs *legs, const ka_allocator *allocator, int64_t now_ns, bool matter, bool keep);
/* NULL: there is none, or it is forgotten. */
ka_leg *ka_legs_find(const ka_legs *legs, uint32_t serial);
/* Puts it on the chains; its likeness must be set. */
void ka_legs_wait(ka_legs *legs, ka_leg *leg);
/* Takes it off. */
void ka_legs_answered(ka_legs *legs, ka_leg *leg);
/* The newest waiting one with that hash, or another that fell into the same chain; goes on with
 * leg->older[by]. */
ka_leg *ka_legs_alike(const ka_legs *legs, unsigned by, uint64_t hash);
uint64_t ka_leg_hash(const ka_leg *leg, unsigned by);
/* What ka_leg_hash is of a leg with that key, or id, at that server. */
uint64_t ka_likeness_at(uint64_t hash, const ka_address *server);

/* A failure that is to be told at the end, or may become one. */
bool ka_leg_matters(const ka_leg *leg);

/* Of method and path, see ka_likeness; never 0. */
uint64_t ka_likeness_key(const ka_message *request);
/* What a request's first line and fields make it look like. */
void ka_likeness_of(const ka_message *request, ka_likeness *out);
ka_hop_fields ka_hop_fields_of(const ka_message *message);

#endif
