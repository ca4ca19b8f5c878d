/* flow.c - the flow table: which connection a segment belongs to, and what is known of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream/flow.h"

#include <string.h>
#include <sys/random.h>

enum {
    /* Two huge pages; of a chunk only what is used is touched. */
    CHUNK_FLOWS = 4 * 1024 * 1024 / sizeof(stream_flow),
    FIRST_SLOTS = 1024, /* a power of two, as all sizes are */
};

_Static_assert(sizeof(stream_flow) == 152, "an idle connection may cost 600 bytes in all");

static void *resize(const flow_table *table, void *old, size_t new_bytes)
{
    return table->allocator->resize(table->allocator->user, old, new_bytes);
}

void flow_table_init(flow_table *table, const ka_allocator *allocator)
{
    memset(table, 0, sizeof *table);
    table->allocator = allocator;
    table->made_count = 1;
    /* Against captures made to collide. Without it (no entropy) only that protection is lost. */
    if (getrandom(table->seeds, sizeof table->seeds, GRND_NONBLOCK) != (ssize_t)sizeof table->seeds)
        table->seeds[0] = table->seeds[1] = 0x9e3779b97f4a7c15;
}

void flow_table_fini(flow_table *table)
{
    for (uint32_t i = 0; i < table->chunk_count; i++)
        resize(table, table->chunks[i], 0);
    resize(table, table->chunks, 0);
    resize(table, table->slots, 0);
}

static stream_flow *at(const flow_table *table, uint32_t index)
{
    return &table->chunks[index / CHUNK_FLOWS][index % CHUNK_FLOWS];
}

stream_flow *flow_at(const flow_table *table, uint32_t index)
{
    return index < table->made_count ? at(table, index) : NULL;
}

/* ---- Hashing -------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Every factor has a secret of its own in it: a factor that somebody can make 0 hides what the other one
 * says, and all addresses of a network would have one hash. */
static uint64_t hash_address(const ka_address *address, const uint64_t seeds[2])
{
    uint64_t words[2];
    memcpy(words, address->ip, sizeof words);
    uint64_t rest = (uint64_t)address->port << 8 | address->version;
    return mix(words[0] ^ seeds[0], words[1] ^ rest << 32 ^ seeds[1]) ^
           mix(rest + seeds[0], 0x8bb84b93962eacc9);
}

uint32_t flow_hash(const flow_table *table, const ka_address *a, const ka_address *b)
{
    uint64_t sum = hash_address(a, table->seeds) + hash_address(b, table->seeds);
    return (uint32_t)mix(sum ^ table->seeds[0], 0x4b33a62ed433d4a3);
}

bool flow_address_equal(const ka_address *a, const ka_address *b)
{
    return a->port == b->port && a->version == b->version && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool is_between(const stream_flow *flow, const ka_address *a, const ka_address *b)
{
    return (flow_address_equal(&flow->ends[0], a) && flow_address_equal(&flow->ends[1], b)) ||
           (flow_address_equal(&flow->ends[0], b) && flow_address_equal(&flow->ends[1], a));
}

bool flow_is_between(const stream_flow *flow, uint32_t hash, const ka_address *source,
                     const ka_address *target)
{
    return flow->hash == hash && flow->state != FLOW_FREE && is_between(flow, source, target);
}

/* The first one in the slots from `i` on. */
static stream_flow *find_from(const flow_table *table, uint32_t i, uint32_t hash, const ka_address *source,
                              const ka_address *target)
{
    uint32_t mask = table->slot_count - 1;
    for (i &= mask; table->slots[i].index != FLOW_NONE; i = (i + 1) & mask) {
        if (table->slots[i].hash != hash)
            continue;
        stream_flow *found = at(table, table->slots[i].index);
        if (is_between(found, source, target))
            return found;
    }
    return NULL;
}

stream_flow *flow_find(const flow_table *table, uint32_t hash, const ka_address *source,
                       const ka_address *target)
{
    return table->slot_count == 0 ? NULL : find_from(table, hash, hash, source, target);
}

void flow_prefetch_slot(const flow_table *table, uint32_t hash)
{
    if (table->slot_count > 0)
        __builtin_prefetch(&table->slots[hash & (table->slot_count - 1)]);
}

stream_flow *flow_prefetch(const flow_table *table, uint32_t hash)
{
    enum { CACHE_LINE_BYTES = 64 };
    if (table->slot_count == 0)
        return NULL;
    uint32_t mask = table->slot_count - 1;
    uint32_t i = hash & mask;
    while (table->slots[i].index != FLOW_NONE && table->slots[i].hash != hash)
        i = (i + 1) & mask;
    if (table->slots[i].index == FLOW_NONE)
        return NULL;
    stream_flow *found = at(table, table->slots[i].index);
    for (size_t line = 0; line < sizeof *found; line += CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)found + line, 1);
    return found;
}

