/* session.h - logins that belong to a connection (NTLM), on a proxy's connections to its servers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A client logs in over its own connection, and the proxy has to see to it that its connection to the server
 * is that client's from then on. Nothing is kept of connections without such a login.
 */
#ifndef KA_SESSION_H
#define KA_SESSION_H

#include "leg.h"

/* Of one connection to a server. */
typedef struct ka_session {
    uint32_t stream;
    uint32_t challenged; /* stream of the client that got the newest challenge */
    ka_moment challenge; /* frame 0: none that waits for its answer */
    uint32_t displaced;  /* and the one before, which was not answered when that came */
    ka_moment displaced_challenge;
    uint32_t owner;    /* stream of the client that has logged in */
    ka_address client; /* its address */
    ka_moment login;   /* the third step; frame 0: nobody has, or somebody began anew */
    int64_t since_ns;  /* when it was answered */
    bool challenge_ambiguous, login_ambiguous;
} ka_session;

/* What a proxy did to a login. */
typedef enum ka_breach_kind {
    KA_BREACH_SPLIT,   /* the third step went over another connection than the second */
    KA_BREACH_BETWEEN, /* over the same, but somebody else had got a challenge there meanwhile */
    KA_BREACH_SHARED,  /* a request went over the connection of somebody else's login */
} ka_breach_kind;

/* Of one pair, the first; others of its kind are counted. */
typedef struct ka_breach {
    ka_breach_kind kind;
    bool doubtful;  /* by itself, it may have done no harm */
    bool ambiguous; /* the link of one of the requests is */
    uint16_t status;
    uint32_t stream; /* split: of the challenge, to the server; else the other client's */
    uint32_t number; /* of the client's request on its connection */
    uint32_t count;
    ka_moment before;     /* to the server: the challenge; shared: the login */
    ka_moment came, went; /* the request */
} ka_breach;

typedef struct ka_sessions {
    ka_session *at;
    uint32_t count, room;
    ka_breach *breaches;
    uint32_t breach_count, breach_room;
} ka_sessions;

void ka_sessions_fini(ka_sessions *sessions, const ka_allocator *allocator);
ka_status ka_sessions_copy(const ka_sessions *sessions, const ka_allocator *allocator, ka_sessions *out);

/* Numbers, from 1; both tables move when they grow. */
ka_status ka_sessions_add(ka_sessions *sessions, const ka_allocator *allocator, uint32_t stream,
                          uint32_t *number);
/* *number 0: the pair's first, and is set; else one more of that, if it is of the same kind. */
ka_status ka_sessions_breached(ka_sessions *sessions, const ka_allocator *allocator, const ka_breach *breach,
                               uint32_t *number);

/* A request that was sent on carries the third step of a login; its answer the second. */
bool ka_session_is_last_step(const ka_leg *downstream, const ka_leg *upstream);
bool ka_session_is_challenge(const ka_leg *downstream, const ka_leg *upstream);
/* The session waits for this client's third step. */
bool ka_session_awaits(const ka_session *session, uint32_t downstream_stream);
/* The client's third step came here; `asked`: the session that waits for it, NULL: none is known. Returns
 * whether it should have gone elsewhere, or has come too late, and then fills *out. */
bool ka_session_login(ka_session *session, ka_session *asked, const ka_leg *downstream,
                      const ka_leg *upstream, ka_breach *out);
/* Any other request, perhaps with a challenge for its answer. Returns whether it went over somebody else's
 * login, and then fills *out. */
bool ka_session_request(ka_session *session, const ka_leg *downstream, const ka_leg *upstream,
                        ka_breach *out);

#endif
