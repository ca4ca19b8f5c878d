/* memory.c - memory that lives as long as the capture file is open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "compat.h"

#include "memory.h"

static void *resize(void *user, void *old, size_t new_bytes)
{
    (void)user;
    if (new_bytes > 0)
        return wmem_realloc(wmem_file_scope(), old, new_bytes);
    wmem_free(wmem_file_scope(), old);
    return NULL;
}

const ka_allocator memory_file = {NULL, resize};