static void put_slot(flow_slot *slots, uint32_t slot_count, flow_slot slot)
{
    uint32_t i = slot.hash & (slot_count - 1);
    while (slots[i].index != FLOW_NONE)
        i = (i + 1) & (slot_count - 1);
    slots[i] = slot;
}

static bool grow_slots(flow_table *table)
{
    uint32_t slot_count = table->slot_count == 0 ? FIRST_SLOTS : table->slot_count * 2;
    flow_slot *slots = resize(table, NULL, slot_count * sizeof *slots);
    if (slots == NULL)
        return false;
    memset(slots, 0, slot_count * sizeof *slots);
    for (uint32_t i = 0; i < table->slot_count; i++)
        if (table->slots[i].index != FLOW_NONE)
            put_slot(slots, slot_count, table->slots[i]);
    resize(table, table->slots, 0);
    table->slots = slots;
    table->slot_count = slot_count;
    return true;
}

/* Empties the slot and moves back those that had probed past it. */
static void clear_slot(flow_table *table, uint32_t hole)
{
    uint32_t mask = table->slot_count - 1;
    table->slots[hole].index = FLOW_NONE;
    for (uint32_t i = (hole + 1) & mask; table->slots[i].index != FLOW_NONE; i = (i + 1) & mask) {
        uint32_t home = table->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        table->slots[hole] = table->slots[i];
        table->slots[i].index = FLOW_NONE;
        hole = i;
    }
}

/* ---- Flows ---------------------------------------------------------------------------------- */

static bool grow_chunks(flow_table *table)
{
    stream_flow **chunks = resize(table, table->chunks, (table->chunk_count + 1) * sizeof *chunks);
    if (chunks == NULL)
        return false;
    table->chunks = chunks;
    stream_flow *chunk = resize(table, NULL, CHUNK_FLOWS * sizeof *chunk);
    if (chunk == NULL)
        return false;
    chunks[table->chunk_count++] = chunk;
    return true;
}

static uint32_t take_index(flow_table *table)
{
    uint32_t index = table->free_index;
    if (index != FLOW_NONE) {
        table->free_index = at(table, index)->older;
        return index;
    }
    if (table->made_count >= table->chunk_count * CHUNK_FLOWS && !grow_chunks(table))
        return FLOW_NONE;
    return table->made_count++;
}

stream_flow *flow_add(flow_table *table, uint32_t hash, const ka_address *source, const ka_address *target)
{
    /* At most two thirds full: probes stay short. When there is no memory for more, somewhat longer ones do.
     */
    if (table->used_count >= table->slot_count / 3 * 2 && !grow_slots(table) &&
        table->used_count >= table->slot_count / 8 * 7)
        return NULL;
    uint32_t index = take_index(table);
    if (index == FLOW_NONE)
        return NULL;
    stream_flow *added = at(table, index);
    memset(added, 0, sizeof *added);
    added->ends[0] = *source;
    added->ends[1] = *target;
    added->hash = hash;
    added->state = FLOW_QUOTED;
    put_slot(table->slots, table->slot_count, (flow_slot){added->hash, index});
    table->used_count++;
    return added;
}

