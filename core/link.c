/* link.c - which request a proxy sent on for which one it had got.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "link.h"

#include <string.h>

/* How far a capture may swap packets of two interfaces of one host. */
#define SWAPPED_NS KA_MILLISECOND_NS
/* A proxy that is slower to send a request on has queued it; linked all the same where it has an id. */
#define FORWARD_NS (2 * KA_SECOND_NS)
/* An attempt without an answer for so long may have been given up for another one. */
#define ATTEMPT_NS KA_SECOND_NS

/* Of those that wait and look alike so many are compared: more only where they cannot be told apart anyway. */
enum { COMPARED_AT_FIRST = 16, COMPARED_MAX = 64 };

void ka_links_init(ka_links *ls, const ka_allocator *allocator, uint64_t seed)
{
    memset(ls, 0, sizeof *ls);
    ls->allocator = allocator;
    ls->legs.seed = seed;
}

void ka_links_fini(ka_links *ls)
{
    ka_legs_fini(&ls->legs, ls->allocator);
    ka_pairs_fini(&ls->pairs, ls->allocator);
}

ka_status ka_links_copy(const ka_links *ls, ka_links *out)
{
    ka_links copy = *ls;
    if (ka_legs_copy(&ls->legs, ls->allocator, &copy.legs) != KA_OK)
        return KA_NO_MEMORY;
    if (ka_pairs_copy(&ls->pairs, ls->allocator, &copy.pairs) != KA_OK) {
        ka_legs_fini(&copy.legs, ls->allocator);
        return KA_NO_MEMORY;
    }
    *out = copy;
    return KA_OK;
}

/* ---- Fitting ---- */

static bool same_server(const ka_leg *a, const ka_leg *b)
{
    return a->server.port == b->server.port && ka_same_ip(&a->server, &b->server);
}

/* The upstream leg's client can be the downstream leg's server. A client that asks two servers itself is no proxy. */
static bool places_fit(const ka_leg *d, const ka_leg *u)
{
    if (d->stream == u->stream || same_server(d, u))
        return false;
    return ka_same_ip(&d->server, &u->client) || !ka_same_ip(&d->client, &u->client);
}

static bool times_fit(const ka_leg *d, const ka_leg *u, bool by_id)
{
    int64_t at_ns = u->request.time_ns;
    if (at_ns < d->request.time_ns - SWAPPED_NS || (!by_id && at_ns > d->request_end.time_ns + FORWARD_NS))
        return false;
    return d->closed.frame == 0 || d->closed.time_ns >= at_ns;
}

static bool lengths_fit(const ka_leg *d, const ka_leg *u)
{
    return !d->like.has_length || !u->like.has_length || d->like.body_bytes == u->like.body_bytes;
}

/* The newest attempt failed before this one began, or may have been given up. */
static bool is_free(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    const ka_leg *last = ka_legs_find(&ls->legs, d->attempt);
    if (d->attempts == 0 || last == NULL)
        return true;
    if (last->status != 0)
        return last->status >= 500;
    bool failed = last->closed.frame != 0 && last->closed.time_ns <= u->request.time_ns + SWAPPED_NS;
    return failed || u->request.time_ns - last->request.time_ns >= ATTEMPT_NS;
}

/* Both carry an id, but not the same: it is another request, where the proxy is known to keep them. */
static bool ids_differ(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    return ls->ids_pass && d->like.id != 0 && u->like.id != 0 && d->like.by_trace == u->like.by_trace &&
           d->like.id != u->like.id;
}

static bool fits(const ka_links *ls, const ka_leg *d, const ka_leg *u, unsigned by)
{
    if (by == KA_BY_ID ? d->like.id != u->like.id : d->like.key != u->like.key)
        return false;
    return places_fit(d, u) && times_fit(d, u, by == KA_BY_ID) && lengths_fit(d, u) && is_free(ls, d, u) &&
           (by == KA_BY_ID || !ids_differ(ls, d, u));
}

/* Proxies known to be one before guesses, then those that ask for the same Host. */
static int rank(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    return 2 * ka_peers_same(&ls->peers, &d->server, &u->client) + (d->like.host == u->like.host);
}

/* Of those that fit equally well the oldest: requests leave a proxy in the order in which they came. */
static ka_leg *choose(const ka_links *ls, const ka_leg *u, unsigned by, bool *ambiguous)
{
    ka_leg *best = NULL;
    unsigned steps = ls->proxied ? COMPARED_MAX : COMPARED_AT_FIRST;
    for (ka_leg *d = ka_legs_alike(&ls->legs, &u->like, by); d != NULL && steps > 0; steps--) {
        if (fits(ls, d, u, by)) {
            int better = best != NULL ? rank(ls, d, u) - rank(ls, best, u) : 1;
            *ambiguous = better == 0 || (*ambiguous && better < 0);
            if (better >= 0)
                best = d;
        }
        d = ka_legs_find(&ls->legs, d->older[by]);
    }
    return best;
}

