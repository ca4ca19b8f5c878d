/* others.c - which other connections of a client were idle when a request came.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "others.h"

#include <stdlib.h>

/* A stretch of idleness, and the gap it is; NULL: the connection ended in it. */
typedef struct stretch {
    int64_t from_ns;
    int64_t until_ns;
    what_if_gap *gap;
} stretch;

/* Those of a client, by their beginning; and a heap of the ones begun, with the latest on top. */
typedef struct stretches {
    stretch *at;
    stretch **ends; /* those that a request ended, by their end */
    size_t count;
    size_t end_count;
} stretches;

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_beginning(const void *left, const void *right)
{
    const stretch *a = left, *b = right;
    return compare_numbers(a->from_ns, b->from_ns);
}

static int by_end(const void *left, const void *right)
{
    const stretch *const *a = left, *const *b = right;
    return compare_numbers((*a)->until_ns, (*b)->until_ns);
}

static void collect(what_if_connection *c, stretches *all)
{
    for (uint32_t i = 0; i < c->gap_count; i++) {
        what_if_gap *gap = &c->gaps[i];
        all->at[all->count++] = (stretch){gap->end_ns - gap->idle_ns, gap->end_ns, gap};
    }
    if (c->loss == WHAT_IF_LOSS_NONE && c->idle_ns != KA_NONE)
        all->at[all->count++] = (stretch){c->ended_ns - c->idle_ns, c->ended_ns, NULL};
}

/* In order of their ends. Stretches begin in order, too, so the latest that has begun and not ended is the
 * last of a stack, from which what has ended is taken when it comes to the top: no later question wants it.
 */
static void look_around(stretches *all, size_t *stack)
{
    size_t depth = 0, next = 0;
    for (size_t i = 0; i < all->end_count; i++) {
        int64_t now_ns = all->ends[i]->until_ns;
        for (; next < all->count && all->at[next].from_ns < now_ns; next++)
            stack[depth++] = next;
        while (depth > 0 && all->at[stack[depth - 1]].until_ns <= now_ns)
            depth--;
        all->ends[i]->gap->other_ns = depth > 0 ? now_ns - all->at[stack[depth - 1]].from_ns : KA_NONE;
    }
}

bool what_if_find_others(what_if_connection *connections, size_t count, const ka_allocator *allocator)
{
    size_t room = count;
    for (size_t i = 0; i < count; i++)
        room += connections[i].gap_count;
    stretches all = {allocator->resize(allocator->user, NULL, room * sizeof(stretch)),
                     allocator->resize(allocator->user, NULL, room * sizeof(stretch *)), 0, 0};
    size_t *stack = allocator->resize(allocator->user, NULL, room * sizeof *stack);
    bool ok = all.at && all.ends && stack;
    for (size_t i = 0; ok && i < count; i++)
        collect(&connections[i], &all);
    if (all.count > 0) {
        qsort(all.at, all.count, sizeof *all.at, by_beginning);
        for (size_t i = 0; i < all.count; i++) {
            if (all.at[i].gap)
                all.ends[all.end_count++] = &all.at[i];
        }
    }
    if (all.end_count > 0) {
        qsort(all.ends, all.end_count, sizeof(stretch *), by_end);
        look_around(&all, stack);
    }
    void *const memory[] = {all.at, all.ends, stack};
    for (size_t i = 0; i < 3; i++) {
        if (memory[i])
            allocator->resize(allocator->user, memory[i], 0);
    }
    return ok;
}
