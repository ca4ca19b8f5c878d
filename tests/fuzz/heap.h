/* heap.h - the fuzzers' allocator: the tool's, but large blocks are kept for the next run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HEAP_H
#define HEAP_H

#include "keptalive.h"

/* A table of flows takes 4 MiB, of which a run touches a page: to map them anew took most of its time. */
extern const ka_allocator fuzz_heap;

#endif
