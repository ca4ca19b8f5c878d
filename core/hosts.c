/* hosts.c - a set of addresses, without ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hosts.h"

#include "hash.h"
#include "memory.h"

enum { FIRST_SLOTS = 64 };

void ka_hosts_fini(ka_hosts *hs, const ka_allocator *allocator)
{
    ka_memory_give(allocator, hs->slots);
    *hs = (ka_hosts){NULL, 0, 0};
}

/* Where it is, or belongs. */
static ka_address *slot_of(const ka_hosts *hs, uint64_t seed, const ka_address *host)
{
    uint32_t i = ka_hash_address(host->ip, host->version, seed);
    for (;; i++) {
        ka_address *slot = &hs->slots[i & (hs->slot_count - 1)];
        if (slot->version == 0 ||
            (slot->version == host->version && memcmp(slot->ip, host->ip, sizeof slot->ip) == 0))
            return slot;
    }
}

static ka_status grow(ka_hosts *hs, const ka_allocator *allocator, uint64_t seed)
{
    ka_hosts larger = {NULL, hs->slot_count == 0 ? FIRST_SLOTS : 2 * hs->slot_count, hs->count};
    larger.slots = ka_memory_take(allocator, larger.slot_count * sizeof *larger.slots);
    if (larger.slots == NULL)
        return KA_NO_MEMORY;
    for (uint32_t i = 0; i < hs->slot_count; i++) {
        if (hs->slots[i].version != 0)
            *slot_of(&larger, seed, &hs->slots[i]) = hs->slots[i];
    }
    ka_hosts_fini(hs, allocator);
    *hs = larger;
    return KA_OK;
}

ka_status ka_hosts_add(ka_hosts *hs, const ka_allocator *allocator, uint64_t seed, const ka_address *host)
{
    if (2 * hs->count >= hs->slot_count && grow(hs, allocator, seed) != KA_OK)
        return KA_NO_MEMORY;
    ka_address *slot = slot_of(hs, seed, host);
    hs->count += slot->version == 0 ? 1 : 0;
    *slot = *host;
    return KA_OK;
}

bool ka_hosts_has(const ka_hosts *hs, uint64_t seed, const ka_address *host)
{
    return hs->slot_count > 0 && slot_of(hs, seed, host)->version != 0;
}
