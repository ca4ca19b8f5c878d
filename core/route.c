/* route.c - one way through a proxy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "route.h"

#include "hash.h"
#include "memory.h"
#include "peer.h"

void ka_routes_fini(ka_routes *rs, const ka_allocator *allocator)
{
    ka_memory_give(allocator, rs->at);
    ka_memory_give(allocator, rs->slots);
    *rs = (ka_routes){NULL, 0, 0, NULL};
}

static bool same(const ka_address *a, const ka_address *b)
{
    return a->port == b->port && ka_same_ip(a, b);
}

/* The slot that holds the route, or the free one where it belongs. */
static uint32_t *slot_of(const ka_routes *rs, const ka_address *in, const ka_address *out)
{
    uint32_t mask = 2 * rs->room - 1;
    uint64_t ports = (uint64_t)in->port << 16 | out->port;
    uint32_t i = ka_hash_address(in->ip, ports ^ ka_hash_address(out->ip, ports, 0), 0) & mask;
    while (rs->slots[i] != 0 &&
           !(same(&rs->at[rs->slots[i] - 1].in, in) && same(&rs->at[rs->slots[i] - 1].out, out)))
        i = (i + 1) & mask;
    return &rs->slots[i];
}

static ka_status make_room(ka_routes *rs, const ka_allocator *allocator, uint32_t room)
{
    ka_routes larger = {.count = rs->count, .room = room};
    larger.at = ka_memory_take(allocator, room * sizeof *larger.at);
    larger.slots = ka_memory_take(allocator, 2 * (size_t)room * sizeof *larger.slots);
    if (larger.at == NULL || larger.slots == NULL) {
        ka_routes_fini(&larger, allocator);
        return KA_NO_MEMORY;
    }
    if (rs->count > 0)
        memcpy(larger.at, rs->at, rs->count * sizeof *larger.at);
    for (uint32_t i = 0; i < rs->count; i++)
        *slot_of(&larger, &larger.at[i].in, &larger.at[i].out) = i + 1;
    *rs = larger;
    return KA_OK;
}

ka_status ka_routes_copy(const ka_routes *rs, const ka_allocator *allocator, ka_routes *out)
{
    ka_routes copy = *rs;
    if (rs->room > 0 && make_room(&copy, allocator, rs->room) != KA_OK)
        return KA_NO_MEMORY;
    *out = copy;
    return KA_OK;
}

static ka_status grow(ka_routes *rs, const ka_allocator *allocator)
{
    ka_routes before = *rs;
    ka_status status = make_room(rs, allocator, rs->room == 0 ? 8 : 2 * rs->room);
    if (status == KA_OK)
        ka_routes_fini(&before, allocator);
    return status;
}

static bool leads_alike(const ka_route *a, const ka_route *b)
{
    return same(&a->out, &b->out) && ka_same_ip(&a->from, &b->from);
}

/* Of the new route, the next one. */
static uint32_t way_out_of(const ka_routes *rs, const ka_route *route)
{
    const ka_route *at = rs->at;
    while (!leads_alike(at, route))
        at++;
    return (uint32_t)(at - rs->at) + 1;
}

ka_status ka_routes_find(ka_routes *rs, const ka_allocator *allocator, const ka_address *in,
                         const ka_address *from, const ka_address *out, uint32_t *number)
{
    uint32_t found = rs->room > 0 ? *slot_of(rs, in, out) : 0;
    if (found != 0 || rs->count == KA_ROUTES_MAX) {
        *number = found;
        return KA_OK;
    }
    if (rs->count == rs->room && grow(rs, allocator) != KA_OK)
        return KA_NO_MEMORY;
    rs->at[rs->count] = (ka_route){.in = *in, .out = *out, .from = *from};
    rs->at[rs->count].from.port = 0;
    rs->at[rs->count].way_out = way_out_of(rs, &rs->at[rs->count]);
    *slot_of(rs, in, out) = ++rs->count;
    *number = rs->count;
    return KA_OK;
}

void ka_routes_own_answer(ka_routes *rs, const ka_leg *d)
{
    for (uint32_t i = 0; i < rs->count; i++) {
        if (same(&rs->at[i].in, &d->server))
            rs->at[i].fields.own = true;
    }
}

void ka_route_answer(ka_route *r, const ka_leg *d, const ka_leg *u)
{
    ka_route_fields *f = &r->fields;
    uint32_t came = u->answered.keep_alive, went = d->answered.keep_alive;
    if (went != came) {
        f->own = f->own || went != 0;
    } else if (went == 0) {
        f->without = true;
    } else {
        f->varied = f->varied || (f->value != 0 && f->value != went);
        f->value = went;
    }
}

static void add_server_closes(ka_route_idle *sum, const ka_route_idle *more)
{
    if (more->by_server == 0)
        return;
    bool first = sum->by_server == 0;
    sum->by_server += more->by_server;
    if (first || more->server_min_ns < sum->server_min_ns)
        sum->server_min_ns = more->server_min_ns;
    if (first || more->server_max_ns > sum->server_max_ns)
        sum->server_max_ns = more->server_max_ns;
    if (first || more->first.frame < sum->first.frame)
        sum->first = more->first;
    if (first || more->last.frame > sum->last.frame)
        sum->last = more->last;
}

static void add_proxy_closes(ka_route_idle *sum, const ka_route_idle *more)
{
    if (more->by_proxy > 0 && (sum->by_proxy == 0 || more->proxy_min_ns < sum->proxy_min_ns))
        sum->proxy_min_ns = more->proxy_min_ns;
    sum->by_proxy += more->by_proxy;
}

void ka_route_idle_close(ka_route *r, unsigned site, bool by_server, ka_moment at, int64_t idle_ns)
{
    ka_route_idle *sum = &r->idle[site < KA_ROUTE_SITES ? site : 0];
    ka_route_idle one = {.first = at, .last = at};
    *(by_server ? &one.by_server : &one.by_proxy) = 1;
    one.server_min_ns = one.server_max_ns = one.proxy_min_ns = idle_ns;
    add_server_closes(sum, &one);
    add_proxy_closes(sum, &one);
}

ka_route_idle ka_routes_idle_at(const ka_routes *rs, const ka_route *like, unsigned site)
{
    ka_route_idle sum = {.by_server = 0};
    for (uint32_t i = 0; i < rs->count; i++) {
        if (rs->at[i].way_out != like->way_out)
            continue;
        add_server_closes(&sum, &rs->at[i].idle[site]);
        add_proxy_closes(&sum, &rs->at[i].idle[site]);
    }
    return sum;
}

ka_route_idle ka_routes_idle(const ka_routes *rs, const ka_route *like)
{
    ka_route_idle sum = {.by_server = 0};
    for (unsigned site = 0; site < KA_ROUTE_SITES; site++) {
        ka_route_idle more = ka_routes_idle_at(rs, like, site);
        add_server_closes(&sum, &more);
        add_proxy_closes(&sum, &more);
    }
    return sum;
}

bool ka_routes_is_first(const ka_routes *rs, const ka_route *route)
{
    return route == &rs->at[route->way_out - 1];
}

ka_route_keeping *ka_routes_keeping(const ka_routes *rs, uint32_t number)
{
    return &rs->at[rs->at[number - 1].way_out - 1].keeping;
}

bool ka_route_forwards(const ka_route *r)
{
    return r->fields.value != 0 && !r->fields.own && (r->fields.varied || r->fields.without);
}
