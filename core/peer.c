/* peer.c - which addresses are the same proxy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "peer.h"

#include <string.h>

bool ka_same_ip(const ka_address *a, const ka_address *b)
{
    return a->version == b->version && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static ka_peer *find(const ka_peers *ps, const ka_address *in, const ka_address *out)
{
    for (uint32_t i = 0; i < ps->count; i++) {
        if (ka_same_ip(&ps->at[i].in, in) && ka_same_ip(&ps->at[i].out, out))
            return (ka_peer *)&ps->at[i];
    }
    return NULL;
}

/* The guess that has come true least often makes room. */
static ka_peer *add(ka_peers *ps, const ka_address *in, const ka_address *out)
{
    ka_peer *worst = NULL;
    if (ps->count < KA_PEERS_MAX)
        worst = &ps->at[ps->count++];
    for (uint32_t i = 0; worst == NULL && i < ps->count; i++) {
        if (!ps->at[i].known && ps->at[i].votes <= ps->at[i].misses)
            worst = &ps->at[i];
    }
    if (worst != NULL)
        *worst = (ka_peer){.in = *in, .out = *out};
    return worst;
}

void ka_peers_named(ka_peers *ps, const ka_address *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            ka_peer *peer = i != k ? add(ps, &addresses[i], &addresses[k]) : NULL;
            if (peer != NULL)
                peer->known = true;
        }
    }
}

bool ka_peers_same(const ka_peers *ps, const ka_address *in, const ka_address *out)
{
    if (ka_same_ip(in, out))
        return true;
    const ka_peer *peer = find(ps, in, out);
    return peer != NULL && peer->known;
}

/* Two independent clients that ask two servers for the same path at the same time do so now and then; three
 * times, for different paths, and four times as often as not, they do not. Where all ask for one path, like
 * health checks of one period, it takes more. */
enum { VOTES_ENOUGH = 3, VOTES_OF_ONE_PATH = 10, VOTES_PER_MISS = 4 };

bool ka_peers_vote(ka_peers *ps, const ka_address *in, const ka_address *out, bool for_it, uint64_t key)
{
    ka_peer *peer = find(ps, in, out);
    if (peer == NULL && for_it)
        peer = add(ps, in, out);
    if (peer == NULL || peer->known)
        return false;
    *(for_it ? &peer->votes : &peer->misses) += 1;
    peer->varied = peer->varied || (for_it && peer->votes > 1 && key != peer->key);
    peer->key = key;
    peer->known = peer->votes >= (peer->varied ? VOTES_ENOUGH : VOTES_OF_ONE_PATH) &&
                  peer->votes >= VOTES_PER_MISS * peer->misses;
    return peer->known;
}

bool ka_peers_proved(ka_peers *ps, const ka_address *in, const ka_address *out)
{
    ka_peer *peer = find(ps, in, out);
    if (peer == NULL)
        peer = add(ps, in, out);
    if (peer == NULL || peer->known)
        return false;
    return peer->known = true;
}
