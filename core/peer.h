/* peer.h - which addresses are the same proxy: the one its clients connect to, and the one it connects from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One address in both places needs no proof. Two are one proxy's when the user says so, or when requests that
 * came to one went out from the other within the time of their answers, again and again.
 */
#ifndef KA_PEER_H
#define KA_PEER_H

#include "keptalive.h"

/* Proxies with two addresses in one capture, and guesses: a capture is taken at one proxy, or a few. */
enum { KA_PEERS_MAX = 32 };

typedef struct ka_peer {
    ka_address in, out; /* ports do not count */
    uint32_t votes;     /* requests seen going through */
    uint32_t misses;    /* guesses that were none */
    uint64_t key;       /* of the first of those requests */
    bool varied;        /* others looked different */
    bool known;
} ka_peer;

typedef struct ka_peers {
    ka_peer at[KA_PEERS_MAX];
    uint32_t count;
} ka_peers;

bool ka_same_ip(const ka_address *a, const ka_address *b);

/* What the user said: each of the addresses is the same proxy. */
void ka_peers_named(ka_peers *peers, const ka_address *addresses, size_t count);
bool ka_peers_same(const ka_peers *peers, const ka_address *in, const ka_address *out);
/* A guess came true, or did not; returns true when that made them known. */
bool ka_peers_vote(ka_peers *peers, const ka_address *in, const ka_address *out, bool for_it, uint64_t key);
/* One request bore the same id on its way in and out. */
bool ka_peers_proved(ka_peers *peers, const ka_address *in, const ka_address *out);

#endif
