/* route.c - one way through a proxy.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "route.h"

#include "memory.h"
#include "peer.h"

void ka_routes_fini(ka_routes *rs, const ka_allocator *allocator)
{
    ka_memory_give(allocator, rs->at);
    *rs = (ka_routes){NULL, 0, 0};
}

ka_status ka_routes_copy(const ka_routes *rs, const ka_allocator *allocator, ka_routes *out)
{
    ka_routes copy = *rs;
    if (rs->room > 0 && (copy.at = ka_memory_take(allocator, rs->room * sizeof *copy.at)) == NULL)
        return KA_NO_MEMORY;
    if (rs->count > 0)
        memcpy(copy.at, rs->at, rs->count * sizeof *copy.at);
    *out = copy;
    return KA_OK;
}

static bool same(const ka_address *a, const ka_address *b)
{
    return a->port == b->port && ka_same_ip(a, b);
}

static ka_status grow(ka_routes *rs, const ka_allocator *allocator)
{
    uint32_t room = rs->room == 0 ? 8 : 2 * rs->room;
    ka_route *at = allocator->resize(allocator->user, rs->at, room * sizeof *at);
    if (at == NULL)
        return KA_NO_MEMORY;
    rs->at = at;
    rs->room = room;
    return KA_OK;
}

ka_status ka_routes_find(ka_routes *rs, const ka_allocator *allocator, const ka_address *in, const ka_address *out,
                         uint32_t *number)
{
    for (uint32_t i = 0; i < rs->count; i++) {
        if (same(&rs->at[i].in, in) && same(&rs->at[i].out, out)) {
            *number = i + 1;
            return KA_OK;
        }
    }
    if (rs->count == KA_ROUTES_MAX) {
        *number = 0;
        return KA_OK;
    }
    if (rs->count == rs->room && grow(rs, allocator) != KA_OK)
        return KA_NO_MEMORY;
    rs->at[rs->count] = (ka_route){.in = *in, .out = *out};
    *number = ++rs->count;
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

bool ka_route_forwards(const ka_route *r)
{
    return r->fields.value != 0 && !r->fields.own && (r->fields.varied || r->fields.without);
}
