/* route.h - one way through a proxy: where its clients connect, and which server it sends their requests to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What only many requests and connections that went this way show.
 */
#ifndef KA_ROUTE_H
#define KA_ROUTE_H

#include "leg.h"

/* Proxies in one capture times their servers; pairs of further ones have no route, and what needs one is not
 * judged for them. 3.2 MB. */
enum { KA_ROUTES_MAX = 8192 };

/* How Keep-Alive in responses came through. */
typedef struct ka_route_fields {
    uint32_t value; /* hash of the newest that was the same on both sides; 0: none was */
    bool varied;    /* another one had been */
    bool without;   /* a response without it came out without it */
    bool own;       /* one came out with it, and had not come in so: the proxy's word, not the server's */
} ka_route_fields;

/* Idle connections to the server, by who closed them. */
typedef struct ka_route_idle {
    uint32_t by_server, by_proxy;
    int64_t server_min_ns, server_max_ns; /* how long they were idle */
    int64_t proxy_min_ns;
    ka_moment first, last; /* of the server's closes */
} ka_route_idle;

/* Sites of the server whose idle connections are told apart, by number; 0 has those of all others, and of
 * none.
 */
enum { KA_ROUTE_SITES = 4 };

/* Its pairs of connections, once all is known: those that end together, one for one, and others. */
typedef struct ka_route_coupling {
    uint32_t coupled, others;
    ka_moment first, last; /* closes upstream of the coupled */
} ka_route_coupling;

/* Connections to the server, once all is known, but for what orphans left (orphan.h). */
typedef struct ka_route_keeping {
    int64_t opened_ns;  /* the newest SYN */
    int64_t longest_ns; /* that one lay idle, whatever came then */
    uint32_t reused;    /* that carried several requests */
    uint32_t left;      /* by orphans, and not used again */
} ka_route_keeping;

typedef struct ka_route {
    ka_address in;    /* the proxy, where its clients connect */
    ka_address out;   /* the server */
    ka_address from;  /* the proxy, where it connects from; the port means nothing */
    uint32_t way_out; /* number of the first from that proxy to that server: they share a pool */
    ka_route_fields fields;
    ka_route_idle idle[KA_ROUTE_SITES];
    ka_route_coupling coupling;
    ka_route_keeping keeping; /* of the first way out */
} ka_route;

typedef struct ka_routes {
    ka_route *at; /* in order of appearance */
    uint32_t count;
    uint32_t room;
    uint32_t *slots; /* hash table of numbers, twice the room; 0: free */
} ka_routes;

void ka_routes_fini(ka_routes *routes, const ka_allocator *allocator);
ka_status ka_routes_copy(const ka_routes *routes, const ka_allocator *allocator, ka_routes *out);
/* Its number, from 1; 0 in *out: there are too many. */
ka_status ka_routes_find(ka_routes *routes, const ka_allocator *allocator, const ka_address *in,
                         const ka_address *from, const ka_address *out, uint32_t *number);
/* The proxy answered by itself, with that Keep-Alive. */
void ka_routes_own_answer(ka_routes *routes, const ka_leg *downstream);

/* A response came in and went out. */
void ka_route_answer(ka_route *route, const ka_leg *downstream, const ka_leg *upstream);
/* A connection to the server was closed idle, by its timer or the proxy's. */
void ka_route_idle_close(ka_route *route, unsigned site, bool by_server, ka_moment at, int64_t idle_ns);
/* Of all routes from that proxy to that server: of that site, below KA_ROUTE_SITES; of all together. */
ka_route_idle ka_routes_idle_at(const ka_routes *routes, const ka_route *like, unsigned site);
ka_route_idle ka_routes_idle(const ka_routes *routes, const ka_route *like);
/* It is the first of those. */
bool ka_routes_is_first(const ka_routes *routes, const ka_route *route);
/* Of all routes that share the way out with that number's. */
ka_route_keeping *ka_routes_keeping(const ka_routes *routes, uint32_t number);
/* The proxy hands Keep-Alive on: its own would not be the same each time. */
bool ka_route_forwards(const ka_route *route);

#endif
