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

/* Before each block: of what size it is, and where its slab begins. */
typedef struct block_head {
    uint32_t bytes;      /* of a small block: without the head, with which it is a whole number of steps */
    uint32_t slab_steps; /* from the slab's head to here; 0: a large block, which has none */
} block_head;

typedef struct slab_head {
    struct slab_head *next;
    uint32_t cut;  /* blocks made of it */
    uint32_t idle; /* of those, given back; counted by blocks_reclaim alone */
} slab_head;

_Static_assert(sizeof(slab_head) == BLOCKS_STEP_BYTES, "blocks begin at whole steps");

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
    *slab = (slab_head){.next = self->slabs};
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
        self->free_bytes -= whole_bytes;
        return block;
    }
    if (self->fresh_bytes < whole_bytes && !grow(self))
        return NULL;
    block_head *head = (block_head *)(void *)self->fresh;
    slab_head *slab = self->slabs;
    slab->cut++;
    head->bytes = (uint32_t)(whole_bytes - sizeof *head);
    head->slab_steps = (uint32_t)((self->fresh - (char *)slab) / BLOCKS_STEP_BYTES);
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
    *head = (block_head){0, 0};
    return head + 1;
}

static void give(blocks *self, void *block)
{
    if (block == NULL)
        return;
    block_head *head = (block_head *)block - 1;
    if (head->slab_steps == 0) {
        self->base->resize(self->base->user, head, 0);
        return;
    }
    self->free_bytes += head->bytes + sizeof *head;
    void **list = &self->free[(head->bytes + sizeof *head) / BLOCKS_STEP_BYTES - 1];
    memcpy(block, list, sizeof *list);
    *list = block;
}

static void *resize_large(blocks *self, void *old, size_t new_bytes)
{
    if (new_bytes > SIZE_MAX - sizeof(block_head))
        return NULL;
    block_head *head =
        self->base->resize(self->base->user, (block_head *)old - 1, sizeof(block_head) + new_bytes);
    return head != NULL ? head + 1 : NULL;
}

static void *resize(void *user, void *old, size_t new_bytes)
{
    if (new_bytes == 0) {
        give(user, old);
        return NULL;
    }
    const block_head *head = old != NULL ? (block_head *)old - 1 : NULL;
    if (head != NULL && head->slab_steps == 0 && !is_small(new_bytes))
        return resize_large(user, old, new_bytes);
    void *block = take(user, new_bytes);
    if (block == NULL || old == NULL)
        return block;
    bool shrinks = head->slab_steps == 0 || head->bytes > new_bytes; /* only a large block becomes small */
    memcpy(block, old, shrinks ? new_bytes : head->bytes);
    give(user, old);
    return block;
}

/* ---- Giving slabs back ---- */

static slab_head *slab_of(void *block)
{
    block_head *head = (block_head *)block - 1;
    return (slab_head *)(void *)((char *)head - (size_t)head->slab_steps * BLOCKS_STEP_BYTES);
}

static void *next_free(const void *block)
{
    void *next;
    memcpy(&next, block, sizeof next);
    return next;
}

static void count_idle(blocks *self)
{
    for (slab_head *slab = self->slabs; slab != NULL; slab = slab->next)
        slab->idle = 0;
    for (unsigned i = 0; i < BLOCKS_SIZES; i++) {
        for (void *block = self->free[i]; block != NULL; block = next_free(block))
            slab_of(block)->idle++;
    }
}

/* The newest slab stays: blocks are still cut from it. */
static bool is_idle(const blocks *self, const slab_head *slab)
{
    return slab != self->slabs && slab->idle == slab->cut;
}

/* Takes the blocks of idle slabs out of a list; the others stay in their order. */
static void drop_idle(blocks *self, void **list)
{
    void *kept = NULL, *last = NULL;
    void *const none = NULL;
    for (void *block = *list, *next; block != NULL; block = next) {
        next = next_free(block);
        if (is_idle(self, slab_of(block))) {
            self->free_bytes -= ((block_head *)block - 1)->bytes + sizeof(block_head);
            continue;
        }
        if (last == NULL)
            kept = block;
        else
            memcpy(last, &block, sizeof block);
        last = block;
    }
    if (last != NULL)
        memcpy(last, &none, sizeof none);
    *list = kept;
}

void blocks_reclaim(blocks *self)
{
    count_idle(self);
    for (unsigned i = 0; i < BLOCKS_SIZES; i++)
        drop_idle(self, &self->free[i]);
    slab_head *newest = self->slabs;
    slab_head *before = newest;
    for (slab_head *slab = newest != NULL ? newest->next : NULL, *next; slab != NULL; slab = next) {
        next = slab->next;
        if (is_idle(self, slab)) {
            before->next = next;
            self->base->resize(self->base->user, slab, 0);
        } else {
            before = slab;
        }
    }
}

ka_allocator blocks_allocator(blocks *self)
{
    return (ka_allocator){self, resize};
}
