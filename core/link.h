/* link.h - which request a proxy sent on for which one it had got.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A request is linked when it comes, to one that still waits for its answer: by its request id or trace id
 * where both carry the same, else by method, path, length of the body and time. When the proxy has answered,
 * the answers show whether it was right: one forwarded was answered before it. Several may be sent for one:
 * retries.
 */
#ifndef KA_LINK_H
#define KA_LINK_H

#include "leg.h"
#include "pair.h"
#include "peer.h"

/* How a connection ended whose pairs may be found late. */
typedef struct ka_life_row {
    uint32_t stream;
    ka_pair_life life;
} ka_life_row;

/* Of so many connections, where there are several clocks; further ones are in no pair's statistics. 2 MB. */
enum { KA_LIVES_MAX = 16384 };

typedef struct ka_lives {
    ka_life_row *at;
    uint32_t count, room;
} ka_lives;

typedef struct ka_links {
    const ka_allocator *allocator;
    const ka_sink *sink; /* is told links; NULL: nobody */
    ka_legs legs;
    ka_pairs pairs;
    ka_routes routes;
    ka_lives lives;
    ka_peers peers;
    bool proxied;  /* some request went through a proxy */
    bool several;  /* inputs or interfaces, perhaps with clocks of their own: more is remembered, for replay.c
                    */
    bool ids_pass; /* and kept its id on the way */
    int64_t usual_ns; /* how long requests stay in the proxy */
} ka_links;

void ka_links_init(ka_links *links, const ka_allocator *allocator, uint64_t seed);
void ka_links_fini(ka_links *links);
/* A copy to judge at the end. */
ka_status ka_links_copy(const ka_links *links, ka_links *out);

/* A request, filled in; it waits from now on. */
void ka_links_request(ka_links *links, ka_leg *leg);
/* It has its answer, filled in. */
ka_status ka_links_answered(ka_links *links, ka_leg *leg);
/* Its connection was closed, and it has no answer. */
ka_status ka_links_closed(ka_links *links, ka_leg *leg);
/* A connection was judged. */
ka_status ka_links_ended(ka_links *links, uint32_t stream, const ka_pair_life *life);
/* For replay.c: all that was not sure is open again. */
void ka_links_forget_guesses(ka_links *links);
/* And what its pairs' connections were like is told to them. */
void ka_links_tell_lives(ka_links *links);
/* The capture is over: what still waits belongs to its pairs, too. */
ka_status ka_links_end(ka_links *links);
/* And how their connections end together is told to their routes; `apart_ns`: beside round trips. */
void ka_links_couple(ka_links *links, int64_t apart_ns);

/* The leg was sent on, and the proxy is known. */
bool ka_links_is_proxied(const ka_links *links, const ka_leg *downstream);

#endif
