/* spares.c - at most how many openings the connections that a setting keeps could have served.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "spares.h"

#include <stdbool.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const what_if_span *a = left, *b = right;
    if (a->from_ns != b->from_ns)
        return a->from_ns < b->from_ns ? -1 : 1;
    return (a->until_ns > b->until_ns) - (a->until_ns < b->until_ns);
}

/* A binary heap of indexes; the span that ends first is on top. */
typedef struct queue {
    const what_if_span *spans;
    uint32_t *heap;
    size_t count;
} queue;

static bool ends_before(const queue *q, size_t a, size_t b)
{
    return q->spans[q->heap[a]].until_ns < q->spans[q->heap[b]].until_ns;
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

static void pop(queue *q)
{
    q->heap[0] = q->heap[--q->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < q->count; at = child) {
        if (child + 1 < q->count && ends_before(q, child + 1, child))
            child++;
        if (!ends_before(q, child, at))
            break;
        swap(q, at, child);
    }
}

uint64_t what_if_match(what_if_span *spans, size_t span_count, const int64_t *opened_ns, size_t opened_count,
                       uint32_t *heap)
{
    uint64_t matched = 0;
    queue open = {spans, heap, 0};
    size_t next = 0;
    if (span_count > 0)
        qsort(spans, span_count, sizeof *spans, compare);
    for (size_t i = 0; i < opened_count; i++) {
        for (; next < span_count && spans[next].from_ns < opened_ns[i]; next++)
            push(&open, (uint32_t)next);
        while (open.count > 0 && spans[heap[0]].until_ns < opened_ns[i])
            pop(&open);
        if (open.count == 0)
            continue;
        pop(&open);
        matched++;
    }
    return matched;
}
