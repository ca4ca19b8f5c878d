/* endpoint.h - the ledgers of one server: what only many connections show.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A server gets an endpoint with its first HTTP message or TLS record, so that a scan of a whole network
 * costs nothing.
 */
#ifndef KA_ENDPOINT_H
#define KA_ENDPOINT_H

#include "client.h"
#include "connection.h"
#include "eviction.h"
#include "growth.h"
#include "histogram.h"
#include "keptalive.h"
#include "site.h"
#include "usage.h"

/* Beyond so many servers the statistics of further ones are left out: a capture of a proxy's clients has a
 * few, one of a crawler's traffic some ten thousand. An endpoint has 2.4 kB, and with the buckets of its
 * histograms 4 to 6 kB, 110 kB at most, as all of them are limited; once it has closed an idle connection, 4
 * kB more, and an early one, 2 kB. Where it has several sites, each has 0.6 kB, and 35 kB at most. */
enum { KA_ENDPOINTS_MAX = 65536 };
/* Closes within the mass-close window; more at once only makes the event surer. */
enum { KA_RECENT_CLOSES = 64 };
/* Events of one server that are told apart; a server that restarts more often has them joined. */
enum { KA_MASS_EVENTS_MAX = 32 };
enum { KA_ENDPOINT_NAME_BYTES = KA_SERVER_NAME_BYTES_MAX + 1 };

typedef struct ka_recent_close {
    ka_moment at;
    int64_t idle_ns;
} ka_recent_close;

/* Connections of different age that were closed at one moment. */
typedef struct ka_mass_event {
    ka_moment from;
    ka_moment to;
    ka_moment decided; /* the close that made it one */
    int64_t idle_min_ns;
    int64_t idle_max_ns;
    uint32_t count;
    uint32_t open; /* connections open when it began */
} ka_mass_event;

typedef struct ka_mass_watch {
    ka_recent_close recent[KA_RECENT_CLOSES]; /* a ring: `next` is the oldest when full */
    ka_mass_event events[KA_MASS_EVENTS_MAX];
    uint32_t next;
    uint32_t event_count;
} ka_mass_watch;

/* The client that seems to take seconds for milliseconds, of all clients of one server. */
typedef struct ka_unit_watch {
    uint8_t ip[16];
    uint32_t count; /* connections in a row; 0: nobody */
    bool reused;    /* one of them carried more than one request */
} ka_unit_watch;

/* Connections that the server ended by saying close, unasked. */
typedef struct ka_endings_seen {
    uint32_t count;
    uint32_t ordinal;    /* the largest request number at which it did */
    uint32_t at_ordinal; /* how often it did there */
    uint32_t served_max; /* the largest request number of any connection that it answered */
    int64_t age_min_ns;  /* since the SYN */
    int64_t age_max_ns;
    int64_t kept_age_ns;          /* the largest age at which it answered without close */
    int64_t at_ordinal_opened_ns; /* of the connections that ended there, when the latest was opened */
    ka_span at_ordinal_at;
    ka_span at;
} ka_endings_seen;

/* GOAWAYs of the server with the answer to a request: at a limit they name the same stream. */
typedef struct ka_goaways {
    ka_moment at; /* the one that made it a limit */
    uint32_t last_stream;
    uint32_t count;
    bool mixed; /* they name different ones */
} ka_goaways;

typedef struct ka_endpoint {
    ka_address server;
    uint32_t index;
    uint32_t site; /* ka_site_hash of the first Host; 0: none yet. The name may be a TLS hello's */
    char name[KA_ENDPOINT_NAME_BYTES];
    uint8_t name_bytes;
    uint32_t name_hash;        /* ka_site_hash of it */
    bool mixed;                /* `idling` has samples of connections without a site */
    uint64_t site_connections; /* judged ones that began with that Host */
    uint64_t site_requests;    /* on those */
    uint64_t connections;
    uint64_t requests;
    uint64_t responses;
    uint64_t open;
    uint64_t concurrency_max;
    uint64_t open_at_end;
    uint64_t unannounced;
    int64_t heard_ns;    /* newest answer on any connection; KA_NONE */
    int64_t given_up_ns; /* the newest wait after which a client that knew no timeout gave up; 0: none */
    int64_t timeout_s;
    int64_t max;
    ka_max_style max_style;
    ka_unit_watch unit;
    ka_goaways goaways;
    ka_histogram idle_by_server;
    ka_histogram idle_by_client;
    ka_histogram request_counts;
    ka_idling idling; /* of its only site; with several, of connections that belong to none of them */
    ka_usage usage;   /* likewise its gaps */
    ka_sites *sites;  /* from the second one on */
    uint64_t named_connections; /* judged ones of the first site, while it is the only one */
    uint64_t named_requests;
    ka_mass_watch *watch;    /* from the first close by the server on */
    ka_evictions *evictions; /* from its first early one on */
    uint32_t first_client;   /* index + 1 in the table of clients; 0: none */
    uint32_t last_client;
    uint32_t doubtful;       /* judged connections of which the capture missed something */
    uint32_t left_idle;      /* open ones opened in the capture, and not used for a quarter of its time */
    uint32_t tunnels;        /* judged ones that are meant to stay */
    uint32_t doubts;         /* the failed gates of the doubtful */
    int64_t newest_syn_ns;   /* of a connection with a request; KA_NONE */
    int64_t newest_close_ns; /* by the server, idle, and not together with another; KA_NONE */
    ka_endings_seen endings;
    ka_growth growth;
    ka_span opened_at; /* SYNs of connections with a request */
    ka_span active;    /* first requests, and last segments of judged connections */
} ka_endpoint;

