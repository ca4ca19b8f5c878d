/* server_set.c - which servers stand for one another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "server_set.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* By name, then by requests. */
static int compare(const void *left, const void *right)
{
    const ka_endpoint *a = *(const ka_endpoint *const *)left, *b = *(const ka_endpoint *const *)right;
    int order = strcmp(a->name, b->name);
    if (order != 0)
        return order;
    if (a->site_requests != b->site_requests)
        return a->site_requests < b->site_requests ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* For at least half of the time of the busiest one the other took part. */
static bool is_contemporary(const ka_endpoint *busiest, const ka_endpoint *other)
{
    int64_t from_ns = busiest->active.first.time_ns, to_ns = busiest->active.last.time_ns;
    int64_t span_ns = to_ns - from_ns;
    if (other->active.first.time_ns > from_ns)
        from_ns = other->active.first.time_ns;
    if (other->active.last.time_ns < to_ns)
        to_ns = other->active.last.time_ns;
    return to_ns - from_ns >= span_ns / 2;
}

/* Clients looked at to find one in common: pools are used by a few hosts. */
enum { CLIENTS_COMPARED = 16 };

/* A proxy before its origins has their name, but other clients. */
static bool shares_client(ka_endpoints *es, const ka_endpoint *busiest, const ka_endpoint *other)
{
    uint32_t next = busiest->first_client;
    for (int i = 0; next != 0 && i < CLIENTS_COMPARED; i++) {
        const ka_client *mine = &es->clients.at[next - 1];
        ka_client_key there = mine->key;
        there.endpoint = other->index;
        if (ka_clients_find(&es->clients, &there) != NULL)
            return true;
        next = mine->next;
    }
    return false;
}

/* One request a connection is a health check, or a client that is balanced anew each time. */
static bool is_used_again(const ka_endpoint *e)
{
    return e->site_requests > 0 && e->site_requests >= 2 * e->site_connections;
}

/* Servers of one name may be of several sets, say of two clusters. Of more sets the busiest stand: each is
 * looked for among all servers of the name that are left. */
enum { SETS_OF_A_NAME = 64 };

/* `at` are all of one name, in order of requests. Moves the set of the last one to `members`, which has as
 * much room, and returns how many are left. */
static uint32_t take_set(ka_endpoints *es, const ka_endpoint **at, uint32_t count,
                         const ka_endpoint **members, ka_server_set *out)
{
    const ka_endpoint *busiest = at[count - 1];
    uint32_t taken = 0, left = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_member =
            at[i] == busiest || (is_contemporary(busiest, at[i]) && shares_client(es, busiest, at[i]));
        if (is_member)
            members[taken++] = at[i];
        else
            at[left++] = at[i];
    }
    *out = (ka_server_set){taken, members[taken / 2]->site_requests};
    return left;
}

static uint32_t used_again(const ka_endpoints *es, const ka_endpoint **at)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < es->count; i++) {
        if (es->at[i]->name[0] != '\0' && is_used_again(es->at[i]))
            at[count++] = es->at[i];
    }
    qsort(at, count, sizeof *at, compare);
    return count;
}

ka_status ka_server_sets(ka_endpoints *es, ka_server_set **out)
{
    *out = NULL;
    if (es->count == 0)
        return KA_OK;
    ka_server_set *sets = ka_memory_take(es->allocator, es->count * sizeof *sets);
    const ka_endpoint **at = ka_memory_take(es->allocator, 2 * es->count * sizeof *at);
    if (sets == NULL || at == NULL) {
        ka_memory_give(es->allocator, sets);
        ka_memory_give(es->allocator, (void *)at);
        return KA_NO_MEMORY;
    }
    uint32_t count = used_again(es, at);
    for (uint32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && strcmp(at[to]->name, at[from]->name) == 0;)
            to++;
        uint32_t left = to - from;
        for (int i = 0; left > 1 && i < SETS_OF_A_NAME; i++) {
            uint32_t busiest = at[from + left - 1]->index;
            left = take_set(es, at + from, left, at + es->count, &sets[busiest]);
        }
    }
    ka_memory_give(es->allocator, (void *)at);
    *out = sets;
    return KA_OK;
}
