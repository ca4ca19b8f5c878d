/* session.c - logins that belong to a connection, on a proxy's connections to its servers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "session.h"

#include "login.h"
#include "memory.h"
#include "peer.h"

void ka_sessions_fini(ka_sessions *ss, const ka_allocator *allocator)
{
    ka_memory_give(allocator, ss->at);
    ka_memory_give(allocator, ss->breaches);
    *ss = (ka_sessions){.at = NULL};
}

ka_status ka_sessions_copy(const ka_sessions *ss, const ka_allocator *allocator, ka_sessions *out)
{
    ka_sessions copy = *ss;
    copy.at = NULL;
    copy.breaches = NULL;
    if ((ss->room > 0 && (copy.at = ka_memory_take(allocator, ss->room * sizeof *copy.at)) == NULL) ||
        (ss->breach_room > 0 &&
         (copy.breaches = ka_memory_take(allocator, ss->breach_room * sizeof *copy.breaches)) == NULL)) {
        ka_sessions_fini(&copy, allocator);
        return KA_NO_MEMORY;
    }
    if (ss->count > 0)
        memcpy(copy.at, ss->at, ss->count * sizeof *copy.at);
    if (ss->breach_count > 0)
        memcpy(copy.breaches, ss->breaches, ss->breach_count * sizeof *copy.breaches);
    *out = copy;
    return KA_OK;
}

/* Room for one more; NULL: memory ran out. */
static void *grown(void *at, uint32_t count, uint32_t *room, size_t size, const ka_allocator *allocator)
{
    if (count < *room)
        return at;
    uint32_t more = *room == 0 ? 8 : 2 * *room;
    void *larger = allocator->resize(allocator->user, at, more * size);
    if (larger != NULL)
        *room = more;
    return larger;
}

ka_status ka_sessions_add(ka_sessions *ss, const ka_allocator *allocator, uint32_t stream, uint32_t *number)
{
    ka_session *at = grown(ss->at, ss->count, &ss->room, sizeof *at, allocator);
    if (at == NULL)
        return KA_NO_MEMORY;
    ss->at = at;
    at[ss->count++] = (ka_session){.stream = stream};
    *number = ss->count;
    return KA_OK;
}

ka_status ka_sessions_breached(ka_sessions *ss, const ka_allocator *allocator, const ka_breach *breach,
                               uint32_t *number)
{
    if (*number != 0) {
        ka_breach *first = &ss->breaches[*number - 1];
        first->count += first->kind == breach->kind ? 1 : 0;
        return KA_OK;
    }
    ka_breach *at = grown(ss->breaches, ss->breach_count, &ss->breach_room, sizeof *at, allocator);
    if (at == NULL)
        return KA_NO_MEMORY;
    ss->breaches = at;
    at[ss->breach_count++] = *breach;
    *number = ss->breach_count;
    return KA_OK;
}

/* ---- Steps of a login ---- */

bool ka_session_is_last_step(const ka_leg *d, const ka_leg *u)
{
    return d->login == KA_LOGIN_AUTHENTICATE && u->login == KA_LOGIN_AUTHENTICATE;
}

bool ka_session_is_challenge(const ka_leg *d, const ka_leg *u)
{
    return d->challenges && u->challenges && d->status != 0 && u->status != 0;
}

bool ka_session_awaits(const ka_session *s, uint32_t downstream_stream)
{
    return s->challenge.frame != 0 && s->challenged == downstream_stream;
}

/* The server gave what was asked for: it is content with who asked. */
static bool is_served(const ka_leg *u)
{
    return u->status >= 200 && u->status < 400;
}

static ka_breach breach_of(ka_breach_kind kind, const ka_leg *d, const ka_leg *u, ka_moment before)
{
    return (ka_breach){.kind = kind,
                       .status = u->status,
                       .number = d->number,
                       .count = 1,
                       .before = before,
                       .came = d->request,
                       .went = u->request};
}

/* What succeeds all the same proves that this server does not mind, unless the connection was somebody's
 * already. */
static bool is_broken(const ka_session *s, const ka_session *asked, const ka_leg *d, const ka_leg *u,
                      ka_breach *out)
{
    bool split = asked != NULL && asked != s;
    ka_moment challenge = split ? asked->challenge : s->displaced_challenge;
    if ((!split && (asked == s || s->displaced != d->stream)) || challenge.frame == 0 ||
        challenge.time_ns > u->request.time_ns)
        return false;
    *out = breach_of(split ? KA_BREACH_SPLIT : KA_BREACH_BETWEEN, d, u, challenge);
    out->stream = split ? asked->stream : s->challenged;
    out->ambiguous = u->ambiguous || (split ? asked : s)->challenge_ambiguous;
    out->doubtful = is_served(u) && s->login.frame == 0;
    return true;
}

bool ka_session_login(ka_session *s, ka_session *asked, const ka_leg *d, const ka_leg *u, ka_breach *out)
{
    bool broken = is_broken(s, asked, d, u, out);
    s->login.frame = 0;
    if (s->displaced == d->stream)
        s->displaced_challenge.frame = 0;
    if (asked == s && is_served(u)) {
        s->owner = d->stream;
        s->client = d->client;
        s->login = u->request;
        s->since_ns = u->response_end.time_ns;
        s->login_ambiguous = u->ambiguous || s->challenge_ambiguous;
    }
    if (asked != NULL)
        asked->challenge.frame = 0;
    return broken;
}

static void note_challenge(ka_session *s, const ka_leg *d, const ka_leg *u)
{
    bool displaces = s->challenge.frame != 0 && s->challenged != d->stream;
    if (displaces) {
        s->displaced = s->challenged;
        s->displaced_challenge = s->challenge;
    }
    s->challenge_ambiguous = u->ambiguous || (displaces && s->challenge_ambiguous);
    s->challenged = d->stream;
    s->challenge = u->response;
}

/* Requests are told when their clients have the answers, not in the order of this connection. */
static bool comes_behind_login(const ka_session *s, const ka_leg *u)
{
    return s->login.frame != 0 && u->request.time_ns > s->since_ns;
}

bool ka_session_request(ka_session *s, const ka_leg *d, const ka_leg *u, ka_breach *out)
{
    bool behind = comes_behind_login(s, u);
    if (behind && (u->login != KA_LOGIN_NONE || u->authorizes || u->challenges))
        s->login.frame = 0; /* begins anew, or says itself who asks */
    if (ka_session_is_challenge(d, u))
        note_challenge(s, d, u);
    if (!behind || s->login.frame == 0 || s->owner == d->stream || !is_served(u) || d->status != u->status)
        return false;
    *out = breach_of(KA_BREACH_SHARED, d, u, s->login);
    out->stream = s->owner;
    out->ambiguous = u->ambiguous || s->login_ambiguous;
    out->doubtful = ka_same_ip(&s->client, &d->client);
    return true;
}
