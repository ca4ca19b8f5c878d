/* retry.h - what one client leaves on one connection to a server and may go on with on another: a request
 * that must not be repeated, and half of a login.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_RETRY_H
#define KA_RETRY_H

#include "exchange.h"
#include "keptalive.h"

/* A request without its body: the core never sees one. Same method, target, request id and length stand for
 * identical, where no other request of the client looked like it at the time. */
typedef struct ka_shape {
    char method[KA_METHOD_BYTES];
    uint64_t len_bytes; /* head and body */
    uint32_t asks;      /* as ka_request; does not count for ka_shapes_alike */
} ka_shape;

bool ka_shapes_alike(const ka_shape *a, const ka_shape *b);

/* The longest a client waited for an answer though no timeout had been advertised to it. */
typedef struct ka_patience {
    ka_shape shape;    /* of the request */
    int64_t waited_ns; /* 0: not so long that it matters */
} ka_patience;

/* A request that was left without an answer when the server closed. */
typedef struct ka_loss {
    ka_shape shape;
    uint32_t stream; /* with `request.frame` 0: free */
    ka_moment request;
    ka_moment close;
    bool received; /* the server had acknowledged some of it */
} ka_loss;

typedef struct ka_sighting {
    ka_shape shape;
    int64_t time_ns;
    uint32_t stream;
} ka_sighting;

/* A challenge (NTLM type 2) that its connection has not answered. */
typedef struct ka_challenge {
    uint32_t stream;
    ka_moment at; /* frame 0: free */
} ka_challenge;

/* Losses are followed by their retries within milliseconds, so few are open at a time; of more, the newest
 * stand. A sighting only has to tell whether a request is one of many alike. */
enum { KA_LOSSES_MAX = 4, KA_SIGHTINGS_MAX = 8, KA_CHALLENGES_MAX = 4 };

typedef struct ka_retries {
    ka_loss losses[KA_LOSSES_MAX];
    ka_sighting seen[KA_SIGHTINGS_MAX];
    ka_challenge challenges[KA_CHALLENGES_MAX];
    uint32_t next_loss, next_seen, next_challenge;
} ka_retries;

/* RFC 9110 section 9.2.2: by their definition GET, HEAD, OPTIONS, TRACE, PUT and DELETE may be repeated; of
 * others only POST and PATCH are sure not to. */
bool ka_retry_is_unsafe(const char method[KA_METHOD_BYTES]);
/* For `asks` of a request: hash of what an unsafe one asks for and of its request id; 0 of another. */
uint32_t ka_retry_asks(const char method[KA_METHOD_BYTES], const ka_message *message);
ka_shape ka_retry_shape(const ka_request *request);

void ka_retries_saw(ka_retries *retries, const ka_request *request, uint32_t stream);
void ka_retries_lost(ka_retries *retries, const ka_loss *loss);
/* It was answered after all. */
void ka_retries_found(ka_retries *retries, uint32_t stream, ka_moment request);
/* The loss that this request on that stream repeats, taken off the list; false: none. To be asked before the
 * request is told as seen. */
bool ka_retries_repeats(ka_retries *retries, const ka_request *request, uint32_t stream, int64_t window_ns,
                        ka_loss *out);

void ka_retries_challenged(ka_retries *retries, uint32_t stream, ka_moment at);
/* The client answers a challenge on that stream: the newest one waiting on another stream, within the
 * window, and taken off the list; false: none. One on the same stream is taken off, and there is no other. */
bool ka_retries_answers(ka_retries *retries, uint32_t stream, ka_moment at, int64_t window_ns,
                        ka_challenge *out);

#endif
