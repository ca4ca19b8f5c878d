/* memory.h - the tool's allocator: the C library's heap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "keptalive.h"

extern const ka_allocator memory_heap;

#endif
