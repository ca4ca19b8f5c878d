/* memory.c - the tool's allocator: the C library's heap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "memory.h"

#include <stdlib.h>

static void *resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (new_bytes == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_bytes);
}

const ka_allocator memory_heap = {NULL, resize};
