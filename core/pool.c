/* pool.c - blocks of one size, cut from large slabs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pool.h"

#include <string.h>

/* From a page to what an allocator can put on huge pages: the fewer pages, the fewer of a segment's accesses
 * wait for an address translation. */
/* The allocator may add a few bytes of its own, which must not begin another huge page. */
enum { SLAB_FIRST_BYTES = 4096, SLAB_MAX_BYTES = 4 * 1024 * 1024, SLAB_LESS_BYTES = 64 };
enum { ALIGNMENT = 16 };

typedef union slab_head {
    union slab_head *next;
    char room[ALIGNMENT];
} slab_head;

void ka_pool_init(ka_pool *pool, const ka_allocator *allocator, size_t block_bytes)
{
    memset(pool, 0, sizeof *pool);
    pool->allocator = allocator;
    pool->block_bytes = (block_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    pool->slab_bytes = SLAB_FIRST_BYTES;
}

void ka_pool_fini(ka_pool *pool)
{
    for (slab_head *slab = pool->slabs, *next; slab != NULL; slab = next) {
        next = slab->next;
        pool->allocator->resize(pool->allocator->user, slab, 0);
    }
    ka_pool_init(pool, pool->allocator, pool->block_bytes);
}

static bool grow(ka_pool *pool)
{
    slab_head *slab =
        pool->allocator->resize(pool->allocator->user, NULL, pool->slab_bytes - SLAB_LESS_BYTES);
    if (slab == NULL)
        return false;
    slab->next = pool->slabs;
    pool->slabs = slab;
    pool->fresh = (char *)(slab + 1);
    pool->fresh_count = (pool->slab_bytes - SLAB_LESS_BYTES - sizeof *slab) / pool->block_bytes;
    if (pool->slab_bytes < SLAB_MAX_BYTES)
        pool->slab_bytes *= 2;
    return true;
}

void *ka_pool_take(ka_pool *pool)
{
    void *block = pool->free;
    if (block != NULL) {
        memcpy(&pool->free, block, sizeof pool->free);
    } else {
        if (pool->fresh_count == 0 && !grow(pool))
            return NULL;
        block = pool->fresh;
        pool->fresh += pool->block_bytes;
        pool->fresh_count--;
    }
    return memset(block, 0, pool->block_bytes);
}

void ka_pool_give(ka_pool *pool, void *block)
{
    if (block == NULL)
        return;
    memcpy(block, &pool->free, sizeof pool->free);
    pool->free = block;
}
