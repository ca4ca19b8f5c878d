/* client.h - what one client does at one site of a server, over all its connections there; and the table of
 * such clients.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A ledger exists from the client's first HTTP request to that site on. A site is what the first request of a
 * connection names as Host: clients keep a pool for each, and a connection of one is no use for another.
 * Several clients behind one address are one: nothing in a capture tells them apart.
 */
#ifndef KA_CLIENT_H
#define KA_CLIENT_H

#include "keptalive.h"
#include "lasting.h"
#include "retry.h"

/* Ledgers: a proxy's upstreams have a few, a public server tens of thousands of clients, of which those that
 * matter come early and often. 328 bytes each: 21 MB, and for those that close idle connections 0.4 to 17 kB
 * more. Connections of further ones are judged, but not counted here; ka_audit_clients_left_out tells how
 * many. */
enum { KA_CLIENTS_MAX = 65536 };

/* The first and the last of some events, by frame: the same in whichever order they are told. */
typedef struct ka_span {
    ka_moment first; /* frame 0: none yet */
    ka_moment last;
} ka_span;

void ka_span_add(ka_span *span, ka_moment at);

/* The newest openings. Where a client opens more while one connection lies idle, the newer ones serve as
 * well. */
enum { KA_OPENINGS_KEPT = 16 };

/* Without padding: compared as bytes. */
typedef struct ka_client_key {
    uint8_t ip[16];
    uint32_t version;
    uint32_t endpoint; /* index of the server */
    uint32_t site;     /* ka_site_hash of Host */
} ka_client_key;

typedef struct ka_client {
    ka_client_key key;
    uint32_t next;       /* index + 1 of the server's next one; 0: this is its newest */
    int64_t released_ns; /* when it last gave up a connection it had used; KA_NONE */
    uint32_t opened;     /* connections with a request whose SYN was captured */
    uint32_t matched;    /* the number of the newest that stands for one left behind */
    int64_t
        openings_ns[KA_OPENINGS_KEPT]; /* the SYN of connection number n (from 1) at n % KA_OPENINGS_KEPT */
    uint32_t connections;              /* judged ones with a request */
    uint64_t requests;                 /* on those */
    uint32_t undecided; /* of those: left idle to the server, but no other was opened meanwhile */
    uint32_t abandoned;
    uint32_t churned;
    ka_span abandoned_at;
    ka_span churned_at;
    ka_patience patience;
    ka_retries *retries;     /* from the first request on that is worth it */
    int64_t longest_hold_ns; /* the longest it kept a connection idle; KA_NONE */
    ka_lasting *own;         /* idle periods, for its timer: from its first idle close on */
} ka_client;

typedef struct ka_clients {
    ka_client *at; /* in order of appearance; moves when it grows */
    uint32_t count;
    uint32_t room;
    uint32_t *slots; /* hash table of index + 1; 0: free */
    uint32_t slot_count;
    uint64_t seed;
    uint64_t left_out; /* connections of pairs beyond the limit */
} ka_clients;

void ka_client_opened(ka_client *client, int64_t syn_ns);
/* While a connection lay idle from that time on the client opened another, which stands for no other one yet.
 * So of a burst of connections no more are left behind than were opened in their place. */
bool ka_client_opened_instead(ka_client *client, int64_t idle_ns);

/* It closed a connection idle for so long; it kept one idle for so long and did something else. */
ka_status ka_client_closed_idle(ka_client *client, const ka_allocator *allocator, int64_t idle_ns);
ka_status ka_client_held(ka_client *client, int64_t least_ns, int64_t idle_ns);

void ka_clients_fini(ka_clients *clients, const ka_allocator *allocator);
/* A copy with the same indexes, for what connections add at the end; it has no retries. */
ka_status ka_clients_copy(const ka_clients *clients, const ka_allocator *allocator, ka_clients *out);
/* NULL: there is none. Valid until the next is added. */
ka_client *ka_clients_find(const ka_clients *clients, const ka_client_key *key);
/* Adds one that is not there yet; NULL in *out when the limit is reached. */
ka_status ka_clients_add(ka_clients *clients, const ka_allocator *allocator, const ka_client_key *key,
                         ka_client **out);

#endif
