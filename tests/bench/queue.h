/* queue.h - a priority queue of slots by time: which of many connections sends next.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdint.h>
#include <stddef.h>

typedef struct queue_entry {
    int64_t time_ns;
    uint32_t slot;
} queue_entry;

/* A binary heap; `entries` has room for as many as are ever pushed at once. */
struct queue {
    queue_entry *entries;
    size_t count;
};

static inline void queue_push(struct queue *queue, queue_entry entry)
{
    size_t at = queue->count++;
    while (at > 0 && queue->entries[(at - 1) / 2].time_ns > entry.time_ns) {
        queue->entries[at] = queue->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->entries[at] = entry;
}

/* The earliest; the queue must not be empty. */
static inline queue_entry queue_pop(struct queue *queue)
{
    queue_entry first = queue->entries[0], last = queue->entries[--queue->count];
    size_t at = 0;
    for (size_t child = 1; child < queue->count; child = 2 * at + 1) {
        if (child + 1 < queue->count && queue->entries[child + 1].time_ns < queue->entries[child].time_ns)
            child++;
        if (last.time_ns <= queue->entries[child].time_ns)
            break;
        queue->entries[at] = queue->entries[child];
        at = child;
    }
    queue->entries[at] = last;
    return first;
}

#endif
