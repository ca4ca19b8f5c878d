/* client.c - the table of clients, each at one server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "client.h"

#include "hash.h"
#include "memory.h"

void ka_span_add(ka_span *span, ka_moment at)
{
    if (span->first.frame == 0 || at.frame < span->first.frame)
        span->first = at;
    if (at.frame > span->last.frame)
        span->last = at;
}

void ka_client_opened(ka_client *c, int64_t syn_ns)
{
    c->openings_ns[++c->opened % KA_OPENINGS_KEPT] = syn_ns;
}

bool ka_client_opened_instead(ka_client *c, int64_t idle_ns)
{
    uint32_t kept = c->opened < KA_OPENINGS_KEPT ? c->opened : KA_OPENINGS_KEPT;
    uint32_t oldest = c->opened - kept + 1;
    for (uint32_t n = c->matched >= oldest ? c->matched + 1 : oldest; n <= c->opened; n++) {
        if (c->openings_ns[n % KA_OPENINGS_KEPT] <= idle_ns)
            continue;
        c->matched = n;
        return true;
    }
    return false;
}

void ka_clients_fini(ka_clients *cs, const ka_allocator *allocator)
{
    for (uint32_t i = 0; i < cs->count; i++)
        ka_memory_give(allocator, cs->at[i].retries);
    ka_memory_give(allocator, cs->at);
    ka_memory_give(allocator, cs->slots);
    *cs = (ka_clients){.seed = cs->seed};
}

static bool is(const ka_client *c, uint32_t endpoint, const ka_address *address)
{
    return c->endpoint == endpoint && c->version == address->version &&
           memcmp(c->ip, address->ip, sizeof c->ip) == 0;
}

/* Where the walk for that pair begins. */
static uint32_t home(const ka_clients *cs, uint32_t endpoint, const uint8_t ip[16])
{
    return ka_hash_address(ip, endpoint, cs->seed) & (cs->slot_count - 1);
}

static uint32_t *slot_of(const ka_clients *cs, uint32_t endpoint, const ka_address *address)
{
    uint32_t i = home(cs, endpoint, address->ip);
    while (cs->slots[i] != 0 && !is(&cs->at[cs->slots[i] - 1], endpoint, address))
        i = (i + 1) & (cs->slot_count - 1);
    return &cs->slots[i];
}

static void fill_slots(ka_clients *cs)
{
    for (uint32_t k = 0; k < cs->count; k++) {
        uint32_t i = home(cs, cs->at[k].endpoint, cs->at[k].ip);
        while (cs->slots[i] != 0)
            i = (i + 1) & (cs->slot_count - 1);
        cs->slots[i] = k + 1;
    }
}

/* Twice the room, and slots twice the room. */
static ka_status grow(ka_clients *cs, const ka_allocator *allocator)
{
    uint32_t room = cs->room == 0 ? 16 : 2 * cs->room;
    uint32_t *slots = ka_memory_take(allocator, 2 * room * sizeof *slots);
    if (slots == NULL)
        return KA_NO_MEMORY;
    ka_client *at = allocator->resize(allocator->user, cs->at, room * sizeof *at);
    if (at == NULL) {
        ka_memory_give(allocator, slots);
        return KA_NO_MEMORY;
    }
    ka_memory_give(allocator, cs->slots);
    cs->at = at;
    cs->room = room;
    cs->slots = slots;
    cs->slot_count = 2 * room;
    fill_slots(cs);
    return KA_OK;
}

static ka_client *add(ka_clients *cs, uint32_t endpoint, const ka_address *address)
{
    *slot_of(cs, endpoint, address) = cs->count + 1;
    ka_client *c = &cs->at[cs->count++];
    *c = (ka_client){.version = address->version, .endpoint = endpoint, .released_ns = KA_NONE};
    memcpy(c->ip, address->ip, sizeof c->ip);
    return c;
}

ka_status ka_clients_find(ka_clients *cs, const ka_allocator *allocator, uint32_t endpoint,
                          const ka_address *address, bool create, ka_client **out, bool *added)
{
    uint32_t index = cs->slot_count > 0 ? *slot_of(cs, endpoint, address) : 0;
    bool make = index == 0 && create && cs->count < KA_CLIENTS_MAX;
    if (make && cs->count == cs->room && grow(cs, allocator) != KA_OK)
        return KA_NO_MEMORY;
    if (added != NULL)
        *added = make;
    *out = make ? add(cs, endpoint, address) : index != 0 ? &cs->at[index - 1] : NULL;
    return KA_OK;
}

ka_status ka_clients_copy(const ka_clients *cs, const ka_allocator *allocator, ka_clients *out)
{
    ka_clients copy = *cs;
    if (cs->count == 0) {
        *out = (ka_clients){.seed = cs->seed, .left_out = cs->left_out};
        return KA_OK;
    }
    copy.room = cs->room;
    copy.at = ka_memory_take(allocator, copy.room * sizeof *copy.at);
    copy.slots = ka_memory_take(allocator, copy.slot_count * sizeof *copy.slots);
    if (copy.at == NULL || copy.slots == NULL) {
        ka_memory_give(allocator, copy.at);
        ka_memory_give(allocator, copy.slots);
        return KA_NO_MEMORY;
    }
    memcpy(copy.at, cs->at, cs->count * sizeof *copy.at);
    memcpy(copy.slots, cs->slots, cs->slot_count * sizeof *copy.slots);
    for (uint32_t i = 0; i < copy.count; i++)
        copy.at[i].retries = NULL;
    *out = copy;
    return KA_OK;
}
