/* memory.h - the tool's allocator: the C library's heap, counted and limited.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "keptalive.h"

/* A million idle connections and what they leave behind, with room; and the same on every machine. */
#define MEMORY_DEFAULT_BYTES (INT64_C(1) << 30)
/* Below it the parts a run always needs would leave no room for connections. */
#define MEMORY_LEAST_BYTES (INT64_C(64) << 20)

/* What was asked for and not given back, with 16 bytes a block, whatever the C library adds: so the same
 * capture meets the same limit on every machine. A part is counted in its whole, too. */
typedef struct memory_share {
    struct memory_share *whole; /* or NULL */
    uint64_t limit_bytes;       /* nothing is given beyond it */
    uint64_t used_bytes;
} memory_share;

/* Must stay where it is while anything allocated from it is there. */
ka_allocator memory_allocator(memory_share *self);

/* What somebody else allocates, a library, counted in a share as well. */
typedef struct memory_claim {
    memory_share *share; /* NULL: not counted, not limited */
    uint64_t bytes;
} memory_claim;

/* From now on so many; false, and no change, when they do not fit. Fewer always do. */
bool memory_claim_set(memory_claim *claim, uint64_t bytes);

/* Not counted. */
extern const ka_allocator memory_heap;

#endif
