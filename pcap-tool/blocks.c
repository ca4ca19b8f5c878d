/* blocks.c - small blocks from free lists.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "blocks.h"

#include <string.h>

/* A few hundred blocks at a time. */
enum { SLAB_BYTES = 32 * 1024 };

#ifdef __SANITIZE_ADDRESS__
enum { SMALL_BYTES = 0 };
#else
enum { SMALL_BYTES = BLOCKS_MAX_BYTES };
#endif

/* Before each block: of what size it is. */
typedef struct block_head {
    uint64_t bytes; /* without the head; a small block's is a whole number of steps, its head included */
} block_head;

typedef union slab_head {
    union slab_head *next;
    char room[BLOCKS_STEP_BYTES];
} slab_head;

void blocks_init(blocks *self, const ka_allocator *base)
{
    memset(self, 0, sizeof *self);
    self->base = base;
}

void blocks_fini(blocks *self)
{
    for (slab_head *slab = self->slabs, *next; slab != NULL; slab = next) {
        next = slab->next;
        self->base->resize(self->base->user, slab, 0);
    }
    blocks_init(self, self->base);
}

static bool grow(blocks *self)
{
    slab_head *slab = self->base->resize(self->base->user, NULL, SLAB_BYTES);
    if (slab == NULL)
        return false;
    slab->next = self->slabs;
    self->slabs = slab;
    self->fresh = (char *)(slab + 1);
    self->fresh_bytes = SLAB_BYTES - sizeof *slab;
    return true;
}

static void *take_small(blocks *self, size_t size_bytes)
{
    size_t steps = (sizeof(block_head) + size_bytes + BLOCKS_STEP_BYTES - 1) / BLOCKS_STEP_BYTES;
    size_t whole_bytes = steps * BLOCKS_STEP_BYTES;
    void *block = self->free[steps - 1];
    if (block != NULL) {
        memcpy(&self->free[steps - 1], block, sizeof block);
        return block;
    }
    if (self->fresh_bytes < whole_bytes && !grow(self))
        return NULL;
    block_head *head = (block_head *)(void *)self->fresh;
    head->bytes = whole_bytes - sizeof *head;
    self->fresh += whole_bytes;
    self->fresh_bytes -= whole_bytes;
    return head + 1;
}

static bool is_small(size_t size_bytes)
{
    return size_bytes + sizeof(block_head) <= SMALL_BYTES;
}

static void *take(blocks *self, size_t size_bytes)
{
    if (is_small(size_bytes))
        return take_small(self, size_bytes);
    if (size_bytes > SIZE_MAX - sizeof(block_head))
        return NULL;
    block_head *head = self->base->resize(self->base->user, NULL, sizeof(block_head) + size_bytes);
    if (head == NULL)
        return NULL;
    head->bytes = size_bytes;
    return head + 1;
}

static void give(blocks *self, void *block)
{
    if (block == NULL)
        return;
    block_head *head = (block_head *)block - 1;
    if (!is_small(head->bytes)) {
        self->base->resize(self->base->user, head, 0);
        return;
    }
    void **list = &self->free[(head->bytes + sizeof *head) / BLOCKS_STEP_BYTES - 1];
    memcpy(block, list, sizeof *list);
    *list = block;
}

static void *resize(void *user, void *old, size_t new_bytes)
{
    if (new_bytes == 0) {
        give(user, old);
        return NULL;
    }
    void *block = take(user, new_bytes);
    if (block == NULL || old == NULL)
        return block;
    size_t old_bytes = ((block_head *)old - 1)->bytes;
    memcpy(block, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    give(user, old);
    return block;
}

ka_allocator blocks_allocator(blocks *self)
{
    return (ka_allocator){self, resize};
}
