/* client.c - the table of clients, each at one site of a server.
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

ka_status ka_client_closed_idle(ka_client *c, const ka_allocator *allocator, int64_t idle_ns)
{
    if (c->own == NULL) {
        if ((c->own = ka_memory_take(allocator, sizeof *c->own)) == NULL)
            return KA_NO_MEMORY;
        ka_lasting_init(c->own, allocator);
        c->own->longest_worked_ns = c->longest_hold_ns;
    }
    if (idle_ns > c->longest_hold_ns)
        c->longest_hold_ns = idle_ns;
    return ka_lasting_closed(c->own, idle_ns, false);
}

ka_status ka_client_held(ka_client *c, int64_t least_ns, int64_t idle_ns)
{
    if (idle_ns > c->longest_hold_ns)
        c->longest_hold_ns = idle_ns;
    return c->own != NULL ? ka_lasting_lasted(c->own, least_ns, idle_ns, true) : KA_OK;
}

static void free_own(ka_client *c, const ka_allocator *allocator)
{
    if (c->own != NULL)
        ka_lasting_fini(c->own);
    ka_memory_give(allocator, c->own);
    c->own = NULL;
}

void ka_clients_fini(ka_clients *cs, const ka_allocator *allocator)
{
    for (uint32_t i = 0; i < cs->count; i++) {
        ka_memory_give(allocator, cs->at[i].retries);
        free_own(&cs->at[i], allocator);
    }
    ka_memory_give(allocator, cs->at);
    ka_memory_give(allocator, cs->slots);
    *cs = (ka_clients){.seed = cs->seed};
}

/* Where the walk for that one begins. */
static uint32_t home(const ka_clients *cs, const ka_client_key *key)
{
    uint64_t place = (uint64_t)key->site << 32 | key->endpoint;
    return ka_hash_address(key->ip, place, cs->seed) & (cs->slot_count - 1);
}

static uint32_t *slot_of(const ka_clients *cs, const ka_client_key *key)
{
    uint32_t i = home(cs, key);
    while (cs->slots[i] != 0 && memcmp(&cs->at[cs->slots[i] - 1].key, key, sizeof *key) != 0)
        i = (i + 1) & (cs->slot_count - 1);
    return &cs->slots[i];
}

static void fill_slots(ka_clients *cs)
{
    for (uint32_t k = 0; k < cs->count; k++) {
        uint32_t i = home(cs, &cs->at[k].key);
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

ka_client *ka_clients_find(const ka_clients *cs, const ka_client_key *key)
{
    uint32_t number = cs->slot_count > 0 ? *slot_of(cs, key) : 0;
    return number != 0 ? &cs->at[number - 1] : NULL;
}

ka_status ka_clients_add(ka_clients *cs, const ka_allocator *allocator, const ka_client_key *key,
                         ka_client **out)
{
    if (cs->count == KA_CLIENTS_MAX) {
        *out = NULL;
        return KA_OK;
    }
    if (cs->count == cs->room && grow(cs, allocator) != KA_OK)
        return KA_NO_MEMORY;
    *slot_of(cs, key) = cs->count + 1;
    *out = &cs->at[cs->count++];
    **out = (ka_client){.key = *key, .released_ns = KA_NONE, .longest_hold_ns = KA_NONE};
    return KA_OK;
}

static ka_status copy_own(ka_client *to, const ka_lasting *from, const ka_allocator *allocator)
{
    if ((to->own = ka_memory_take(allocator, sizeof *to->own)) == NULL)
        return KA_NO_MEMORY;
    ka_lasting_init(to->own, allocator);
    return ka_lasting_merge(to->own, from);
}

ka_status ka_clients_copy(const ka_clients *cs, const ka_allocator *allocator, ka_clients *out)
{
    ka_clients copy = *cs;
    if (cs->count == 0) {
        *out = (ka_clients){.seed = cs->seed, .left_out = cs->left_out};
        return KA_OK;
    }
    copy.at = ka_memory_take(allocator, copy.room * sizeof *copy.at);
    copy.slots = ka_memory_take(allocator, copy.slot_count * sizeof *copy.slots);
    if (copy.at == NULL || copy.slots == NULL) {
        ka_memory_give(allocator, copy.at);
        ka_memory_give(allocator, copy.slots);
        return KA_NO_MEMORY;
    }
    memcpy(copy.at, cs->at, cs->count * sizeof *copy.at);
    memcpy(copy.slots, cs->slots, cs->slot_count * sizeof *copy.slots);
    for (uint32_t i = 0; i < copy.count; i++) {
        copy.at[i].retries = NULL;
        copy.at[i].own = NULL;
    }
    for (uint32_t i = 0; i < copy.count; i++) {
        if (cs->at[i].own != NULL && copy_own(&copy.at[i], cs->at[i].own, allocator) != KA_OK) {
            ka_clients_fini(&copy, allocator);
            return KA_NO_MEMORY;
        }
    }
    *out = copy;
    return KA_OK;
}