typedef struct ka_endpoints {
    const ka_allocator *allocator;
    ka_endpoint **at; /* in order of appearance */
    uint32_t count;
    uint32_t room;
    uint32_t *slots; /* hash table of index + 1; 0: free */
    uint32_t slot_count;
    uint64_t left_out; /* connections of servers beyond the limit */
    uint64_t unlearnt; /* observations for which there was no memory */
    bool limited;      /* memory has a limit of its own: what does not fit is left out */
    uint64_t seed;
    ka_clients clients;
} ka_endpoints;

/* `seed` of the hash tables: any; secret where captures may be made to collide. */
void ka_endpoints_init(ka_endpoints *endpoints, const ka_allocator *allocator, uint64_t seed);
void ka_endpoints_fini(ka_endpoints *endpoints);
/* A copy whose endpoints have the same indexes, in memory of that allocator; *out is initialised by it. */
ka_status ka_endpoints_copy(const ka_endpoints *endpoints, const ka_allocator *allocator, ka_endpoints *out);

/* The status of learning something: where memory is limited, KA_NO_MEMORY means only that one observation is
 * missing. Counts it, and it is KA_OK. */
ka_status ka_endpoints_spare(ka_endpoints *endpoints, ka_status status);

/* NULL in *out when there is none; with `create` one is made, unless the limit is reached. */
ka_status ka_endpoints_find(ka_endpoints *endpoints, const ka_address *server, bool create,
                            ka_endpoint **out);

/* The number of the client's ledger at that site of the server (see client.h), made if there was none: from
 * 1, index + 1 in the table of clients, also of a copy; 0: their limit is reached. */
ka_status ka_endpoints_client(ka_endpoints *endpoints, ka_endpoint *endpoint, const ka_address *client,
                              uint32_t site, uint32_t *number);

void ka_endpoint_opened(ka_endpoint *endpoint);
void ka_endpoint_closed(ka_endpoint *endpoint);
void ka_endpoint_heard(ka_endpoint *endpoint, int64_t now_ns);
/* By the Host of a connection's first request, or the server name of its TLS hello: the first one stands. */
void ka_endpoint_named(ka_endpoint *endpoint, ka_slice name);
/* endpoint_sites.c: the number of the site of that name, made if there was none: from 1, the same in a copy;
 * 0: there are too many, or it has no name. The server is named by then. */
ka_status ka_endpoint_site(ka_endpoint *endpoint, const ka_allocator *allocator, ka_slice name,
                           uint8_t *number);
/* Whether a request for that Host is for that site. */
bool ka_endpoint_is_site(const ka_endpoint *endpoint, unsigned site, ka_slice host);
/* Where samples of a connection of that site go; 0: it belongs to none. */
ka_idling *ka_endpoint_idling(ka_endpoint *endpoint, unsigned site);
/* A request came on an idle connection: the gap as the server saw it. */
ka_status ka_endpoint_gap(ka_endpoint *endpoint, unsigned site, int64_t idle_ns);
/* A connection of that site was judged. */
void ka_endpoint_site_add(ka_endpoint *endpoint, unsigned site, const ka_record *record);
/* What the sites show is the server's, too, from here on: once, before it is told of. */
ka_status ka_endpoint_join_sites(ka_endpoint *endpoint);
/* A connection's first request was for that Host, which is a name, too. */
void ka_endpoint_asked(ka_endpoint *endpoint, ka_slice host, uint32_t site);
/* `site`: the number of the connection's; 0: it has none. */
void ka_endpoint_advertised(ka_endpoint *endpoint, unsigned site, const ka_header *header);

/* The server closed an idle connection, unannounced: one of many? */
ka_status ka_endpoint_idle_close(ka_endpoint *endpoint, const ka_allocator *allocator,
                                 const ka_thresholds *limits, ka_moment at, int64_t idle_ns);
bool ka_endpoint_mass_closed(const ka_endpoint *endpoint, ka_moment at);

/* How often in a row this client closed after T milliseconds; NULL: it did not. */
const ka_unit_watch *ka_endpoint_by_unit(const ka_endpoint *endpoint, const ka_address *client);
/* It did again, on a connection it had `reused`, or did otherwise. */
void ka_endpoint_unit_seen(ka_endpoint *endpoint, const ka_address *client, bool again, bool reused);
/* The server's GOAWAY on a connection that was judged. */
void ka_endpoint_goaway(ka_endpoint *endpoint, const ka_thresholds *limits, const ka_h2_goaway *goaway);

/* Adds a judged connection to the statistics. */
ka_status ka_endpoint_add(ka_endpoint *endpoint, const ka_record *record, bool open, bool own_close);
/* learn.c: what only such a view shows of the server and of the client (NULL: it has no ledger). */
ka_status ka_endpoint_learn(ka_endpoint *endpoint, ka_client *client, const ka_view *view);
/* The idle gap before a request that was answered: the view is of then. */
ka_status ka_endpoint_reused(ka_endpoint *endpoint, ka_client *client, const ka_view *view,
                             const ka_request *request);
/* endpoint_told.c: everything that can be told of the server by `now`. */
void ka_endpoint_record_of(const ka_endpoint *endpoint, const ka_clients *clients,
                           const ka_thresholds *limits, ka_moment now, ka_endpoint_record *out);
/* site_told.c: adds its sites to that record, which from then on points to `room`. */
void ka_endpoint_sites_of(const ka_endpoint *endpoint, const ka_thresholds *limits,
                          ka_site_record room[KA_SITES_MAX], ka_endpoint_record *out);
/* The mass-close finding of one event. */
void ka_endpoint_mass_finding(const ka_endpoint *endpoint, const ka_mass_event *event, ka_finding *out);

#endif
