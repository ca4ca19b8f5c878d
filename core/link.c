/* link.c - which request a proxy sent on for which one it had got.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "link.h"

#include <string.h>

#include "memory.h"

/* How far a capture may swap packets of two interfaces of one host. */
#define SWAPPED_NS KA_MILLISECOND_NS
/* A proxy that is slower to send a request on has queued it; linked all the same where it has an id. */
#define FORWARD_NS (2 * KA_SECOND_NS)
/* Until it is known how long a proxy takes: a connection to its server, and some work. */
#define USUAL_NS (20 * KA_MILLISECOND_NS)
/* An attempt without an answer for so long may have been given up for another one. */
#define ATTEMPT_NS KA_SECOND_NS

/* Of those that wait and look alike so many are compared: where there are more they cannot be told apart
 * anyway. Of those at any server fewer: to find that it is a proxy, some of its requests are enough. */
enum { COMPARED_MAX = 64, GUESSES_COMPARED = 16 };

typedef struct choice {
    ka_leg *best; /* NULL: none fits */
    bool ambiguous;
} choice;

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
    ka_routes_fini(&ls->routes, ls->allocator);
    ka_hosts_fini(&ls->servers, ls->allocator);
    ka_memory_give(ls->allocator, ls->lives.at);
    ls->lives = (ka_lives){NULL, 0, 0};
}

static ka_status copy_lives(const ka_lives *lives, const ka_allocator *allocator, ka_lives *out)
{
    ka_lives copy = *lives;
    if (lives->room > 0 && (copy.at = ka_memory_take(allocator, lives->room * sizeof *copy.at)) == NULL)
        return KA_NO_MEMORY;
    if (lives->count > 0)
        memcpy(copy.at, lives->at, lives->count * sizeof *copy.at);
    *out = copy;
    return KA_OK;
}

ka_status ka_links_copy(const ka_links *ls, ka_links *out)
{
    ka_links copy = *ls;
    memset(&copy.legs, 0, sizeof copy.legs);
    memset(&copy.pairs, 0, sizeof copy.pairs);
    memset(&copy.routes, 0, sizeof copy.routes);
    memset(&copy.lives, 0, sizeof copy.lives);
    memset(&copy.servers, 0, sizeof copy.servers); /* no further request comes */
    if (ka_legs_copy(&ls->legs, ls->allocator, &copy.legs) != KA_OK ||
        ka_pairs_copy(&ls->pairs, ls->allocator, &copy.pairs) != KA_OK ||
        ka_routes_copy(&ls->routes, ls->allocator, &copy.routes) != KA_OK ||
        copy_lives(&ls->lives, ls->allocator, &copy.lives) != KA_OK) {
        ka_links_fini(&copy);
        return KA_NO_MEMORY;
    }
    *out = copy;
    return KA_OK;
}

/* ---- What to remember ---- */

/* Enough to find a proxy by its first requests. */
enum { WATCHED_REQUESTS = 65536 };
/* Of the others one in so many. */
enum { SAMPLED = 8 };

static bool is_certain(const ka_links *ls)
{
    return ls->proxied || ls->several || ls->meets || ls->peers.named;
}

static ka_status note_servers(ka_links *ls, const ka_endpoints *endpoints)
{
    while (ls->servers_added < endpoints->count) {
        const ka_address *server = &endpoints->at[ls->servers_added]->server;
        if (ka_hosts_add(&ls->servers, ls->allocator, ls->legs.seed, server) != KA_OK)
            return KA_NO_MEMORY;
        ls->servers_added++;
    }
    return KA_OK;
}

ka_status ka_links_watch(ka_links *ls, const ka_endpoints *endpoints, const ka_address *client,
                         const ka_message *request, bool *watched)
{
    if (!is_certain(ls)) {
        if (note_servers(ls, endpoints) != KA_OK)
            return KA_NO_MEMORY;
        ls->meets = ka_hosts_has(&ls->servers, ls->legs.seed, client);
    }
    *watched = is_certain(ls) || ls->requests < WATCHED_REQUESTS || ka_likeness_key(request) % SAMPLED == 0;
    ls->requests += ls->requests < WATCHED_REQUESTS ? 1 : 0;
    return KA_OK;
}

static ka_leg *attempt_before(const ka_links *ls, const ka_leg *u)
{
    return ka_legs_find(&ls->legs, u->attempt_before);
}