void ka_links_request(ka_links *ls, ka_leg *u)
{
    bool ambiguous = false, by_id = true;
    ka_leg *d = choose(ls, u, KA_BY_ID, &ambiguous);
    if (d == NULL) {
        by_id = ambiguous = false;
        d = choose(ls, u, KA_BY_KEY, &ambiguous);
    }
    ka_legs_wait(&ls->legs, u);
    if (d == NULL)
        return;
    u->downstream = d->serial;
    u->by_id = by_id;
    u->ambiguous = ambiguous;
    u->attempt_before = d->attempt;
    d->attempt = u->serial;
    d->attempts++;
}

/* ---- Being right ---- */

static ka_leg *attempt_before(const ka_links *ls, const ka_leg *u)
{
    return ka_legs_find(&ls->legs, u->attempt_before);
}

static bool was_answered(const ka_links *ls, const ka_leg *d)
{
    for (const ka_leg *u = ka_legs_find(&ls->legs, d->attempt); u != NULL; u = attempt_before(ls, u)) {
        if (u->status != 0 && u->response.time_ns <= d->response.time_ns + SWAPPED_NS)
            return true;
    }
    return false;
}

static void undo(ka_links *ls, ka_leg *d)
{
    for (ka_leg *u = ka_legs_find(&ls->legs, d->attempt), *before; u != NULL; u = before) {
        before = attempt_before(ls, u);
        u->downstream = u->attempt_before = 0;
    }
    d->attempt = d->attempts = 0;
}

static ka_status count(ka_links *ls, ka_leg *d)
{
    d->counted = true;
    ls->proxied = true;
    for (const ka_leg *u = ka_legs_find(&ls->legs, d->attempt); u != NULL; u = attempt_before(ls, u)) {
        ls->ids_pass = ls->ids_pass || u->by_id;
        if (ka_pairs_add(&ls->pairs, ls->allocator, d, u) != KA_OK)
            return KA_NO_MEMORY;
    }
    return KA_OK;
}

bool ka_links_is_proxied(const ka_links *ls, const ka_leg *d)
{
    const ka_leg *u = d->serial != 0 && d->attempts > 0 ? ka_legs_find(&ls->legs, d->attempt) : NULL;
    return u != NULL && ka_peers_same(&ls->peers, &d->server, &u->client);
}

/* A proxy has become known: what went through it before counts, too. */
static ka_status count_all(ka_links *ls, bool waiting)
{
    ka_status status = KA_OK;
    for (uint32_t i = 1; i <= ls->legs.room && status == KA_OK; i++) {
        ka_leg *d = &ls->legs.ring[(ls->legs.serial + i) & (ls->legs.room - 1)];
        bool over = d->status != 0 || d->closed.frame != 0;
        if (!d->counted && (over || waiting) && ka_links_is_proxied(ls, d))
            status = count(ls, d);
    }
    return status;
}

static ka_status vote(ka_links *ls, const ka_leg *d, const ka_leg *u, bool right)
{
    enum { BY_ID_WEIGHT = 3 }; /* nobody makes up the same id by chance */
    uint32_t weight = u->by_id && !u->like.by_trace ? BY_ID_WEIGHT : 1;
    return ka_peers_vote(&ls->peers, &d->server, &u->client, right, weight) ? count_all(ls, false) : KA_OK;
}

static ka_status settle(ka_links *ls, ka_leg *d)
{
    const ka_leg *u = ka_legs_find(&ls->legs, d->attempt);
    if (d->attempts == 0 || u == NULL || d->counted)
        return KA_OK;
    bool right = d->status != 0 && was_answered(ls, d);
    if (!right && d->status != 0 && d->status < 500) { /* from where, if not from there? */
        ka_status status = vote(ls, d, u, false);
        undo(ls, d);
        return status;
    }
    if (ka_peers_same(&ls->peers, &d->server, &u->client))
        return count(ls, d);
    return right ? vote(ls, d, u, true) : KA_OK;
}

ka_status ka_links_answered(ka_links *ls, ka_leg *leg)
{
    ka_legs_answered(&ls->legs, leg);
    return settle(ls, leg);
}

ka_status ka_links_closed(ka_links *ls, ka_leg *leg)
{
    return settle(ls, leg);
}

ka_status ka_links_end(ka_links *ls)
{
    return count_all(ls, true);
}