static uint32_t find_slot(const flow_table *table, const stream_flow *flow)
{
    uint32_t mask = table->slot_count - 1;
    uint32_t i = flow->hash & mask;
    while (table->slots[i].index == FLOW_NONE || at(table, table->slots[i].index) != flow)
        i = (i + 1) & mask;
    return i;
}

stream_flow *flow_find_next(const flow_table *table, const stream_flow *flow)
{
    return find_from(table, find_slot(table, flow) + 1, flow->hash, &flow->ends[0], &flow->ends[1]);
}

/* Out of the list of tombstones, or out of the count of open ones. */
static void leave_state(flow_table *table, stream_flow *flow)
{
    if (flow->state == FLOW_OPEN)
        table->open_count--;
    if (flow->state == FLOW_SETTLED || (flow->state == FLOW_QUOTED && flow->expires_ns != 0)) {
        *(flow->older != FLOW_NONE ? &at(table, flow->older)->newer : &table->oldest) = flow->newer;
        *(flow->newer != FLOW_NONE ? &at(table, flow->newer)->older : &table->newest) = flow->older;
        flow->older = flow->newer = FLOW_NONE;
        flow->expires_ns = 0;
        table->tombstone_count--;
    }
}

void flow_remove(flow_table *table, stream_flow *flow)
{
    uint32_t slot = find_slot(table, flow);
    uint32_t index = table->slots[slot].index;
    leave_state(table, flow);
    clear_slot(table, slot);
    table->used_count--;
    flow->state = FLOW_FREE;
    flow->older = table->free_index;
    table->free_index = index;
}

void flow_set_open(flow_table *table, stream_flow *flow)
{
    leave_state(table, flow);
    flow->state = FLOW_OPEN;
    table->open_count++;
}

void flow_set_tombstone(flow_table *table, stream_flow *flow, flow_state state, int64_t expires_ns)
{
    uint32_t index = table->slots[find_slot(table, flow)].index;
    leave_state(table, flow);
    flow->state = state;
    flow->expires_ns = expires_ns != 0 ? expires_ns : 1; /* 0 says: in no list */
    flow->older = table->newest;
    flow->newer = FLOW_NONE;
    *(table->newest != FLOW_NONE ? &at(table, table->newest)->newer : &table->oldest) = index;
    table->newest = index;
    table->tombstone_count++;
}

void flow_expire(flow_table *table, int64_t now_ns, uint32_t count_max)
{
    while (table->oldest != FLOW_NONE) {
        stream_flow *oldest = at(table, table->oldest);
        if (oldest->expires_ns > now_ns && table->tombstone_count <= count_max)
            return;
        flow_remove(table, oldest);
    }
}

stream_flow *flow_stalest(flow_table *table)
{
    if (table->open_count == 0)
        return NULL;
    for (;;) {
        table->hand = table->hand + 1 < table->made_count ? table->hand + 1 : 1;
        stream_flow *candidate = at(table, table->hand);
        if (candidate->state != FLOW_OPEN)
            continue;
        if (!candidate->touched)
            return candidate;
        candidate->touched = false;
    }
}

/* ---- Outstanding requests ------------------------------------------------------------------- */

void flow_push_method(stream_flow *flow, flow_method method)
{
    if (flow->method_count == FLOW_METHODS_MAX) {
        flow_clear_methods(flow);
        flow->methods_unsure = true;
        return;
    }
    unsigned i = (flow->first_method + flow->method_count++) % FLOW_METHODS_MAX;
    unsigned shift = i % 32 * 2;
    flow->methods[i / 32] = (flow->methods[i / 32] & ~(UINT64_C(3) << shift)) | (uint64_t)method << shift;
}

flow_method flow_pop_method(stream_flow *flow)
{
    if (flow->method_count == 0)
        return METHOD_UNKNOWN;
    unsigned i = flow->first_method;
    flow->first_method = (i + 1) % FLOW_METHODS_MAX;
    flow->method_count--;
    return (flow_method)(flow->methods[i / 32] >> i % 32 * 2 & 3);
}

void flow_clear_methods(stream_flow *flow)
{
    flow->first_method = 0;
    flow->method_count = 0;
}
