/* merge.c - inputs by the time of the packet each has ready: a binary heap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "merge.h"

static bool is_before(const input_file *a, const input_file *b)
{
    return a->time_ns < b->time_ns || (a->time_ns == b->time_ns && a->index < b->index);
}

static void sink(merge_heap *merge, size_t at)
{
    input_file *moving = merge->heads[at];
    for (size_t child; (child = 2 * at + 1) < merge->count; at = child) {
        if (child + 1 < merge->count && is_before(merge->heads[child + 1], merge->heads[child]))
            child++;
        if (!is_before(merge->heads[child], moving))
            break;
        merge->heads[at] = merge->heads[child];
    }
    merge->heads[at] = moving;
}

void merge_add(merge_heap *merge, input_file *head)
{
    size_t at = merge->count++;
    for (; at > 0 && is_before(head, merge->heads[(at - 1) / 2]); at = (at - 1) / 2)
        merge->heads[at] = merge->heads[(at - 1) / 2];
    merge->heads[at] = head;
}

void merge_first_moved(merge_heap *merge)
{
    sink(merge, 0);
}

void merge_first_ended(merge_heap *merge)
{
    merge->heads[0] = merge->heads[--merge->count];
    if (merge->count > 0)
        sink(merge, 0);
}
