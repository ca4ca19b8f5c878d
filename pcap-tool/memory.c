/* memory.c - the tool's allocator: the C library's heap, counted and limited.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "memory.h"

#include <stdlib.h>
#include <sys/mman.h>

/* What is this large is used by all connections in turn; on huge pages fewer accesses wait for an address
 * translation (about a tenth of the time with 20,000 connections open). A kernel without them ignores the
 * advice. */
enum { HUGE_BYTES = 2 * 1024 * 1024 };

/* Before each block. */
typedef struct block_head {
    _Alignas(16) uint64_t bytes; /* with the head */
} block_head;

_Static_assert(sizeof(block_head) == 16, "the tables that fill whole huge pages leave so much room");

static void *take_huge(size_t whole_bytes)
{
    void *taken;
    if (posix_memalign(&taken, HUGE_BYTES, whole_bytes) != 0)
        return NULL;
    madvise(taken, whole_bytes / HUGE_BYTES * HUGE_BYTES, MADV_HUGEPAGE);
    return taken;
}

static bool fits(const memory_share *self, uint64_t more_bytes)
{
    for (; self != NULL; self = self->whole) {
        if (more_bytes > self->limit_bytes - self->used_bytes)
            return false;
    }
    return true;
}

static void count(memory_share *self, uint64_t old_bytes, uint64_t new_bytes)
{
    for (; self != NULL; self = self->whole)
        self->used_bytes += new_bytes - old_bytes;
}

static void *resize(void *user, void *old, size_t new_bytes)
{
    memory_share *self = user;
    block_head *head = old != NULL ? (block_head *)old - 1 : NULL;
    uint64_t old_bytes = head != NULL ? head->bytes : 0;
    if (new_bytes == 0) {
        count(self, old_bytes, 0);
        free(head);
        return NULL;
    }
    if (new_bytes > SIZE_MAX - sizeof *head)
        return NULL;
    size_t whole_bytes = sizeof *head + new_bytes;
    if (whole_bytes > old_bytes && !fits(self, whole_bytes - old_bytes))
        return NULL;
    if (head == NULL && whole_bytes >= HUGE_BYTES)
        head = take_huge(whole_bytes);
    else
        head = realloc(head, whole_bytes);
    if (head == NULL)
        return NULL;
    head->bytes = whole_bytes;
    count(self, old_bytes, whole_bytes);
    return head + 1;
}

ka_allocator memory_allocator(memory_share *self)
{
    return (ka_allocator){self, resize};
}

bool memory_claim_set(memory_claim *claim, uint64_t bytes)
{
    if (bytes > claim->bytes && !fits(claim->share, bytes - claim->bytes))
        return false;
    count(claim->share, claim->bytes, bytes);
    claim->bytes = bytes;
    return true;
}

const ka_allocator memory_heap = {NULL, resize};
