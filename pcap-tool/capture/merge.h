/* merge.h - inputs by the time of the packet each has ready: a binary heap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CAPTURE_MERGE_H
#define CAPTURE_MERGE_H

#include "input.h"

typedef struct merge_heap {
    input_file **heads; /* room for all inputs, the owner's */
    size_t count;
} merge_heap;

void merge_add(merge_heap *merge, input_file *head);

/* The input whose packet is the earliest (ties: by input order); NULL when none is left. */
static inline input_file *merge_first(const merge_heap *merge)
{
    return merge->count > 0 ? merge->heads[0] : NULL;
}

/* The first one has another packet ready, or has ended. */
void merge_first_moved(merge_heap *merge);
void merge_first_ended(merge_heap *merge);

#endif
