/* due.c - connections that wait to settle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "due.h"

#include "memory.h"

void ka_dues_init(ka_dues *dues)
{
    *dues = (ka_dues){NULL, NULL, KA_NONE, 0, 0};
}

void ka_dues_fini(ka_dues *dues, const ka_allocator *allocator)
{
    while (dues->first != NULL) {
        ka_due *due = dues->first;
        dues->first = due->next;
        ka_memory_give(allocator, due);
    }
    ka_dues_init(dues);
}

ka_status ka_dues_add(ka_dues *dues, const ka_allocator *allocator, ka_connection *connection,
                      uint32_t stream, int64_t at_ns, ka_due **out)
{
    ka_due *due = ka_memory_take(allocator, sizeof *due);
    if (due == NULL)
        return KA_NO_MEMORY;
    *due = (ka_due){NULL, connection, at_ns, stream};
    *(dues->last != NULL ? &dues->last->next : &dues->first) = due;
    dues->last = due;
    dues->count++;
    *out = due;
    return KA_OK;
}

/* Takes out those without a connection; the others stay in their order. */
static void sweep(ka_dues *dues, const ka_allocator *allocator)
{
    dues->last = NULL;
    for (ka_due **at = &dues->first; *at != NULL;) {
        ka_due *due = *at;
        if (due->connection != NULL) {
            dues->last = due;
            at = &due->next;
            continue;
        }
        *at = due->next;
        dues->count--;
        ka_memory_give(allocator, due);
    }
    dues->dropped = 0;
}

/* Where ports are reused again and again within one moment they would pile up: half of them is enough. */
void ka_dues_drop(ka_dues *dues, const ka_allocator *allocator, ka_due *due)
{
    enum { DROPPED_LEAST = 64 };
    due->connection = NULL;
    dues->dropped++;
    if (dues->dropped >= DROPPED_LEAST && dues->dropped > dues->count / 2)
        sweep(dues, allocator);
}

/* Merge sort of the first `count` of a list; their last one's next is NULL afterwards. */
static ka_due *sort(ka_due *list, size_t count)
{
    if (count == 1) {
        list->next = NULL;
        return list;
    }
    ka_due *right = list;
    for (size_t i = 0; i < count / 2; i++)
        right = right->next;
    right = sort(right, count - count / 2);
    ka_due *left = sort(list, count / 2);
    ka_due *sorted = NULL;
    for (ka_due **at = &sorted; left != NULL || right != NULL; at = &(*at)->next) {
        ka_due **from = right == NULL || (left != NULL && left->stream < right->stream) ? &left : &right;
        *at = *from;
        *from = (*from)->next;
    }
    return sorted;
}

/* Brings all that are due at the time of *at in the order of their streams. */
static void sort_from(ka_dues *dues, ka_due **at)
{
    size_t count = 0;
    ka_due *rest = *at;
    for (; rest != NULL && rest->at_ns == (*at)->at_ns; rest = rest->next)
        count++;
    if (count == 1)
        return;
    dues->sorted_ns = (*at)->at_ns;
    *at = sort(*at, count);
    while (*at != NULL)
        at = &(*at)->next;
    *at = rest;
    if (rest == NULL) {
        dues->last = dues->first;
        while (dues->last->next != NULL)
            dues->last = dues->last->next;
    }
}

ka_connection *ka_dues_take(ka_dues *dues, const ka_allocator *allocator, int64_t now_ns,
                            const ka_connection *except)
{
    ka_due *skipped = NULL;
    ka_due **at = &dues->first;
    while (*at != NULL && (*at)->at_ns <= now_ns) {
        if ((*at)->at_ns != dues->sorted_ns)
            sort_from(dues, at);
        ka_due *due = *at;
        ka_connection *connection = due->connection;
        if (connection == except && except != NULL) {
            skipped = due;
            at = &due->next;
            continue;
        }
        *at = due->next;
        if (dues->last == due)
            dues->last = skipped;
        ka_memory_give(allocator, due);
        dues->count--;
        if (connection != NULL)
            return connection;
        dues->dropped--;
    }
    return NULL;
}
