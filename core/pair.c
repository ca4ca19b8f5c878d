/* pair.c - the table of pairs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pair.h"

#include <string.h>

#include "hash.h"
#include "memory.h"

void ka_pairs_fini(ka_pairs *ps, const ka_allocator *allocator)
{
    ka_memory_give(allocator, ps->at);
    for (unsigned which = 0; which < KA_PAIR_CHAINS; which++)
        ka_memory_give(allocator, ps->chains[which]);
    ka_sessions_fini(&ps->sessions, allocator);
    *ps = (ka_pairs){.count = 0};
}

static uint32_t *chain_of(const ka_pairs *ps, unsigned which, uint64_t key)
{
    return &ps->chains[which][(uint32_t)ka_hash_mix(key) & (ps->chain_count - 1)];
}

static uint64_t key_of(const ka_pair *pair, unsigned which)
{
    uint64_t downstream = pair->downstream.stream, upstream = pair->upstream.stream;
    return which == KA_DOWNSTREAM ? downstream
           : which == KA_UPSTREAM ? upstream
                                  : downstream << 32 | upstream;
}

static void hang(ka_pairs *ps, uint32_t number)
{
    ka_pair *pair = &ps->at[number - 1];
    for (unsigned which = 0; which < KA_PAIR_CHAINS; which++) {
        uint32_t *first = chain_of(ps, which, key_of(pair, which));
        pair->next[which] = *first;
        *first = number;
    }
}

static ka_status make_room(ka_pairs *ps, const ka_allocator *allocator, uint32_t room)
{
    ka_pairs larger = {.count = ps->count, .room = room, .chain_count = room, .left_out = ps->left_out};
    larger.at = ka_memory_take(allocator, room * sizeof *larger.at);
    bool taken = larger.at != NULL;
    for (unsigned which = 0; which < KA_PAIR_CHAINS; which++) {
        larger.chains[which] = ka_memory_take(allocator, room * sizeof(uint32_t));
        taken = taken && larger.chains[which] != NULL;
    }
    if (!taken) {
        ka_pairs_fini(&larger, allocator);
        return KA_NO_MEMORY;
    }
    if (ps->count > 0)
        memcpy(larger.at, ps->at, ps->count * sizeof *larger.at);
    for (uint32_t number = 1; number <= ps->count; number++)
        hang(&larger, number);
    larger.sessions = ps->sessions;
    *ps = larger;
    return KA_OK;
}

static ka_status grow(ka_pairs *ps, const ka_allocator *allocator)
{
    ka_pairs before = *ps;
    ka_status status = make_room(ps, allocator, ps->room == 0 ? 16 : 2 * ps->room);
    before.sessions = (ka_sessions){.at = NULL};
    if (status == KA_OK)
        ka_pairs_fini(&before, allocator);
    return status;
}

ka_status ka_pairs_copy(const ka_pairs *ps, const ka_allocator *allocator, ka_pairs *out)
{
    ka_pairs copy = *ps;
    if (ps->room > 0 && make_room(&copy, allocator, ps->room) != KA_OK)
        return KA_NO_MEMORY;
    copy.sessions = (ka_sessions){.at = NULL};
    if (ka_sessions_copy(&ps->sessions, allocator, &copy.sessions) != KA_OK) {
        ka_pairs_fini(&copy, allocator);
        return KA_NO_MEMORY;
    }
    *out = copy;
    return KA_OK;
}

/* From that number on, the first with that key. */
static ka_pair *walk(const ka_pairs *ps, uint32_t number, unsigned which, uint64_t key)
{
    while (number != 0 && key_of(&ps->at[number - 1], which) != key)
        number = ps->at[number - 1].next[which];
    return number != 0 ? &ps->at[number - 1] : NULL;
}

ka_pair *ka_pairs_next(const ka_pairs *ps, const ka_pair *pair, unsigned which)
{
    return walk(ps, pair->next[which], which, key_of(pair, which));
}

ka_pair *ka_pairs_of(const ka_pairs *ps, unsigned which, uint32_t stream)
{
    return ps->chain_count > 0 ? walk(ps, *chain_of(ps, which, stream), which, stream) : NULL;
}

