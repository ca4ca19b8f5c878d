/* pool.h - blocks of one size, cut from large slabs: no header each, and near to each other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Slabs grow, so that a small capture costs little and a large one few of them; they go back only with the
 * pool, so a pool is as large as its blocks were at most at one time.
 */
#ifndef KA_POOL_H
#define KA_POOL_H

#include "keptalive.h"

typedef struct ka_pool {
    const ka_allocator *allocator;
    void *free;  /* list of blocks given back */
    void *slabs; /* list of all slabs */
    char *fresh; /* blocks never used, in the newest slab */
    size_t fresh_count;
    size_t block_bytes;
    size_t slab_bytes; /* of the next slab */
} ka_pool;

/* The allocator must outlive the pool. Blocks are aligned for any type. */
void ka_pool_init(ka_pool *pool, const ka_allocator *allocator, size_t block_bytes);
/* Every block dies with it. */
void ka_pool_fini(ka_pool *pool);

/* A zeroed block; NULL when memory runs out. */
void *ka_pool_take(ka_pool *pool);
void ka_pool_give(ka_pool *pool, void *block);

#endif
