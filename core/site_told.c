/* site_told.c - what is told of the sites of one server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "endpoint.h"
#include "inference.h"
#include "recommendation.h"

/* With so many of the closes by timers of their own, sites are why the server has no single one. */
enum { BY_SITE_PERCENT = 80 };

static const ka_inferred *timer_of(const ka_site_record *s, ka_side side)
{
    return side == KA_SIDE_SERVER ? &s->server_timer : &s->client_timer;
}

/* A site with several timers has several backends. Closes without a site, or of sites too few to tell, are
 * nobody's. */
static bool is_by_site(const ka_inferred *whole, ka_side side, const ka_site_record *sites, uint32_t count)
{
    uint64_t closes = 0;
    if (whole->kind != KA_TIMER_SEVERAL && whole->kind != KA_TIMER_VARIED)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const ka_inferred *own = timer_of(&sites[i], side);
        if (own->kind == KA_TIMER_SEVERAL)
            return false;
        closes += own->kind == KA_TIMER_FIXED ? own->closes : 0;
    }
    return closes * 100 >= whole->closes * BY_SITE_PERCENT;
}

static ka_site_record record_of(const ka_site *s, const ka_thresholds *limits)
{
    ka_site_record r = {.name = s->name,
                        .connections = s->connections,
                        .requests = s->requests,
                        .timeout_s = s->timeout_s,
                        .max = s->max,
                        .max_style = s->max_style};
    ka_infer(&s->idling.by_server, KA_SIDE_SERVER, limits, &r.server_timer);
    ka_infer(&s->idling.by_client, KA_SIDE_CLIENT, limits, &r.client_timer);
    if (s->timeout_s != KA_NONE)
        r.server_timer.hint = NULL; /* what it advertises says more */
    return r;
}

void ka_endpoint_sites_of(const ka_endpoint *e, const ka_thresholds *limits,
                          ka_site_record room[KA_SITES_MAX], ka_endpoint_record *out)
{
    const ka_site *sites[KA_SITES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; e->sites != NULL && i < e->sites->count; i++) {
        if (e->sites->at[i]->connections > 0)
            sites[count++] = e->sites->at[i];
    }
    if (count < 2)
        return;
    for (uint32_t i = 0; i < count; i++)
        room[i] = record_of(sites[i], limits);
    out->server_timer.by_site = is_by_site(&out->server_timer, KA_SIDE_SERVER, room, count);
    out->client_timer.by_site = is_by_site(&out->client_timer, KA_SIDE_CLIENT, room, count);
    out->sites = room;
    out->site_count = count;
    ka_recommend_sites(sites, room, out);
}