ka_pair *ka_pairs_find(const ka_pairs *ps, uint32_t downstream, uint32_t upstream)
{
    uint64_t key = (uint64_t)downstream << 32 | upstream;
    return ps->chain_count > 0 ? walk(ps, *chain_of(ps, KA_BY_BOTH, key), KA_BY_BOTH, key) : NULL;
}

static ka_pair_end end_of(const ka_leg *leg)
{
    return (ka_pair_end){leg->stream, leg->client, leg->server};
}

static ka_status begin(ka_pairs *ps, ka_routes *routes, const ka_allocator *allocator, const ka_leg *d,
                       const ka_leg *u)
{
    uint32_t route;
    if (ka_routes_find(routes, allocator, &d->server, &u->client, &u->server, &route) != KA_OK ||
        (ps->count == ps->room && grow(ps, allocator) != KA_OK))
        return KA_NO_MEMORY;
    const ka_pair *beside = ps->sessions.count > 0 ? ka_pairs_of(ps, KA_UPSTREAM, u->stream) : NULL;
    uint32_t session = beside != NULL ? beside->session : 0;
    ps->at[ps->count++] = (ka_pair){.downstream = end_of(d),
                                    .upstream = end_of(u),
                                    .asked = d->request,
                                    .forwarded = u->request,
                                    .route = route,
                                    .session = session,
                                    .offset_ns = {d->offset_ns, u->offset_ns},
                                    .drift_ppb = u->drift_ppb - d->drift_ppb};
    hang(ps, ps->count);
    return KA_OK;
}

static void note_forwarded(ka_forwarded *f, bool proxy_connection, ka_moment came, ka_moment went)
{
    if (f->count++ > 0)
        return;
    f->proxy_connection = proxy_connection;
    f->came = came;
    f->went = went;
}

/* No proxy sends these of its own accord: Keep-Alive in a request, and Proxy-Connection to an origin. */
static void note_asked(ka_pair *pair, const ka_leg *d, const ka_leg *u)
{
    const ka_hop_fields *came = &d->asked, *went = &u->asked;
    bool proxy_connection =
        came->proxy_connection != 0 && came->proxy_connection == went->proxy_connection && u->origin_form;
    bool keep_alive = came->keep_alive != 0 && came->keep_alive == went->keep_alive;
    if (proxy_connection || keep_alive)
        note_forwarded(&pair->asked_fields, proxy_connection, d->request, u->request);
}

/* HTTP/1.0 with Connection: keep-alive on both sides: nobody but the client has asked for it. */
static void note_wish(ka_pair *pair, const ka_leg *d, const ka_leg *u)
{
    pair->wished = d->keep && u->keep && u->version == 10 && u->status != 0 && u->kept;
    pair->wish = u->request;
    pair->granted = u->response;
    pair->granted_ns = u->response_end.time_ns;
    pair->passed_ns = d->status != 0 ? d->response_end.time_ns : KA_NONE;
}

static void note_answered(ka_pair *pair, ka_routes *routes, const ka_leg *d, const ka_leg *u)
{
    if (pair->route == 0 || d->status == 0 || d->status != u->status)
        return;
    ka_route_answer(&routes->at[pair->route - 1], d, u);
    if (d->answered.keep_alive != 0 && d->answered.keep_alive == u->answered.keep_alive)
        note_forwarded(&pair->answered_fields, false, u->response, d->response);
}

/* ---- Logins ---- */

/* Connections to the server over which one client's requests were sent, the newest, to find its challenge. */
enum { CHALLENGERS_COMPARED = 64 };

/* All pairs of that connection to the server share it. */
static ka_status begin_session(ka_pairs *ps, const ka_allocator *allocator, uint32_t stream)
{
    uint32_t number;
    if (ka_sessions_add(&ps->sessions, allocator, stream, &number) != KA_OK)
        return KA_NO_MEMORY;
    for (ka_pair *p = ka_pairs_of(ps, KA_UPSTREAM, stream); p != NULL; p = ka_pairs_next(ps, p, KA_UPSTREAM))
        p->session = number;
    return KA_OK;
}

