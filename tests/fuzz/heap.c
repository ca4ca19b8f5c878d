/* heap.c - the fuzzers' allocator: the tool's, but large blocks are kept for the next run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "heap.h"

#include "memory.h"

enum { LARGE_BYTES = 1 << 20, BLOCKS_KEPT = 8 };

typedef struct block {
    void *memory;
    size_t bytes;
    bool taken;
} block;

static block blocks[BLOCKS_KEPT];

static void *take_large(size_t new_bytes)
{
    for (block *at = blocks; at < blocks + BLOCKS_KEPT; at++) {
        if (at->memory == NULL) {
            at->memory = memory_heap.resize(memory_heap.user, NULL, new_bytes);
            at->bytes = new_bytes;
        }
        if (!at->taken && at->bytes == new_bytes) {
            at->taken = at->memory != NULL;
            return at->memory;
        }
    }
    return memory_heap.resize(memory_heap.user, NULL, new_bytes);
}

static bool give_large(const void *old)
{
    for (block *at = blocks; at < blocks + BLOCKS_KEPT; at++) {
        if (at->taken && at->memory == old) {
            at->taken = false;
            return true;
        }
    }
    return false;
}

/* Large blocks are never resized. */
static void *resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (old == NULL && new_bytes >= LARGE_BYTES)
        return take_large(new_bytes);
    if (new_bytes == 0 && old != NULL && give_large(old))
        return NULL;
    return memory_heap.resize(memory_heap.user, old, new_bytes);
}

const ka_allocator fuzz_heap = {NULL, resize};
