/* orphan.c - requests that a proxy let go on without their client.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "orphan.h"

/* Pairs looked at to find connections that were opened later; a few are enough. */
enum { SCANNED_MAX = 4096 };

/* A client that ends its sending right behind its request (RFC 9112 section 9.6) may still read. One that
 * resets what it is sent does not. */
bool ka_orphan_is(const ka_links *ls, const ka_leg *d, const ka_leg *u, int64_t half_close_ns)
{
    const ka_pair *pair = ka_pairs_find(&ls->pairs, d->stream, u->stream);
    if (d->closed_by != KA_SIDE_CLIENT || d->closed.frame == 0)
        return false;
    bool reset = d->closed_how == KA_HOW_RST || (pair != NULL && pair->life[KA_DOWNSTREAM].client_reset);
    if (d->status != 0)
        return reset && d->response.time_ns > d->closed.time_ns;
    return reset || d->closed.time_ns - d->request_end.time_ns > half_close_ns;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* From its last answer on, to the server's close or the end of the capture. */
static int64_t unused_until_ns(const ka_leg *u, const ka_pair_life *life)
{
    return u->response_end.time_ns + life->unused_ns;
}

int64_t ka_orphan_unused_ns(const ka_links *ls, const ka_leg *u, const ka_pair *pair)
{
    const ka_pair_life *life = &pair->life[KA_UPSTREAM];
    if (u->status == 0 || !life->judged || life->requests != u->number || life->unused_ns == KA_NONE ||
        life->closed_by == KA_SIDE_CLIENT || pair->route == 0)
        return KA_NONE;
    int64_t opened_ns = ka_routes_keeping(&ls->routes, pair->route)->opened_ns;
    int64_t until_ns = earlier(unused_until_ns(u, life), opened_ns);
    return until_ns > u->response_end.time_ns ? until_ns - u->response_end.time_ns : KA_NONE;
}

/* Of the pairs of one connection to a server one counts: the oldest. */
static bool stands_for_upstream(const ka_pairs *pairs, const ka_pair *pair)
{
    return ka_pairs_next(pairs, pair, KA_UPSTREAM) == NULL;
}

static bool same_way_out(const ka_pair_end *a, const ka_pair_end *b)
{
    return a->server.port == b->server.port && ka_same_ip(&a->server, &b->server) &&
           ka_same_ip(&a->client, &b->client);
}

/* Pairs are in order of appearance. */
uint32_t ka_orphan_opened(const ka_links *ls, const ka_leg *u, const ka_pair *pair)
{
    int64_t until_ns = unused_until_ns(u, &pair->life[KA_UPSTREAM]);
    uint32_t opened = 0, at = (uint32_t)(pair - ls->pairs.at) + 1;
    for (uint32_t end = at + SCANNED_MAX; at < ls->pairs.count && at < end; at++) {
        const ka_pair *other = &ls->pairs.at[at];
        ka_moment syn = other->life[KA_UPSTREAM].opened;
        if (syn.frame != 0 && syn.time_ns > u->response_end.time_ns && syn.time_ns < until_ns &&
            same_way_out(&other->upstream, &pair->upstream) && stands_for_upstream(&ls->pairs, other))
            opened++;
    }
    return opened;
}

/* ---- How else the proxy keeps connections ---- */

static void mark_orphaned(ka_links *ls, const ka_thresholds *limits)
{
    for (uint32_t i = 0; i < ls->legs.room; i++) {
        const ka_leg *d = &ls->legs.ring[i];
        if (!ka_links_is_proxied(ls, d))
            continue;
        const ka_leg *u = ka_legs_find(&ls->legs, d->attempt);
        ka_pair *pair = ka_pairs_find(&ls->pairs, d->stream, u->stream);
        if (pair == NULL || pair->life[KA_UPSTREAM].requests != u->number ||
            !ka_orphan_is(ls, d, u, limits->half_close_ns))
            continue;
        for (pair = ka_pairs_of(&ls->pairs, KA_UPSTREAM, u->stream); pair != NULL;
             pair = ka_pairs_next(&ls->pairs, pair, KA_UPSTREAM))
            pair->orphaned = true;
    }
}

/* What an orphan left behind shows nothing about the others. */
static void note_keeping(ka_route_keeping *sum, const ka_pair *pair)
{
    const ka_pair_life *life = &pair->life[KA_UPSTREAM];
    if (life->opened.frame != 0 && life->opened.time_ns > sum->opened_ns)
        sum->opened_ns = life->opened.time_ns;
    if (life->longest_ns > sum->longest_ns)
        sum->longest_ns = life->longest_ns;
    if (pair->orphaned)
        return;
    if (life->unused_ns > sum->longest_ns)
        sum->longest_ns = life->unused_ns;
    sum->reused += life->requests > 1 ? 1 : 0;
}

/* Needs to know when the last connection was opened. */
static void count_left(ka_links *ls, const ka_thresholds *limits)
{
    for (uint32_t i = 0; i < ls->legs.room; i++) {
        const ka_leg *d = &ls->legs.ring[i];
        if (!ka_links_is_proxied(ls, d))
            continue;
        const ka_leg *u = ka_legs_find(&ls->legs, d->attempt);
        const ka_pair *pair = ka_pairs_find(&ls->pairs, d->stream, u->stream);
        if (pair != NULL && pair->orphaned && ka_orphan_unused_ns(ls, u, pair) > limits->orphan_ns)
            ka_routes_keeping(&ls->routes, pair->route)->left++;
    }
}

void ka_orphans_compare(ka_links *ls, const ka_thresholds *limits)
{
    mark_orphaned(ls, limits);
    for (uint32_t i = 0; i < ls->pairs.count; i++) {
        const ka_pair *pair = &ls->pairs.at[i];
        if (pair->route != 0 && stands_for_upstream(&ls->pairs, pair))
            note_keeping(ka_routes_keeping(&ls->routes, pair->route), pair);
    }
    count_left(ls, limits);
}
