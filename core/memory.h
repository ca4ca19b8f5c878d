/* memory.h - zeroed blocks from the allocator handed in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef KA_MEMORY_H
#define KA_MEMORY_H

#include <string.h>

#include "keptalive.h"

static inline void *ka_memory_take(const ka_allocator *allocator, size_t size_bytes)
{
    void *memory = allocator->resize(allocator->user, NULL, size_bytes);
    if (memory != NULL)
        memset(memory, 0, size_bytes);
    return memory;
}

static inline void ka_memory_give(const ka_allocator *allocator, void *memory)
{
    if (memory != NULL)
        allocator->resize(allocator->user, memory, 0);
}

#endif
