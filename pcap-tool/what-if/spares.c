/* spares.c - which openings the connections a longer timeout keeps could have saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spares.h"

#include "keptalive.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const what_if_spare *a = left, *b = right;
    if (a->from_ns != b->from_ns)
        return a->from_ns < b->from_ns ? -1 : 1;
    return (a->until_ns > b->until_ns) - (a->until_ns < b->until_ns);
}

/* A binary heap of indexes; the spare that ends first is on top. */
typedef struct queue {
    const what_if_spare *spares;
    uint32_t *heap;
    size_t count;
} queue;

static bool ends_before(const queue *q, size_t a, size_t b)
{
    return q->spares[q->heap[a]].until_ns < q->spares[q->heap[b]].until_ns;
}

static void swap(queue *q, size_t a, size_t b)
{
    uint32_t kept = q->heap[a];
    q->heap[a] = q->heap[b];
    q->heap[b] = kept;
}

static void push(queue *q, uint32_t index)
{
    size_t at = q->count++;
    q->heap[at] = index;
    for (; at > 0 && ends_before(q, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(q, at, (at - 1) / 2);
}

static const what_if_spare *pop(queue *q)
{
    const what_if_spare *first = &q->spares[q->heap[0]];
    q->heap[0] = q->heap[--q->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < q->count; at = child) {
        if (child + 1 < q->count && ends_before(q, child + 1, child))
            child++;
        if (!ends_before(q, child, at))
            break;
        swap(q, at, child);
    }
    return first;
}

what_if_matched what_if_match(what_if_spare *spares, size_t spare_count, const int64_t *opened_ns,
                              size_t opened_count, uint32_t *heap)
{
    what_if_matched matched = {0, 0};
    queue waiting = {spares, heap, 0};
    size_t next = 0;
    if (spare_count > 0)
        qsort(spares, spare_count, sizeof *spares, compare);
    for (size_t i = 0; i < opened_count; i++) {
        int64_t at_ns = opened_ns[i];
        for (; next < spare_count && spares[next].from_ns < at_ns; next++)
            push(&waiting, (uint32_t)next);
        while (waiting.count > 0 && spares[waiting.heap[0]].until_ns < at_ns)
            pop(&waiting);
        if (waiting.count == 0)
            continue;
        const what_if_spare *used = pop(&waiting);
        matched.reused++;
        matched.lost += used->race_ns != KA_NONE && at_ns - used->since_ns > used->race_ns;
    }
    return matched;
}
