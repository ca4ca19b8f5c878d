/* site.h - the sites of one server: names its clients ask for, each perhaps with timers of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A connection belongs to the site it began with: the Host of its first request, where that asks an origin,
 * or the server name of its TLS hello; and to none from its first request for another one on. A request to a
 * forward proxy asks the proxy, whatever its Host.
 */
#ifndef KA_SITE_H
#define KA_SITE_H

#include "client.h"
#include "keptalive.h"
#include "lasting.h"

/* Sites with ledgers of their own, those that come first: a server of some virtual hosts has a few, one that
 * takes any name (or a scanner's guesses) has no end of them, and looking a name up goes through all. What
 * connections of further ones show counts for the server alone. */
enum { KA_SITES_MAX = KA_SITE_RECORDS_MAX };

/* Different timeouts advertised whose closes are told apart; backends behind one name may differ. The closes
 * of further ones are compared with no others. */
enum { KA_TIMERS_MAX = 4 };

/* How long connections were idle when the server closed them, after one advertised timeout. */
typedef struct ka_timer {
    int64_t timeout_s;
    ka_histogram idle;
    uint32_t moments;        /* of these closes, so many were not together with another one at that site */
    uint32_t server_moments; /* and so many with none at any site of the server */
    ka_span at;
} ka_timer;

/* What idle periods show of timers. */
typedef struct ka_idling {
    ka_lasting by_server; /* for the server's timer */
    ka_lasting by_client; /* and for its clients' */
    ka_timer *timers;     /* KA_TIMERS_MAX, from the first close behind an advertised timeout on */
    uint32_t timer_count;
    int64_t longest_hold_ns; /* by a client; KA_NONE */
} ka_idling;

void ka_idling_init(ka_idling *idling, const ka_allocator *allocator);
void ka_idling_fini(ka_idling *idling);
/* As if everything added to `from` had been added to `into`. */
ka_status ka_idling_merge(ka_idling *into, const ka_idling *from);
/* A client kept a connection idle for so long. */
void ka_idling_held(ka_idling *idling, int64_t idle_ns);
/* NULL in *out: there are too many. */
ka_status ka_idling_timer(ka_idling *idling, int64_t timeout_s, ka_timer **out);

typedef struct ka_site {
    uint32_t hash;
    uint8_t name_bytes;
    char name[KA_SERVER_NAME_BYTES_MAX + 1];
    uint64_t connections; /* judged ones */
    uint64_t requests;    /* on those */
    int64_t timeout_s;    /* advertised most recently; KA_NONE */
    int64_t max;          /* largest advertised; KA_NONE */
    ka_max_style max_style;
    int64_t newest_close_ns; /* as ka_endpoint's */
    ka_idling idling;
    ka_histogram gaps; /* idle time before a request, lost or not, as the server saw it */
} ka_site;

typedef struct ka_sites {
    ka_site *at[KA_SITES_MAX]; /* in order of appearance */
    uint32_t count;
} ka_sites;

/* Of a name as told: in any case, with or without a port. Of long names the part that is kept counts. */
uint32_t ka_site_hash(ka_slice name);

/* NULL: there is no memory. */
ka_site *ka_site_new(const ka_allocator *allocator, uint32_t hash, ka_slice name);
void ka_sites_free(ka_sites *sites, const ka_allocator *allocator);
/* NULL stays NULL. */
ka_status ka_sites_copy(const ka_sites *sites, const ka_allocator *allocator, ka_sites **out);
/* The number of that site, from 1; 0: it has none. */
unsigned ka_sites_find(const ka_sites *sites, uint32_t hash);

#endif