/* The session that waits for the client's third step. A client has one login under way on its connection: of
 * several the newest counts, and the others have been given up. NULL: none. */
static ka_session *asked_by(ka_pairs *ps, uint32_t downstream)
{
    ka_session *newest = NULL;
    const ka_pair *p = ka_pairs_of(ps, KA_DOWNSTREAM, downstream);
    for (unsigned i = 0; p != NULL && i < CHALLENGERS_COMPARED; i++) {
        ka_session *s = p->session != 0 ? &ps->sessions.at[p->session - 1] : NULL;
        p = ka_pairs_next(ps, p, KA_DOWNSTREAM);
        if (s == NULL || !ka_session_awaits(s, downstream))
            continue;
        bool older = newest != NULL && s->challenge.time_ns < newest->challenge.time_ns;
        ka_session *given_up = older ? s : newest;
        newest = older ? newest : s;
        if (given_up != NULL)
            given_up->challenge.frame = 0;
    }
    return newest;
}

static ka_status note_login(ka_pairs *ps, const ka_allocator *allocator, ka_pair *pair, const ka_leg *d,
                            const ka_leg *u)
{
    ka_breach breach;
    if (pair->session == 0 && begin_session(ps, allocator, u->stream) != KA_OK)
        return KA_NO_MEMORY;
    ka_session *session = &ps->sessions.at[pair->session - 1];
    bool breached = ka_session_is_last_step(d, u)
                        ? ka_session_login(session, asked_by(ps, d->stream), d, u, &breach)
                        : ka_session_request(session, d, u, &breach);
    if (ka_session_is_challenge(d, u))
        asked_by(ps, d->stream); /* gives up earlier ones */
    return breached ? ka_sessions_breached(&ps->sessions, allocator, &breach, &pair->breach) : KA_OK;
}

ka_status ka_pairs_add(ka_pairs *ps, ka_routes *routes, const ka_allocator *allocator, const ka_leg *d,
                       const ka_leg *u)
{
    ka_pair *pair = ka_pairs_find(ps, d->stream, u->stream);
    if (pair == NULL && ps->count == KA_PAIRS_MAX) {
        ps->left_out++;
        return KA_OK;
    }
    if (pair == NULL) {
        if (begin(ps, routes, allocator, d, u) != KA_OK)
            return KA_NO_MEMORY;
        pair = &ps->at[ps->count - 1];
    }
    pair->requests++;
    pair->by_id += u->by_id ? 1 : 0;
    pair->ambiguous += u->ambiguous ? 1 : 0;
    pair->again += u->attempt_before != 0 ? 1 : 0;
    note_asked(pair, d, u);
    note_answered(pair, routes, d, u);
    note_wish(pair, d, u);
    bool logs_in = pair->session != 0 || ka_session_is_last_step(d, u) || ka_session_is_challenge(d, u);
    return logs_in ? note_login(ps, allocator, pair, d, u) : KA_OK;
}

ka_link_confidence ka_pair_confidence(const ka_pair *pair)
{
    if (pair->by_id > 0)
        return KA_LINK_HIGH;
    return pair->ambiguous == pair->requests ? KA_LINK_LOW : KA_LINK_MEDIUM;
}

void ka_pair_record_of(const ka_pair *pair, ka_pair_record *out)
{
    memset(out, 0, sizeof *out);
    out->downstream = pair->downstream;
    out->upstream = pair->upstream;
    out->asked = pair->asked;
    out->forwarded = pair->forwarded;
    out->requests = pair->requests;
    out->by_id = pair->by_id;
    out->again = pair->again;
    out->confidence = ka_pair_confidence(pair);
    out->asked.time_ns += pair->offset_ns[KA_DOWNSTREAM];
    out->forwarded.time_ns += pair->offset_ns[KA_UPSTREAM];
    int64_t apart_ns = pair->offset_ns[KA_UPSTREAM] - pair->offset_ns[KA_DOWNSTREAM];
    out->clock_offset_ns = apart_ns != 0 ? apart_ns : KA_NONE;
    out->clock_drift_ppb = apart_ns != 0 ? pair->drift_ppb : KA_NONE;
}
