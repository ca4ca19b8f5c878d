/* orphan.c - requests that a proxy let go on without their client.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "orphan.h"

#include "memory.h"
#include "order.h"
#include "sort.h"

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
    int64_t until_ns = ka_smaller(unused_until_ns(u, life), opened_ns);
    return until_ns > u->response_end.time_ns ? until_ns - u->response_end.time_ns : KA_NONE;
}

/* Of the pairs of one connection to a server one counts: the oldest. */
static bool stands_for_upstream(const ka_pairs *pairs, const ka_pair *pair)
{
    return ka_pairs_next(pairs, pair, KA_UPSTREAM) == NULL;
}

/* The pair of a client's request that was sent on, and how it was; NULL: it was not, or there are too many.
 */
static ka_pair *pair_of(const ka_links *ls, const ka_leg *d, const ka_leg **u)
{
    if (!ka_links_is_proxied(ls, d))
        return NULL;
    *u = ka_legs_find(&ls->legs, d->attempt);
    return ka_pairs_find(&ls->pairs, d->stream, (*u)->stream);
}

/* ---- How else the proxy keeps connections ---- */

/* Returns whether there are any. */
static bool mark_orphaned(ka_links *ls, const ka_thresholds *limits)
{
    bool any = false;
    for (uint32_t i = 0; i < ls->legs.room; i++) {
        const ka_leg *d = &ls->legs.ring[i], *u;
        ka_pair *pair = pair_of(ls, d, &u);
        if (pair == NULL || pair->life[KA_UPSTREAM].requests != u->number ||
            !ka_orphan_is(ls, d, u, limits->half_close_ns))
            continue;
        for (pair = ka_pairs_of(&ls->pairs, KA_UPSTREAM, u->stream); pair != NULL;
             pair = ka_pairs_next(&ls->pairs, pair, KA_UPSTREAM))
            any = pair->orphaned = true;
    }
    return any;
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

/* ---- What the proxy opened while a connection was left behind ---- */

/* Pairs, as numbers of theirs from 0: one for each connection that was opened, by server and time. */
typedef struct openings {
    const ka_links *links;
    uint32_t *order;
    uint32_t count;
} openings;

static uint32_t way_out_of(const ka_links *ls, const ka_pair *pair)
{
    return ls->routes.at[pair->route - 1].way_out;
}

static bool is_before(const ka_links *ls, const ka_pair *pair, uint32_t way_out, int64_t at_ns)
{
    uint32_t own = way_out_of(ls, pair);
    return own != way_out ? own < way_out : pair->life[KA_UPSTREAM].opened.time_ns < at_ns;
}

static bool opened_before(const void *user, uint32_t a, uint32_t b)
{
    const ka_links *ls = user;
    const ka_pair *other = &ls->pairs.at[b];
    return is_before(ls, &ls->pairs.at[a], way_out_of(ls, other), other->life[KA_UPSTREAM].opened.time_ns);
}

static void sort_openings(openings *o)
{
    const ka_pairs *pairs = &o->links->pairs;
    for (uint32_t i = 0; i < pairs->count; i++) {
        const ka_pair *pair = &pairs->at[i];
        if (pair->route != 0 && pair->life[KA_UPSTREAM].opened.frame != 0 && stands_for_upstream(pairs, pair))
            o->order[o->count++] = i;
    }
    ka_sort(o->order, o->count, opened_before, o->links);
}

/* How many come before that time to that server, with all those to servers with lower numbers. */
static uint32_t count_before(const openings *o, uint32_t way_out, int64_t at_ns)
{
    uint32_t low = 0, high = o->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_before(o->links, &o->links->pairs.at[o->order[middle]], way_out, at_ns))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void compare_openings(ka_links *ls, const openings *o, const ka_thresholds *limits)
{
    for (uint32_t i = 0; i < ls->legs.room; i++) {
        const ka_leg *u;
        ka_pair *pair = pair_of(ls, &ls->legs.ring[i], &u);
        if (pair == NULL || !pair->orphaned || ka_orphan_unused_ns(ls, u, pair) <= limits->orphan_ns)
            continue;
        uint32_t way_out = way_out_of(ls, pair);
        int64_t until_ns = unused_until_ns(u, &pair->life[KA_UPSTREAM]);
        pair->opened = (uint16_t)(count_before(o, way_out, until_ns) -
                                  count_before(o, way_out, u->response_end.time_ns + 1));
        ka_routes_keeping(&ls->routes, pair->route)->left++;
    }
}

ka_status ka_orphans_compare(ka_links *ls, const ka_thresholds *limits)
{
    openings o = {.links = ls};
    if (!mark_orphaned(ls, limits))
        return KA_OK;
    for (uint32_t i = 0; i < ls->pairs.count; i++) {
        const ka_pair *pair = &ls->pairs.at[i];
        if (pair->route != 0 && stands_for_upstream(&ls->pairs, pair))
            note_keeping(ka_routes_keeping(&ls->routes, pair->route), pair);
    }
    o.order = ka_memory_take(ls->allocator, ls->pairs.count * sizeof *o.order);
    if (o.order == NULL)
        return KA_NO_MEMORY;
    sort_openings(&o);
    compare_openings(ls, &o, limits);
    ka_memory_give(ls->allocator, o.order);
    return KA_OK;
}