static void undo(ka_links *ls, ka_leg *d)
{
    for (ka_leg *u = ka_legs_find(&ls->legs, d->attempt), *before; u != NULL; u = before) {
        before = attempt_before(ls, u);
        u->downstream = u->attempt_before = 0;
    }
    d->attempt = d->attempts = 0;
}

/* ---- Fitting ---- */

static bool same_server(const ka_leg *a, const ka_leg *b)
{
    return a->server.port == b->server.port && ka_same_ip(&a->server, &b->server);
}

/* The upstream leg's client can be the downstream leg's server. A client that asks two servers itself is no
 * proxy. */
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

static bool is_same_proxy(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    return ka_peers_same(&ls->peers, &d->server, &u->client);
}

/* All that was thought to be sent for it went out from an address that may be another host's. */
static bool is_guess(const ka_links *ls, const ka_leg *d)
{
    const ka_leg *last = ka_legs_find(&ls->legs, d->attempt);
    return last != NULL && !is_same_proxy(ls, d, last);
}

/* The newest attempt failed before this one began, or may have been given up. */
static bool is_free(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    const ka_leg *last = ka_legs_find(&ls->legs, d->attempt);
    if (d->attempts == 0 || last == NULL)
        return true;
    if (!is_same_proxy(ls, d, u))
        return false; /* one guess is enough */
    if (is_guess(ls, d))
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

static bool fits(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    bool by_id = u->like.id != 0 && d->like.id == u->like.id;
    return places_fit(d, u) && times_fit(d, u, by_id) && lengths_fit(d, u) && is_free(ls, d, u) &&
           !ids_differ(ls, d, u);
}

/* Not later than this proxy usually is: one that waits for longer was not sent on. */
static bool is_usual(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    return u->request.time_ns - d->request_end.time_ns <= 2 * ls->usual_ns + USUAL_NS;
}

/* Proxies known to be one before guesses, then requests not sent on yet before failed ones, then those as old
 * as usual, then those that ask for the same Host. */
static int rank(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    return 8 * is_same_proxy(ls, d, u) + 4 * (d->attempts == 0 || is_guess(ls, d)) + 2 * is_usual(ls, d, u) +
           (d->like.host == u->like.host);
}

/* The best of those on one chain. Of those that fit equally well the oldest: requests leave a proxy in the
 * order in which they came. */
static void choose(const ka_links *ls, const ka_leg *u, unsigned by, uint64_t hash, choice *out)
{
    unsigned steps = by == KA_BY_EITHER ? GUESSES_COMPARED : COMPARED_MAX;
    for (ka_leg *d = ka_legs_alike(&ls->legs, by, hash); d != NULL && steps > 0; steps--) {
        if (ka_leg_hash(d, by) == hash && fits(ls, d, u)) {
            int better = out->best != NULL ? rank(ls, d, u) - rank(ls, out->best, u) : 1;
            out->ambiguous = better == 0 || (out->ambiguous && better < 0);
            if (better >= 0)
                out->best = d;
        }
        d = ka_legs_find(&ls->legs, d->older[by]);
    }
}

/* At the address it was sent from, or another one of the same proxy. */
static void choose_at_proxy(const ka_links *ls, const ka_leg *u, unsigned by, uint64_t hash, choice *out)
{
    choose(ls, u, by, ka_likeness_at(hash, &u->client), out);
    for (uint32_t i = 0; i < ls->peers.count; i++) {
        const ka_peer *peer = &ls->peers.at[i];
        if (peer->known && ka_same_ip(&peer->out, &u->client))
            choose(ls, u, by, ka_likeness_at(hash, &peer->in), out);
    }
}

static choice choose_anywhere(const ka_links *ls, const ka_leg *u)
{
    choice chosen = {NULL, false};
    bool has_id = u->like.id != 0;
    if (has_id)
        choose_at_proxy(ls, u, KA_BY_ID, u->like.id, &chosen);
    if (chosen.best == NULL)
        choose_at_proxy(ls, u, KA_BY_KEY, u->like.key, &chosen);
    if (chosen.best == NULL && has_id)
        choose(ls, u, KA_BY_EITHER, u->like.id, &chosen);
    if (chosen.best == NULL)
        choose(ls, u, KA_BY_EITHER, u->like.key, &chosen);
    return chosen;
}

void ka_links_request(ka_links *ls, ka_leg *u)
{
    choice chosen = choose_anywhere(ls, u);
    ka_legs_wait(&ls->legs, u);
    ka_leg *d = chosen.best;
    if (d == NULL)
        return;
    if (is_guess(ls, d) && is_same_proxy(ls, d, u))
        undo(ls, d);
    u->downstream = d->serial;
    u->by_id = u->like.id != 0 && u->like.id == d->like.id;
    u->ambiguous = chosen.ambiguous;
    u->attempt_before = d->attempt;
    d->attempt = u->serial;
    d->attempts++;
}

/* ---- Being right ---- */

static bool was_answered(const ka_links *ls, const ka_leg *d)
{
    for (const ka_leg *u = ka_legs_find(&ls->legs, d->attempt); u != NULL; u = attempt_before(ls, u)) {
        if (u->status != 0 && u->response.time_ns <= d->response.time_ns + SWAPPED_NS)
            return true;
    }
    return false;
}

/* The longest delay of late: halved now and then by shorter ones. */
static void note_delay(ka_links *ls, int64_t delay_ns)
{
    enum { WEIGHT = 16 };
    if (delay_ns > ls->usual_ns)
        ls->usual_ns = delay_ns;
    else
        ls->usual_ns -= (ls->usual_ns - delay_ns) / WEIGHT;
}

static void tell(const ka_links *ls, const ka_leg *d, const ka_leg *u)
{
    if (ls->sink != NULL && ls->sink->link != NULL)
        ls->sink->link(ls->sink->user, &(ka_link_record){d->request, u->request});
}

static ka_status count(ka_links *ls, ka_leg *d)
{
    d->counted = true;
    ls->proxied = true;
    for (const ka_leg *u = ka_legs_find(&ls->legs, d->attempt); u != NULL; u = attempt_before(ls, u)) {
        ls->ids_pass = ls->ids_pass || u->by_id;
        if (!u->ambiguous && u->attempt_before == 0)
            note_delay(ls, u->request.time_ns - d->request_end.time_ns);
        tell(ls, d, u);
        if (ka_pairs_add(&ls->pairs, &ls->routes, ls->allocator, d, u) != KA_OK)
            return KA_NO_MEMORY;
    }
    return KA_OK;
}

bool ka_links_is_proxied(const ka_links *ls, const ka_leg *d)
{
    const ka_leg *u = d->serial != 0 && d->attempts > 0 ? ka_legs_find(&ls->legs, d->attempt) : NULL;
    return u != NULL && is_same_proxy(ls, d, u);
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

/* The request went out behind the whole of what came in, and was answered before that was. */
static bool is_nested(const ka_leg *d, const ka_leg *u)
{
    return u->request.time_ns > d->request_end.time_ns && u->response_end.time_ns < d->response.time_ns;
}

static ka_status vote(ka_links *ls, const ka_leg *d, const ka_leg *u, bool right)
{
    bool known;
    if (right && u->by_id && !u->like.by_trace) /* a trace may have gone to two servers */
        known = ka_peers_proved(&ls->peers, &d->server, &u->client);
    else
        known = ka_peers_vote(&ls->peers, &d->server, &u->client, right && is_nested(d, u), d->like.key);
    return known ? count_all(ls, false) : KA_OK;
}

static ka_status settle(ka_links *ls, ka_leg *d)
{
    const ka_leg *u = ka_legs_find(&ls->legs, d->attempt);
    if (d->attempts == 0 && d->answered.keep_alive != 0)
        ka_routes_own_answer(&ls->routes, d);
    if (d->attempts == 0 || u == NULL || d->counted)
        return KA_OK;
    bool right = d->status != 0 && was_answered(ls, d);
    if (!right && d->status != 0 && d->status < 500) { /* from where, if not from there? */
        ka_status status = vote(ls, d, u, false);
        undo(ls, d);
        return status;
    }
    if (is_same_proxy(ls, d, u))
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

/* ---- How connections ended ---- */

static void set_right(ka_pair_life *life, int64_t offset_ns)
{
    life->closed.time_ns -= life->closed.frame != 0 ? offset_ns : 0;
    life->opened.time_ns -= life->opened.frame != 0 ? offset_ns : 0;
    life->half.time_ns -= life->half.frame != 0 ? offset_ns : 0;
}

/* Where a pair is found late, its connections were judged before. */
static void tell_life(ka_links *ls, uint32_t stream, const ka_pair_life *life, unsigned which)
{
    ka_pair *pair = ka_pairs_of(&ls->pairs, which, stream);
    if (pair != NULL && which == KA_UPSTREAM && pair->route != 0 && life->idle_ns != KA_NONE &&
        !pair->life[which].judged)
        ka_route_idle_close(&ls->routes.at[pair->route - 1], life->site, life->closed_by == KA_SIDE_SERVER,
                            life->closed, life->idle_ns);
    for (; pair != NULL; pair = ka_pairs_next(&ls->pairs, pair, which)) {
        if (pair->life[which].judged)
            continue;
        pair->life[which] = *life;
        set_right(&pair->life[which], pair->offset_ns[which]);
    }
}

static ka_status remember(ka_lives *lives, const ka_allocator *allocator, uint32_t stream,
                          const ka_pair_life *life)
{
    if (lives->count == KA_LIVES_MAX)
        return KA_OK;
    if (lives->count == lives->room) {
        uint32_t room = lives->room == 0 ? 64 : 2 * lives->room;
        ka_life_row *at = allocator->resize(allocator->user, lives->at, room * sizeof *at);
        if (at == NULL)
            return KA_NO_MEMORY;
        lives->at = at;
        lives->room = room;
    }
    lives->at[lives->count++] = (ka_life_row){stream, *life};
    return KA_OK;
}

ka_status ka_links_ended(ka_links *ls, uint32_t stream, const ka_pair_life *life)
{
    tell_life(ls, stream, life, KA_DOWNSTREAM);
    tell_life(ls, stream, life, KA_UPSTREAM);
    return ls->several ? remember(&ls->lives, ls->allocator, stream, life) : KA_OK;
}

void ka_links_tell_lives(ka_links *ls)
{
    for (uint32_t i = 0; i < ls->lives.count; i++) {
        tell_life(ls, ls->lives.at[i].stream, &ls->lives.at[i].life, KA_DOWNSTREAM);
        tell_life(ls, ls->lives.at[i].stream, &ls->lives.at[i].life, KA_UPSTREAM);
    }
}

void ka_links_forget_guesses(ka_links *ls)
{
    for (uint32_t i = 0; i < ls->legs.room; i++) {
        ka_leg *d = &ls->legs.ring[i];
        if (d->serial != 0 && d->attempts > 0 && !d->counted)
            undo(ls, d);
    }
}

ka_status ka_links_end(ka_links *ls)
{
    return count_all(ls, true);
}

static bool is_alone(const ka_pairs *pairs, const ka_pair *pair, unsigned which, uint32_t stream)
{
    const ka_pair *first = ka_pairs_of(pairs, which, stream);
    return first == pair && ka_pairs_next(pairs, first, which) == NULL;
}

/* One for one, and the proxy closes its own because its client has closed. */
static bool is_coupled(const ka_pairs *pairs, const ka_pair *pair, int64_t apart_ns)
{
    const ka_pair_life *down = &pair->life[KA_DOWNSTREAM], *up = &pair->life[KA_UPSTREAM];
    if (!is_alone(pairs, pair, KA_DOWNSTREAM, pair->downstream.stream) ||
        !is_alone(pairs, pair, KA_UPSTREAM, pair->upstream.stream))
        return false;
    int64_t after_ns = up->closed.time_ns - down->closed.time_ns;
    return down->closed_by == KA_SIDE_CLIENT && up->closed_by == KA_SIDE_CLIENT && after_ns >= -SWAPPED_NS &&
           after_ns <= apart_ns + down->rtt_ns + up->rtt_ns;
}

void ka_links_couple(ka_links *ls, int64_t apart_ns)
{
    for (uint32_t i = 0; i < ls->pairs.count; i++) {
        const ka_pair *pair = &ls->pairs.at[i];
        if (pair->route == 0)
            continue;
        ka_route_coupling *sum = &ls->routes.at[pair->route - 1].coupling;
        if (!is_coupled(&ls->pairs, pair, apart_ns)) {
            sum->others++;
            continue;
        }
        sum->last = pair->life[KA_UPSTREAM].closed;
        if (sum->coupled++ == 0)
            sum->first = sum->last;
    }
}
